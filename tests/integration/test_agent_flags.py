"""The flags of the agent's chat: right on all rows whenever the setting changes, and nothing else touched."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.agent import everything_else, flags, keywords, thread, written_by
from tests.fixtures.load import (
    ACCOUNT,
    ANA,
    ANA_LID,
    BEN,
    CLUB,
    NOW,
    OWN,
    make_image,
    make_message,
    make_plan,
    make_thread,
    rows,
)
from whatsapp_etl.agent import AgentWish, Routing
from whatsapp_etl.following import follow_agent_unlisted
from whatsapp_etl.load.agent import follow
from whatsapp_etl.model import AgentState, ChatKind, ContactFacts, MessageType, Reaction


def from_ben(number, **changes):
    return make_message(number, thread_external_id=BEN, sender_id=BEN, **changes)


ANAS = make_message(1)
TO_ANA = make_message(2, is_outgoing=True)
PICTURE = make_image(3)
BENS = from_ben(4)
CALL = from_ben(5, content_snippet="Kenny, when is it due?")
ABOUT = from_ben(6, content_snippet="Kenny's kettle")
OFF, AGENTS, CALLS = (0, 0), (1, 1), (0, 1)


@pytest.fixture
def filled(database, store):
    """Two chats with something in most tables."""
    people = [ContactFacts(ANA, "Ana", None, None), ContactFacts(BEN, "Ben", "ben!", None)]
    store.apply_directory([make_thread(), make_thread(BEN, title="Ben")], people, (), (), run_id=1, now=NOW)
    store.apply(make_plan(ANAS, TO_ANA, PICTURE), 1)
    store.apply(make_plan(BENS, CALL, ABOUT, thread=make_thread(BEN, title="Ben")), 1)
    store.apply_directory((), (), (), [Reaction(ANAS.external_id, OWN, "🫖", NOW)], run_id=1, now=NOW)
    return store


def of(*messages):
    return {each.external_id for each in messages}


def flagged(database):
    """Return the keys by their flags; those without any are left out."""
    found = {}
    for key, each in flags(database).items():
        found.setdefault(each, set()).add(key)
    found.pop(OFF, None)
    return found


def test_setting_changing_and_removing_the_chat_sets_the_flags_of_all_rows_and_touches_nothing_else(
    database, filled
):
    before = everything_else(database)

    assert filled.agent.follow(thread(ANA), 2) == 3
    assert flagged(database) == {AGENTS: of(ANAS, TO_ANA, PICTURE)}
    assert everything_else(database) == before

    assert filled.agent.follow(thread(BEN), 3) == 6
    assert flagged(database) == {AGENTS: of(BENS, CALL, ABOUT)}
    assert everything_else(database) == before

    assert filled.agent.follow(keywords(), 4) == 3
    assert flagged(database) == {CALLS: of(CALL)}
    assert everything_else(database) == before

    assert filled.agent.follow(Routing(AgentState.AMBIGUOUS, "named Ben", candidates=(ANA, BEN)), 5) == 1
    assert flagged(database) == {}
    assert everything_else(database) == before

    filled.agent.follow(thread(BEN), 6)
    assert filled.agent.follow(Routing(), 7) == 3
    assert flagged(database) == {}
    assert everything_else(database) == before


def test_consumers_of_the_change_feed_learn_of_the_flags_and_of_no_other_row(database, filled):
    ((seen,),) = rows(database, "SELECT max(change_seq) FROM messages")

    filled.agent.follow(thread(ANA), 2)

    news = rows(database, "SELECT external_id, last_run_id FROM messages WHERE change_seq > %s", seen)
    assert set(news) == {(each, 2) for each in of(ANAS, TO_ANA, PICTURE)}
    untouched = "SELECT count(*) FROM messages WHERE change_seq <= %s AND last_run_id = 1"
    assert rows(database, untouched, seen) == [(3,)]


@pytest.mark.parametrize("routing", [Routing(), thread(ANA), keywords(), Routing(AgentState.NOT_FOUND, "x")])
def test_following_again_touches_no_row_of_any_table(database, filled, routing):
    filled.agent.follow(routing, 2)
    before = written_by(database)

    assert filled.agent.follow(replace(routing, since=NOW), 3) == 0

    assert written_by(database) == before


def test_a_message_has_its_flags_when_it_is_inserted_and_keeps_them_when_it_is_read_again(database, filled):
    filled.agent.follow(thread(ANA), 2)
    new = make_message(7)

    filled.apply(make_plan(new), 3)
    assert flags(database)[new.external_id] == AGENTS
    edited = replace(new, content_snippet="The lid", is_edited=True, observed_at=NOW + timedelta(minutes=1))
    filled.apply(make_plan(edited, ANAS), 4)

    assert flagged(database) == {AGENTS: of(ANAS, TO_ANA, PICTURE, new)}


def test_reading_the_agents_chat_again_with_nothing_new_touches_no_row(database, filled):
    filled.agent.follow(thread(ANA), 2)
    before = written_by(database)

    filled.apply(make_plan(ANAS, TO_ANA, PICTURE), 3)

    assert written_by(database)["messages"] == before["messages"]


def test_an_edit_that_begins_or_ends_a_call_changes_the_flag(database, filled):
    filled.agent.follow(keywords(), 2)

    later = {"is_edited": True, "observed_at": NOW + timedelta(minutes=1)}
    filled.apply(
        make_plan(
            replace(BENS, content_snippet="@Kenny, after all", **later),
            replace(CALL, content_snippet="Never mind", **later),
            thread=make_thread(BEN, title="Ben"),
        ),
        3,
    )

    assert flagged(database) == {CALLS: of(BENS)}


def test_the_pin_holds_when_the_chat_goes_from_its_number_to_a_lid(database, filled):
    filled.agent.follow(thread(ANA), 2)
    both = [ContactFacts(ANA, "Ana", None, None), ContactFacts(ANA_LID, None, None, ANA)]
    filled.apply_directory([make_thread(ANA_LID)], both, (), (), run_id=3, now=NOW)

    pinned = filled.agent.routing()
    assert filled.agent.follow(replace(pinned), 3) == 0
    new = make_message(8, thread_external_id=ANA_LID, sender_id=ANA_LID)
    filled.apply(make_plan(new, thread=make_thread(ANA_LID)), 3)

    now = filled.agent.routing()
    assert (now.thread_id, now.thread_ids, now.since) == (ANA, (ANA, ANA_LID), pinned.since)
    assert flagged(database) == {AGENTS: of(ANAS, TO_ANA, PICTURE, new)}


def test_the_pin_holds_when_the_number_of_a_lid_becomes_known(database, filled):
    filled.apply_directory(
        [make_thread(ANA_LID)], [ContactFacts(ANA_LID, "Ana", None, None)], (), (), run_id=2, now=NOW
    )
    filled.agent.follow(thread(ANA_LID), 2)
    assert flagged(database) == {}

    filled.apply_directory((), [ContactFacts(ANA_LID, "Ana", None, ANA)], (), (), run_id=3, now=NOW)

    assert filled.agent.follow(filled.agent.routing(), 3) == 3
    assert flagged(database) == {AGENTS: of(ANAS, TO_ANA, PICTURE)}


def test_a_setting_that_is_rolled_back_leaves_neither_row_nor_flags(database, filled):
    before = written_by(database)

    with filled._writer.transaction(is_rehearsal=True) as cursor:
        assert follow(cursor, thread(ANA), 2) == 3

    assert flagged(database) == {}
    assert {**written_by(database), "change_counter": None} == {**before, "change_counter": None}


# --- views -----------------------------------------------------------------------------------


def test_analysts_do_not_see_the_agents_chat_unless_they_ask(database, filled):
    filled.agent.follow(thread(ANA), 2)

    shown = rows(database, "SELECT external_id, thread_title, exclude_from_automation FROM ordinary_messages")
    assert {row[0] for row in shown} == of(BENS, CALL, ABOUT)
    assert {row[1:] for row in shown} == {("Ben", False)}
    then = "SELECT external_id FROM messages_as_of(now() + interval '1 minute'{})"
    assert {row[0] for row in rows(database, then.format(""))} == of(BENS, CALL, ABOUT)
    assert len(rows(database, then.format(", with_agent => true"))) == 6


def test_analysts_see_calls_marked(database, filled):
    filled.agent.follow(keywords(), 2)

    shown = rows(database, "SELECT external_id FROM ordinary_messages WHERE exclude_from_automation")
    assert {row[0] for row in shown} == of(CALL)
    assert rows(database, "SELECT count(*) FROM ordinary_messages") == [(6,)]


def test_notices_of_the_chat_are_the_agents_too_and_call_nobody(database, store):
    notice = make_message(
        1,
        thread_external_id=CLUB,
        sender_id=None,
        message_type=MessageType.SYSTEM,
        content_snippet="Kenny, joined",
    )
    store.apply(make_plan(notice, thread=make_thread(CLUB, kind=ChatKind.GROUP)), 1)

    store.agent.follow(keywords(), 2)
    assert flagged(database) == {}
    store.agent.follow(thread(CLUB), 3)
    assert flagged(database) == {AGENTS: of(notice)}


def test_while_nobody_is_listed_what_is_pinned_stays_and_what_is_not_waits(database, store):
    store.apply(make_plan(ANAS, TO_ANA), 1)
    store.apply(make_plan(BENS, CALL, thread=make_thread(BEN)), 1)
    anas = AgentWish(contact="+49 1555 0000001")
    store.agent.follow(thread(ANA, wish=anas.digest(OWN)), 1)

    def follow_unlisted(wish):
        return follow_agent_unlisted(store, wish, ACCOUNT, run_id=2, now=NOW).state

    before = flags(database)
    assert follow_unlisted(anas) is AgentState.THREAD
    assert flags(database) == before
    assert before[ANAS.external_id] == AGENTS

    assert follow_unlisted(AgentWish(keywords=("Kenny",))) is AgentState.KEYWORDS
    assert {key for key, flag in flags(database).items() if flag != OFF} == {CALL.external_id}
    assert follow_unlisted(AgentWish(contact="+49 1555 0000002")) is AgentState.NOT_FOUND
    assert set(flags(database).values()) == {OFF}
    assert follow_unlisted(AgentWish()) is AgentState.OFF
