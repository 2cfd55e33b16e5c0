"""Linking an account: a person scans the QR code, or types a pairing code on the phone.

The window of a headed login is shielded too: scanning and typing need no focus, and a page that was
once shielded must never be told of a focus. It is closed when the account is linked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from whatsapp_etl.errors import PageTimeoutError, SessionNeedsPersonError
from whatsapp_etl.extract.phone_link import PhoneLink
from whatsapp_etl.extract.qr_life import LINK_CODE_LIVES, QR_RENEWALS
from whatsapp_etl.extract.session import Session, person_needed
from whatsapp_etl.model import NEEDS_PERSON, SessionState
from whatsapp_etl.phone_numbers import OwnNumber

_LOOK = timedelta(seconds=1)
_SCANNING = frozenset({SessionState.QR, SessionState.PAIRING, SessionState.LOGGED_OUT})
#: What a person in front of a window can answer there and then.
_ANSWERED_IN_WINDOW = NEEDS_PERSON - _SCANNING - {SessionState.WRONG_ACCOUNT}


@dataclass(frozen=True, slots=True)
class LinkStep:
    """How far linking has come, at one look."""

    state: SessionState
    qr_payload: str | None = None  #: What the QR code says, while one can be scanned.
    qr_expires_at: datetime | None = None  #: When the next one is expected.
    pairing_code: str | None = None  #: Eight characters, to be typed on the phone.
    pairing_expires_at: datetime | None = None
    loaded_percent: int | None = None  #: Once it is linked: how far the history has come.


def wait_until_linked(
    session: Session,
    timeout: timedelta,
    show: Callable[[LinkStep], None],
    *,
    has_window: bool = False,
    number: OwnNumber | None = None,
) -> None:
    """Return once the account is linked and its chat list is shown.

    Args:
        session: Open.
        timeout: For everything: scanning and the first download.
        show: Called after each look, at least once a second.
        has_window: Whether a person sits in front of the browser's window and can answer what
            else the page asks, such as an app lock.
        number: The account's phone number, to link with a pairing code; None to link with the QR code.

    Raises:
        SessionNeedsPersonError: The page asks for something that cannot be answered here, or
            every batch of codes ran out and nobody scanned.
        PageTimeoutError: Nobody scanned in time, or the chats did not load.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    codes = _Codes(session, number)
    state = session.poll()
    while state is not SessionState.READY:
        session.require_going_on()
        if state in NEEDS_PERSON and not (
            state in _SCANNING or (has_window and state in _ANSWERED_IN_WINDOW)
        ):
            raise person_needed(state)
        show(codes.look(state))
        if time.monotonic() >= deadline:
            raise PageTimeoutError(
                f"The account was not linked within {timeout.total_seconds():g} s; the page is {state}.",
                "Run `whatsapp-etl login` again.",
            )
        state = session.poll(_LOOK)
    left = max(deadline - time.monotonic(), _LOOK.total_seconds())
    session.wait_until_ready(timedelta(seconds=left))


class _Codes:
    """The codes that one login shows, renewed so often and no more."""

    def __init__(self, session: Session, number: OwnNumber | None) -> None:
        self._session = session
        self._number = number
        self._phone: PhoneLink | None = None
        self._pairing: tuple[str, datetime] | None = None
        self._renewals = 0

    def look(self, state: SessionState) -> LinkStep:
        """Return what can be scanned or typed now; ask for another code where the last one has expired.

        Raises:
            SessionNeedsPersonError: They were renewed often enough, or the number is not taken.
            SelectorDriftError: The page has no form for a number, or an unknown one.
        """
        if state is SessionState.LOADING:
            return LinkStep(state, loaded_percent=self._session.loading_percent)
        if self._number is not None:
            return self._by_phone(state, self._number)
        if self._session.is_qr_expired:
            if self._renewals >= QR_RENEWALS:
                raise SessionNeedsPersonError(
                    f"The QR code ran out {QR_RENEWALS + 1} times and nobody scanned it.",
                    "Run `whatsapp-etl login` again when the phone is at hand.",
                )
            self._renewals += self._session.reload_qr()
        seen = self._session.snapshot()
        return LinkStep(state, seen.qr_payload, seen.qr_expires_at)

    def _by_phone(self, state: SessionState, number: OwnNumber) -> LinkStep:
        if self._phone is None:
            if state not in _SCANNING:
                return LinkStep(state)
            self._phone = self._session.phone_link()
            self._phone.ask(number)
        code = self._phone.code()
        if code is None:
            self._pairing = None
            if self._phone.renew():
                code = self._phone.code()
        if code is None:
            return LinkStep(state)
        if self._pairing is None or self._pairing[0] != code:
            self._pairing = (code, self._session.now() + LINK_CODE_LIVES)
        return LinkStep(state, pairing_code=code, pairing_expires_at=self._pairing[1])
