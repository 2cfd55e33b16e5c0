"""What is written to Postgres, and what Postgres already holds of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from whatsapp_etl.model.parsed import Reject
from whatsapp_etl.model.vocabulary import (
    ChatKind,
    DeletedBy,
    DisagreementFact,
    MessageType,
    MissingReason,
    ReadPath,
    StopReason,
    TsPrecision,
)

if TYPE_CHECKING:
    from whatsapp_etl.cursors import FeedCursors
    from whatsapp_etl.downloads import Download


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file sent with a message; its bytes lie in ATTACHMENTS_DIR once `file_path` is set."""

    position: int
    media_type: str | None  #: From the bytes once held; until then as WhatsApp Web states it.
    state: Literal["seen", "stored", "unavailable"]
    file_path: str | None = None  #: Relative to ATTACHMENTS_DIR.
    checksum: str | None = None  #: sha256, lowercase hex. None until the bytes are held.
    is_verified: bool | None = None  #: Checksum equals the metadata's; None while unknown.
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    file_name: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One row of `messages`, in the contract's columns."""

    external_id: str
    thread_external_id: str
    sender_id: str | None
    recipient_ids: tuple[str, ...]
    content_snippet: str | None
    ts: datetime
    ts_precision: TsPrecision
    is_outgoing: bool
    has_attachments: bool
    stanza_id: str
    message_type: MessageType
    subtype: str | None
    source_revision: str
    read_path: ReadPath
    observed_at: datetime
    ts_raw: str | None = None
    is_forwarded: bool = False
    is_edited: bool = False
    edited_seen_at: datetime | None = None
    deleted_seen_at: datetime | None = None
    deleted_at: datetime | None = None  #: None where the browser's storage does not say it.
    deleted_by: DeletedBy | None = None
    deleted_by_id: str | None = None  #: The admin's id.
    reply_to_external_id: str | None = None
    quoted_text: str | None = None
    album_id: str | None = None
    album_position: int | None = None
    expires_at: datetime | None = None
    attachments: tuple[Attachment, ...] = ()
    aliases: tuple[str, ...] = ()  #: Other keys under which the same message was seen.


@dataclass(frozen=True, slots=True)
class MessageVersion:
    """An earlier state of a message, kept when an edit or a deletion was seen."""

    external_id: str
    message_type: MessageType
    content_snippet: str | None
    replaced_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Reaction:
    message_external_id: str
    sender_id: str
    emoji: str | None  #: None: taken back; the row stays.
    reacted_at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    external_id: str
    kind: ChatKind
    title: str | None
    participant_ids: tuple[str, ...]
    is_archived: bool
    last_activity: datetime | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The newest message up to which a chat is known to be complete."""

    message_id: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class MissingMessage:
    """An id that the metadata lists and Postgres lacks, and when to look again."""

    external_id: str
    reason: MissingReason
    attempts: int
    next_try_at: datetime
    expires_at: datetime | None = None  #: When it disappears; None: it stays.


@dataclass(frozen=True, slots=True)
class TimeDissent:
    """A row that shows another minute than the one listed of its message."""

    stanza_id: str
    listed_at: datetime
    shown_at: datetime


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing that two ways of knowing a message say differently. Never holds what a message says."""

    thread_external_id: str
    fact: DisagreementFact
    known: str  #: By the storage's list, or of a text by Postgres: an instant, a number, a hash.
    shown: str  #: By the page.
    observed_at: datetime
    external_id: str | None = None  #: None: the chat as a whole, or a row that no list names.
    shown_id_hash: str | None = None  #: Of such a row; see `hashing.hash_id`.


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known about one chat's completeness inside the look-back."""

    thread_external_id: str
    expected: int | None  #: Ids that the metadata lists; None when metadata was not readable.
    stored: int
    missing: Mapping[MissingReason, int]
    stop_reason: StopReason
    complete_until: datetime | None  #: Oldest instant from which on nothing is missing.
    history_type: int | None
    observed_at: datetime
    first_external_id: str | None = None  #: The oldest message that the metadata lists inside the look-back.
    last_external_id: str | None = None  #: The newest one.


@dataclass(frozen=True, slots=True)
class BackfillProgress:
    """How far back-fill came in one chat. Beside the ordinary coverage, which tells of the look-back only."""

    thread_external_id: str
    since: datetime  #: How far back it was to be read.
    expected: int  #: Ids from then on that the metadata lists.
    stored: int
    missing: Mapping[MissingReason, int]
    stop_reason: StopReason  #: Why the last slice ended.
    is_finished: bool  #: The walk came to its end: another one is needed for ids that were not listed then.
    slices: int  #: Slices in a row that ran out of time; each doubles the next one.
    unread_digest: str  #: Of the ids before the look-back that stayed unread; "": none.
    history_type: int | None
    phone_asked_at: datetime | None
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class KnownMessage:
    """What Postgres holds of a message: what planning needs to merge, and nothing more."""

    external_id: str
    message_type: MessageType
    content_snippet: str | None
    recipient_ids: tuple[str, ...]
    sender_id: str | None
    ts: datetime
    ts_precision: TsPrecision
    is_edited: bool
    is_forwarded: bool
    source_revision: str
    observed_at: datetime
    edited_seen_at: datetime | None
    deleted_seen_at: datetime | None
    reply_to_external_id: str | None
    quoted_text: str | None
    expires_at: datetime | None
    deleted_at: datetime | None = None
    deleted_by: DeletedBy | None = None
    deleted_by_id: str | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """One chat's load: applied in one transaction, with its checkpoint and coverage."""

    thread: Thread
    messages: tuple[Message, ...]  #: New or different, merged with what is known.
    versions: tuple[MessageVersion, ...]
    rejects: tuple[Reject, ...]
    missing: tuple[MissingMessage, ...]
    checkpoint: Checkpoint | None
    coverage: Coverage
    unchanged: int  #: Read and equal to what is stored.
    disagreements: tuple[Disagreement, ...] = ()  #: Between the storage's list, Postgres and the page.
    #: (fact, "shown" | "other" | "lost") -> how often rows show what the storage lists of them.
    agreement: Mapping[tuple[str, str], int] = field(default_factory=dict)
    downloads: tuple[Download, ...] = ()  #: Where the bytes of attachments stand.
    #: Saved and in none of `messages`: to be removed, unless a stored message has them.
    unused_files: tuple[str, ...] = ()
    #: Of a slice of back-fill; stored in place of the coverage, which tells of ordinary cycles.
    backfill: BackfillProgress | None = None
    #: The last plan of a cycle moves them: with it everything up to there is stored, or known to be missing.
    cursors: FeedCursors | None = None


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What one transaction changed."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    attachments_saved: int = 0
    jobs_enqueued: int = 0
    rejects: int = 0

    def __add__(self, other: ApplyResult) -> ApplyResult:
        return ApplyResult(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.attachments_saved + other.attachments_saved,
            self.jobs_enqueued + other.jobs_enqueued,
            self.rejects + other.rejects,
        )
