"""/metrics: one collector that turns the current snapshot into samples.

The six names at the top are a contract and carry no `_total`, which the client library's counters
would append. Its "counter" type renames them as well when its own parser reads them back, so the
sums are exposed as untyped; `rate()` and `increase()` work on them as on counters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import accumulate

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from whatsapp_etl.downloads import DownloadState
from whatsapp_etl.extracted import ExtractionFacts, JobState, UnreadReason
from whatsapp_etl.happenings import OutboxFacts
from whatsapp_etl.model import DisagreementFact, MissingReason, RunStatus
from whatsapp_etl.service.health import SessionWord, assess
from whatsapp_etl.service.reasons import ReasonCode
from whatsapp_etl.service.state import ServiceState, Snapshot
from whatsapp_etl.service.thresholds import Thresholds
from whatsapp_etl.service.totals import CYCLE_BUCKETS_SECONDS, Totals
from whatsapp_etl.store_records import StoreUnavailable

#: The text format 0.0.4. OpenMetrics is not offered: it would demand the `_total` suffix.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class SyncCollector(Collector):
    """Samples of one snapshot; holds no numbers of its own."""

    def __init__(self, state: ServiceState, clock: Callable[[], datetime], thresholds: Thresholds) -> None:
        self._state = state
        self._clock = clock
        self._thresholds = thresholds

    def collect(self) -> Iterable[Metric]:
        snapshot = self._state.snapshot
        now = self._clock()
        yield from _contract(snapshot)
        yield from _sums(snapshot.totals)
        yield from _now(snapshot, now)
        yield from _health(snapshot, now, self._thresholds)


def create_registry(
    state: ServiceState, clock: Callable[[], datetime], thresholds: Thresholds
) -> CollectorRegistry:
    """Return a registry with the sync's metrics and those of the Python process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(SyncCollector(state, clock, thresholds))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


def exposition(registry: CollectorRegistry) -> bytes:
    """Return the registry in the text format that `CONTENT_TYPE` names."""
    return generate_latest(registry)


def _contract(snapshot: Snapshot) -> Iterator[Metric]:
    totals = snapshot.totals
    yield _sum("whatsapp_sync_messages_fetched", "Message rows captured from the page.", totals.stages.seen)
    yield _sum("whatsapp_sync_upserts", "Messages inserted or updated.", totals.upserts)
    yield _sum("whatsapp_attachments_saved", "Files saved under their checksum.", totals.attachments_saved)
    yield _sum("whatsapp_extraction_jobs_enqueued", "Extraction jobs written.", totals.jobs_enqueued)
    yield _sum("whatsapp_sync_errors", "Cycles that failed or named an error.", totals.errors)
    yield _gauge(
        "whatsapp_sync_cycle_seconds",
        "Duration of the last finished cycle in seconds.",
        snapshot.last_run.seconds if snapshot.last_run else 0,
    )


