"""What the page showed: the chat list, rows as they were captured, one visit to one chat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from whatsapp_etl.model.vocabulary import ReadPath, StopReason


@dataclass(frozen=True, slots=True)
class ListedChat:
    """One row of the chat list: all that is known of a chat when the storage cannot be read."""

    title: str
    index: int  #: Place in its list, 0-based.
    chat_id: str | None  #: Where the row's model shows it.
    is_archived: bool
    unread_count: int | None  #: -1 when marked unread by hand; None where the row does not tell.
    last_activity: datetime | None  #: Where the row's model shows it.
    look: str  #: sha256 of all that the row says: the same look, nothing new.

    @property
    def key(self) -> str:
        """What the program remembers the chat by: its id, else its title, which others may have too."""
        return self.chat_id or self.title


@dataclass(frozen=True, slots=True)
class ShownChat:
    """One row of the chat list as it can be read on the screen."""

    title: str
    index: int  #: Place in the list, 0-based.
    chat_id: str | None  #: Where the row's model shows it.
    unread_count: int  #: As its badge says; -1 when marked unread by hand.
    preview: str | None  #: Text of the newest message; None where a kind's name, or nothing, stands there.
    clock: str | None  #: When something happened last, as it stands there.


@dataclass(frozen=True, slots=True)
class RowGlance:
    """What must be known of a row while its chat is still open."""

    sent_at: datetime | None  #: None where the row tells no time of its own.
    is_picture: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back a chat is read when only the page tells what is in it."""

    edge: datetime
    ends_as: StopReason  #: What it means that a whole page older than the edge was shown.


@dataclass(frozen=True, slots=True)
class RowModel:
    """What a row's React model says, where the fiber shows it. An enrichment, never required."""

    key: str | None
    sent_at_seconds: int | None
    type: str | None
    author: str | None


@dataclass(frozen=True, slots=True)
class RawRow:
    """One captured row: HTML plus the facts that only a live page has.

    Saved as JSON it can be parsed again after a selector fix.
    """

    shown_id: str  #: The row's id attribute, verbatim: packed, bare or an album id.
    html: str  #: Outer HTML of the row; long data: URIs cut.
    alignment: str | None  #: Computed `align-items` of the bubble row: "flex-end", "flex-start", "center".
    date_marker: str | None  #: Text of the nearest date marker above it.
    run_position: int  #: 0 for the first bubble of a run of one sender.
    run_head: str | None = None  #: shown_id of the run's first row.
    model: RowModel | None = None
    #: Where the bubble is drawn: at the line's "start" or "end". Measured only without a known alignment.
    side: str | None = None


@dataclass(frozen=True, slots=True)
class SeenPage:
    """A whole page as it was drawn at one moment, or as a file holds it."""

    html: str
    language: str | None = None  #: The page's `<html lang>`.
    build: str | None = None  #: Of WhatsApp Web; None when unknown.
    taken_at: datetime | None = None  #: Aware; None when unknown.
    is_snapshot: bool = False  #: Redacted: ids are hashes, and times and dates nobody's.


#: Where a saved page keeps the `align-items` that the browser computed for an element.
COMPUTED_ALIGNMENT = "data-computed-align"


@dataclass(frozen=True, slots=True)
class CapturedFile:
    """Bytes that the page held, already saved under their checksum."""

    sha256: str
    media_type: str  #: From the bytes.
    size_bytes: int
    relative_path: str  #: Below ATTACHMENTS_DIR.


@dataclass(frozen=True, slots=True)
class ChatBatch:
    """Everything captured in one visit to one chat."""

    chat_id: str
    pack_id: str
    rows: tuple[RawRow, ...]  #: In page order, oldest first, each id once.
    stop_reason: StopReason
    observed_at: datetime
    files: Mapping[str, tuple[CapturedFile, ...]] = field(default_factory=dict)  #: By shown_id.
    empty_ids: tuple[str, ...] = ()  #: Rows that stayed without content.
    #: Ids of all rows that were there, kept or not, oldest first and without a gap between them.
    shown_ids: tuple[str, ...] = ()
    unlisted_ids: tuple[str, ...] = ()  #: Of those, what no list of the storage has, however old.
    pictures_unseen: tuple[str, ...] = ()  #: Rows of pictures that show neither one nor why there is none.
    pictures_refused: tuple[str, ...] = ()  #: Rows that say that their pictures cannot be downloaded.
    pictures_left: tuple[str, ...] = ()  #: Rows for whose files there was no room.
    oldest_shown_id: str | None = None
    scrolls: int = 0
    pages_loaded: int = 0
    unread_before: int | None = None  #: The chat's unread count before it was opened; None: not known.
    unread_after: int | None = None  #: And after it was read. Lower without a cause: receipts were sent.
    read_path: ReadPath = (
        "dom"  #: "store": from the page's message store; the chat was not opened, no row seen.
    )
