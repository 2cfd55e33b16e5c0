"""The QR code of the login page, drawn again from its text. Pure."""

from __future__ import annotations

import hashlib
import io
from datetime import datetime, timedelta
from functools import lru_cache

import segno

from whatsapp_etl.model import SessionSnapshot, SessionState

#: States in which the page offers a QR code.
_QR_STATES = frozenset({SessionState.QR, SessionState.LOGGED_OUT})

#: WhatsApp Web replaces the code after 60 s, later every 20 s. A text older than this was left
#: behind by a page that is not looked at any more, and scanning it would fail.
QR_MAX_AGE = timedelta(seconds=120)

_MODULE_PIXELS = 8
_QUIET_ZONE_MODULES = 4  # the least that the standard asks for


def shown_qr(session: SessionSnapshot, now: datetime) -> str | None:
    """Return the text of the QR code that is shown now, or None."""
    if session.state not in _QR_STATES or not session.qr_payload:
        return None
    if session.qr_seen_at is not None and now - session.qr_seen_at > QR_MAX_AGE:
        return None
    return session.qr_payload


@lru_cache(maxsize=1)
def qr_png(payload: str) -> bytes:
    """Draw the code in black on white, whatever the page around it looks like."""
    image = io.BytesIO()
    segno.make_qr(payload, error="m").save(
        image, kind="png", scale=_MODULE_PIXELS, border=_QUIET_ZONE_MODULES
    )
    return image.getvalue()


def qr_tag(payload: str) -> str:
    """Return a short name for the code that does not give its text away."""
    return hashlib.sha256(payload.encode()).hexdigest()[:16]
