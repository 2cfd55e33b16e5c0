"""A worker: takes pictures one after the other, reads them, stores what it read.

Any number of them, in processes of their own, share the jobs. One that is killed loses its lease; what it had
not stored is read by another one, and what it stores after that counts for nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

import structlog

from whatsapp_etl.errors import DatabaseRefusedError, DatabaseUnreachableError
from whatsapp_etl.extracted import AfterLoss, EngineId, Lease, Reading, Verdict
from whatsapp_etl.extraction.decide import Policy, after_failure, after_loss, given_up
from whatsapp_etl.extraction.engine import Engine
from whatsapp_etl.extraction.job import Failure, read_one
from whatsapp_etl.steps import AnnounceReading, ReadingStep, no_announcement

log = structlog.get_logger(__name__)

#: Bounds a block in time.
Bound = Callable[[timedelta], AbstractContextManager[None]]

#: Between two looks for something to do.
LOOK_EVERY = timedelta(seconds=5)
#: Between two looks while Postgres is away.
_AWAY = timedelta(seconds=15)


class Jobs(Protocol):
    """The queue, as `load.extractions` keeps it."""

    def lease(
        self, engine: EngineId, worker: str, lasts: timedelta, after_loss: AfterLoss
    ) -> Lease | None: ...
    def keep(self, lease: Lease, lasts: timedelta) -> bool: ...
    def complete(self, lease: Lease, engine: EngineId, reading: Reading, duration: timedelta) -> int: ...
    def fail(self, lease: Lease, verdict: Verdict) -> None: ...
    def now(self) -> datetime: ...


@dataclass(slots=True)
class Done:
    """What a worker did."""

    pictures: int = 0
    messages: int = 0  #: To which these pictures belong.
    failed: int = 0  #: Tries.


class Worker:
    """Reads pictures in the thread that calls `run`."""

    def __init__(
        self,
        jobs: Jobs,
        beat_jobs: Jobs,
        engine: Engine,
        *,
        read_file: Callable[[str], bytes],
        name: str,
        jitter: Callable[[], float],
        abandon: Callable[[], None],
        bound: Bound = lambda _: nullcontext(),
        announce: AnnounceReading = no_announcement,
        policy: Policy | None = None,
        look_every: timedelta = LOOK_EVERY,
    ) -> None:
        """Prepare; nothing is leased before `run`.

        Args:
            jobs: The queue.
            beat_jobs: The same by another connection, for the thread that says that this one still reads.
            engine: Reads pictures.
            read_file: Returns the bytes of a path below ATTACHMENTS_DIR, no more than the limit and one.
            name: Host and process, for people.
            jitter: At least 0 and below 1.
            abandon: Ends the process: an engine that hangs cannot be ended otherwise.
            bound: Ends the process when a block takes so long, also where an engine lets no other thread run.
            announce: Told of each step.
            policy: How long and how often.
            look_every: Between two looks for something to do.
        """
        self._jobs = jobs
        self._beat_jobs = beat_jobs
        self._engine = engine
        self._read_file = read_file
        self._name = name
        self._jitter = jitter
        self._abandon = abandon
        self._bound = bound
        self._announce = announce
        self._policy = policy or Policy()
        self._look_every = look_every
        self._is_away = False

    def run(self, stop: threading.Event, *, follows: bool) -> Done:
        """Read what is due, until nothing is; or, following, until `stop` is set.

        The picture that is being read when `stop` is set is still read and stored.

        Raises:
            DatabaseUnreachableError: Postgres went away, unless it follows.
            DatabaseRefusedError: It refused a statement, unless it follows.
        """
        self._engine.load()
        done = Done()
        while not stop.is_set():
            if self._step(done, follows=follows):
                continue
            if not follows:
                break
            stop.wait((_AWAY if self._is_away else self._look_every).total_seconds())
        return done

    def _step(self, done: Done, *, follows: bool) -> bool:
        """Read one picture; False: there is none, or Postgres is away."""
        try:
            lease = self._jobs.lease(
                self._engine.id,
                self._name,
                self._policy.lease,
                lambda attempts, now: after_loss(attempts, now, self._policy),
            )
            if lease is not None:
                self._announce(ReadingStep.PICTURE_LEASED)
                self._read(lease, done)
        except (DatabaseUnreachableError, DatabaseRefusedError) as error:
            if not follows:
                raise
            if not self._is_away:
                log.warning("extraction_waits", error=str(error))
            self._is_away = True
            return False
        self._is_away = False
        return lease is not None

    def _read(self, lease: Lease, done: Done) -> None:
        started_at = monotonic()
        # The thread beside it is the first to say that an engine hangs.
        with self._kept(lease), self._bound(self._policy.longest_reading + 2 * self._policy.beat):
            result = read_one(lambda: self._read_file(lease.file_path), lease.checksum, self._engine)
        self._announce(ReadingStep.PICTURE_READ)
        duration = timedelta(seconds=monotonic() - started_at)
        if isinstance(result, Failure):
            now = self._jobs.now()
            self._jobs.fail(
                lease,
                given_up(result.reason, now)
                if result.is_final
                else after_failure(result.reason, lease.attempts, now, self._jitter(), self._policy),
            )
            done.failed += 1
            log.warning("picture_not_read", reason=result.reason, attempts=lease.attempts)
            return
        messages = self._jobs.complete(lease, self._engine.id, result, duration)
        self._announce(ReadingStep.TEXT_STORED)
        done.pictures += messages > 0
        done.messages += messages
        log.info(
            "picture_read",
            messages=messages,
            blocks=len(result.blocks),
            seconds=round(monotonic() - started_at, 3),
        )

    @contextmanager
    def _kept(self, lease: Lease) -> Iterator[None]:
        """Say again and again that the picture is being read; end the process when that never ends."""
        over = threading.Event()
        until = monotonic() + self._policy.longest_reading.total_seconds()

        def beat() -> None:
            while not over.wait(self._policy.beat.total_seconds()):
                if monotonic() > until:
                    log.error("engine_hangs", seconds=self._policy.longest_reading.total_seconds())
                    self._abandon()
                    return
                try:
                    self._beat_jobs.keep(lease, self._policy.lease)
                except (DatabaseUnreachableError, DatabaseRefusedError) as error:
                    log.warning("lease_not_kept", error=str(error))

        thread = threading.Thread(target=beat, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
