"""The wish that the program ends: that there is one, and how much of the time for it is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

#: How long the program may take to end after the first signal.
STOP_DEADLINE = timedelta(seconds=9)


class Stop(threading.Event):
    """Set when the program is asked to end.

    Args:
        allowed: How long the end may take from then on.
        clock: Seconds that nobody sets.
    """

    def __init__(
        self, allowed: timedelta = STOP_DEADLINE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self.allowed = allowed
        self._clock = clock
        self._asked_at: float | None = None

    def set(self) -> None:
        if self._asked_at is None:
            self._asked_at = self._clock()
        super().set()

    def left(self) -> timedelta | None:
        """Return what is left of the time; None while nobody has asked."""
        if self._asked_at is None:
            return None
        return max(self.allowed - timedelta(seconds=self._clock() - self._asked_at), timedelta(0))
