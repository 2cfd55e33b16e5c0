"""How long to wait after failures in a row."""

from __future__ import annotations

from datetime import timedelta

#: Bounded, so that years of failures do not make a number too large for a timedelta.
_MOST_DOUBLINGS = 30


def doubled(first: timedelta, failures: int, longest: timedelta) -> timedelta:
    """Return the pause after failures in a row: `first` after one, twice as long with each further one."""
    return min(first * (1 << min(max(failures - 1, 0), _MOST_DOUBLINGS)), longest)
