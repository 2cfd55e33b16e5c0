"""Linking an account: a person scans the QR code, in a terminal or in the browser's own window.

The window of a headed login is shielded too: scanning and typing need no focus, and a page that was
once shielded must never be told of a focus. It is closed when the account is linked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from whatsapp_etl.errors import PageTimeoutError, SessionNeedsPersonError
from whatsapp_etl.extract.qr_life import QR_RENEWALS
from whatsapp_etl.extract.session import Session, person_needed
from whatsapp_etl.model import NEEDS_PERSON, SessionState

_LOOK = timedelta(seconds=1)
_SCANNING = frozenset({SessionState.QR, SessionState.LOGGED_OUT})
#: What a person in front of a window can answer there and then.
_ANSWERED_IN_WINDOW = NEEDS_PERSON - _SCANNING - {SessionState.WRONG_ACCOUNT}


@dataclass(frozen=True, slots=True)
class LinkStep:
    """How far linking has come, at one look."""

    state: SessionState
    qr_payload: str | None = None  #: What the QR code says, while one can be scanned.
    qr_expires_at: datetime | None = None  #: When the next one is expected.


def wait_until_linked(
    session: Session,
    timeout: timedelta,
    show: Callable[[LinkStep], None],
    *,
    has_window: bool = False,
) -> None:
    """Return once the account is linked and its chat list is shown.

    Args:
        session: Open.
        timeout: For everything: scanning and the first download.
        show: Called after each look, at least once a second.
        has_window: Whether a person sits in front of the browser's window and can answer what
            else the page asks, such as an app lock.

    Raises:
        SessionNeedsPersonError: The page asks for something that cannot be answered here, or
            every batch of codes ran out and nobody scanned.
        PageTimeoutError: Nobody scanned in time, or the chats did not load.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    renewals = 0
    state = session.poll()
    while state is not SessionState.READY:
        if state in NEEDS_PERSON and not (
            state in _SCANNING or (has_window and state in _ANSWERED_IN_WINDOW)
        ):
            raise person_needed(state)
        seen = session.snapshot()
        show(LinkStep(state, seen.qr_payload, seen.qr_expires_at))
        if session.is_qr_expired:
            if renewals >= QR_RENEWALS:
                raise SessionNeedsPersonError(
                    f"The QR code ran out {QR_RENEWALS + 1} times and nobody scanned it.",
                    "Run `whatsapp-etl login` again when the phone is at hand.",
                )
            renewals += session.reload_qr()
        if time.monotonic() >= deadline:
            raise PageTimeoutError(
                f"The account was not linked within {timeout.total_seconds():g} s; the page is {state}.",
                "Run `whatsapp-etl login` again.",
            )
        state = session.poll(_LOOK)
    left = max(deadline - time.monotonic(), _LOOK.total_seconds())
    session.wait_until_ready(timedelta(seconds=left))
