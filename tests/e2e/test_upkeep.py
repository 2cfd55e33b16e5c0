"""A browser between cycles: looked at, renewed when it is worn out, left closed when it ends too often."""

import os
import signal
from dataclasses import replace
from datetime import timedelta

import pytest

from whatsapp_etl.errors import BrowserRestingError, PageScriptError
from whatsapp_etl.extract.browser import Browser
from whatsapp_etl.extract.upkeep import UpkeepRules
from whatsapp_etl.model import RunStatus, SessionState
from whatsapp_etl.transitions import SessionCause


@pytest.fixture
def kept(account):
    """Open an account that has been synced once; `rules` are those of its browser from then on."""

    def opened(settings=None, **rules):
        it = account(world={"chats": 2, "messages": 10}, **(settings or {}))
        assert it.sync().status is RunStatus.SUCCESS
        it.source._options = replace(it.source._options, upkeep=UpkeepRules(**rules))
        it.since = len(it.source.transitions.pending)
        return it

    return opened


def changes(it):
    """Return what was noted since the first cycle, as (state, cause)."""
    return [(each.state, each.cause) for each in it.source.transitions.pending[it.since :]]


def test_a_look_between_cycles_loads_nothing_and_tells_what_is_shown(kept):
    it = kept()
    loaded = it.source.session.page.evaluate("performance.timeOrigin")

    it.simulator.dialog("offline")
    it.source.session.page.wait_for_selector("[data-testid=chat-butterbar]")
    it.source.check()

    assert it.source.snapshot().state is SessionState.OFFLINE
    assert changes(it) == [(SessionState.OFFLINE, SessionCause.SHOWN)]
    assert it.source.session.page.evaluate("performance.timeOrigin") == loaded


def test_a_look_at_a_closed_browser_opens_none(kept):
    it = kept()
    it.source.close()

    it.source.check()
    it.source.reset()

    assert it.source._browser is None


@pytest.mark.matrix
def test_a_browser_that_was_killed_is_started_again_by_the_next_look(kept):
    it = kept()
    os.kill(it.source._browser.pid, signal.SIGKILL)

    it.source.check()

    assert changes(it)[:2] == [
        (SessionState.CRASHED, SessionCause.CRASHED),
        (SessionState.STARTING, SessionCause.CRASHED),
    ]
    assert it.sync().status is RunStatus.SUCCESS
    noted = it.query("SELECT state, previous, cause, error FROM session_events WHERE state = 'crashed'")
    assert noted == [("crashed", "ready", "crashed", "BrowserCrashedError")]


def test_too_much_memory_is_a_restart_and_a_cycle_goes_on_after_it(kept):
    it = kept(max_memory_bytes=1)
    assert it.source._browser.memory_bytes > 50_000_000

    it.source.check()

    assert changes(it)[:2] == [
        (SessionState.CRASHED, SessionCause.MEMORY),
        (SessionState.STARTING, SessionCause.MEMORY),
    ]
    it.source._options = replace(it.source._options, upkeep=UpkeepRules())
    assert it.sync().status is RunStatus.SUCCESS


@pytest.mark.matrix
def test_a_browser_that_ends_too_often_rests_and_says_until_when(kept):
    it = kept(max_memory_bytes=1, max_restarts_per_hour=1)

    with pytest.raises(BrowserRestingError, match=r"started again at 13:00:00 UTC"):
        it.source.check()
    report = it.sync()

    assert report.status is RunStatus.FAILED
    assert report.error.startswith("BrowserRestingError")
    assert it.source.snapshot().resting_until == it.simulator.options.now + timedelta(hours=1)
    stored = it.query("SELECT state, cause, error FROM session_events ORDER BY id DESC LIMIT 2")
    assert stored == [("crashed", "rested", "BrowserRestingError"), ("crashed", "memory", None)]


