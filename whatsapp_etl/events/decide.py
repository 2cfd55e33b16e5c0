"""Which events a change of the session, the end of a cycle and the passing of time cause. Pure.

What was told before decides with: nobody is told the same thing in every cycle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from whatsapp_etl.happenings import EventType, Happening, Subject, Told
from whatsapp_etl.model import RunReport, RunStatus, SessionState

#: States that have an event of their own. The others that need a person are told by `sync.failed`.
SESSION_EVENTS: Mapping[SessionState, EventType] = MappingProxyType(
    {
        SessionState.QR: EventType.SESSION_QR_REQUIRED,
        SessionState.READY: EventType.SESSION_READY,
        SessionState.LOGGED_OUT: EventType.SESSION_EXPIRED,
        SessionState.CONFLICT: EventType.SESSION_CONFLICT,
    }
)

#: Cycles fail every few seconds while they last, and the session's own event has told it.
_WAITING = frozenset(SESSION_EVENTS) - {SessionState.READY}


@dataclass(frozen=True, slots=True)
class Advice:
    """Why something happened, with a code of /health, in words for people."""

    code: str
    summary: str
    remedy: str | None = None


def events_of_session(state: SessionState, advice: Advice | None, told: Told) -> tuple[Happening, ...]:
    """Return what to tell when the session's state has become `state`.

    A state in between that is nobody's business (loading, a short time offline) does not make the one
    before it news again.
    """
    type_ = SESSION_EVENTS.get(state)
    if type_ is None or (told.session is not None and told.session.type is type_):
        return ()
    return (Happening(type_, Subject.SESSION, {"state": state.value, **_advice(advice)}),)


def events_of_run(
    report: RunReport, failure: Advice | None, drift: Advice | None, told: Told
) -> tuple[Happening, ...]:
    """Return what to tell when a cycle has ended.

    Args:
        report: The cycle.
        failure: Why it failed, when it did.
        drift: What of the page has changed, when something has.
        told: What was told before.
    """
    found = []
    if drift is not None:
        found += _drift(report, drift, told)
    if report.status is RunStatus.FAILED and report.session_state not in _WAITING:
        found += _failed(report, failure, told)
    elif told.outage and _has_recovered(report, told):
        found.append(_recovered(report, told))
    return tuple(found)


def events_of_time(
    now: datetime, *, started_at: datetime, stale_after: timedelta, grace: timedelta, told: Told
) -> tuple[Happening, ...]:
    """Return what to tell because time has passed without a successful cycle.

    Args:
        now: The time.
        started_at: When the program started.
        stale_after: How old the last successful cycle may be.
        grace: How long a program that has just started has for its first cycle.
        told: What was told before.
    """
    since = told.last_success_at or told.first_run_at
    # Far ahead: a clock was set back since, and nobody knows how long ago it was.
    if since is None or abs(now - since) <= stale_after or abs(now - started_at) <= grace:
        return ()
    if any(event.type is EventType.SYNC_STALE for event in told.outage):
        return ()
    data = {
        "reason": "sync_stale" if told.last_success_at else "sync_never",
        "summary": "The last successful cycle is too long ago."
        if told.last_success_at
        else "No cycle has succeeded yet.",
        "remedy": "The status page says what keeps the cycles from succeeding.",
        "last_success_at": _instant(told.last_success_at),
        "stale_after_seconds": round(stale_after.total_seconds()),
    }
    return (Happening(EventType.SYNC_STALE, Subject.SYNC, data),)


def _drift(report: RunReport, drift: Advice, told: Told) -> list[Happening]:
    data = {
        "run_id": report.run_id or None,
        "pack": report.pack_id,
        "wa_version": report.wa_version,
        "facts": list(report.lost_facts),
        **_advice(drift),
    }
    if told.drift is not None and not told.drift_ended:
        before = told.drift.data
        if all(before.get(key) == data[key] for key in ("reason", "pack", "facts")):
            return []
    return [Happening(EventType.DRIFT_DETECTED, Subject.PAGE, data)]


def _failed(report: RunReport, failure: Advice | None, told: Told) -> list[Happening]:
    """Tell each reason once until the sync recovers: retries may fail for one and another in turn."""
    reason = failure.code if failure else None
    if any(
        event.type is EventType.SYNC_FAILED and event.data.get("reason") == reason for event in told.outage
    ):
        return []
    data = {"run_id": report.run_id or None, "state": report.session_state.value, **_advice(failure)}
    return [Happening(EventType.SYNC_FAILED, Subject.SYNC, data)]


def _has_recovered(report: RunReport, told: Told) -> bool:
    """Whether a cycle ends what was told. One that left chats out does not make stale data fresh."""
    if report.status is RunStatus.SUCCESS:
        return True
    is_stale = any(event.type is EventType.SYNC_STALE for event in told.outage)
    return report.status is RunStatus.PARTIAL and not is_stale


def _recovered(report: RunReport, told: Told) -> Happening:
    data = {
        "run_id": report.run_id or None,
        "after": list(dict.fromkeys(event.type.value for event in told.outage)),
        "down_since": _instant(told.outage[0].occurred_at),
        "reason": None,
        "summary": "Cycles succeed again.",
        "remedy": None,
    }
    return Happening(EventType.SYNC_RECOVERED, Subject.SYNC, data)


def _advice(advice: Advice | None) -> dict[str, object]:
    if advice is None:
        return {"reason": None, "summary": None, "remedy": None}
    return {"reason": advice.code, "summary": advice.summary, "remedy": advice.remedy}


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds").replace("+00:00", "Z")
