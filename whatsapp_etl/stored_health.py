"""Health as the database tells it, for when no service runs: the same judgement of what was stored last."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from whatsapp_etl import bootstrap
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import (
    DisagreementFact,
    RunReport,
    RunStatus,
    SessionSnapshot,
    SessionState,
    SkipRule,
    StopReason,
)
from whatsapp_etl.records import RunRecord
from whatsapp_etl.service.app import ServiceOptions
from whatsapp_etl.service.health import DatabaseState, Health, HealthFacts, assess
from whatsapp_etl.settings import Settings
from whatsapp_etl.store_records import StoreUnavailable


def stored_health(store: Store, settings: Settings) -> Health:
    """Judge what Postgres holds: the last cycle, coverage, the session as it was seen last."""
    now = bootstrap.clock_of(settings)()
    thresholds = ServiceOptions.of(settings).thresholds
    record = store.last_cycle()
    waiting = bootstrap.spool_of(settings).facts()
    last_run = replace(report_of(record), spool=waiting) if record else None
    facts = store.health_facts(now)
    return assess(
        HealthFacts(
            started_at=now,
            session=_session(store.session_state(), record),
            # A cycle ends with a look at the page.
            session_checked_at=last_run.finished_at if last_run else None,
            database=DatabaseState.UP,
            store=facts,
            coverage=store.coverage_summary(now, thresholds.coverage_grace) if last_run else None,
            last_run=last_run,
            last_success_at=facts.last_success_at,
            shield_alarm=store.has_shield_alarm(),
            outbox=store.outbox_facts(),
            agent_outbox=store.agent_outbox_facts(),
        ),
        now,
        thresholds,
    )


def report_of(run: RunRecord) -> RunReport:
    """Return a finished cycle's row as the report that it was made of; what is not kept is not known."""
    assert run.finished_at is not None
    return RunReport(
        run_id=run.run_id,
        status=RunStatus(run.status),
        started_at=run.started_at,
        finished_at=run.finished_at,
        session_state=SessionState(run.session_state or SessionState.UNKNOWN),
        wa_version=run.wa_version,
        pack_id=run.pack_id,
        chats_listed=run.chats_listed,
        chats_opened=run.chats_opened,
        stages=run.stages,
        applied=run.applied,
        expected=run.expected,
        missing=run.missing,
        rejects=run.applied.rejects,
        stop_reasons={StopReason(reason): count for reason, count in run.stop_reasons.items()},
        selector_hits={
            (selector, candidate): count
            for selector, hits in run.selector_hits.items()
            for candidate, count in hits.items()
        },
        receipts_observed=run.receipts_observed,
        stage_seconds=run.stage_seconds,
        error=run.error,
        disagreed={DisagreementFact(fact): count for fact, count in run.disagreed.items()},
        rows_compared=run.rows_compared,
        is_rewound=bool(run.is_rewound),
        newest_listed_at=run.newest_listed_at,
        chats_skipped={SkipRule(rule): count for rule, count in run.chats_skipped.items()},
        lost_facts=run.lost_facts,
        metadata_unreadable=run.metadata_unreadable,
        read_by="chat_list" if run.read_by == "chat_list" else "metadata",
        store_unavailable=StoreUnavailable(run.store_unavailable) if run.store_unavailable else None,
        store_detail=run.store_detail,
        rows_by_store=run.rows_by_store,
    )


def _session(seen: tuple[SessionState, datetime] | None, run: RunRecord | None) -> SessionSnapshot:
    if seen is None:
        return SessionSnapshot()
    state, since = seen
    return SessionSnapshot(state, since=since, wa_version=run.wa_version if run else None)
