"""Values of what is told afterwards: about a cycle, and about where a message is.

The store makes them, `runs` and `why` show them. Like those of `model` they are frozen and cross between
packages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from whatsapp_etl.model import ApplyResult, MissingReason, RunKind, StageCounts, StopReason

#: Facts of a row for which the sign is counted that told them.
ROW_FACTS = ("id", "chat", "kind", "direction", "sender", "time", "date_order", "text")


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One row of `sync_runs`: a cycle that ended, was cut off, or still runs."""

    run_id: int
    kind: RunKind
    status: str  #: A `RunStatus`, or "running".
    started_at: datetime
    finished_at: datetime | None  #: None while it runs.
    lookback_begin: datetime | None  #: How far back it looked; None: a run of an older program.
    read_by: str | None  #: "metadata" or "chat_list"; None: not known, or not finished.
    session_state: str | None
    wa_version: str | None
    pack_id: str | None
    chats_listed: int
    chats_opened: int
    stages: StageCounts
    applied: ApplyResult
    expected: int
    missing: int
    newest_listed_at: datetime | None
    chats_skipped: Mapping[str, int]
    is_rewound: int  #: 1: the storage listed less than it had listed before.
    receipts_observed: int
    disagreements: int
    disagreed: Mapping[str, int]
    rows_compared: int
    stop_reasons: Mapping[str, int]
    selector_hits: Mapping[str, Mapping[str, int]]  #: Selector -> candidate -> hits.
    stage_seconds: Mapping[str, float]
    lost_facts: tuple[str, ...]
    metadata_unreadable: tuple[str, ...]
    error: str | None
    rows_by_store: int = 0  #: Messages that the page's own message store told.
    store_unavailable: str | None = None  #: A `StoreUnavailable`: why the store was left, or not read.
    store_detail: str | None = None
    listed_by: str | None = None  #: A `ListedBy`: how it was learned which messages there are.
    rows_looked_at: int = 0  #: Message rows of the browser's storage, whatever was asked of them.

    @property
    def seconds(self) -> float | None:
        return None if self.finished_at is None else (self.finished_at - self.started_at).total_seconds()

    @property
    def signs(self) -> Mapping[str, Mapping[str, int]]:
        """Return which sign told each fact of the run's rows, and how often: fact -> sign -> rows."""
        hits = self.selector_hits
        return {fact: hits[f"row_{fact}"] for fact in ROW_FACTS if f"row_{fact}" in hits}


@dataclass(frozen=True, slots=True)
class ChatChange:
    """What one run changed in one chat, as far as later runs left its traces."""

    thread_external_id: str
    inserted: int  #: Messages whose first run it was.
    changed: int  #: Older messages whose last change it made.
    coverage_changed: bool  #: It found other facts about the chat's completeness than were known.
    expected: int | None  #: As it found them; None where it did not, or the metadata was not readable.
    stored: int | None
    missing: Mapping[str, int]
    stop_reason: str | None


@dataclass(frozen=True, slots=True)
class RunDetails:
    """A run with the rows that carry its number."""

    run: RunRecord
    chats: tuple[ChatChange, ...]  #: Only those in which something changed, by chat id.
    looked_for: Mapping[str, int]  #: Reason -> messages that it looked for last and did not find.
    rejected: Mapping[str, int]  #: Reason -> rows of the page that it rejected last.
    aliases: int  #: Other keys of stored messages that it noted.


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """An earlier state of a message."""

    replaced_seen_at: datetime
    message_type: str
    replaced_by: str  #: "edit", "deletion" or another type that the message took.
    run_id: int
    text: str | None = None  #: Only when asked for.


@dataclass(frozen=True, slots=True)
class AttachmentFacts:
    position: int
    state: str
    media_type: str | None
    size_bytes: int | None
    is_verified: bool | None
    last_run_id: int


@dataclass(frozen=True, slots=True)
class StoredFacts:
    """Where a stored message comes from."""

    external_id: str  #: The stored key, which may be another one than the one asked for.
    thread_external_id: str
    message_type: str
    ts: datetime
    ts_precision: str
    is_listed: bool  #: The browser's storage listed it when it was read; else the page alone showed it.
    read_path: str
    observed_at: datetime  #: When its content was read.
    created_at: datetime
    updated_at: datetime
    edited_seen_at: datetime | None
    deleted_seen_at: datetime | None
    expires_at: datetime | None
    first_run_id: int
    last_run_id: int
    versions: tuple[VersionFacts, ...]  #: Oldest first.
    aliases: tuple[str, ...]
    attachments: tuple[AttachmentFacts, ...]
    text: str | None = None  #: Only when asked for.
    deleted_at: datetime | None = None
    deleted_by: str | None = None  #: "sender" or "admin"; None: not deleted, or not known.


@dataclass(frozen=True, slots=True)
class MissingFacts:
    external_id: str
    reason: MissingReason
    attempts: int
    first_missed_at: datetime
    next_try_at: datetime
    run_id: int


@dataclass(frozen=True, slots=True)
class RemovedFacts:
    reason: str  #: "expired", "forgotten" or "retention".
    removed_at: datetime


@dataclass(frozen=True, slots=True)
class RejectFacts:
    reason: str
    pack_id: str
    first_seen_at: datetime
    last_seen_at: datetime
    times_seen: int
    last_run_id: int


@dataclass(frozen=True, slots=True)
class ChatCoverage:
    """What is known about the completeness of the chat that a key names."""

    thread_external_id: str
    stop_reason: str
    expected: int | None
    stored: int
    complete_until: datetime | None
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class ChatBackfill:
    """How far back-fill came in one chat, and what is not in the browser."""

    thread_external_id: str
    expected: int  #: Messages of the window that the browser's storage lists.
    stored: int
    missing: Mapping[MissingReason, int]  #: `needs_phone`: listed, and only the phone has them.
    stop_reason: StopReason | None  #: Why the last slice ended; None: not begun.
    is_finished: bool  #: Everything that the browser would show was read.
    is_complete: bool  #: And nothing of the window is missing, here or on the phone.
    oldest_stored_at: datetime | None
    history_type: int | None  #: `endOfHistoryTransferType`; 0 and 2: the phone has more, 1: it has none.
    device_holds_from: datetime | None  #: From then on the browser holds the whole chat; None: not known.
    needs_phone: bool  #: The phone would have to be asked for the rest.
    phone_asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file below ATTACHMENTS_DIR as its rows describe it."""

    file_path: str
    checksum: str  #: sha256, lowercase hex.
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Everything that the database knows of one message key. Several things may hold at once."""

    asked: str
    stored: StoredFacts | None
    missing: MissingFacts | None
    removed: RemovedFacts | None  #: The last removal.
    is_forgotten: bool  #: It, its chat or its author was erased on request, so it is left out.
    rejects: tuple[RejectFacts, ...]
    chat: ChatCoverage | None  #: None: no cycle ever read the chat.
    runs: Mapping[int, RunRecord]  #: First and last run of the row; those that are no longer kept lack.
