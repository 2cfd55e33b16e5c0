"""What all cycles since the start of the program add up to: a value and its reducer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from whatsapp_etl.model import DisagreementFact, RunReport, RunStatus, StageCounts
from whatsapp_etl.store_records import StoreUnavailable

#: Upper bounds of the cycle histogram in seconds; the last bucket is open.
CYCLE_BUCKETS_SECONDS = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)

#: Selectors and candidates come from the pack; should one pack ever hold more, the rest is one label.
_MOST_SELECTOR_LABELS = 500
OTHER_SELECTOR = ("other", "other")


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over finished cycles; they begin at zero with the program."""

    cycles: Mapping[RunStatus, int] = field(default_factory=dict)
    stages: StageCounts = field(default_factory=StageCounts)
    upserts: int = 0
    unchanged: int = 0
    attachments_saved: int = 0
    jobs_enqueued: int = 0
    chats_opened: int = 0
    rejects: int = 0
    errors: int = 0
    receipts_observed: int = 0
    disagreed: Mapping[DisagreementFact, int] = field(default_factory=dict)
    rows_compared: int = 0
    rows_by_store: int = 0
    store_unavailable: Mapping[StoreUnavailable, int] = field(default_factory=dict)  #: Cycles, by reason.
    selector_hits: Mapping[tuple[str, str], int] = field(default_factory=dict)
    cycle_buckets: tuple[int, ...] = (0,) * (len(CYCLE_BUCKETS_SECONDS) + 1)  #: Not cumulated.
    cycle_seconds: float = 0.0


def add_run(totals: Totals, report: RunReport) -> Totals:
    """Return the totals with one more cycle in them."""
    return replace(
        totals,
        cycles={**totals.cycles, report.status: totals.cycles.get(report.status, 0) + 1},
        stages=_add_stages(totals.stages, report.stages),
        upserts=totals.upserts + report.applied.inserted + report.applied.updated,
        unchanged=totals.unchanged + report.applied.unchanged,
        attachments_saved=totals.attachments_saved + report.applied.attachments_saved,
        jobs_enqueued=totals.jobs_enqueued + report.applied.jobs_enqueued,
        chats_opened=totals.chats_opened + report.chats_opened,
        rejects=totals.rejects + report.rejects,
        errors=totals.errors + is_error(report),
        receipts_observed=totals.receipts_observed + report.receipts_observed,
        disagreed={
            fact: totals.disagreed.get(fact, 0) + report.disagreed.get(fact, 0) for fact in DisagreementFact
        },
        rows_compared=totals.rows_compared + report.rows_compared,
        rows_by_store=totals.rows_by_store + report.rows_by_store,
        store_unavailable={
            reason: totals.store_unavailable.get(reason, 0) + (report.store_unavailable is reason)
            for reason in StoreUnavailable
        },
        selector_hits=_add_hits(totals.selector_hits, report.selector_hits),
        cycle_buckets=_add_to_bucket(totals.cycle_buckets, report.seconds),
        cycle_seconds=totals.cycle_seconds + report.seconds,
    )


def is_error(report: RunReport) -> bool:
    """Whether a cycle counts in `whatsapp_sync_errors`: it failed, or named an error."""
    if report.status is RunStatus.INTERRUPTED:
        return False
    return report.status is RunStatus.FAILED or report.error is not None


def _add_stages(one: StageCounts, other: StageCounts) -> StageCounts:
    return StageCounts(
        seen=one.seen + other.seen,
        id_found=one.id_found + other.id_found,
        matched=one.matched + other.matched,
        body_found=one.body_found + other.body_found,
        written=one.written + other.written,
    )


def _add_hits(
    one: Mapping[tuple[str, str], int], other: Mapping[tuple[str, str], int]
) -> Mapping[tuple[str, str], int]:
    sums = dict(one)
    for key, count in other.items():
        label = key if key in sums or len(sums) < _MOST_SELECTOR_LABELS else OTHER_SELECTOR
        sums[label] = sums.get(label, 0) + count
    return sums


def _add_to_bucket(buckets: tuple[int, ...], seconds: float) -> tuple[int, ...]:
    index = sum(seconds > bound for bound in CYCLE_BUCKETS_SECONDS)
    return (*buckets[:index], buckets[index] + 1, *buckets[index + 1 :])
