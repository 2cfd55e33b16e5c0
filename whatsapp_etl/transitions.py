"""How a session goes from one state to the next: which ways there are, and why one was gone.

Values cross between packages. The table is data: a way that is not in it is told and counted, and gone
all the same, since the page decides where it stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from whatsapp_etl.model import SessionState


class SessionCause(StrEnum):
    """`session_events.cause`: why the state changed."""

    SHOWN = "shown"  #: The page shows it.
    OPENED = "opened"  #: A browser was started.
    RESET = "reset"  #: The browser was old enough to be closed and started again.
    RELOADED = "reloaded"  #: The page stood still and was loaded again.
    CRASHED = "crashed"  #: The browser or its page ended.
    HUNG = "hung"  #: The page did not answer in time, so its browser was ended.
    MEMORY = "memory"  #: The browser took more than BROWSER_MAX_MEMORY_MB.
    RESTED = "rested"  #: It was restarted too often; it stays closed for a while.
    TAKEN_OVER = "taken_over"  #: The session was taken over from another window, as configured.
    OTHER_ACCOUNT = "other_account"  #: The account is not the one that the database follows.


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of the session's state, as it was noticed."""

    state: SessionState
    cause: SessionCause
    at: datetime
    previous: SessionState | None = None  #: None: the first of this program.
    error: str | None = None  #: Class of the error that told it.
    is_expected: bool = True


_S = SessionState
_ANYWHERE = frozenset(SessionState)
#: From every state: the page is opened anew, its browser ends, or something unknown lies over it.
_ALWAYS = frozenset({_S.STARTING, _S.CRASHED, _S.UNKNOWN})
#: What may be shown instead of the chats or over them.
_BLOCKING = frozenset(
    {
        *(_S.OFFLINE, _S.CONFLICT, _S.UPDATE_REQUIRED, _S.TERMS, _S.LOCKED, _S.BANNED, _S.UNAVAILABLE),
        *(_S.UNSUPPORTED, _S.PASSKEY_REQUIRED),
    }
)
#: An account is linked: a logout leads away from it, never a first code.
_LINKED = frozenset({_S.LOADING, _S.READY, _S.LOGGED_OUT, _S.WRONG_ACCOUNT}) | _BLOCKING
_LINKING = frozenset({_S.QR, _S.PAIRING, _S.LOGGED_OUT, _S.LOADING, _S.READY}) | _BLOCKING

#: State -> the states that may follow.
ALLOWED: Mapping[SessionState, frozenset[SessionState]] = MappingProxyType(
    {
        _S.STARTING: _ANYWHERE,
        _S.UNKNOWN: _ANYWHERE,
        _S.LOADING: _ANYWHERE,
        _S.QR: _LINKING | _ALWAYS | {_S.LINK_RESTING},
        _S.PAIRING: _LINKING | _ALWAYS,
        _S.LOGGED_OUT: (_LINKING | _ALWAYS | {_S.LINK_RESTING}) - {_S.QR},
        _S.LINK_RESTING: _ALWAYS,
        _S.PASSKEY_REQUIRED: _LINKING | _ALWAYS,
        _S.READY: _LINKED | _ALWAYS,
        _S.OFFLINE: _ANYWHERE,
        _S.CONFLICT: _LINKED | _ALWAYS,
        _S.TERMS: _LINKED | _ALWAYS,
        _S.LOCKED: _LINKED | _ALWAYS,
        _S.UPDATE_REQUIRED: _LINKED | _ALWAYS,
        _S.BANNED: _LINKED | _ALWAYS,
        _S.UNAVAILABLE: _ANYWHERE,
        # The page of its own that says so leads nowhere.
        _S.UNSUPPORTED: _ALWAYS,
        # What is linked stays another account until a person changes that.
        _S.WRONG_ACCOUNT: (_LINKED | _ALWAYS) - {_S.READY},
        _S.CRASHED: frozenset({_S.STARTING}),
    }
)


#: With these the page begins again in the browser that was open before.
_SAME_BROWSER = frozenset({SessionCause.SHOWN, SessionCause.RELOADED})
_ASKS_FOR_LINK = frozenset({_S.QR, _S.PAIRING, _S.LOGGED_OUT, _S.PASSKEY_REQUIRED})


def is_allowed(previous: SessionState | None, state: SessionState) -> bool:
    """Whether the table knows this way."""
    return previous is None or state is previous or state in ALLOWED[previous]


class TransitionLog:
    """What became of the session, until it is stored. Belongs to the thread that owns the browser.

    While nothing can be stored, the oldest fall out: the newest tell where the session stands.
    """

    KEPT = 500

    def __init__(self) -> None:
        self.unexpected = 0  #: Since the program was started.
        self.has_asked_for_link = False  #: The page of this browser has waited for a scan or a code.
        self._last: Transition | None = None
        self._pending: deque[Transition] = deque(maxlen=self.KEPT)
        self._earlier: tuple[Transition, ...] = ()

    def go_on_from(self, earlier: tuple[Transition, ...]) -> None:
        """Take what another program noted and could not store."""
        self._earlier += earlier

    def note(
        self, state: SessionState, cause: SessionCause, at: datetime, error: BaseException | None = None
    ) -> Transition | None:
        """Note where the session stands; None when that is nothing new."""
        if state is SessionState.STARTING and cause not in _SAME_BROWSER:
            self.has_asked_for_link = False
        elif state in _ASKS_FOR_LINK:
            self.has_asked_for_link = True
        kind = type(error).__name__ if error is not None else None
        last = self._last
        if last is not None and last.state is state and (kind is None or kind == last.error):
            return None
        previous = last.state if last is not None else None
        noted = Transition(state, cause, at, previous, kind, is_allowed(previous, state))
        self.unexpected += not noted.is_expected
        self._last = noted
        self._pending.append(noted)
        return noted

    @property
    def last(self) -> Transition | None:
        """The newest, stored or not."""
        return self._last

    @property
    def earlier(self) -> tuple[Transition, ...]:
        """What another program could not store, oldest first; a person was there, and is not told."""
        return self._earlier

    @property
    def all_pending(self) -> tuple[Transition, ...]:
        """What is not stored yet of this and of another program, oldest first."""
        return (*self._earlier, *self._pending)

    @property
    def pending(self) -> tuple[Transition, ...]:
        """What is not stored yet, oldest first."""
        return tuple(self._pending)

    def stored(self, transition: Transition) -> None:
        """Drop what was stored."""
        if transition in self._earlier:
            self._earlier = self._earlier[self._earlier.index(transition) + 1 :]
        else:
            self._pending.remove(transition)
