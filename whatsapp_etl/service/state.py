"""The one place where the browser's thread and the handlers meet.

The thread that runs cycles replaces an immutable `Snapshot`; handlers read the one that is there.
Reading takes no lock: a reference is replaced as a whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from whatsapp_etl.happenings import OutboxFacts
from whatsapp_etl.model import (
    CoverageSummary,
    DayCount,
    RunReport,
    RunStatus,
    RunSummary,
    SessionSnapshot,
    SessionState,
    StoreFacts,
)
from whatsapp_etl.service.health import DatabaseState, HealthFacts
from whatsapp_etl.service.totals import Totals, add_run

#: Cycles kept for the chart and the list.
RECENT_RUNS = 48


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that the service knows at one moment."""

    started_at: datetime
    session: SessionSnapshot = field(default_factory=SessionSnapshot)
    session_checked_at: datetime | None = None
    cycle_started_at: datetime | None = None  #: Of the cycle that is running; None between cycles.
    next_cycle_at: datetime | None = None
    last_run: RunReport | None = None
    last_success_at: datetime | None = None
    failures_in_a_row: int = 0
    recent_runs: tuple[RunSummary, ...] = ()  #: Oldest first.
    days: tuple[DayCount, ...] = ()  #: Oldest first; days without messages may be missing.
    coverage: CoverageSummary | None = None
    store: StoreFacts | None = None
    database: DatabaseState = DatabaseState.UNKNOWN
    shield_alarm: bool = False
    is_session_unkept: bool = False
    outbox: OutboxFacts | None = None  #: As last read; None: not yet.
    agent_outbox: OutboxFacts | None = None  #: The same of the agent's messages.
    totals: Totals = field(default_factory=Totals)
    is_stopping: bool = False

    @property
    def health_facts(self) -> HealthFacts:
        return HealthFacts(
            started_at=self.started_at,
            session=self.session,
            session_checked_at=self.session_checked_at,
            database=self.database,
            store=self.store,
            coverage=self.coverage,
            last_run=self.last_run,
            last_success_at=self.last_success_at,
            shield_alarm=self.shield_alarm,
            is_session_unkept=self.is_session_unkept,
            outbox=self.outbox,
            agent_outbox=self.agent_outbox,
        )


class ServiceState:
    """Holds the current snapshot. Every method may be called from any thread."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._writing = threading.Lock()
        self._snapshot = Snapshot(started_at=clock())

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    def show_session(self, session: SessionSnapshot) -> None:
        """Publish the session as it was just seen on the page."""
        now = self._clock()
        self._replace(lambda old: replace(old, session=session, session_checked_at=now))

    def cycle_started(self) -> None:
        now = self._clock()
        self._replace(lambda old: replace(old, cycle_started_at=now))

    def cycle_finished(self, report: RunReport | None) -> None:
        """Add a finished cycle; `None` when it ended without a report."""
        self._replace(lambda old: _with_run(old, report))

    def cycle_planned(self, when: timedelta | datetime | None) -> None:
        """Publish when the next cycle begins: an instant, or how long until then; None for never."""
        next_cycle_at = self._clock() + when if isinstance(when, timedelta) else when
        self._replace(lambda old: replace(old, next_cycle_at=next_cycle_at))

    def show_store(
        self,
        facts: StoreFacts,
        coverage: CoverageSummary | None,
        days: Sequence[DayCount],
        runs: Sequence[RunSummary] = (),
    ) -> None:
        """Publish what was just read from Postgres.

        Args:
            facts: Newest times and counts.
            coverage: Over all chats; None before the first cycle.
            days: Messages per day, in any order.
            runs: The last finished cycles in any order; they replace those held here, so that
                the chart goes on after a restart.
        """
        self._replace(lambda old: _with_store(old, facts, coverage, days, runs))

    def show_store_down(self) -> None:
        """Publish that Postgres did not answer; what was read before stays visible."""
        self._replace(lambda old: replace(old, database=DatabaseState.DOWN))

    def set_shield_alarm(self, *, is_on: bool) -> None:
        """Raise the alarm, or end it once a person has acknowledged it."""
        self._replace(lambda old: replace(old, shield_alarm=is_on))

    def show_session_kept(self, *, is_unkept: bool) -> None:
        """Publish whether the session could not be kept in its store."""
        self._replace(lambda old: replace(old, is_session_unkept=is_unkept))

    def show_outbox(self, facts: OutboxFacts, agent: OutboxFacts | None = None) -> None:
        """Publish how the delivery of events stands, and that of the agent's messages."""
        self._replace(lambda old: replace(old, outbox=facts, agent_outbox=agent))

    def stopping(self) -> None:
        """Publish that the program is ending: /readyz says no from here on."""
        self._replace(lambda old: replace(old, is_stopping=True, next_cycle_at=None))

    def _replace(self, change: Callable[[Snapshot], Snapshot]) -> None:
        with self._writing:
            self._snapshot = change(self._snapshot)