def test_a_reset_closes_and_opens_the_browser_and_spares_one_that_was_opened_a_moment_ago(kept):
    it = kept(max_age=timedelta(minutes=2))
    it.source.reset()
    assert changes(it) == []

    it.source._opened_at -= timedelta(minutes=1)
    it.source.reset()

    assert changes(it)[0] == (SessionState.STARTING, SessionCause.RESET)
    assert it.sync().status is RunStatus.SUCCESS


def test_a_browser_in_which_an_account_was_linked_is_closed_first_so_that_the_login_is_on_the_disk(account):
    it = account(world={"chats": 2, "messages": 10, "linked": False})
    assert it.sync().error.startswith("SessionNeedsPersonError")
    it.simulator.scan()
    it.source.session.page.wait_for_selector("#pane-side")

    assert it.sync().status is RunStatus.SUCCESS

    causes = it.query(
        "SELECT state, cause FROM session_events"
        " WHERE state IN ('qr', 'ready') OR cause = 'reset' ORDER BY id"
    )
    assert causes == [("qr", "shown"), ("ready", "shown"), ("starting", "reset"), ("ready", "shown")]
    assert it.sync().status is RunStatus.SUCCESS
    assert it.query("SELECT count(*) FROM session_events WHERE cause = 'reset'") == [(1,)]


def test_a_page_that_stands_still_is_loaded_again_in_the_same_browser(kept):
    it = kept()
    browser = it.source._browser
    it.simulator.dialog("service_unavailable")
    it.source.session.page.wait_for_selector("[role=dialog]")
    it.source.check()
    it.source.session._replace(since=it.source.session.snapshot().since - timedelta(minutes=3))

    it.source.check()

    assert it.source._browser is browser
    assert changes(it)[:2] == [
        (SessionState.UNAVAILABLE, SessionCause.SHOWN),
        (SessionState.STARTING, SessionCause.RELOADED),
    ]
    it.simulator.dialog("none")
    assert it.sync().status is RunStatus.SUCCESS


@pytest.mark.matrix
def test_a_page_that_ended_is_a_crash_of_the_session_and_is_opened_anew(kept, lender, monkeypatch):
    it = kept()
    it.source.close()
    lender.close()
    monkeypatch.setattr("whatsapp_etl.extract.source.Browser", Browser)  # nobody else gets the broken page
    it.sync()
    it.since = len(it.source.transitions.pending)
    page = it.source.session.page
    with pytest.raises(PageScriptError), it.source.session.watchdog.step("crashing", timedelta(seconds=20)):
        page.goto("chrome://crash")

    it.source.check()

    assert changes(it)[:2] == [
        (SessionState.CRASHED, SessionCause.CRASHED),
        (SessionState.STARTING, SessionCause.CRASHED),
    ]


def test_a_session_that_somebody_else_uses_is_left_to_them(kept):
    it = kept(max_age=timedelta(0))
    it.simulator.dialog("conflict")
    it.source.session.page.wait_for_selector("[role=dialog]")

    for _ in range(2):
        it.source.check()
        it.source.reset()
        assert it.sync().session_state is SessionState.CONFLICT

    last = it.query("SELECT state, previous, cause FROM session_events ORDER BY id DESC LIMIT 1")
    assert last == [("conflict", "ready", "shown")]
    assert it.simulator.ledger()["pressed"] == {}


@pytest.mark.parametrize("kind", ["conflict", pytest.param("another_session", marks=pytest.mark.matrix)])
def test_it_is_taken_over_only_when_that_is_configured_and_not_between_cycles(kept, kind):
    it = kept({"whatsapp_take_over": "always"})
    it.simulator.dialog(kind)
    it.source.session.page.wait_for_selector("[role=dialog]")
    it.source.check()
    assert it.simulator.ledger()["pressed"] == {}

    assert it.sync().status is RunStatus.SUCCESS

    assert it.simulator.ledger()["pressed"] == {"Use here": 1}
    noted = it.query("SELECT state FROM session_events WHERE cause = 'taken_over'")
    assert noted == [("starting",)]
