"""Each state that the stand-in can come into, as it is seen: in /health, on the page, in the history."""

import json
import os
import signal
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.cycle import link
from tests.fixtures.service import ask
from whatsapp_etl import session_history
from whatsapp_etl.announcing import store_transitions
from whatsapp_etl.errors import BrowserRestingError
from whatsapp_etl.extract.phone_link import PhoneLink
from whatsapp_etl.extract.upkeep import UpkeepRules
from whatsapp_etl.model import SessionState
from whatsapp_etl.phone_numbers import own_number
from whatsapp_etl.service.app import ServiceOptions, create_app
from whatsapp_etl.service.health import SESSION_WORDS
from whatsapp_etl.service.page import SESSION_TEXTS
from whatsapp_etl.service.state import ServiceState

WORLD = {"chats": 2, "messages": 10}


def behaving(name):
    def come(account):
        it = account(world=WORLD)
        it.simulator.behave(name)
        return it

    return come


def linked(account):
    return account(world=WORLD)


def unlinked(account):
    return account(world={**WORLD, "linked": False})


def pairing(account):
    it = unlinked(account)
    session = it.source.start()
    session.page.wait_for_selector("[data-ref]")
    PhoneLink(session.page, session.watchdog, session._any_pack).ask(own_number("+49 1512 3456789"))
    return it


def logged_out(account):
    it = unlinked(account)
    link(it)
    it.simulator.logout()
    it.source.session.page.wait_for_selector("[data-ref]")
    return it


def other_account(account):
    it = account(world=WORLD)
    it.sync()
    it.query("UPDATE sync_state SET account_id = '15559990000@c.us' RETURNING 1")
    return it


def crashed(account):
    it = account(world=WORLD)
    it.sync()
    it.source._options = replace(it.source._options, upkeep=UpkeepRules(max_restarts_per_hour=1))
    os.kill(it.source._browser.pid, signal.SIGKILL)
    with pytest.raises(BrowserRestingError):
        it.source.check()
    return it


WAYS = {
    SessionState.QR: unlinked,
    SessionState.PASSKEY_REQUIRED: behaving("passkey"),
    SessionState.CONFLICT: behaving("conflict"),
    SessionState.STARTING: behaving("script_missing"),
    SessionState.PAIRING: pairing,
    SessionState.LOADING: behaving("loading_hangs"),
    SessionState.READY: linked,
    SessionState.OFFLINE: behaving("offline"),
    SessionState.LOGGED_OUT: logged_out,
    SessionState.UNSUPPORTED: behaving("unsupported_browser"),
    SessionState.UPDATE_REQUIRED: behaving("deprecated"),
    SessionState.TERMS: behaving("terms"),
    SessionState.LOCKED: behaving("screen_lock"),
    SessionState.BANNED: behaving("temp_ban"),
    SessionState.UNAVAILABLE: behaving("service_unavailable"),
    SessionState.WRONG_ACCOUNT: other_account,
    SessionState.UNKNOWN: behaving("log_out_question"),
    SessionState.CRASHED: crashed,
}
_QUICK = {SessionState.PASSKEY_REQUIRED}


def test_every_state_but_the_rest_after_the_last_code_has_a_way_here():
    assert set(WAYS) == set(SessionState) - {SessionState.LINK_RESTING}  # with linking's own tests


@pytest.mark.parametrize(
    "wanted",
    [pytest.param(each, marks=() if each in _QUICK else pytest.mark.matrix) for each in WAYS],
)
def test_a_state_is_shown_by_health_by_the_page_and_by_the_history(account, wanted, monkeypatch, capsys):
    it = WAYS[wanted](account)
    it.source._options = replace(it.source._options, ready_within=timedelta(seconds=8))
    clock = it.simulator.options.clock
    state = ServiceState(clock)
    it.source._publish = state.show_session

    report = it.sync()
    state.cycle_finished(report)
    store_transitions(it.store, it.source.transitions)
    state.show_session(replace(state.snapshot.session, state=report.session_state))

    assert report.session_state is wanted
    word, code = SESSION_WORDS[wanted]
    app = create_app(state, ServiceOptions(), clock)
    health, page = ask(app, "/health").json(), ask(app, "/").text
    assert health["session"] == word
    assert code is None or code in [reason["code"] for reason in health["reasons"]]
    assert SESSION_TEXTS[word] in page

    monkeypatch.setenv("PG_URL", it.database.url)
    capsys.readouterr()
    session_history.history(20, as_json=True)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert wanted in {each["state"] for each in told[:2]}
    assert not any(not each["is_expected"] for each in told)
