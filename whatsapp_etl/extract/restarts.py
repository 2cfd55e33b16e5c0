"""How often a browser ended unplanned, and whether another may be started yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from whatsapp_etl.errors import BrowserRestingError
from whatsapp_etl.extract.upkeep import Pause, UpkeepRules, pause_due
from whatsapp_etl.model import SessionSnapshot, SessionState
from whatsapp_etl.transitions import TransitionLog

_KEPT = timedelta(hours=1)


class Restarts:
    """The unplanned ends of the last hour."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._ends: list[datetime] = []

    def note_end(self) -> None:
        """Count an end."""
        now = self._clock()
        self._ends = [*(end for end in self._ends if end > now - _KEPT), now]

    def pause(self, rules: UpkeepRules) -> Pause | None:
        """Return how long the browser has to stay closed; None when it may be started."""
        return pause_due(self._ends, rules, self._clock())

    def resting(self, pause: Pause) -> BrowserRestingError:
        """Return the error that says so."""
        return BrowserRestingError(
            f"The browser ended {len(self._ends)} times within an hour;"
            f" it is started again at {pause.until:%H:%M:%S} UTC.",
            "Give the machine more memory, or update Chromium.",
        )


def snapshot_without_browser(
    transitions: TransitionLog, pause: Pause | None, *, resting: SessionSnapshot | None
) -> SessionSnapshot:
    """Return the session while no browser is open: as it rests, or how it waits for its next start."""
    if resting is not None:
        return replace(resting, unexpected_transitions=transitions.unexpected)
    last = transitions.last
    return SessionSnapshot(
        SessionState.CRASHED if pause else SessionState.STARTING,
        since=last.at if last else None,
        resting_until=pause.until if pause and pause.is_rest else None,
        unexpected_transitions=transitions.unexpected,
    )
