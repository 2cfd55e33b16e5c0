from datetime import UTC, datetime, timedelta

import pytest

from whatsapp_etl.extract.upkeep import (
    HANDS_OFF,
    LONGEST_PAUSE,
    BrowserFacts,
    Pause,
    UpkeepRules,
    pause_due,
    renewal_due,
)
from whatsapp_etl.model import SessionState
from whatsapp_etl.transitions import SessionCause

NOW = datetime(2026, 8, 23, 12, tzinfo=UTC)
RULES = UpkeepRules(max_memory_bytes=1000)
S = SessionState


def ago(**span) -> datetime:
    return NOW - timedelta(**span)


def due(state=S.READY, *, opened=5, since=1, rules=RULES, is_alive=True, **facts):
    """Judge a browser opened and a state shown so many minutes ago."""
    it = BrowserFacts(is_alive, state, ago(minutes=since), ago(minutes=opened), **facts)
    return renewal_due(it, rules, NOW)


@pytest.mark.parametrize("state", list(SessionState))
def test_a_young_browser_whose_page_came_a_moment_ago_is_left_alone(state):
    assert due(state) is None


def test_a_browser_that_ended_is_told_apart_from_one_that_did_not_answer():
    assert due(is_alive=False) is SessionCause.CRASHED
    assert due(is_alive=False, was_hung=True) is SessionCause.HUNG


def test_a_browser_is_reset_at_its_age_and_not_before():
    assert due(opened=59.9) is None
    assert due(opened=60) is SessionCause.RESET


def test_a_new_link_is_written_down_soon_by_a_clean_close():
    assert due(has_asked_for_link=True, since=0) is SessionCause.RESET
    assert due(S.LOADING, has_asked_for_link=True, since=4) is None
    assert due(S.QR, has_asked_for_link=True, since=4) is None


def test_more_memory_than_allowed_ends_it_and_no_limit_never_does():
    assert due(memory_bytes=1000) is None
    assert due(memory_bytes=1001) is SessionCause.MEMORY
    assert due(memory_bytes=10**12, rules=UpkeepRules()) is None


@pytest.mark.parametrize("state", sorted(HANDS_OFF))
def test_what_somebody_uses_or_answers_is_not_opened_anew(state):
    assert due(state, opened=600, since=500, memory_bytes=10**12) is None
    assert due(state, is_alive=False) is SessionCause.CRASHED


def test_a_first_download_is_not_begun_anew_unless_it_takes_as_long_as_a_browser_lives():
    assert due(S.LOADING, opened=90, since=59) is None
    assert due(S.LOADING, opened=90, since=60) is SessionCause.RESET


@pytest.mark.parametrize("state", [S.STARTING, S.UNAVAILABLE, S.UPDATE_REQUIRED])
def test_a_page_that_stands_still_is_loaded_again_once(state):
    assert due(state, since=2.9) is None
    assert due(state, since=3) is SessionCause.RELOADED
    assert due(state, since=3, was_reloaded=True) is None


@pytest.mark.parametrize("state", [S.OFFLINE, S.UNKNOWN, S.QR, S.LOADING])
def test_a_page_that_loading_again_does_not_help_is_left_as_it_is(state):
    assert due(state, since=4) is None


def test_the_first_end_is_followed_by_a_start_at_once_and_each_further_one_waits_longer():
    ends = [ago(seconds=0)]
    assert pause_due(ends, RULES, NOW) is None

    waits = []
    for _ in range(3):
        ends.append(NOW)
        waits.append(pause_due(ends, RULES, NOW).until - NOW)

    assert waits == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]


def test_a_pause_ends_and_what_is_older_than_an_hour_does_not_count():
    assert pause_due([ago(seconds=31), ago(seconds=30)], RULES, NOW) is None
    assert pause_due([ago(minutes=61), ago(seconds=1)], RULES, NOW) is None


def test_it_rests_after_as_many_ends_as_are_allowed_until_the_first_of_them_is_an_hour_old():
    ends = [ago(minutes=minutes) for minutes in (50, 40, 30, 20, 10, 1)]

    assert pause_due(ends, RULES, NOW) == Pause(NOW + timedelta(minutes=10), is_rest=True)
    assert pause_due(ends, RULES, NOW + timedelta(minutes=10)) is None


def test_no_pause_is_longer_than_the_longest():
    many = UpkeepRules(max_restarts_per_hour=100)

    assert pause_due([NOW] * 50, many, NOW) == Pause(NOW + LONGEST_PAUSE, is_rest=False)


def test_ends_that_lie_in_the_future_are_forgotten_when_the_clock_was_set_back():
    assert pause_due([NOW + timedelta(hours=5)] * 9, RULES, NOW) is None
