"""When a fact becomes a reason of health."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a fact becomes a reason."""

    sync_stale_after: timedelta = timedelta(minutes=30)
    session_stale_after: timedelta = timedelta(minutes=60)
    session_start_grace: timedelta = timedelta(minutes=3)
    coverage_grace: timedelta = timedelta(hours=1)  #: A gap that is younger may still be filled.
    missing_share: float = 0.01  #: Of the messages expected; more, for longer than that, is `coverage_short`.
    reject_share: float = 0.01  #: Of the rows seen in one cycle; more is `rejects_high` …
    reject_minimum: int = 3  #: … from this many rejects on.
    #: Of the rows compared in one cycle, or within a day; more is `disagreements_high` …
    disagreement_share: float = 0.01
    disagreement_minimum: int = 3  #: … from this many on.

    events_stuck_after: timedelta = timedelta(minutes=30)  #: How long an event may be on its way.
    given_up_for: timedelta = timedelta(days=7)  #: How long an event or a file that was given up is a reason.
    #: How long pictures may be due and nobody reads one; None: none is to be read.
    extraction_idle_after: timedelta | None = None
    #: How long files may wait for their copy and none is made; None: there is no second store.
    uncopied_after: timedelta | None = None

    @classmethod
    def of(
        cls,
        *,
        interval: timedelta,
        session_max_age: timedelta,
        reads_pictures: bool = False,
        copies_files: bool = False,
    ) -> Thresholds:
        """Return the thresholds for cycles every `interval`: three missed ones are stale.

        A session is looked at once a cycle, so its greatest age is never below two intervals.
        """
        return cls(
            sync_stale_after=max(3 * interval, timedelta(minutes=15)),
            session_stale_after=max(session_max_age, 2 * interval),
            coverage_grace=max(3 * interval, timedelta(hours=1)),
            extraction_idle_after=timedelta(minutes=30) if reads_pictures else None,
            uncopied_after=timedelta(days=1) if copies_files else None,
        )


def is_recent(at: datetime | None, now: datetime, within: timedelta) -> bool:
    """Whether something happened, and not longer ago than that."""
    return at is not None and now - at <= within
