"""What one cycle counts while it runs, and the report that comes of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import structlog

from whatsapp_etl.cursors import ListedBy
from whatsapp_etl.errors import (
    DatabaseUnreachableError,
    Disposition,
    ExtractError,
    MetadataUnreadableError,
    SelectorDriftError,
    SpoolFullError,
    StopRequestedError,
    WhatsappEtlError,
)
from whatsapp_etl.model import (
    ApplyResult,
    ChatBatch,
    ChatDiff,
    DisagreementFact,
    ListedBefore,
    LoadPlan,
    ParsedRow,
    RejectReason,
    RunReport,
    RunStatus,
    SessionSnapshot,
    SkipRule,
    SpoolFacts,
    StageCounts,
    StopReason,
)
from whatsapp_etl.store_records import StoreUnavailable
from whatsapp_etl.transform.rewinding import is_rewound
from whatsapp_etl.transform.screen import ScreenCheck

log = structlog.get_logger(__name__)

_T = TypeVar("_T")

#: So many chats in a row that could not be read, or lack what the pack requires, mean that none will do.
FAILURES_IN_A_ROW = 3

#: Nothing was left out, or what was left out is explained and nobody here can change it.
_SETTLED = frozenset(
    {
        StopReason.ALL_FOUND,
        StopReason.EDGE_REACHED,
        StopReason.BEGINNING_REACHED,
        StopReason.CHECKPOINT_REACHED,
        StopReason.NOTHING_TO_READ,
        StopReason.NEEDS_PHONE,
        StopReason.PHONE_FAILED,
        StopReason.EXCLUDED,
    }
)


@dataclass
class Tally:
    """The counts of a cycle that is running."""

    started_at: datetime
    hits_before: Mapping[tuple[str, str], int]
    run_id: int = 0  #: 0: the page was not ready, or Postgres was away, so no run was opened.
    chats_listed: int = 0
    chats_opened: int = 0
    chats_skipped: Mapping[SkipRule, int] = field(default_factory=dict)
    expected: int = 0
    missing: int = 0
    newest_listed_at: datetime | None = None
    receipts_observed: int = 0
    #: An unread count fell, now or while Postgres was away: unread chats stay closed.
    is_alarmed: bool = False
    disagreed: Counter[DisagreementFact] = field(default_factory=Counter)
    rows_compared: int = 0
    is_rewound: bool = False
    failures_in_a_row: int = 0
    refusals_in_a_row: int = 0
    has_page_failed: bool = False  #: At some chat, in this cycle.
    #: Part of the browser's storage -> why it could not be read.
    unreadable_parts: dict[str, str] = field(default_factory=dict)
    away: DatabaseUnreachableError | None = None  #: Postgres went away: it is not asked again in this cycle.
    spooled: int = 0
    unspooled: int = 0
    fell_back: MetadataUnreadableError | None = None  #: Why the chat list decided instead.
    store_unavailable: StoreUnavailable | None = None  #: Why the page's message store was left, or not read.
    store_detail: str | None = None  #: Which module, member or column.
    rows_by_store: int = 0  #: Messages that it told.
    listed_by: ListedBy | None = None  #: How it was learned which messages there are; None: not at all.
    rows_looked_at: int = 0  #: Message rows of the browser's storage, whatever was asked of them.
    applied: ApplyResult = field(default_factory=ApplyResult)
    #: (fact, "shown" | "other" | "lost"): whether rows show what the storage lists of them.
    agreement: Counter[tuple[str, str]] = field(default_factory=Counter)
    stop_reasons: Counter[StopReason] = field(default_factory=Counter)
    stage_seconds: dict[str, float] = field(default_factory=dict)
    _signals: Counter[tuple[str, str]] = field(default_factory=Counter)
    _seen: int = 0
    _id_found: int = 0
    _matched: int = 0
    _body_found: int = 0
    _begun: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Return how long the cycle has run, whatever instant the program's clock is fixed to."""
        return time.monotonic() - self._begun

    @property
    def has_unread_chats(self) -> bool:
        """Return whether some chat could not be read for a reason that may pass."""
        return any(reason not in _SETTLED for reason in self.stop_reasons)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.stage_seconds[name] = time.monotonic() - begun

    def compared(self, diffs: Mapping[str, ChatDiff], *, unreadable: int) -> None:
        """Take over what the comparison says of chats that need no visit.

        Rows of the storage that were not understood have no id to look for, but they are missing.
        """
        self.expected = sum(diff.expected for diff in diffs.values())
        self.missing = sum(diff.expected - diff.stored for diff in diffs.values() if not diff.wanted)
        self.missing += unreadable
        self.newest_listed_at = max(
            (diff.newest_at for diff in diffs.values() if diff.newest_at), default=None
        )

    def compared_with_before(self, before: Sequence[ListedBefore]) -> bool:
        """Return whether the storage was set back, and keep it."""
        self.is_rewound = is_rewound(before)
        return self.is_rewound

    def opened(self, batch: ChatBatch) -> bool:
        """Count a chat that was read; return whether its unread count fell meanwhile."""
        if batch.stop_reason not in {StopReason.CHAT_NOT_FOUND, StopReason.NOTHING_TO_READ}:
            self.chats_opened += 1
        has_fallen = has_unread_fallen(batch)
        self.receipts_observed += has_fallen
        self.is_alarmed |= has_fallen
        return has_fallen

    def parsed(
        self, batch: ChatBatch, rows: Sequence[ParsedRow], signals: Mapping[tuple[str, str], int]
    ) -> None:
        """Count captured and understood rows, and which sign served for which fact."""
        by_store = len(rows) if batch.read_path == "store" else 0
        self.rows_by_store += by_store
        self._seen += len(batch.rows) + by_store
        self.rows_compared += len(batch.shown_ids)
        self._id_found += len(rows)
        self._signals.update(signals)

    def compared_with_list(self, check: ScreenCheck) -> None:
        """Count the chats that were compared with the chat list, and in what they disagree."""
        self.rows_compared += check.compared
        self.disagreed.update(each.fact for each in check.found)

    def times_differ(self, count: int) -> None:
        """Count shown times that are not those that the storage lists; the listed ones are stored."""
        self._signals.update({("row_time_dissent", "metadata"): count} if count else {})

    def page_failed(self, failure: ExtractError) -> StopReason:
        """Count a chat at which the page failed; return the reason, or raise when none will do any more."""
        self.has_page_failed = True
        self.failures_in_a_row += 1
        if self.failures_in_a_row >= FAILURES_IN_A_ROW:
            raise failure
        return reason_of(failure)

    def if_there(self, ask: Callable[[], _T]) -> _T | None:
        """Return what Postgres answers; None while it is away, which it is for the rest of the cycle then."""
        if self.away is not None:
            return None
        try:
            return ask()
        except DatabaseUnreachableError as away:
            log.warning("postgres_away", error=str(away))
            self.away = away
            return None

    def raise_if_away(self) -> None:
        """End what cannot go on without Postgres."""
        if self.away is not None:
            raise self.away

    def falls_back(self, why: MetadataUnreadableError) -> None:
        """Note that the chat list decides for the rest of this cycle."""
        self.fell_back = why
        self.unreadable_parts[why.part] = why.reason
        self.failures_in_a_row = 0

    def not_stored(self, batch: ChatBatch) -> None:
        """Count a chat of which nothing was to be written."""
        self.stop_reasons[batch.stop_reason] += 1

    def applied_plan(self, plan: LoadPlan, result: ApplyResult) -> None:
        """Count what a chat's plan said and what applying it changed."""
        self.loaded_plan(plan, result)
        self.stop_reasons[plan.coverage.stop_reason] += 1
        if plan.coverage.expected is not None:
            self.missing += plan.coverage.expected - plan.coverage.stored

    def loaded_plan(self, plan: LoadPlan, result: ApplyResult) -> None:
        """Count what is true of a plan whichever cycle read the chat."""
        self.refusals_in_a_row = 0
        self.applied += result
        self.disagreed.update(each.fact for each in plan.disagreements)
        self.agreement.update(plan.agreement)
        unmatched = sum(reject.reason is RejectReason.NOT_IN_METADATA for reject in plan.rejects)
        made = len(plan.messages) + plan.unchanged
        self._matched += made + len(plan.rejects) - unmatched
        self._body_found += made

    def refused(self, plan: LoadPlan) -> None:
        """Count a chat of which Postgres took nothing."""
        self.refusals_in_a_row += 1
        self.stop_reasons[StopReason.NOT_STORED] += 1
        self.missing += plan.coverage.expected or 0

    def stop_if_interrupted(self, batch: ChatBatch) -> None:
        """End the cycle after the chat during which the program was asked to stop."""
        if batch.stop_reason is StopReason.INTERRUPTED:
            raise StopRequestedError("The program was asked to stop; what was read is stored.")

    def report(
        self,
        *,
        finished_at: datetime,
        status: RunStatus,
        session: SessionSnapshot,
        pack_id: str | None,
        hits: Mapping[tuple[str, str], int],
        error: str | None,
        lost_facts: tuple[str, ...] = (),
        spool: SpoolFacts | None = None,
    ) -> RunReport:
        """Return the cycle's report."""
        # A browser that was renewed meanwhile counts from zero again.
        before = self.hits_before if all(hits.get(key, 0) >= n for key, n in self.hits_before.items()) else {}
        served = {key: count - before.get(key, 0) for key, count in hits.items()}
        listed = {(f"listed_{fact}", said): count for (fact, said), count in self.agreement.items()}
        return RunReport(
            run_id=self.run_id,
            status=status,
            started_at=self.started_at,
            finished_at=finished_at,
            session_state=session.state,
            wa_version=session.wa_version,
            pack_id=pack_id,
            chats_listed=self.chats_listed,
            chats_opened=self.chats_opened,
            stages=StageCounts(
                seen=self._seen,
                id_found=self._id_found,
                matched=self._matched,
                body_found=self._body_found,
                written=self.applied.inserted + self.applied.updated,
            ),
            applied=self.applied,
            expected=self.expected,
            missing=self.missing,
            rejects=self.applied.rejects,
            stop_reasons=dict(self.stop_reasons),
            selector_hits={
                key: count for key, count in {**served, **self._signals, **listed}.items() if count > 0
            },
            receipts_observed=self.receipts_observed,
            stage_seconds=dict(self.stage_seconds),
            error=error or told(self.fell_back),
            disagreed=dict(self.disagreed),
            rows_compared=self.rows_compared,
            is_rewound=self.is_rewound,
            lost_facts=lost_facts,
            metadata_unreadable=tuple(
                f"{part}: {why}" for part, why in sorted(self.unreadable_parts.items())
            ),
            read_by="chat_list" if self.fell_back else "metadata",
            newest_listed_at=self.newest_listed_at,
            chats_skipped=self.chats_skipped,
            spooled=self.spooled,
            unspooled=self.unspooled,
            spool=spool or SpoolFacts(),
            store_unavailable=self.store_unavailable,
            store_detail=self.store_detail,
            rows_by_store=self.rows_by_store,
            listed_by=self.listed_by,
            rows_looked_at=self.rows_looked_at,
        )


