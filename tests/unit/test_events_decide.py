"""Which events happen: on a change, once, with advice that names nobody."""

from datetime import timedelta

import pytest

from tests.fixtures.events import NOW, make_event
from tests.fixtures.load import make_report
from whatsapp_etl.announcing import cycle_ended, session_became, time_passed
from whatsapp_etl.happenings import EventType, Told
from whatsapp_etl.model import RunStatus, SessionState, StopReason

FAILED = RunStatus.FAILED
QR, READY = EventType.SESSION_QR_REQUIRED, EventType.SESSION_READY


def types(happenings):
    return [each.type for each in happenings]


def failed(error="PageTimeoutError: The chat list did not appear.", **changes):
    return make_report(4, status=FAILED, error=error, **changes)


@pytest.mark.parametrize(
    ("state", "type_"),
    [
        (SessionState.QR, "session.qr_required"),
        (SessionState.READY, "session.ready"),
        (SessionState.LOGGED_OUT, "session.expired"),
        (SessionState.CONFLICT, "session.conflict"),
    ],
)
def test_a_session_that_changes_is_told(state, type_):
    (happening,) = session_became(state)(Told())

    assert happening.type == type_
    assert happening.subject == "session"
    assert happening.data["state"] == state.value
    assert happening.data["summary"]


@pytest.mark.parametrize("state", set(SessionState) - {"qr", "ready", "logged_out", "conflict"})
def test_other_states_of_the_session_have_no_event_of_their_own(state):
    assert session_became(state)(Told()) == ()


def test_a_state_in_between_does_not_make_the_one_before_it_news_again():
    """From the code over the loading screen back to the code."""
    assert session_became(SessionState.QR)(Told(session=make_event(QR))) == ()


def test_a_code_after_a_linked_session_is_news():
    assert types(session_became(SessionState.QR)(Told(session=make_event(READY)))) == [QR]


def test_advice_is_that_of_health():
    (happening,) = session_became(SessionState.QR)(Told())

    assert happening.data["reason"] == "session_link_required"
    assert "scan the QR code" in happening.data["remedy"]


def test_a_good_cycle_tells_nothing():
    assert cycle_ended(make_report(4))(Told()) == ()


def test_an_interrupted_cycle_tells_nothing():
    report = make_report(4, status=RunStatus.INTERRUPTED, error="StopRequestedError: Asked to stop.")

    assert cycle_ended(report)(Told()) == ()


def test_a_failed_cycle_is_told_with_its_reason():
    (happening,) = cycle_ended(failed())(Told())

    assert happening.type is EventType.SYNC_FAILED
    assert happening.data["reason"] == "page_timeout"
    assert happening.data["run_id"] == 4


def test_a_cycle_that_never_got_a_number_says_so():
    (happening,) = cycle_ended(make_report(0, status=FAILED))(Told())

    assert happening.data["run_id"] is None
    assert happening.data["reason"] == "run_failed"


def test_the_same_failure_is_told_once_until_the_sync_recovers():
    earlier = make_event(EventType.SYNC_FAILED)

    assert cycle_ended(failed())(Told(outage=(earlier,))) == ()


def test_failures_that_take_turns_are_told_once_each():
    timeout = make_event(EventType.SYNC_FAILED, 1)
    crash = make_event(EventType.SYNC_FAILED, 2, data={"reason": "browser_crashed"})

    assert cycle_ended(failed())(Told(outage=(timeout, crash))) == ()


def test_another_failure_is_told():
    crashed = failed("BrowserCrashedError: Chromium ended.")

    (happening,) = cycle_ended(crashed)(Told(outage=(make_event(EventType.SYNC_FAILED),)))

    assert happening.data["reason"] == "browser_crashed"


@pytest.mark.parametrize("state", [SessionState.QR, SessionState.LOGGED_OUT, SessionState.CONFLICT])
def test_what_the_session_told_is_not_told_again_by_the_cycle(state):
    """While a code is shown a cycle fails every five seconds."""
    report = failed("SessionNeedsPersonError: No account is linked.", session_state=state)

    assert cycle_ended(report)(Told()) == ()


@pytest.mark.parametrize("state", [SessionState.TERMS, SessionState.LOCKED, SessionState.WRONG_ACCOUNT])
def test_other_screens_that_need_a_person_are_told_by_the_cycle(state):
    report = failed("SessionNeedsPersonError: Terms.", session_state=state)

    (happening,) = cycle_ended(report)(Told())

    assert happening.data["reason"] == f"session_{state.value}"
    assert happening.data["remedy"]


