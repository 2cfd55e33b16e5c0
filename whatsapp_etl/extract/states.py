"""Which state the page is in: a pure function over what one look at it shows.

The rules stand in `_RULES`, first match wins. The order matters where screens overlap: a conflict
dialog lies over a chat list that looks ready.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from whatsapp_etl.model import SessionState

#: The labels of a pack that say something about the state.
STATE_LABELS = (
    *("conflict", "update_required", "terms", "banned", "locked", "unavailable"),
    *("passkey", "unsupported", "offline", "loading"),
)


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What one look at the page shows. No text of the page is in it but the QR code's."""

    is_alive: bool = True  #: False: the browser or the page has ended.
    has_app: bool = False  #: The client's own root has content.
    has_splash: bool = False
    has_qr_screen: bool = False  #: With or without a code.
    has_link_code: bool = False  #: A pairing code, to be typed on the phone.
    qr_payload: str | None = None  #: What the QR code says; None while it is being fetched.
    is_qr_expired: bool = False  #: The code is covered by a reload button.
    is_loading: bool = False
    loading_percent: int | None = None  #: How far loading has come, where the page says it.
    has_chat_list: bool = False
    has_dialog: bool = False
    is_after_logout: bool = False  #: The address says that the client logged itself out.
    is_other_account: bool = False  #: Another account than the pinned one is logged in.
    labels: frozenset[str] = frozenset()  #: Names of the pack's labels that the screen says.

    @property
    def is_strange(self) -> bool:
        """Whether the client shows something of which no pack knows anything."""
        known = (
            self.has_splash
            or self.has_qr_screen
            or self.has_link_code
            or self.is_loading
            or self.has_chat_list
            or self.has_dialog
        )
        return self.has_app and not known and not self.labels

    @classmethod
    def from_json(cls, facts: Mapping[str, object], *, is_other_account: bool = False) -> PageFacts:
        """Return what `scripts/page_facts.js` saw."""
        labels = facts["labels"]
        payload, percent = facts["qr_payload"], facts["loading_percent"]
        assert isinstance(labels, list)
        return cls(
            has_app=bool(facts["has_app"]),
            has_splash=bool(facts["has_splash"]),
            has_qr_screen=bool(facts["has_qr_screen"]),
            has_link_code=bool(facts["has_link_code"]),
            qr_payload=payload if isinstance(payload, str) else None,
            is_qr_expired=bool(facts["is_qr_expired"]),
            is_loading=bool(facts["is_loading"]),
            loading_percent=percent if isinstance(percent, int) else None,
            has_chat_list=bool(facts["has_chat_list"]),
            has_dialog=bool(facts["has_dialog"]),
            is_after_logout=bool(facts["is_after_logout"]),
            is_other_account=is_other_account,
            labels=frozenset(labels),
        )


_RULES: tuple[tuple[Callable[[PageFacts], bool], SessionState], ...] = (
    (lambda facts: not facts.is_alive, SessionState.CRASHED),
    (lambda facts: "conflict" in facts.labels, SessionState.CONFLICT),
    (lambda facts: "update_required" in facts.labels, SessionState.UPDATE_REQUIRED),
    (lambda facts: "terms" in facts.labels, SessionState.TERMS),
    (lambda facts: "banned" in facts.labels, SessionState.BANNED),
    (lambda facts: "locked" in facts.labels, SessionState.LOCKED),
    (lambda facts: "unavailable" in facts.labels, SessionState.UNAVAILABLE),
    # Over the chats, too: what asks for a passkey is no dialog that could be answered here.
    (lambda facts: "passkey" in facts.labels, SessionState.PASSKEY_REQUIRED),
    # Served instead of the client, so there is no client around the words.
    (lambda facts: "unsupported" in facts.labels and not facts.has_app, SessionState.UNSUPPORTED),
    (lambda facts: facts.has_link_code and not facts.has_chat_list, SessionState.PAIRING),
    (lambda facts: facts.has_qr_screen and not facts.has_chat_list, SessionState.QR),
    (lambda facts: "offline" in facts.labels, SessionState.OFFLINE),
    # A dialog that nobody knows may be anything; what lies under it is not touched.
    (lambda facts: facts.has_dialog, SessionState.UNKNOWN),
    (lambda facts: facts.has_chat_list and facts.is_other_account, SessionState.WRONG_ACCOUNT),
    (lambda facts: facts.has_chat_list, SessionState.READY),
    (lambda facts: facts.is_loading, SessionState.LOADING),
    (lambda facts: facts.has_splash, SessionState.STARTING),
)

#: A page that was here is chosen a pack for anew when it is ready.
BEFORE_READY = frozenset(
    {
        SessionState.STARTING,
        SessionState.LOADING,
        SessionState.QR,
        SessionState.PAIRING,
        SessionState.LOGGED_OUT,
    }
)

#: Between two screens the page is empty for a moment; that is still the way to the next one.
_PASSING = frozenset({SessionState.STARTING, SessionState.LOADING})


def next_state(current: SessionState, facts: PageFacts, *, was_ready: bool) -> SessionState:
    """Return the state that the page is in now.

    Args:
        current: The state at the look before.
        facts: What is shown.
        was_ready: Whether an account was logged in on this profile before; a QR code then means
            that it was logged out, and is not the first one.
    """
    for holds, state in _RULES:
        if holds(facts):
            if state is SessionState.QR and (was_ready or facts.is_after_logout):
                return SessionState.LOGGED_OUT
            return state
    return current if current in _PASSING else SessionState.UNKNOWN
