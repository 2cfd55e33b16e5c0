"""How fast chats are opened and scrolled. A wait ends at once when the program is asked to stop."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from whatsapp_etl.errors import StopRequestedError


class Pace:
    """Keeps a least distance between events of one kind.

    Args:
        per_second: Most events in a second; 0 for no limit.
        stop: Set when the program is asked to stop.
    """

    def __init__(self, per_second: float, stop: threading.Event) -> None:
        self._distance = 1 / per_second if per_second > 0 else 0.0
        self._stop = stop
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next event may happen.

        Raises:
            StopRequestedError: The program was asked to stop, before or meanwhile.
        """
        remaining = self._next - time.monotonic()
        if self._stop.wait(remaining) if remaining > 0 else self._stop.is_set():
            raise StopRequestedError("Reading was asked to stop.")
        self._next = time.monotonic() + self._distance


@dataclass(frozen=True, slots=True)
class Limits:
    """The paces of one reader."""

    chats: Pace
    scrolls: Pace
    downloads: Pace
    stop: threading.Event

    @classmethod
    def of(
        cls,
        *,
        chats_per_minute: float,
        scrolls_per_second: float,
        downloads_per_minute: float = 0,
        stop: threading.Event,
    ) -> Limits:
        """Return the limits of the settings; 0 means none."""
        return cls(
            chats=Pace(chats_per_minute / 60, stop),
            scrolls=Pace(scrolls_per_second, stop),
            downloads=Pace(downloads_per_minute / 60, stop),
            stop=stop,
        )
