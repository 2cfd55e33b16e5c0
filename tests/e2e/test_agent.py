"""The agent's chat against the stand-in: set, changed, removed from cycle to cycle; and an unclear name."""

import shutil
from collections import Counter
from dataclasses import replace

import pytest

from tests.fixtures.agent import everything_else
from tests.fixtures.cycle import assert_in_step
from whatsapp_etl import bootstrap
from whatsapp_etl.model import AgentState, RunStatus
from whatsapp_etl.stored_health import stored_health

FLAGGED = "SELECT DISTINCT thread_external_id FROM messages WHERE is_agent_channel = 1"
WRONG = (
    "SELECT count(*) FROM messages"
    " WHERE is_agent_channel <> exclude_from_automation"
    " OR is_agent_channel <> (thread_external_id = ANY(%s))::int"
)


def with_settings(account, **changes):
    """Return the same account as a restart with other settings finds it, in the same browser."""
    settings = account.settings.model_copy(update=changes)
    return replace(
        account, settings=settings, cycle=bootstrap.cycle_of(settings, account.source, account.store)
    )


@pytest.mark.matrix
def test_the_chat_is_set_changed_and_removed(account):
    it = account()
    # The second cycle has nothing to read, and says so of each chat.
    assert {it.sync().status, it.sync().status} == {RunStatus.SUCCESS}
    before = everything_else(it.database)
    chats = Counter(row["thread_external_id"] for row in it.stored().values())
    person = next(chat for chat, _ in chats.most_common() if chat.endswith("@c.us"))
    group = next(chat for chat, _ in chats.most_common() if chat.endswith("@g.us"))

    def state():
        # Each cycle has its own run, which tells nothing of messages.
        rows = everything_else(it.database)
        return {table: found for table, found in rows.items() if table in quiet}

    quiet = before.keys() - {"sync_runs", "sync_state", "session_events", "events", "event_deliveries"}
    before = state()

    one = with_settings(it, whatsapp_agent_contact=f"+{person.partition('@')[0]}")
    assert one.sync().status is RunStatus.SUCCESS
    assert it.query(FLAGGED) == [(person,)]
    assert it.query(WRONG, [person]) == [(0,)]
    assert state() == before
    asked = it.simulator.add_message(person, "Please file the receipt")
    assert one.sync().status is RunStatus.SUCCESS
    assert it.query("SELECT external_id, content_snippet, is_agent_channel FROM agent_messages") == [
        (asked, "Please file the receipt", 1)
    ]
    assert asked in {
        row[0] for row in it.query("SELECT external_id FROM messages WHERE is_agent_channel = 1")
    }
    assert one.sync().status is RunStatus.SUCCESS
    before = {**state(), "agent_messages": [], "agent_deliveries": []}

    other = with_settings(it, whatsapp_agent_thread_name=group)
    assert other.sync().status is RunStatus.SUCCESS
    assert it.query(FLAGGED) == [(group,)]
    assert it.query(WRONG, [group]) == [(0,)]
    assert it.store.agent.report().thread.id == group

    assert with_settings(it).sync().status is RunStatus.SUCCESS
    assert it.query(WRONG, []) == [(0,)]
    assert {**state(), "agent_messages": [], "agent_deliveries": []} == before
    assert_in_step(it)


@pytest.mark.matrix
def test_without_the_storage_the_chat_stays_and_a_setting_that_is_gone_takes_its_flags_back(account):
    it = account(world={"chats": 4, "messages": 40})
    assert it.sync().status is RunStatus.SUCCESS
    person = next(chat["id"] for chat in it.simulator.world()["chats"] if chat["id"].endswith("@c.us"))
    one = with_settings(it, whatsapp_agent_contact=f"+{person.partition('@')[0]}")
    assert one.sync().status is RunStatus.SUCCESS
    it.simulator.set_config(hidden_idb=True)
    it.source.close()
    shutil.rmtree(it.settings.whatsapp_profile_dir)
    asked = it.simulator.add_message(person, "Please file the receipt")

    report = one.sync()

    assert (report.read_by, report.applied.inserted) == ("chat_list", 1)
    assert it.query("SELECT external_id, is_agent_channel FROM agent_messages") == [(asked, 1)]
    assert it.query(FLAGGED) == [(person,)]
    assert with_settings(it).sync().read_by == "chat_list"
    assert it.query(FLAGGED) == []


@pytest.mark.matrix
def test_an_unclear_name_switches_routing_off_and_the_sync_goes_on(account):
    it = account(world={"chats": 12, "messages": 90})
    assert it.sync().status is RunStatus.SUCCESS
    groups = [
        row[0]
        for row in it.query(
            "SELECT external_id FROM threads WHERE kind = 'group' ORDER BY external_id LIMIT 2"
        )
    ]
    for each in groups:
        it.simulator.change_chat(each, name="Kenny")
    new = it.simulator.add_message(groups[0], "Who is Kenny?")

    unclear = with_settings(it, whatsapp_agent_thread_name="kenny")
    assert unclear.sync().status is RunStatus.SUCCESS

    assert new in it.stored()
    assert it.query(WRONG, []) == [(0,)]
    assert "agent_ambiguous" in {each.code for each in stored_health(it.store, unclear.settings).reasons}
    report = it.store.agent.report()
    assert report.routing.state is AgentState.AMBIGUOUS
    assert [(each.id, each.title) for each in report.candidates] == [(each, "Kenny") for each in groups]

    named = with_settings(it, whatsapp_agent_thread_name=groups[1])
    assert named.sync().status is RunStatus.SUCCESS
    it.simulator.change_chat(groups[1], name="Something else")
    assert named.sync().status is RunStatus.SUCCESS
    assert it.query(WRONG, [groups[1]]) == [(0,)]
    assert "agent_ambiguous" not in {each.code for each in stored_health(it.store, named.settings).reasons}
