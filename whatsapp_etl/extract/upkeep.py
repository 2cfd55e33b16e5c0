"""What a browser needs that runs for weeks: decided from what is known of it, before anything is done. Pure.

A browser that ended is started again with growing pauses, and not without end: something is wrong then
that starting it does not cure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from whatsapp_etl.model import SessionState
from whatsapp_etl.pauses import doubled
from whatsapp_etl.transitions import SessionCause

_HOUR = timedelta(hours=1)

#: Ends within an hour that are followed by a start at once.
_FREE = 1
#: The pause before the second restart within an hour; it doubles with each further one.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)

#: A page that stands still here comes on when it is loaded again. Not those that load for long, or that have
#: no network: loading them again begins from nothing.
_RELOADABLE = frozenset({SessionState.STARTING, SessionState.UNAVAILABLE, SessionState.UPDATE_REQUIRED})

#: Somebody is about to answer the page, or uses the session elsewhere: opening it anew would take it away.
HANDS_OFF = frozenset({SessionState.PAIRING, SessionState.PASSKEY_REQUIRED, SessionState.CONFLICT})


@dataclass(frozen=True, slots=True)
class UpkeepRules:
    """When a browser is worn out."""

    max_age: timedelta = timedelta(hours=1)
    max_memory_bytes: int = 0  #: Of all its processes; 0 for no limit.
    max_restarts_per_hour: int = 6
    stuck_after: timedelta = timedelta(minutes=3)  #: A page stands still that has shown the same for so long.


@dataclass(frozen=True, slots=True)
class BrowserFacts:
    """What is known of an open browser and its page at one look."""

    is_alive: bool
    state: SessionState
    state_since: datetime
    opened_at: datetime
    was_hung: bool = False  #: The watchdog ended it.
    was_reloaded: bool = False  #: Since it was opened.
    has_asked_for_link: bool = False  #: The same; a page that is ready by now was linked in this browser.
    memory_bytes: int | None = None


def renewal_due(facts: BrowserFacts, rules: UpkeepRules, now: datetime) -> SessionCause | None:
    """Return why the browser is to be closed and opened again, or its page loaded again; None: it is well."""
    if not facts.is_alive:
        return SessionCause.HUNG if facts.was_hung else SessionCause.CRASHED
    if facts.state in HANDS_OFF:
        return None
    if rules.max_memory_bytes and (facts.memory_bytes or 0) > rules.max_memory_bytes:
        return SessionCause.MEMORY
    since = now - facts.state_since
    is_loading = facts.state is SessionState.LOADING and since < rules.max_age
    is_old = now - facts.opened_at >= rules.max_age and not is_loading
    # Chromium writes down what a page keeps 5 to 50 s later (version 156, 2026-11-29): a browser that is
    # killed before takes a new login with it, and a store of sessions has none until a browser is closed.
    is_linked_here = facts.has_asked_for_link and facts.state is SessionState.READY
    if is_old or is_linked_here:
        return SessionCause.RESET
    is_stuck = facts.state in _RELOADABLE and since >= rules.stuck_after
    if is_stuck and not facts.was_reloaded:
        return SessionCause.RELOADED
    return None


@dataclass(frozen=True, slots=True)
class Pause:
    """A browser that ended again and again stays closed until then."""

    until: datetime
    is_rest: bool  #: It ended as often as it may within an hour.


def pause_due(ends: Sequence[datetime], rules: UpkeepRules, now: datetime) -> Pause | None:
    """Return how long the browser has to stay closed; None when it may be started.

    Args:
        ends: When it ended unplanned, oldest first.
        rules: How often it may.
        now: The time. What lies after it was noted before the clock was set back, and does not count.
    """
    recent = [end for end in ends if now - _HOUR < end <= now]
    if len(recent) >= rules.max_restarts_per_hour:
        return Pause(recent[-rules.max_restarts_per_hour] + _HOUR, is_rest=True)
    if len(recent) <= _FREE:
        return None
    until = recent[-1] + doubled(FIRST_PAUSE, len(recent) - _FREE, LONGEST_PAUSE)
    return Pause(until, is_rest=False) if now < until else None