def has_unread_fallen(batch: ChatBatch) -> bool:
    """Whether the chat's unread count fell while it was read here."""
    before, after = batch.unread_before, batch.unread_after
    # -1 is "marked unread by hand", which a receipt ends too.
    return before is not None and after is not None and before != 0 and abs(after) < abs(before)


def reason_of(failure: ExtractError) -> StopReason:
    """Return what a failure at one chat is called."""
    return StopReason.DRIFT if isinstance(failure, SelectorDriftError) else StopReason.PAGE_FAILED


def status_of(tally: Tally, error: Exception | None) -> RunStatus:
    if isinstance(error, StopRequestedError):
        return RunStatus.INTERRUPTED
    if error is not None:
        return RunStatus.FAILED
    is_partial = tally.has_unread_chats or tally.unreadable_parts
    return RunStatus.PARTIAL if is_partial else RunStatus.SUCCESS


def may_be_stuck(tally: Tally, error: Exception | None) -> bool:
    """Whether the page is better opened anew. It is not to blame for Postgres."""
    if isinstance(error, DatabaseUnreachableError | SpoolFullError):
        return tally.has_page_failed
    if isinstance(error, WhatsappEtlError):
        return error.disposition is Disposition.RETRY
    return error is not None or tally.has_page_failed


def told(error: Exception | None) -> str | None:
    """Return an error for people: ours in full, others by class only, since they may quote data."""
    if error is None:
        return None
    return f"{type(error).__name__}: {error}" if isinstance(error, WhatsappEtlError) else type(error).__name__


def log_fields(report: RunReport) -> Mapping[str, object]:
    """Return what the log says at the end of a cycle."""
    return {
        "status": report.status,
        "chats_opened": report.chats_opened,
        "inserted": report.applied.inserted,
        "updated": report.applied.updated,
        "missing": report.missing,
        "spooled": report.spool.batches,
    }
