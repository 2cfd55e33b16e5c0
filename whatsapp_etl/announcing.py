"""What is told of a session and of a cycle: the judgement of /health, given to the decisions of `events`."""

from __future__ import annotations

from datetime import datetime, timedelta

from whatsapp_etl.events.decide import Advice, events_of_run, events_of_session, events_of_time
from whatsapp_etl.happenings import Happening, Tells, Told
from whatsapp_etl.load.store import Store
from whatsapp_etl.model import RunReport, RunStatus, SessionState
from whatsapp_etl.service.health import SESSION_WORDS, causes_of
from whatsapp_etl.service.reasons import REASONS, Reason, ReasonCode
from whatsapp_etl.transitions import TransitionLog

#: Reasons that say that WhatsApp Web has changed, the plainest first.
_DRIFT = (ReasonCode.DRIFT, ReasonCode.FACTS_LOST)

_READY = Advice("logged_in", "The account is linked and can be read.")


def store_end(store: Store, report: RunReport, transitions: TransitionLog) -> None:
    """Store what became of the session, and the run, each together with what is told of it."""
    store_transitions(store, transitions)
    if report.run_id:
        store.finish_run(report, cycle_ended(report))
    else:
        store.tell(cycle_ended(report), report.finished_at)


def store_transitions(store: Store, transitions: TransitionLog) -> None:
    """Store the changes of the session that are not stored yet, each with what is told of it.

    Raises:
        DatabaseUnreachableError: They are kept for the next time.
    """
    for each in transitions.earlier:
        store.record_transition(each)
        transitions.stored(each)
    for each in transitions.pending:
        store.record_transition(each, session_became(each.state))
        transitions.stored(each)


def session_became(state: SessionState) -> Tells:
    """Return what decides what to tell of a session that has come into `state`."""
    code = SESSION_WORDS[state][1]
    advice = _READY if code is None else _advice(REASONS[code])

    def tells(told: Told) -> tuple[Happening, ...]:
        return events_of_session(state, advice, told)

    return tells


def cycle_ended(report: RunReport) -> Tells:
    """Return what decides what to tell of a cycle that has ended."""
    causes = causes_of(report)
    drift = next((REASONS[code] for code in _DRIFT if code in causes), None)
    failure = REASONS[causes[0]] if causes and report.status is RunStatus.FAILED else None

    def tells(told: Told) -> tuple[Happening, ...]:
        return events_of_run(
            report,
            _advice(failure) if failure else None,
            _advice(drift) if drift else None,
            told,
        )

    return tells


def time_passed(now: datetime, *, started_at: datetime, stale_after: timedelta, grace: timedelta) -> Tells:
    """Return what decides what to tell when no cycle has succeeded for long."""

    def tells(told: Told) -> tuple[Happening, ...]:
        return events_of_time(now, started_at=started_at, stale_after=stale_after, grace=grace, told=told)

    return tells


def _advice(reason: Reason) -> Advice:
    return Advice(reason.code.value, reason.summary, reason.remedy)
