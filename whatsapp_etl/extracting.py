"""Reading of stored pictures, wired: the engine of the settings, the queue of the database, signals.

Imported only where images are to be processed: with it come the extractors.
"""

from __future__ import annotations

import errno
import faulthandler
import os
import random
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import structlog

from whatsapp_etl import bootstrap
from whatsapp_etl.ending import heeding_signals
from whatsapp_etl.errors import EXIT_PARTIAL
from whatsapp_etl.extraction.decide import Policy
from whatsapp_etl.extraction.engine import Engine, find_engine
from whatsapp_etl.extraction.pictures import MOST_BYTES
from whatsapp_etl.extraction.worker import Done, Worker
from whatsapp_etl.load.extractions import Extractions
from whatsapp_etl.settings import Settings
from whatsapp_etl.steps import AnnounceReading, no_announcement
from whatsapp_etl.stopping import Stop

log = structlog.get_logger(__name__)

_ABANDONED_CODE = 1
_STANDARD_ERROR = 2  # by its number: the object may be another one, or none
#: From -1000 to 1000; what is higher is ended sooner.
_OOM_SCORE = Path("/proc/self/oom_score_adj")


def check_engine(settings: Settings) -> Engine:
    """Return the engine that the settings name, not loaded yet.

    Raises:
        ConfigurationError: It is not there, and how to install it.
    """
    return find_engine(settings.extraction_engine)


def work(
    settings: Settings,
    *,
    follows: bool,
    again: bool = False,
    dead: bool = False,
    is_attached: bool = False,
    announce: AnnounceReading = no_announcement,
    policy: Policy | None = None,
) -> int:
    """Read pictures as `extract_command.extract` says; return the exit code.

    Raises:
        ConfigurationError: There is no such engine.
    """
    engine = check_engine(settings)
    root = settings.attachments_dir
    _be_first_without_memory()
    _take_no_more_than(settings.extraction_max_memory_mb)

    def read_file(path: str) -> bytes:
        with (root / path).open("rb") as file:
            return file.read(MOST_BYTES + 1)

    stop = Stop()
    with (
        bootstrap.open_current_db(settings) as database,
        Extractions(database) as jobs,
        Extractions(database) as beat_jobs,
        heeding_signals(stop, _abandon) as ending,
    ):
        if is_attached:
            threading.Thread(target=_end_with_input, args=(stop,), name="parent", daemon=True).start()
        queued = (jobs.queue_unread(engine.id) if again else 0) + (jobs.queue_dead() if dead else 0)
        if again or dead:
            sys.stdout.write(f"Queued again: {queued}.\n")
        worker = Worker(
            jobs,
            beat_jobs,
            engine,
            read_file=read_file,
            name=f"{socket.gethostname()}/{os.getpid()}",
            jitter=random.random,
            abandon=_abandon,
            bound=_ended_after,
            announce=announce,
            policy=policy,
        )
        done = worker.run(stop, follows=follows)
    if follows:
        return 0
    sys.stdout.write(_told(done))
    if ending.exit_code is not None:
        return ending.exit_code
    return EXIT_PARTIAL if done.failed else 0


def _told(done: Done) -> str:
    return f"Pictures read: {done.pictures}, of {done.messages} messages. Tries that failed: {done.failed}.\n"


def _end_with_input(stop: threading.Event) -> None:
    """Stop when the program that holds the other end of standard input is gone, however it ended."""
    # Not by the buffered stream, whose lock a thread that waits there keeps while the program ends.
    while os.read(sys.stdin.fileno(), 1):
        pass
    stop.set()


@contextmanager
def _ended_after(time: timedelta) -> Iterator[None]:
    """End this process when the block takes longer: by a thread that needs no lock of the interpreter."""
    faulthandler.dump_traceback_later(time.total_seconds(), exit=True, file=_STANDARD_ERROR)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _be_first_without_memory() -> None:
    """Let the system end this process first where memory runs out: an engine may take all that there is.

    Else it ends the largest one, which is Chromium or Postgres.
    """
    try:
        _OOM_SCORE.write_text("1000")
    except OSError as error:  # not Linux, or not allowed
        log.debug("oom_score_kept", reason=errno.errorcode.get(error.errno or 0, "unknown"))


def _take_no_more_than(megabytes: int) -> None:
    """Refuse this process, and each program that an engine starts, more memory of its own than that.

    What asks for more gets an error, which ends one try of one picture. Of the address space (RLIMIT_AS)
    much is libraries and stacks that take no memory, so the limit is on data; only Linux counts all of it.
    """
    if not megabytes or sys.platform != "linux":
        return
    import resource  # noqa: PLC0415 - not on Windows

    most = megabytes * 1024 * 1024
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _abandon() -> None:
    """End this process: an engine that hangs in native code ends in no other way. The lease runs out."""
    sys.stderr.flush()
    os._exit(_ABANDONED_CODE)