def _with_run(old: Snapshot, report: RunReport | None) -> Snapshot:
    if report is None:
        return replace(old, cycle_started_at=None, failures_in_a_row=old.failures_in_a_row + 1)
    if _waits_for_scan(report) and old.last_run is not None and _waits_for_scan(old.last_run):
        # The page is looked at every few seconds while it shows a code: one wait is one failed cycle.
        return replace(
            old,
            session=_session_after(old.session, report),
            session_checked_at=_newest(old.session_checked_at, report.finished_at),
            cycle_started_at=None,
        )
    is_failure = report.status is RunStatus.FAILED
    succeeded_at = report.finished_at if report.status is RunStatus.SUCCESS else None
    return replace(
        old,
        session=_session_after(old.session, report),
        session_checked_at=_newest(old.session_checked_at, report.finished_at),
        cycle_started_at=None,
        last_run=report,
        last_success_at=succeeded_at or old.last_success_at,
        failures_in_a_row=old.failures_in_a_row + 1 if is_failure else 0,
        recent_runs=_merge_runs(old.recent_runs, (summary_of(report),)),
        shield_alarm=old.shield_alarm or report.receipts_observed > 0,
        totals=add_run(old.totals, report),
    )


def _waits_for_scan(report: RunReport) -> bool:
    return report.status is RunStatus.FAILED and report.session_state in {
        SessionState.QR,
        SessionState.PAIRING,
        SessionState.LINK_RESTING,
        SessionState.LOGGED_OUT,
    }


def _session_after(session: SessionSnapshot, report: RunReport) -> SessionSnapshot:
    """Return the session as the cycle left it, where the cycle got as far as to know."""
    state = report.session_state
    if state is session.state or state in {SessionState.STARTING, SessionState.UNKNOWN}:
        return session
    return replace(session, state=state, since=report.finished_at, qr_payload=None, qr_seen_at=None)


def _with_store(
    old: Snapshot,
    facts: StoreFacts,
    coverage: CoverageSummary | None,
    days: Sequence[DayCount],
    runs: Sequence[RunSummary],
) -> Snapshot:
    return replace(
        old,
        store=facts,
        database=DatabaseState.UP,
        coverage=coverage,
        days=tuple(sorted(days, key=lambda day: day.day)),
        recent_runs=_merge_runs(old.recent_runs, runs),
        last_success_at=_newest(_not_after(old.last_success_at, facts.read_at), facts.last_success_at),
    )


def summary_of(report: RunReport) -> RunSummary:
    """Return a report as a line of the list of cycles."""
    return RunSummary(
        run_id=report.run_id,
        status=report.status,
        started_at=report.started_at,
        finished_at=report.finished_at,
        chats_opened=report.chats_opened,
        written=report.applied.inserted + report.applied.updated,
        missing=report.missing,
        rejects=report.rejects,
        error=report.error,
    )


def _merge_runs(held: Sequence[RunSummary], more: Sequence[RunSummary]) -> tuple[RunSummary, ...]:
    """Join by start, which also tells cycles apart that Postgres never saw (run_id 0)."""
    by_start = {run.started_at: run for run in (*held, *more)}
    return tuple(by_start[start] for start in sorted(by_start))[-RECENT_RUNS:]


def _not_after(instant: datetime | None, now: datetime) -> datetime | None:
    """Return an instant unless it lies in the future, where a clock that was ahead put it."""
    return instant if instant is None or instant <= now else None


def _newest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((instant for instant in (one, other) if instant is not None), default=None)
