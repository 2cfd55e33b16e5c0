"""What is reported: of a cycle, of the database, of the session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from whatsapp_etl.cursors import ListedBy
from whatsapp_etl.extracted import ExtractionFacts
from whatsapp_etl.model.vocabulary import (
    AgentState,
    DisagreementFact,
    MissingReason,
    SessionState,
    SkipRule,
    StopReason,
)
from whatsapp_etl.model.written import ApplyResult
from whatsapp_etl.store_records import StoreUnavailable

#: A cycle, or back-fill: what lies before the look-back.
RunKind = Literal["sync", "backfill"]


class RunStatus(StrEnum):
    SUCCESS = "success"
    PARTIAL = "partial"  #: Some chats could not be read; the others are stored.
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class StageCounts:
    """Rows per stage, so that a silent loss shows as a step between two numbers."""

    seen: int = 0
    id_found: int = 0
    matched: int = 0
    body_found: int = 0
    written: int = 0


@dataclass(frozen=True, slots=True)
class SpoolFacts:
    """What waits on disk until Postgres is back."""

    batches: int = 0  #: Captured chats.
    bytes: int = 0
    oldest_at: datetime | None = None  #: When the oldest of them was captured.
    set_aside: int = 0  #: Files that could not be loaded and are out of the way.


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one cycle did. Stored in `sync_runs`, shown by the service."""

    run_id: int
    status: RunStatus
    started_at: datetime
    finished_at: datetime
    session_state: SessionState
    wa_version: str | None
    pack_id: str | None
    chats_listed: int
    chats_opened: int
    stages: StageCounts
    applied: ApplyResult
    expected: int  #: Messages that the metadata lists inside the look-back.
    missing: int
    rejects: int
    stop_reasons: Mapping[StopReason, int]
    selector_hits: Mapping[tuple[str, str], int]  #: (selector, candidate) -> hits.
    receipts_observed: int  #: Unread counts that dropped after our own opening; must stay 0.
    stage_seconds: Mapping[str, float]
    error: str | None = None  #: The error's class name and advice; no message content.
    #: Fact -> how often the storage's list, Postgres and the page did not say the same.
    disagreed: Mapping[DisagreementFact, int] = field(default_factory=dict)
    rows_compared: int = 0  #: Rows of the page whose ids were compared with the list.
    lost_facts: tuple[str, ...] = ()  #: Facts of messages that the storage lists and no row shows any more.
    #: What of the browser's storage could not be read and why, "contacts: missing_store".
    metadata_unreadable: tuple[str, ...] = ()
    read_by: Literal["metadata", "chat_list"] = "metadata"  #: What decided which chats were opened.
    newest_listed_at: datetime | None = None  #: When the newest message that the browser lists was sent.
    chats_skipped: Mapping[SkipRule, int] = field(default_factory=dict)  #: Left alone altogether, by rule.
    is_rewound: bool = False  #: The browser's storage lists less than it did: see `transform.rewinding`.
    spooled: int = 0  #: Chats captured and kept on disk, since Postgres was away.
    unspooled: int = 0  #: Chats loaded that earlier cycles had kept so.
    spool: SpoolFacts = field(default_factory=SpoolFacts)  #: At the end of the cycle.
    store_unavailable: StoreUnavailable | None = None  #: Why the page's message store was left, or not read.
    store_detail: str | None = None  #: Which of its modules, members or columns.
    rows_by_store: int = 0  #: Messages that it told.
    listed_by: ListedBy | None = None  #: How it was learned which messages there are; None: not at all.
    rows_looked_at: int = 0  #: Message rows of the browser's storage, whatever was asked of them.

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def disagreements(self) -> int:
        return sum(self.disagreed.values())


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One finished cycle as a line of `sync_runs`: what a chart or a list of cycles shows."""

    run_id: int
    status: RunStatus
    started_at: datetime
    finished_at: datetime
    chats_opened: int
    written: int  #: Messages inserted or updated.
    missing: int
    rejects: int
    error: str | None = None  #: As in `RunReport.error`.

    @property
    def seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many stored messages were sent on one day (UTC)."""

    day: date
    messages: int


@dataclass(frozen=True, slots=True)
class CoverageSummary:
    """`sync_coverage` over all chats, without naming any."""

    chats: int  #: In scope and seen by a cycle.
    chats_complete: int  #: With nothing missing inside the look-back.
    expected: int | None  #: Ids that the metadata lists; None when it never was readable.
    stored: int  #: Of those expected.
    missing: Mapping[MissingReason, int]
    stop_reasons: Mapping[StopReason, int]  #: Why reading ended, by number of chats.
    complete_until: datetime | None  #: From then on nothing is missing in any chat that knows it.
    #: Of `missing`: found so recently that the next cycles may still bring them.
    recent: Mapping[MissingReason, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What the database says about the sync; read after each cycle."""

    last_success_at: datetime | None
    last_seen: datetime | None  #: ts of the newest stored message; never falls.
    messages: int
    threads: int
    attachments_stored: int  #: With bytes held.
    read_at: datetime
    newest_listed_at: datetime | None = None  #: Of the newest cycle that knew it; see `RunReport`.
    disagreements: int = 0  #: Seen within the last day, each once.
    rows_compared: int = 0  #: By the cycles of the last day.
    attachments: Mapping[str, int] = field(default_factory=dict)  #: How many are in each state.
    last_given_up_at: datetime | None = None  #: When a file was that could have come.
    #: Since when files wait for their copy and none was made; None: none waits.
    uncopied_since: datetime | None = None
    extraction: ExtractionFacts | None = None  #: How reading of pictures stands.
    agent: AgentState | None = None  #: Whether the agent's thread is told apart; None: no cycle knew yet.


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """The session as the service may show it: immutable, replaced as a whole."""

    state: SessionState = SessionState.STARTING
    since: datetime | None = None
    qr_payload: str | None = None  #: The QR's text while one is shown.
    qr_seen_at: datetime | None = None
    qr_expires_at: datetime | None = None  #: When the page is expected to show the next code.
    resting_until: datetime | None = None  #: The browser ended too often and stays closed.
    unexpected_transitions: int = 0  #: Changes of state that no table knows, since the program was started.
    wa_version: str | None = None
