"""How a command that reads one time ends at a signal: what is being read is stored, the browser is closed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import FrameType

from whatsapp_etl.stopping import Stop

_FORCED_EXIT_CODE = 1
#: A thread whose browser was taken from it soon ends.
_ABANDONED_GRACE = timedelta(seconds=0.8)


@dataclass
class Ending:
    """Which signal came first, if any did."""

    number: int | None = None

    @property
    def exit_code(self) -> int | None:
        """As shells tell it: 128 and the signal's number."""
        return None if self.number is None else 128 + self.number


@contextmanager
def heeding_signals(stop: Stop, abandon: Callable[[], None]) -> Iterator[Ending]:
    """Let the first SIGINT or SIGTERM set `stop`, and the second one end the program at once.

    For the main thread.

    Args:
        stop: What the work looks at; it has so much time to end as is allowed there.
        abandon: Ends the browser's process, from any thread: when the work has not ended by then, because
            the page does not answer, and at the second signal.
    """
    ending = Ending()
    over = threading.Event()

    def end_in_time() -> None:
        if not over.wait(stop.allowed.total_seconds()):
            # It waits until the browser is gone, for which there may be no time.
            threading.Thread(target=abandon, name="abandoning", daemon=True).start()
            if not over.wait(_ABANDONED_GRACE.total_seconds()):
                os._exit(_FORCED_EXIT_CODE)

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if ending.number is not None:
            abandon()
            os._exit(128 + number)
        ending.number = number
        stop.set()
        threading.Thread(target=end_in_time, name="ending", daemon=True).start()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ending
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)
