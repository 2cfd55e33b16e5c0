"""When cycles run, and how the program ends.

One thread owns the browser: every cycle and the closing of the browser run in it, one after the
other. The main thread serves HTTP. A signal sets one event that the cycle looks at, and everything
is over within a deadline, or is ended.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import FrameType

import structlog
import uvicorn
from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from starlette.types import ASGIApp

from whatsapp_etl.errors import ConfigurationError
from whatsapp_etl.model import RunReport, RunStatus, SessionState
from whatsapp_etl.pauses import doubled
from whatsapp_etl.stopping import STOP_DEADLINE, Stop

log = structlog.get_logger(__name__)

#: The pause after the first failure; it doubles with each further one, up to the interval.
FIRST_RETRY = timedelta(seconds=30)

#: A QR code is good for 20 s: while a person may be about to scan one, the page is kept in view.
SCAN_WAIT = timedelta(seconds=5)

_JOB = "cycle"
#: A cycle that has not begun so long after it was due waits for a clock that was set back.
_LATE = timedelta(seconds=2)
_ABANDONED_GRACE = timedelta(seconds=0.5)
_HTTP_DRAIN_SECONDS = 2
_TURN_SECONDS = 0.001
_FORCED_EXIT_CODE = 1

RunCycle = Callable[[threading.Event], RunReport]


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Something short that is done again and again between cycles, in their thread."""

    name: str
    every: timedelta
    run: Callable[[], None]  #: Raises nothing that it expects.


def next_delay(failures_in_a_row: int, interval: timedelta, state: SessionState | None = None) -> timedelta:
    """Return how long after the end of a cycle the next one begins.

    Args:
        failures_in_a_row: 0 after a good cycle.
        interval: The configured pause; no retry waits longer.
        state: Of the session at the cycle's end, where known.
    """
    if state in {SessionState.QR, SessionState.PAIRING, SessionState.LOGGED_OUT}:
        return min(SCAN_WAIT, interval)
    if failures_in_a_row <= 0 or state is SessionState.LINK_RESTING:
        return interval
    return doubled(FIRST_RETRY, failures_in_a_row, interval)


