"""The QR code of the login page as the service shows it. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from whatsapp_etl.model import SessionSnapshot, SessionState

#: States in which the page offers a QR code.
_QR_STATES = frozenset({SessionState.QR, SessionState.LOGGED_OUT})

#: The page is looked at every few seconds; a code that should have been replaced for longer was left
#: behind by a page that is not looked at any more, and scanning it would fail.
_LATENESS = timedelta(seconds=20)
#: The same for a code of which nothing but its first sight is known.
QR_MAX_AGE = timedelta(seconds=120)


def shown_qr(session: SessionSnapshot, now: datetime) -> str | None:
    """Return the text of the QR code that is shown now, or None."""
    if session.state not in _QR_STATES or not session.qr_payload:
        return None
    if session.qr_expires_at is not None and now > session.qr_expires_at + _LATENESS:
        return None
    if session.qr_seen_at is not None and now - session.qr_seen_at > QR_MAX_AGE:
        return None
    return session.qr_payload


def seconds_left(session: SessionSnapshot, now: datetime) -> int | None:
    """Return how long the code is expected to be good, never less than 0; None where nobody knows."""
    if session.qr_expires_at is None:
        return None
    return max(round((session.qr_expires_at - now).total_seconds()), 0)


def link_json(session: SessionSnapshot, word: str, now: datetime) -> dict[str, Any]:
    """Return the body of GET /link: what the status page needs to follow linking."""
    payload = shown_qr(session, now)
    qr = None if payload is None else {"tag": qr_tag(payload), "seconds_left": seconds_left(session, now)}
    return {"session": word, "qr": qr}


def qr_tag(payload: str) -> str:
    """Return a short name for the code that does not give its text away."""
    return hashlib.sha256(payload.encode()).hexdigest()[:16]