def _sums(totals: Totals) -> Iterator[Metric]:
    cycles = {status.value: totals.cycles.get(status, 0) for status in RunStatus}
    yield _sum_by("whatsapp_sync_cycles", "Finished cycles.", "status", cycles)
    durations = HistogramMetricFamily(
        "whatsapp_sync_cycle_duration_seconds", "Durations of finished cycles in seconds."
    )
    bounds = [*(str(bound) for bound in CYCLE_BUCKETS_SECONDS), "+Inf"]
    cumulated = list(accumulate(totals.cycle_buckets))
    durations.add_metric(
        [], buckets=list(zip(bounds, cumulated, strict=True)), sum_value=totals.cycle_seconds
    )
    yield durations
    stages = {
        "seen": totals.stages.seen,
        "id_found": totals.stages.id_found,
        "matched": totals.stages.matched,
        "body_found": totals.stages.body_found,
        "written": totals.stages.written,
    }
    yield _sum_by("whatsapp_sync_rows", "Rows that reached each stage.", "stage", stages)
    yield _sum("whatsapp_sync_chats_opened", "Chats opened.", totals.chats_opened)
    yield _sum("whatsapp_sync_unchanged", "Messages read and equal to what is stored.", totals.unchanged)
    yield _sum("whatsapp_sync_rejects", "Rows seen and not understood.", totals.rejects)
    yield _sum_by(
        "whatsapp_sync_disagreements",
        "Where the storage's list, the stored text and the page do not say the same.",
        "fact",
        {fact.value: totals.disagreed.get(fact, 0) for fact in DisagreementFact},
    )
    yield _sum(
        "whatsapp_sync_rows_compared", "Rows whose ids were compared with the list.", totals.rows_compared
    )
    yield _sum(
        "whatsapp_store_reader_rows", "Messages that the page's message store told.", totals.rows_by_store
    )
    yield _sum_by(
        "whatsapp_store_reader_unavailable",
        "Cycles in which the page's message store was left for the page, or not read.",
        "reason",
        {reason.value: totals.store_unavailable.get(reason, 0) for reason in StoreUnavailable},
    )
    yield _sum(
        "whatsapp_sync_receipts_observed",
        "Unread counts that fell after a chat was opened here. Must stay 0.",
        totals.receipts_observed,
    )
    hits = _untyped("whatsapp_selector_hits", "Matches by selector of the pack and candidate.")
    for (selector, candidate), count in sorted(totals.selector_hits.items()):
        hits.add_sample(hits.name, {"selector": selector, "candidate": candidate}, count)
    yield hits


def _now(snapshot: Snapshot, now: datetime) -> Iterator[Metric]:
    pack = GaugeMetricFamily("whatsapp_selector_pack", "1 for the pack in use.", labels=["pack"])
    if snapshot.last_run and snapshot.last_run.pack_id:
        pack.add_metric([snapshot.last_run.pack_id], 1)
    yield pack
    if snapshot.last_run:
        yield _gauge(
            "whatsapp_sync_last_cycle_timestamp_seconds",
            "When the last cycle ended, as Unix time.",
            snapshot.last_run.finished_at.timestamp(),
        )
        yield _gauge(
            "whatsapp_sync_metadata_readable",
            "1 when the last cycle could read all that it asked of the browser's storage.",
            not snapshot.last_run.metadata_unreadable,
        )
        spool = snapshot.last_run.spool
        yield _gauge("whatsapp_spool_batches", "Chats that wait on disk for Postgres.", spool.batches)
        yield _gauge("whatsapp_spool_bytes", "Size of what waits on disk in bytes.", spool.bytes)
        yield _gauge("whatsapp_spool_set_aside", "Files of the spool that were not loaded.", spool.set_aside)
        if spool.oldest_at:
            yield _gauge(
                "whatsapp_spool_oldest_timestamp_seconds",
                "When the oldest chat that waits was captured, as Unix time.",
                spool.oldest_at.timestamp(),
            )
    if snapshot.last_success_at:
        yield _gauge(
            "whatsapp_sync_last_success_timestamp_seconds",
            "When the last successful cycle ended, as Unix time.",
            snapshot.last_success_at.timestamp(),
        )
    yield _gauge(
        "whatsapp_sync_failures_in_a_row",
        "Failed cycles since the last good one.",
        snapshot.failures_in_a_row,
    )
    yield _gauge(
        "whatsapp_sync_cycle_running", "1 while a cycle runs.", snapshot.cycle_started_at is not None
    )
    yield from _deliveries("events", snapshot.outbox, now)
    yield from _deliveries("agent_messages", snapshot.agent_outbox, now)
    if snapshot.store:
        yield _gauge("whatsapp_messages_stored", "Messages in Postgres.", snapshot.store.messages)
        states = {state.value: snapshot.store.attachments.get(state, 0) for state in DownloadState}
        yield _gauge_by("whatsapp_attachments", "Attachments by how far their bytes came.", "state", states)
        if snapshot.store.extraction:
            yield from _reading(snapshot.store.extraction)
        if snapshot.store.last_seen:
            yield _gauge(
                "whatsapp_newest_message_age_seconds",
                "Age of the newest stored message in seconds.",
                max((now - snapshot.store.last_seen).total_seconds(), 0),
            )
    if snapshot.coverage:
        missing = {reason.value: snapshot.coverage.missing.get(reason, 0) for reason in MissingReason}
        yield _gauge_by("whatsapp_coverage_missing", "Messages known and not stored.", "reason", missing)
        chats = snapshot.coverage
        yield _gauge("whatsapp_coverage_chats", "Chats in scope.", chats.chats)
        yield _gauge("whatsapp_coverage_chats_complete", "Chats with nothing missing.", chats.chats_complete)
        if chats.expected is not None:
            yield _gauge("whatsapp_coverage_expected", "Messages listed in the look-back.", chats.expected)