class _OneThread(BasePoolExecutor):  # type: ignore[misc]  # APScheduler 3 has no type hints
    """APScheduler's executor around a pool that the program can also give work to itself."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        super().__init__(pool)


class Scheduler:
    """Runs cycles in one thread: the first at once, then every interval, sooner after failures.

    The hooks are called in the thread of the cycles and must not block.
    """

    def __init__(
        self,
        run_cycle: RunCycle,
        *,
        interval: timedelta,
        close: Callable[[], object] = lambda: None,
        on_started: Callable[[], None] = lambda: None,
        on_finished: Callable[[RunReport | None], None] = lambda _report: None,
        on_planned: Callable[[timedelta | None], None] = lambda _wait: None,
        upkeep: Sequence[Upkeep] = (),
        first_cycle: bool = True,
        stop: Stop | None = None,
    ) -> None:
        """Prepare; nothing runs before `start`.

        Args:
            run_cycle: One cycle. It is given the stop event and must end soon after that is set.
            interval: From the start of one cycle to the start of the next.
            close: Closes the browser; runs once, in the thread of the cycles, when stopping.
            on_started: A cycle begins.
            on_finished: A cycle has ended; None when it raised instead of reporting.
            on_planned: How long until the next cycle; None when there will be none.
            upkeep: What is done between cycles; left out while one runs.
            first_cycle: Whether to run one at once, or only after the first interval.
            stop: What `stop_event` is; None: one of its own.
        """
        self._run_cycle = run_cycle
        self._interval = interval
        self._close = close
        self._on_started = on_started
        self._on_finished = on_finished
        self._on_planned = on_planned
        self._upkeep = tuple(upkeep)
        self._first_cycle = first_cycle
        self._failures_in_a_row = 0
        self._stop = stop or Stop()
        self._closing: Future[object] | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="browser")
        self._due_at = math.inf  # of the next cycle, by the clock that nobody sets
        self._guard = threading.Thread(target=self._keep_going, name="schedule-guard", daemon=True)
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": _OneThread(self._pool)})

    @property
    def stop_event(self) -> Stop:
        """Set when the program is to end; also given to each cycle."""
        return self._stop

    def start(self) -> None:
        wait = timedelta(0) if self._first_cycle else self._interval
        # APScheduler goes by the machine's time, whatever instant the program's clock is fixed to.
        self._scheduler.add_job(
            self._cycle,
            trigger=IntervalTrigger(seconds=self._interval.total_seconds(), timezone=UTC),
            id=_JOB,
            next_run_time=datetime.now(UTC) + wait,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,  # a late cycle is better than none, however late
        )
        for each in self._upkeep:
            self._scheduler.add_job(
                self._keep_up,
                trigger=IntervalTrigger(seconds=each.every.total_seconds(), timezone=UTC),
                args=(each,),
                id=each.name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
        self._on_planned(wait)
        self._due_at = time.monotonic() + wait.total_seconds()
        self._scheduler.start()
        self._guard.start()

    def run_soon(self) -> None:
        """Begin the next cycle at once, unless one is running. From any thread."""
        with contextlib.suppress(JobLookupError):
            self._scheduler.modify_job(_JOB, next_run_time=datetime.now(UTC))
            self._on_planned(timedelta(0))

    def request_stop(self) -> None:
        """Ask the running cycle to end, and start no other. Returns at once."""
        self._stop.set()

    def stop(self, deadline: timedelta = STOP_DEADLINE) -> bool:
        """End: ask the cycle to stop, close the browser in its own thread, wait for both.

        Returns:
            Whether everything ended within `deadline`. If not, the thread is still busy and only
            the end of the process will end it.

        Raises:
            WhatsappEtlError: What closing the browser raised.
        """
        self.request_stop()
        if self._closing is None:
            # Queued behind the running cycle. A cycle that slips in after it sees the stop event.
            self._closing = self._pool.submit(self._close)
            if self._scheduler.running:
                self._scheduler.shutdown(wait=False)
            self._pool.shutdown(wait=False)
            self._on_planned(None)
        try:
            self._closing.result(timeout=max(deadline.total_seconds(), 0))
        except FutureTimeoutError:
            return False
        return True

    def _cycle(self) -> None:
        if self._stop.is_set():
            return
        self._due_at = math.inf
        self._on_started()
        report: RunReport | None = None
        # A cycle looks by itself; what would come due meanwhile would only queue behind it.
        self._pause_upkeep()
        try:
            report = self._run_cycle(self._stop)
        finally:
            self._resume_upkeep()
            # Also when the cycle raised: APScheduler logs the error, and the next try is planned here.
            self._plan(report)
            self._on_finished(report)

    def _keep_up(self, upkeep: Upkeep) -> None:
        if not self._stop.is_set():
            upkeep.run()

    def _pause_upkeep(self) -> None:
        for each in self._upkeep:
            with contextlib.suppress(JobLookupError):  # gone when the program is stopping
                self._scheduler.pause_job(each.name)

    def _resume_upkeep(self) -> None:
        now = datetime.now(UTC)
        for each in self._upkeep:
            with contextlib.suppress(JobLookupError):
                if (job := self._scheduler.get_job(each.name)) is not None:
                    # Not later than it would be from now: the machine's clock may have been set back.
                    planned = min(job.trigger.get_next_fire_time(None, now), now + each.every)
                    self._scheduler.modify_job(each.name, next_run_time=planned)

    def _plan(self, report: RunReport | None) -> None:
        if self._stop.is_set():
            return
        has_failed = report is None or report.status is RunStatus.FAILED
        self._failures_in_a_row = self._failures_in_a_row + 1 if has_failed else 0
        state = report.session_state if report else None
        now = datetime.now(UTC)
        with contextlib.suppress(JobLookupError):
            if has_failed:
                wait = next_delay(self._failures_in_a_row, self._interval, state)
                self._scheduler.modify_job(_JOB, next_run_time=now + wait)
            next_at = self._scheduler.get_job(_JOB)
            if next_at is not None:
                wait = min(max(next_at.next_run_time - now, timedelta(0)), self._interval)
                self._due_at = time.monotonic() + wait.total_seconds()
                self._on_planned(wait)

    # --- the clock of the machine may be set ------------------------------------------------------

    def _keep_going(self) -> None:
        """Bring a cycle forward that is late.

        APScheduler waits for a time of day: after the machine's clock was set back by an hour it would wait
        an hour longer.
        """
        while not self._stop.wait(_LATE.total_seconds()):
            if time.monotonic() < self._due_at + _LATE.total_seconds():
                continue
            self._due_at = math.inf
            now = datetime.now(UTC)
            with contextlib.suppress(JobLookupError):
                job = self._scheduler.get_job(_JOB)
                if job is not None and job.next_run_time > now:
                    log.warning("clock_set_back", behind_seconds=(job.next_run_time - now).total_seconds())
                    self._scheduler.modify_job(_JOB, next_run_time=now)


def listen(host: str, port: int) -> socket.socket:
    """Bind before anything else starts; port 0 takes a free one.

    Raises:
        ConfigurationError: The address is not ours or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), port), family=family)
    except OSError as error:
        raise ConfigurationError(
            f"PORT: cannot listen on {host}, port {port}: {error.strerror or 'the name is unknown'}.",
            "Set PORT or HOST to something free, or end the program that uses it.",
        ) from error


