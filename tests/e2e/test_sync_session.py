"""Cycles of a session that needs a person, and of one whose shield is gone."""

import pytest

from tests.fixtures.cycle import link
from whatsapp_etl.model import RunStatus, SessionState


def test_without_the_shield_the_same_cycle_sends_receipts_and_raises_the_alarm(account, without_shield):
    it = account(world={"chats": 12, "messages": 120})
    report = it.sync()
    ledger = it.simulator.ledger()
    assert ledger["receipts"] > 0
    assert ledger["presence"]["available"] > 0
    assert report.receipts_observed > 0
    assert it.store.has_shield_alarm()


def test_after_a_shield_alarm_unread_chats_stay_closed_until_it_is_acknowledged(account):
    it = account(world={"chats": 12, "messages": 120})
    it.sync()
    now = it.simulator.options.clock()
    it.store.raise_shield_alarm(now)
    stored = {row["thread_external_id"] for row in it.stored().values()}
    unread = next(chat for chat, count in it.simulator.unread().items() if count > 0 and chat in stored)
    quiet = next(chat for chat in sorted(stored) if not it.simulator.unread().get(chat))
    held_back = it.simulator.add_message(unread, "Is the kettle still on?")
    read = it.simulator.add_message(quiet, "The kettle is off", sender="me")

    guarded = it.sync()

    assert guarded.status is RunStatus.PARTIAL
    assert read in it.stored()
    assert held_back not in it.stored()
    assert it.query("SELECT reason FROM missing_messages") == [("skipped_by_rule",)]

    assert it.store.acknowledge_shield_alarm(now)
    assert it.sync().status is RunStatus.SUCCESS
    assert it.stored().keys() == it.truth().keys()


def test_a_qr_code_is_an_event_for_a_person_and_no_cycle(account):
    it = account(world={"chats": 2, "messages": 10, "linked": False})
    report = it.sync()
    assert report.status is RunStatus.FAILED
    assert report.session_state is SessionState.QR
    assert "whatsapp-etl login" in report.error
    assert it.query("SELECT count(*) FROM sync_runs") == [(0,)]
    noted = it.query("SELECT state, previous, cause FROM session_events ORDER BY id")
    assert noted[0] == ("starting", None, "opened")
    assert noted[-1][::2] == ("qr", "shown")

    it.sync()
    assert it.query("SELECT count(*) FROM session_events") == [(len(noted),)]


def test_a_logout_is_noticed_and_after_linking_again_everything_goes_on(account):
    it = account(world={"chats": 2, "messages": 20, "linked": False})
    link(it)
    assert it.sync().status is RunStatus.SUCCESS

    it.simulator.logout()
    it.source.session.page.wait_for_selector("[data-ref]")
    assert it.sync().session_state is SessionState.LOGGED_OUT

    link(it)
    assert it.sync().status is RunStatus.SUCCESS
    assert it.stored().keys() == it.truth().keys()


def test_another_account_is_not_read(account, tmp_path):
    first = account(world={"chats": 2, "messages": 20})
    first.query("SELECT 1")
    first.sync()
    stored = first.stored()
    first.query("UPDATE sync_state SET account_id = '15559990000@c.us' RETURNING 1")

    report = first.sync()

    assert report.status is RunStatus.FAILED
    assert report.session_state is SessionState.WRONG_ACCOUNT
    assert first.stored() == stored


def let_linking_rest(it):
    """Sync until all batches of codes ran out; return the report of the cycle that noticed."""
    it.simulator.set_config(delays={"qr_ttl_scale": 0.0002})
    for _ in range(10):
        report = it.sync()
        if report.session_state is SessionState.LINK_RESTING:
            return report
        it.source.session.page.wait_for_selector("[data-ref] button")
    raise AssertionError(report)


def test_codes_that_nobody_scans_end_in_a_rest_until_somebody_asks(account):
    it = account(world={"chats": 2, "messages": 10, "linked": False})
    report = let_linking_rest(it)
    assert "login" in report.error
    loads = it.simulator.world()["pages"]

    again = it.sync()
    assert (again.session_state, again.status) == (SessionState.LINK_RESTING, RunStatus.FAILED)
    assert (loads, it.simulator.world()["pages"]) == (0, 0)  # no page is open, and none was opened
    assert it.query("SELECT state FROM session_events ORDER BY id DESC LIMIT 1") == [("link_resting",)]

    it.simulator.set_config(delays={"qr_ttl_scale": 1})
    it.source.ask_for_codes()
    assert it.sync().session_state is SessionState.QR
    assert it.source.snapshot().qr_payload is not None


@pytest.mark.matrix
def test_a_login_beside_the_service_ends_the_rest(account):
    it = account(world={"chats": 2, "messages": 10, "linked": False})
    let_linking_rest(it)
    it.simulator.set_config(delays={"qr_ttl_scale": 1})

    link(it)
    it.source.close()

    assert it.sync().status is RunStatus.SUCCESS
