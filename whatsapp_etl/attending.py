"""Running unattended: the scheduler's thread owns the browser, the main thread serves HTTP."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import structlog

from whatsapp_etl import bootstrap
from whatsapp_etl.announcing import store_transitions
from whatsapp_etl.errors import (
    DatabaseRefusedError,
    DatabaseUnreachableError,
    SchemaOutdatedError,
    WhatsappEtlError,
    exit_code_of,
    is_session_taken,
)
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import RunReport
from whatsapp_etl.scheduler import Scheduler, Upkeep, address_of, listen, serve
from whatsapp_etl.service.app import ServiceOptions, create_app
from whatsapp_etl.service.qr import shown_qr
from whatsapp_etl.service.state import RECENT_RUNS, ServiceState, Snapshot
from whatsapp_etl.service_manager import ServiceManager
from whatsapp_etl.settings import Settings
from whatsapp_etl.stopping import Stop
from whatsapp_etl.telling import Telling

log = structlog.get_logger(__name__)

#: What is being delivered was broken off when the first signal came.
_TELLING_GRACE = timedelta(seconds=1)

#: Days on the status page's chart.
_CHART_DAYS = 30


def attend(settings: Settings, store: Store) -> int:
    """Run cycles and serve the status page until a signal comes; return the exit code."""
    clock = bootstrap.clock_of(settings)
    state = ServiceState(clock)
    options = ServiceOptions.of(settings)

    def ask_for_codes() -> None:
        source.ask_for_codes()
        scheduler.run_soon()

    proposals = store.agent_proposals()
    app = create_app(  # refuses an open bind before anything starts
        state, options, clock, ask_for_codes, lambda proposal: proposals.take(proposal, clock())
    )
    listener = listen(settings.host, settings.port)

    taken: list[int] = []

    def run_cycle(_stop: threading.Event) -> RunReport:
        report = cycle.run()
        state.show_session_kept(is_unkept=source.is_unkept)
        _show_store(store, state, settings, options)
        if settings.session_store_when_taken == "exit" and is_session_taken(report.error):
            taken.append(exit_code_of(report.error))
            os.kill(os.getpid(), signal.SIGTERM)  # the program's own way of ending
        return report

    def keeping(look: Callable[[], None]) -> Callable[[], None]:
        """Look after the browser, and store what became of the session; a cycle tells what stays wrong."""

        def keep() -> None:
            try:
                try:
                    look()
                finally:
                    store_transitions(store, source.transitions)
            except WhatsappEtlError as error:
                log.warning("upkeep_failed", error=str(error), kind=type(error).__name__)

        return keep

    stop = Stop(settings.stop_deadline)
    scheduler = Scheduler(
        run_cycle,
        interval=timedelta(minutes=settings.whatsapp_sync_interval_minutes),
        close=lambda: source.close(),  # noqa: PLW0108 - the source is made below
        upkeep=(
            Upkeep(
                "session_check",
                timedelta(seconds=settings.session_check_seconds),
                keeping(lambda: source.check()),  # noqa: PLW0108 - the source is made below
            ),
            Upkeep(
                "session_reset",
                timedelta(minutes=settings.whatsapp_session_max_age_minutes),
                keeping(lambda: source.reset()),  # noqa: PLW0108 - the source is made below
            ),
        ),
        on_started=state.cycle_started,
        on_finished=state.cycle_finished,
        on_planned=lambda wait: state.cycle_planned(None if wait is None else clock() + wait),
        stop=stop,
    )
    telling = Telling(
        settings,
        store,
        clock,
        thresholds=options.thresholds,
        shown_qr=lambda: shown_qr(state.snapshot.session, clock()),
        show=state.show_outbox,
    )
    source = bootstrap.source_of(settings, stop, publish=state.show_session, left=stop.left)
    cycle = bootstrap.cycle_of(settings, source, store)
    _show_store(store, state, settings, options)
    log.info("serving", url=address_of(listener))

    manager = ServiceManager(os.environ)

    def stopping() -> None:
        manager.stopping()
        state.stopping()
        telling.request_stop()

    telling.start()
    code = serve(
        app,
        scheduler,
        listener,
        on_serving=lambda: manager.serving(_standing(state.snapshot)),
        on_stopping=stopping,
        abandon=source.abandon,
        deadline=settings.stop_deadline,
    )
    if not telling.stop(_TELLING_GRACE):
        log.error("delivery_abandoned")
        code = code or 1
    if code:
        # A thread that did not end would hold the process for ever.
        sys.stderr.flush()
        os._exit(code)
    proposals.close()
    return taken[0] if taken else code


def _standing(now: Snapshot) -> str:
    """Return in a line how the program stands, for who manages services."""
    last = f"last cycle: {now.last_run.status}" if now.last_run else "no cycle yet"
    doing = "reading" if now.cycle_started_at else "waiting"
    return f"Session: {now.session.state}; {last}; {doing}."


def _show_store(store: Store, state: ServiceState, settings: Settings, options: ServiceOptions) -> None:
    """Publish what Postgres holds, for the handlers, which never ask it themselves."""
    now = bootstrap.clock_of(settings)()
    try:
        state.show_store(
            store.health_facts(now),
            store.coverage_summary(now, options.thresholds.coverage_grace),
            store.messages_per_day(_CHART_DAYS, bootstrap.zone_of(settings), now),
            store.recent_runs(RECENT_RUNS),
        )
        state.set_shield_alarm(is_on=store.has_shield_alarm())
    except (DatabaseUnreachableError, DatabaseRefusedError, SchemaOutdatedError) as error:
        # A table that somebody locks is no reason to end, nor to lose the cycle's own report.
        log.warning("store_not_shown", error=str(error))
        state.show_store_down()
