"""What /health and /status answer, as JSON values. Pure; /health is published as docs/health.schema.json.

No names, titles, ids or texts: counts, times, states and codes only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from whatsapp_etl.happenings import OutboxFacts
from whatsapp_etl.model import RunReport, RunSummary, SpoolFacts
from whatsapp_etl.service.health import CoverageHealth, Health
from whatsapp_etl.service.qr import shown_qr
from whatsapp_etl.service.reasons import Reason
from whatsapp_etl.service.state import Snapshot


def health_json(health: Health) -> dict[str, Any]:
    """Return the body of /health."""
    return {
        "status": "ok" if health.is_ok else "degraded",
        "checked_at": instant(health.checked_at),
        "session": health.session.value,
        "session_since": instant(health.session_since),
        "last_successful_sync": instant(health.last_successful_sync),
        "last_seen": instant(health.last_seen),
        "postgres": health.postgres.value,
        "freshness": {
            "fresh": health.freshness.is_fresh,
            "sync_age_seconds": _seconds(health.freshness.sync_age),
            "stale_after_seconds": _seconds(health.freshness.sync_stale_after),
            "newest_message_age_seconds": _seconds(health.freshness.newest_message_age),
        },
        "coverage": _coverage_json(health.coverage),
        "spool": _spool_json(health.spool),
        "events": _events_json(health.events),
        "agent": _agent_json(health),
        "reasons": [_reason_json(reason) for reason in health.reasons],
    }


def status_json(snapshot: Snapshot, health: Health, *, version: str, interval: timedelta) -> dict[str, Any]:
    """Return the body of /status: health, and what the cycles did and will do."""
    now = health.checked_at
    totals = snapshot.totals
    return {
        "version": version,
        "started_at": instant(snapshot.started_at),
        "uptime_seconds": _seconds(now - snapshot.started_at),
        "state": snapshot.session.state.value,
        "wa_version": snapshot.session.wa_version,
        "qr_shown": shown_qr(snapshot.session, now) is not None,
        "cycle": {
            "running_since": instant(snapshot.cycle_started_at),
            "next_at": instant(snapshot.next_cycle_at),
            "interval_seconds": _seconds(interval),
            "failures_in_a_row": snapshot.failures_in_a_row,
        },
        "last_run": _report_json(snapshot.last_run) if snapshot.last_run else None,
        "recent_runs": [_run_json(run) for run in reversed(snapshot.recent_runs)],
        "messages_per_day": [{"day": day.day.isoformat(), "messages": day.messages} for day in snapshot.days],
        "stored": {
            "messages": snapshot.store.messages,
            "threads": snapshot.store.threads,
            "attachments": snapshot.store.attachments_stored,
            "read_at": instant(snapshot.store.read_at),
        }
        if snapshot.store
        else None,
        "since_start": {
            "cycles": {status.value: count for status, count in totals.cycles.items()},
            "messages_fetched": totals.stages.seen,
            "upserts": totals.upserts,
            "attachments_saved": totals.attachments_saved,
            "extraction_jobs_enqueued": totals.jobs_enqueued,
            "chats_opened": totals.chats_opened,
            "rejects": totals.rejects,
            "errors": totals.errors,
            "receipts_observed": totals.receipts_observed,
        },
        "health": health_json(health),
    }


def instant(value: datetime | None) -> str | None:
    """Write an instant as RFC 3339 with whole seconds."""
    return None if value is None else value.isoformat(timespec="seconds").replace("+00:00", "Z")


def _seconds(value: timedelta | None) -> int | None:
    return None if value is None else round(value.total_seconds())


def _coverage_json(coverage: CoverageHealth | None) -> dict[str, Any] | None:
    if coverage is None:
        return None
    return {
        "chats": coverage.chats,
        "chats_complete": coverage.chats_complete,
        "expected": coverage.expected,
        "stored": coverage.stored,
        "missing": coverage.missing,
        "missing_by_reason": _counts(coverage.missing_by_reason),
        "explained": coverage.explained,
        "share": None if coverage.share is None else round(coverage.share, 4),
        "complete_until": instant(coverage.complete_until),
    }


def _spool_json(spool: SpoolFacts | None) -> dict[str, Any] | None:
    if spool is None:
        return None
    return {
        "batches": spool.batches,
        "bytes": spool.bytes,
        "oldest_at": instant(spool.oldest_at),
        "set_aside": spool.set_aside,
    }


def _agent_json(health: Health) -> dict[str, Any] | None:
    if health.agent is None:
        return None
    return {"state": health.agent.value, "messages": _events_json(health.agent_messages)}


def _events_json(outbox: OutboxFacts | None) -> dict[str, Any] | None:
    if outbox is None:
        return None
    return {
        "targets": outbox.targets,
        "pending": outbox.pending,
        "delivered": outbox.delivered,
        "dead": outbox.dead,
        "oldest_pending_at": instant(outbox.oldest_pending_at),
    }


def _reason_json(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code.value,
        "severity": reason.severity.value,
        "summary": reason.summary,
        "remedy": reason.remedy,
    }


def _run_json(run: RunSummary) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "status": run.status.value,
        "started_at": instant(run.started_at),
        "seconds": round(run.seconds, 1),
        "chats_opened": run.chats_opened,
        "written": run.written,
        "missing": run.missing,
        "rejects": run.rejects,
        "error": run.error,
    }


def _report_json(report: RunReport) -> dict[str, Any]:
    return {
        "run_id": report.run_id,
        "status": report.status.value,
        "started_at": instant(report.started_at),
        "finished_at": instant(report.finished_at),
        "seconds": round(report.seconds, 1),
        "session_state": report.session_state.value,
        "wa_version": report.wa_version,
        "pack": report.pack_id,
        "chats_listed": report.chats_listed,
        "chats_opened": report.chats_opened,
        "rows": {
            "seen": report.stages.seen,
            "id_found": report.stages.id_found,
            "matched": report.stages.matched,
            "body_found": report.stages.body_found,
            "written": report.stages.written,
        },
        "inserted": report.applied.inserted,
        "updated": report.applied.updated,
        "unchanged": report.applied.unchanged,
        "attachments_saved": report.applied.attachments_saved,
        "jobs_enqueued": report.applied.jobs_enqueued,
        "expected": report.expected,
        "missing": report.missing,
        "rejects": report.rejects,
        "spooled": report.spooled,
        "unspooled": report.unspooled,
        "stop_reasons": _counts(report.stop_reasons),
        "receipts_observed": report.receipts_observed,
        "store_reader": {
            "rows": report.rows_by_store,
            "unavailable": report.store_unavailable and report.store_unavailable.value,
            "detail": report.store_detail,
        },
        "stage_seconds": {stage: round(seconds, 2) for stage, seconds in report.stage_seconds.items()},
        "error": report.error,
    }


def _counts(counts: Mapping[Any, int]) -> dict[str, int]:
    return {str(reason): count for reason, count in sorted(counts.items()) if count}