def address_of(listener: socket.socket) -> str:
    """Return the URL to open in a browser on this machine."""
    host, port = listener.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)  # noqa: S104  # only compared
    return f"http://{name}:{port}/"


class _Server(uvicorn.Server):
    """uvicorn without signal handling of its own: it would end the process before the browser."""

    def __init__(self, config: uvicorn.Config, on_tick: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_tick = on_tick

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def on_tick(self, counter: int) -> bool:
        self._on_tick()
        return await super().on_tick(counter)


def serve(
    app: ASGIApp,
    scheduler: Scheduler,
    listener: socket.socket,
    *,
    on_serving: Callable[[], None] = lambda: None,
    on_stopping: Callable[[], None] = lambda: None,
    abandon: Callable[[], None] = lambda: None,
    deadline: timedelta = STOP_DEADLINE,
) -> int:
    """Serve `app` and run cycles until SIGTERM or SIGINT. For the main thread.

    The first signal ends both cleanly; a second one ends the process at once.

    Args:
        app: Handlers; they read snapshots only.
        scheduler: Started here.
        listener: From `listen`; closed here.
        on_serving: Called several times a second while requests are served; must not block.
        on_stopping: Called once, at the first signal.
        abandon: Ends the browser's process from outside when the thread that owns it does not end.
        deadline: From the first signal to the end.

    Returns:
        The exit code: 0 after a clean end, 1 when a cycle had to be abandoned. In that case its
        thread may still be there, and the caller must leave by `os._exit`, which waits for none.
    """
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=_HTTP_DRAIN_SECONDS,
        ),
        on_serving,
    )
    first_signal_at: list[float] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if first_signal_at:
            abandon()
            os._exit(128 + number)
        first_signal_at.append(time.monotonic())
        server.should_exit = True
        scheduler.request_stop()

    take_short_turns()
    with _signals(on_signal), listener:
        scheduler.start()
        try:
            server.run(sockets=[listener])
        finally:
            on_stopping()
            begun_at = first_signal_at[0] if first_signal_at else time.monotonic()
            left = deadline - timedelta(seconds=time.monotonic() - begun_at)
            has_ended = scheduler.stop(left)
            if not has_ended:
                log.error("cycle_abandoned", deadline_seconds=deadline.total_seconds())
                # It waits until the browser is gone, for which there may be no time.
                threading.Thread(target=abandon, name="abandoning", daemon=True).start()
                # Without its browser the thread soon ends, in most cases.
                scheduler.stop(_ABANDONED_GRACE)
    return 0 if has_ended else _FORCED_EXIT_CODE


def take_short_turns() -> None:
    """Let threads take turns sooner than Python has them do.

    Serving takes several short turns for each request, and waits for as many long ones of a cycle that
    parses: with 5 ms, Python's own, half of the answers took twice as long (50 clients, 2026-11-28).
    """
    sys.setswitchinterval(_TURN_SECONDS)


@contextlib.contextmanager
def _signals(on_signal: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
