"""What was decided about a chat: how it compares with Postgres, and the visit that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from whatsapp_etl.model.listed import ChatFacts, MessageFacts
from whatsapp_etl.model.vocabulary import MissingReason


@dataclass(frozen=True, slots=True)
class ChatDiff:
    """How one chat of the metadata compares with Postgres."""

    chat_id: str
    expected: int
    stored: int
    wanted: tuple[str, ...]  #: external_ids missing or changed, due now, newest first.
    deferred: Mapping[MissingReason, int] = field(default_factory=dict)  #: Known missing, not due.
    newest_at: datetime | None = None  #: When the newest of those expected was sent.
    first_id: str | None = None  #: external_id of the oldest of those expected …
    last_id: str | None = None  #: … and of the newest.
    #: Listed before and not now, beside what is expected. What is stored of it stays.
    lost: Mapping[MissingReason, int] = field(default_factory=dict)
    lost_unstored: int = 0  #: Of those, not stored.


@dataclass(frozen=True, slots=True)
class ListedBefore:
    """Whether the storage still lists what it listed of a chat before."""

    chat_id: str
    has_first: bool | None  #: The oldest message inside the look-back; None: not known, or it left that.
    has_last: bool | None  #: The newest one.
    unlisted: int = 0  #: Stored messages that are not listed; counted only where an end is lacking.


@dataclass(frozen=True, slots=True)
class ChatVisit:
    """The decision to read one chat, and what to look for there."""

    chat: ChatFacts
    wanted: tuple[MessageFacts, ...]  #: Newest first.
    list_position: int  #: Expected place in the chat list, 0-based; a hint.
    checked: tuple[MessageFacts, ...] = ()  #: Stored ones, kept too where they are shown, to be compared.
    seeks_phone: bool = False  #: The top is wanted too, where the phone can be asked for more.
    goes_on: bool = (
        False  #: Above the place where the last visit ran out of time, if the page is still there.
    )