def _reading(facts: ExtractionFacts) -> Iterator[Metric]:
    jobs = {state.value: facts.jobs.get(state, 0) for state in JobState}
    yield _gauge_by("whatsapp_extraction_jobs", "Stored images by how reading stands.", "state", jobs)
    dead = {reason.value: facts.dead_reasons.get(reason.value, 0) for reason in UnreadReason}
    yield _gauge_by("whatsapp_extraction_jobs_dead", "Images given up, by why.", "reason", dead)
    yield _gauge(
        "whatsapp_extraction_idle_seconds",
        "How long images have been due and no worker took one, in seconds; 0 without any.",
        facts.idle_for.total_seconds() if facts.idle_for else 0,
    )


def _deliveries(what: str, outbox: OutboxFacts | None, now: datetime) -> Iterator[Metric]:
    if outbox is None:
        return
    words = what.replace("_", " ")
    yield _gauge(f"whatsapp_{what}_pending", f"Deliveries of {words} that are still to do.", outbox.pending)
    yield _gauge(
        f"whatsapp_{what}_delivered", f"Deliveries of {words} done, of those kept.", outbox.delivered
    )
    yield _gauge(f"whatsapp_{what}_dead", f"Deliveries of {words} that were given up.", outbox.dead)
    oldest = outbox.oldest_pending_at
    yield _gauge(
        f"whatsapp_{what}_oldest_pending_age_seconds",
        f"Age of the oldest of {words} that has not been delivered, in seconds; 0 without any.",
        max((now - oldest).total_seconds(), 0) if oldest else 0,
    )


def _health(snapshot: Snapshot, now: datetime, thresholds: Thresholds) -> Iterator[Metric]:
    health = assess(snapshot.health_facts, now, thresholds)
    session = {word.value: float(word is health.session) for word in SessionWord}
    yield _gauge_by("whatsapp_session_state", "1 for the state that the session is in.", "state", session)
    yield _sum(
        "whatsapp_session_transitions_unexpected",
        "Changes of the session's state that are not known to happen.",
        snapshot.session.unexpected_transitions,
    )
    yield _gauge("whatsapp_postgres_up", "1 while Postgres answers.", health.postgres == "up")
    yield _gauge("whatsapp_healthy", "1 while /health answers 200.", health.is_ok)
    present = {reason.code for reason in health.reasons}
    reasons = {code.value: float(code in present) for code in ReasonCode}
    yield _gauge_by("whatsapp_health_reason", "1 for each reason that holds.", "code", reasons)


def _untyped(name: str, documentation: str) -> Metric:
    return Metric(name, documentation, "unknown")


def _sum(name: str, documentation: str, value: float) -> Metric:
    metric = _untyped(name, documentation)
    metric.add_sample(name, {}, value)
    return metric


def _sum_by(name: str, documentation: str, label: str, values: Mapping[str, float]) -> Metric:
    metric = _untyped(name, documentation)
    for key, value in values.items():
        metric.add_sample(name, {label: key}, value)
    return metric


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)


def _gauge_by(name: str, documentation: str, label: str, values: Mapping[str, float]) -> Metric:
    metric = GaugeMetricFamily(name, documentation, labels=[label])
    for key, value in values.items():
        metric.add_metric([key], value)
    return metric
