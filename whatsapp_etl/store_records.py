"""Values of the page's own message store: whether it can be read in this session, and what it holds.

`extract` makes them in the page, `transform` understands them, the service and the ledger show why the store
is not read. Like those of `model` they are frozen and cross between packages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class StoreStep(StrEnum):
    """One capability that reading needs. The self-test tries them in this order, up to the first failure."""

    LOADER = "loader"  #: The page's modules can be asked for by name.
    SETTLED = "settled"  #: Their number does not grow any more.
    MODULES = "modules"  #: Those that are needed are registered and can be made.
    MEMBERS = "members"  #: They have the functions that are called, under their known names.
    STATE = "state"  #: The page is logged in, and has what the server held for it.
    KEY = "key"  #: The key of the message bodies has come.
    ROWS = "rows"  #: The table gives its newest row, in the known shape.
    DECODING = "decoding"  #: That row becomes a message, under the same key and with its text.
    LISTED = "listed"  #: The browser's storage lists that message with the same time and type.


class StoreUnavailable(StrEnum):
    """Why the message store is not read."""

    NO_LOADER = "no_loader"
    MODULES_UNSETTLED = "modules_unsettled"
    MODULE_MISSING = "module_missing"
    MODULE_UNRESOLVED = "module_unresolved"
    MEMBER_MISSING = "member_missing"
    NOT_SYNCED = "not_synced"
    KEY_LATE = "key_late"
    TABLE_EMPTY = "table_empty"
    ROW_SHAPE = "row_shape"
    NOT_DECODED = "not_decoded"
    NOT_LISTED = "not_listed"
    DISAGREES = "disagrees"  #: What it said was shown otherwise by the page; it rests for a while.
    TIMED_OUT = "timed_out"
    REFUSED = "refused"  #: The page or one of its functions raised an error.


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """The outcome of the self-test."""

    passed: tuple[StoreStep, ...]
    reason: StoreUnavailable | None = None  #: None: the store can be read.
    detail: str | None = None  #: Which module, member or column; from the script's own names, never data.

    @property
    def is_passed(self) -> bool:
        return self.reason is None


@dataclass(frozen=True, slots=True)
class ListedRow:
    """The newest row of the browser's storage, which the message store must have, too."""

    stored_id: str
    row_number: int  #: Counts up as messages come.
    seconds: int
    type: str


@dataclass(frozen=True, slots=True)
class QuotedRow:
    """What a row carries of the message that it answers."""

    type: str | None
    text: str | None  #: Body or caption, as typed.


@dataclass(frozen=True, slots=True)
class StoreRow:
    """One message as the page's store holds it, its body decrypted. Texts are as typed, with their marks."""

    stored_id: str  #: The table's primary key, verbatim; `MessageFacts.stored_id` of the same message.
    type: str  #: The store's own type name.
    sent_at: datetime  #: Exact seconds.
    subtype: str | None = None
    body: str | None = None  #: Not of pictures and the like, where it is a preview.
    is_opened: bool = True  #: The encrypted part held a body, preview or caption.
    caption: str | None = None
    file_name: str | None = None
    mentioned_ids: tuple[str, ...] = ()
    is_forwarded: bool = False
    is_edited: bool = False
    is_view_once: bool = False
    is_gif: bool = False
    is_live: bool = False
    place: str | None = None  #: Name and address of a location, one a line.
    card_names: tuple[str, ...] = ()
    poll_name: str | None = None
    poll_options: tuple[str, ...] = ()
    event_name: str | None = None
    invited_to: str | None = None  #: Subject of the group.
    call_outcome: str | None = None
    is_video_call: bool = False
    quoted: QuotedRow | None = None


#: Who is mentioned, by id: the name under which the page shows them.
Names = Mapping[str, str]
NO_NAMES: Names = MappingProxyType({})
