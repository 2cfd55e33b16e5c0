"""Linking an account: a person scans the QR code, in a terminal or in the browser's own window.

The window of a headed login is shielded too: scanning and typing need no focus, and a page that was
once shielded must never be told of a focus. It is closed when the account is linked.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TextIO

import segno

from whatsapp_etl.errors import PageTimeoutError
from whatsapp_etl.extract.session import Session, person_needed
from whatsapp_etl.model import NEEDS_PERSON, SessionState

_LOOK = timedelta(seconds=1)
_SCANNING = frozenset({SessionState.QR, SessionState.LOGGED_OUT})
#: What a person in front of a window can answer there and then.
_ANSWERED_IN_WINDOW = NEEDS_PERSON - _SCANNING - {SessionState.WRONG_ACCOUNT}


def qr_text(payload: str) -> str:
    """Return the QR code as half-block characters, two rows of modules a line."""
    out = io.StringIO()
    segno.make_qr(payload).terminal(out, border=2, compact=True)
    return out.getvalue()


def qr_png(payload: str) -> bytes:
    """Return the QR code as a PNG of some 300 pixels."""
    out = io.BytesIO()
    segno.make_qr(payload).save(out, kind="png", scale=6, border=4)
    return out.getvalue()


class TerminalQr:
    """Draws the code into a terminal, each new one in the place of the one before."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._drawn_lines = 0

    def draw(self, payload: str) -> None:
        text = qr_text(payload)
        if self._drawn_lines and self._out.isatty():
            self._out.write(f"\x1b[{self._drawn_lines}F\x1b[J")
        self._out.write(text)
        self._out.flush()
        self._drawn_lines = text.count("\n")


def wait_until_linked(
    session: Session,
    timeout: timedelta,
    show: Callable[[str], None],
    *,
    has_window: bool = False,
) -> None:
    """Return once the account is linked and its chat list is shown.

    Args:
        session: Open.
        timeout: For everything: scanning and the first download.
        show: Called with each new QR text.
        has_window: Whether a person sits in front of the browser's window and can answer what
            else the page asks, such as an app lock.

    Raises:
        SessionNeedsPersonError: The page asks for something that cannot be answered here.
        PageTimeoutError: Nobody scanned in time, or the chats did not load.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    shown: str | None = None
    state = session.poll()
    while state is not SessionState.READY:
        if state in NEEDS_PERSON and not (
            state in _SCANNING or (has_window and state in _ANSWERED_IN_WINDOW)
        ):
            raise person_needed(state)
        if session.qr_payload is not None and session.qr_payload != shown:
            shown = session.qr_payload
            show(shown)
        if session.is_qr_expired:
            session.reload_qr()
        if time.monotonic() >= deadline:
            raise PageTimeoutError(
                f"The account was not linked within {timeout.total_seconds():g} s; the page is {state}.",
                "Run `whatsapp-etl login` again.",
            )
        state = session.poll(_LOOK)
    left = max(deadline - time.monotonic(), _LOOK.total_seconds())
    session.wait_until_ready(timedelta(seconds=left))
