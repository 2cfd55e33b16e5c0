"""Beside `run`, a process of its own reads pictures: what its engine takes, or breaks, is not the sync's.

It is `whatsapp-etl extract --follow`, started again when it ended by itself. It ends with this program,
however that ends, since it sees the end of its standard input.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

import structlog

from whatsapp_etl.pauses import doubled
from whatsapp_etl.settings import Settings

log = structlog.get_logger(__name__)

COMMAND = (sys.executable, "-m", "whatsapp_etl.cli", "extract", "--follow", "--attached")
#: One that lived so long did not end for a reason that is there at every start.
_LIVED = timedelta(minutes=10)
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=5)
#: For the picture that is being read when the program ends.
_GRACE = timedelta(seconds=1)


def restart_pause(ends_in_a_row: int) -> timedelta:
    """Return how long a worker that ended by itself so often in a row stays ended."""
    return doubled(_FIRST_PAUSE, ends_in_a_row, _LONGEST_PAUSE)


@contextmanager
def reading_pictures(settings: Settings) -> Iterator[None]:
    """Have pictures read for as long as the block lasts, where they are to be read at all.

    Raises:
        ConfigurationError: There is no such engine; better told at the start than by a process beside.
    """
    if not settings.image_processing_enabled:
        yield  # and no extractor is imported
        return
    from whatsapp_etl.extracting import check_engine  # noqa: PLC0415

    check_engine(settings)
    worker = PictureWorker()
    worker.start()
    try:
        yield
    finally:
        if not worker.stop(_GRACE):
            # Its lease runs out, and the picture is read after the next start.
            log.warning("picture_abandoned")


class PictureWorker:
    """Keeps one worker running until it is stopped."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = tuple(command)
        self._stop = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep_running, name="pictures", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def request_stop(self) -> None:
        """Let the picture that is being read be the last one. Returns at once."""
        self._stop.set()
        self._end_input()

    def stop(self, deadline: timedelta) -> bool:
        """End; return whether the worker ended by itself within `deadline`. It is ended in any case."""
        self.request_stop()
        self._thread.join(deadline.total_seconds())
        if not self._thread.is_alive():
            return True
        process = self._process
        if process is not None:
            process.kill()
        self._thread.join(deadline.total_seconds())
        return False

    def _keep_running(self) -> None:
        ends = 0
        while not self._stop.is_set():
            started_at = monotonic()
            with subprocess.Popen(self._command, stdin=subprocess.PIPE) as process:  # noqa: S603 - ourselves
                self._process = process
                if self._stop.is_set():  # between the two
                    self._end_input()
                code = process.wait()
            if self._stop.is_set():
                return
            ends = 1 if monotonic() - started_at > _LIVED.total_seconds() else ends + 1
            pause = restart_pause(ends)
            log.error("picture_worker_ended", code=code, again_in_seconds=pause.total_seconds())
            self._stop.wait(pause.total_seconds())

    def _end_input(self) -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