def test_the_first_good_cycle_after_a_failure_tells_of_the_recovery():
    told = Told(outage=(make_event(EventType.SYNC_FAILED, 1), make_event(EventType.SYNC_STALE, 2)))

    (happening,) = cycle_ended(make_report(9))(told)

    assert happening.type is EventType.SYNC_RECOVERED
    assert happening.data["after"] == ["sync.failed", "sync.stale"]
    assert happening.data["down_since"] == "2026-08-23T12:01:00Z"


@pytest.mark.parametrize(("type_", "expected"), [("sync.failed", ["sync.recovered"]), ("sync.stale", [])])
def test_a_cycle_that_left_chats_out_ends_a_failure_but_no_staleness(type_, expected):
    report = make_report(9, status=RunStatus.PARTIAL)

    assert types(cycle_ended(report)(Told(outage=(make_event(EventType(type_)),)))) == expected


def test_drift_is_told_beside_the_failure_that_it_caused():
    report = failed("SelectorDriftError: pack 2026-08 lacks chat_list.")

    drift, failure = cycle_ended(report)(Told())

    assert (drift.type, drift.subject, drift.data["reason"]) == ("drift.detected", "page", "drift")
    assert (failure.type, failure.data["reason"]) == ("sync.failed", "drift")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"stop_reasons": {StopReason.DRIFT: 1}}, "drift"), ({"lost_facts": ("edited",)}, "facts_lost")],
)
def test_drift_in_a_cycle_that_goes_on_is_told(changes, reason):
    report = make_report(4, status=RunStatus.PARTIAL, **changes)

    (happening,) = cycle_ended(report)(Told())

    assert (happening.type, happening.data["reason"]) == (EventType.DRIFT_DETECTED, reason)
    assert happening.data["facts"] == list(report.lost_facts)


def test_the_same_drift_is_told_again_only_after_it_had_ended():
    report = make_report(4, lost_facts=("edited",))
    (first,) = cycle_ended(report)(Told())
    before = make_event(EventType.DRIFT_DETECTED, data=first.data)

    assert cycle_ended(report)(Told(drift=before)) == ()
    assert types(cycle_ended(report)(Told(drift=before, drift_ended=True))) == [EventType.DRIFT_DETECTED]


def test_more_drift_is_told():
    (first,) = cycle_ended(make_report(4, lost_facts=("edited",)))(Told())
    before = make_event(EventType.DRIFT_DETECTED, data=first.data)

    (happening,) = cycle_ended(make_report(5, lost_facts=("edited", "quote")))(Told(drift=before))

    assert happening.data["facts"] == ["edited", "quote"]


def stale(told, *, now=NOW, up_for=timedelta(days=1)):
    return time_passed(
        now, started_at=now - up_for, stale_after=timedelta(minutes=30), grace=timedelta(minutes=10)
    )(told)


def test_a_sync_without_success_for_too_long_is_told_once():
    told = Told(last_success_at=NOW - timedelta(minutes=31))

    (happening,) = stale(told)

    assert happening.type is EventType.SYNC_STALE
    assert happening.data["last_success_at"] == "2026-08-23T11:29:00Z"
    assert stale(Told(last_success_at=told.last_success_at, outage=(make_event(EventType.SYNC_STALE),))) == ()


def test_a_fresh_sync_is_not_stale():
    assert stale(Told(last_success_at=NOW - timedelta(minutes=30))) == ()


def test_a_success_far_ahead_is_no_success():
    """A clock was set back since."""
    assert types(stale(Told(last_success_at=NOW + timedelta(days=2)))) == [EventType.SYNC_STALE]


def test_a_failure_that_was_told_does_not_hide_that_the_data_is_stale():
    told = Told(last_success_at=NOW - timedelta(hours=1), outage=(make_event(EventType.SYNC_FAILED),))

    assert types(stale(told)) == [EventType.SYNC_STALE]


def test_a_program_that_has_just_started_first_has_time_for_a_cycle():
    told = Told(last_success_at=NOW - timedelta(hours=9))

    assert stale(told, up_for=timedelta(minutes=10)) == ()
    assert types(stale(told, up_for=timedelta(minutes=11))) == [EventType.SYNC_STALE]


def test_a_sync_that_never_succeeded_is_stale_from_its_first_run_on():
    assert stale(Told()) == ()
    (happening,) = stale(Told(first_run_at=NOW - timedelta(hours=1)))
    assert (happening.data["reason"], happening.data["last_success_at"]) == ("sync_never", None)
