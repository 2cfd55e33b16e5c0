"""The jobs beside the cycles: one for each target delivers, one sees when the sync has gone stale.

Events and the agent's messages are delivered by the same means.

They run in threads of their own: a browser that hangs is what somebody must be told of. Killed at any
point they lose nothing; see `events.deliver`.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from whatsapp_etl import receivers
from whatsapp_etl.announcing import time_passed
from whatsapp_etl.errors import DatabaseRefusedError, DatabaseUnreachableError, SchemaOutdatedError
from whatsapp_etl.events.deliver import Deliverer
from whatsapp_etl.events.formats import Context, Post, write, write_agent_message
from whatsapp_etl.events.retry import Policy
from whatsapp_etl.events.sign import key_of
from whatsapp_etl.events.targets import Target
from whatsapp_etl.events.wire import Wire
from whatsapp_etl.happenings import ItemT, OutboxFacts
from whatsapp_etl.load.beside import Beside
from whatsapp_etl.load.deliveries import Outbox
from whatsapp_etl.load.store import Store
from whatsapp_etl.qr_code import qr_png
from whatsapp_etl.service.thresholds import Thresholds
from whatsapp_etl.settings import Settings

log = structlog.get_logger(__name__)

DELIVER_EVERY = timedelta(seconds=3)
#: How often the sync's age is looked at.
_WATCH_EVERY = timedelta(seconds=15)
#: No job is due later than this, but for a clock that was set.
_LONGEST_PAUSE = 2 * _WATCH_EVERY

_Job = Callable[[], object]


class Telling:
    """Delivers and watches in the background until it is stopped."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Callable[[], datetime],
        *,
        thresholds: Thresholds,
        shown_qr: Callable[[], str | None] = lambda: None,
        show: Callable[[OutboxFacts, OutboxFacts], None] = lambda _events, _agent: None,
        policy: Policy | None = None,
        deliver_every: timedelta = DELIVER_EVERY,
    ) -> None:
        """Prepare; nothing runs before `start`.

        Args:
            settings: Targets, secret, and what may be sent where.
            store: Whose outbox it is.
            clock: The program's.
            thresholds: From when on the sync is stale.
            shown_qr: The text of the code that the page shows now; asked only where it may be sent.
            show: Takes how delivery stands, of events and of the agent's messages.
            policy: How often a delivery is tried.
            deliver_every: How often each target's job looks for what is due.
        """
        self._clock = clock
        self._started_at = clock()
        self._stale_after = thresholds.sync_stale_after
        self._grace = timedelta(minutes=settings.whatsapp_sync_interval_minutes)
        self._show = show
        self._deliver_every = deliver_every
        self._guard_every = 3 * deliver_every
        self._stop = threading.Event()
        self._idle = threading.Condition()
        self._running = 0
        self._has_failed = False
        self._watched = store.outbox()
        self._watched_agent = store.agent_outbox()
        targets, agent_targets = receivers.targets_of(settings), receivers.agent_targets_of(settings)
        source = f"/whatsapp-etl/{settings.pg_schema}"
        wire = Wire(self._stop, allows_private=settings.events_allow_private)

        def context() -> Context:
            code = shown_qr() if settings.events_send_qr else None
            return Context(
                source=source,
                status_url=settings.public_url,
                qr=code,
                qr_png=qr_png(code) if code else None,
            )

        key = key_of(settings.events_secret.get_secret_value())

        def deliverer(target: Target, outbox: Outbox[ItemT], write: Callable[[ItemT, Target], Post]) -> _Job:
            self._outboxes.append(outbox)
            made = Deliverer(
                target,
                outbox,
                write=write,
                send=wire.send,
                key=key,
                clock=clock,
                jitter=random.random,
                policy=policy or Policy(),
            )
            return made.deliver_due

        self._outboxes: list[Beside] = [self._watched, self._watched_agent]
        self._deliverers: dict[str, _Job] = {}
        for target in targets:
            self._deliverers[f"deliver {target.name}"] = deliverer(
                target, store.outbox(), lambda event, to: write(event, to, context())
            )
        for target in agent_targets:
            self._deliverers[f"deliver to the agent {target.name}"] = deliverer(
                target, store.agent_outbox(), lambda message, to: write_agent_message(message, to, source)
            )
        # One for each, and one that watches.
        pool = ThreadPoolExecutor(max_workers=len(self._deliverers) + 1, thread_name_prefix="events")
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": _Pool(pool)})

    def start(self) -> None:
        self._every(_WATCH_EVERY, self._watch, "watch")
        for name, deliver in self._deliverers.items():
            self._every(self._deliver_every, deliver, name)
        self._scheduler.start()
        threading.Thread(target=self._keep_going, name="events-guard", daemon=True).start()

    def request_stop(self) -> None:
        """Ask the jobs to end: a request that is being made is broken off. Returns at once."""
        self._stop.set()

    def stop(self, deadline: timedelta) -> bool:
        """End; return whether every job ended within `deadline`."""
        self.request_stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        with self._idle:
            has_ended = self._idle.wait_for(lambda: not self._running, deadline.total_seconds())
        if has_ended:
            for outbox in self._outboxes:
                outbox.close()
        return has_ended

    def _every(self, pause: timedelta, job: _Job, name: str) -> None:
        def run() -> None:
            with self._counted():
                if not self._stop.is_set():
                    self._attempt(job)

        self._scheduler.add_job(
            run,
            trigger=IntervalTrigger(seconds=pause.total_seconds(), timezone=UTC),
            id=name,
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )

    def _keep_going(self) -> None:
        """Bring forward what waits for a time of day that a clock set back has moved away."""
        while not self._stop.wait(self._guard_every.total_seconds()):
            now = datetime.now(UTC)
            for job in self._scheduler.get_jobs():
                if job.next_run_time > now + _LONGEST_PAUSE:
                    with suppress(JobLookupError):
                        self._scheduler.modify_job(job.id, next_run_time=now)

    def _attempt(self, job: _Job) -> None:
        try:
            job()
            self._has_failed = False
        except (DatabaseUnreachableError, DatabaseRefusedError, SchemaOutdatedError) as error:
            # Every few seconds, for as long as Postgres is away: said once.
            if not self._has_failed:
                log.warning("events_wait", error=str(error))
            self._has_failed = True

    def _watch(self) -> None:
        """Tell that the sync is stale, when it has become so, and publish how delivery stands."""
        now = self._clock()
        stale = time_passed(
            now, started_at=self._started_at, stale_after=self._stale_after, grace=self._grace
        )
        self._watched.tell(stale, now)
        self._show(self._watched.facts(), self._watched_agent.facts())

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._idle:
            self._running += 1
        try:
            yield
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()


class _Pool(BasePoolExecutor):  # type: ignore[misc]  # APScheduler 3 has no type hints
    """APScheduler's executor around a pool whose threads carry a name."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        super().__init__(pool)
