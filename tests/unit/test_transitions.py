from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_etl.errors import BrowserHungError
from whatsapp_etl.model import NEEDS_PERSON, SessionState
from whatsapp_etl.transitions import ALLOWED, SessionCause, TransitionLog, is_allowed

NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)
S = SessionState


def noted(*states, cause=SessionCause.SHOWN) -> TransitionLog:
    log = TransitionLog()
    for second, state in enumerate(states):
        log.note(state, cause, NOW + timedelta(seconds=second))
    return log


def test_the_table_says_of_every_state_what_may_follow():
    assert set(ALLOWED) == set(SessionState)


@pytest.mark.parametrize("state", [state for state in SessionState if state is not S.CRASHED])
def test_the_browser_may_end_and_be_opened_anew_in_every_state(state):
    assert {S.STARTING, S.CRASHED} <= ALLOWED[state]


def test_a_browser_that_ended_is_started_before_anything_else_is_shown():
    assert ALLOWED[S.CRASHED] == {S.STARTING}


@pytest.mark.parametrize("state", sorted(NEEDS_PERSON - {S.QR, S.PAIRING, S.LINK_RESTING, S.WRONG_ACCOUNT}))
def test_what_stops_a_person_may_come_while_chats_are_read(state):
    assert is_allowed(S.READY, state)


@pytest.mark.parametrize(
    ("previous", "state"),
    [
        (S.READY, S.QR),  # an account that was linked is logged out
        (S.LOGGED_OUT, S.QR),
        (S.READY, S.PAIRING),
        (S.WRONG_ACCOUNT, S.READY),
        (S.UNSUPPORTED, S.READY),
        (S.QR, S.WRONG_ACCOUNT),  # the chats are shown first
        (S.CRASHED, S.READY),
    ],
)
def test_ways_that_are_not_known_to_happen_are_marked_and_counted(previous, state):
    log = noted(previous, state)

    assert not log.pending[-1].is_expected
    assert log.unexpected == 1


def test_the_ordinary_life_of_a_session_is_expected():
    log = noted(
        *(S.STARTING, S.QR, S.PAIRING, S.PASSKEY_REQUIRED, S.LOADING, S.READY, S.OFFLINE, S.READY),
        *(S.CONFLICT, S.READY, S.CRASHED, S.STARTING, S.LOADING, S.READY, S.LOGGED_OUT, S.LOADING),
    )

    assert [each.is_expected for each in log.pending] == [True] * 16
    assert log.unexpected == 0


def test_a_change_names_the_state_before_its_cause_and_the_class_of_its_error():
    log = noted(S.READY)

    log.note(S.CRASHED, SessionCause.HUNG, NOW, BrowserHungError("looking at the page"))

    change = log.pending[-1]
    assert (change.previous, change.cause, change.error) == (
        S.READY,
        SessionCause.HUNG,
        "BrowserHungError",
    )


def test_a_state_that_stays_is_no_change_unless_another_error_tells_it():
    log = noted(S.STARTING, S.STARTING)
    assert len(log.pending) == 1

    log.note(S.STARTING, SessionCause.OPENED, NOW, ValueError())
    log.note(S.STARTING, SessionCause.OPENED, NOW, ValueError())
    assert [each.error for each in log.pending] == [None, "ValueError"]


def test_what_is_stored_is_dropped_and_the_rest_waits():
    log = noted(S.STARTING, S.LOADING, S.READY)

    log.stored(log.pending[0])

    assert [each.state for each in log.pending] == [S.LOADING, S.READY]


def test_what_cannot_be_stored_for_long_is_bounded_and_the_newest_stay():
    log = noted(*[S.LOADING, S.READY] * TransitionLog.KEPT)

    assert len(log.pending) == TransitionLog.KEPT
    assert log.pending[-1].state is S.READY


def test_what_was_asked_in_one_browser_is_over_in_the_next():
    log = noted(S.STARTING, S.QR, S.STARTING, S.LOADING, S.READY)  # the page loads itself again after a scan
    assert log.has_asked_for_link

    log.note(S.STARTING, SessionCause.RESET, NOW)
    log.note(S.READY, SessionCause.SHOWN, NOW)

    assert not log.has_asked_for_link
