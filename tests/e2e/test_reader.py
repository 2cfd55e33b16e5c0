"""Reading chats of the simulated page: everything wanted, nothing else, and nobody notices."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from whatsapp_etl.errors import MetadataUnreadableError, SelectorDriftError
from whatsapp_etl.extract.capture import stanza_ids
from whatsapp_etl.extract.conversation import Patience
from whatsapp_etl.model import ChatKind, ChatVisit, MessageType, Selector, StopReason


def captured(batch):
    return {stanza for row in batch.rows for stanza in stanza_ids(row.shown_id)}


def stanzas(facts):
    return {fact.key.stanza_id for fact in facts}


def busiest(reading):
    """Return the chat with most messages in the look-back."""
    chats = [row["thread_external_id"] for row in reading.truth().values()]
    return max(set(chats), key=chats.count)


def test_every_readable_chat_is_captured_whole_and_nobody_notices(open_reading, simulator):
    reading = open_reading(simulator)
    unread = simulator.unread()

    for chat in reading.chats().values():
        facts = reading.facts(chat.id)
        if chat.is_locked or chat.kind not in {ChatKind.PERSON, ChatKind.GROUP, ChatKind.SELF} or not facts:
            continue
        batch = reading.read(chat.id)

        assert batch.stop_reason is StopReason.ALL_FOUND, chat.title
        assert captured(batch) == stanzas(facts)
        assert batch.empty_ids == ()
        assert batch.unread_before == batch.unread_after == chat.unread_count
        assert [row.shown_id for row in batch.rows if 'data-virtualized="true"' in row.html] == []

    ledger = simulator.ledger()
    assert ledger["receipts"] == 0
    assert ledger["presence"]["available"] == 0
    assert simulator.unread() == unread


@pytest.mark.matrix
def test_a_slow_page_loses_nothing(open_reading, simulator):
    delays = {"open_chat_ms": 300, "page_load_ms": 300, "reveal_ms": 100, "hydrate_ms": 150, "image_ms": 200}
    simulator.set_config(delays=delays)
    reading = open_reading(simulator)
    chat_id = busiest(reading)

    batch = reading.read(chat_id)

    assert batch.stop_reason is StopReason.ALL_FOUND
    assert captured(batch) == stanzas(reading.facts(chat_id))


@pytest.mark.matrix
def test_rows_come_oldest_first_and_once(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)
    chat_id = busiest(reading)

    batch = reading.read(chat_id)

    order = [fact.key.stanza_id for fact in reading.facts(chat_id)]
    assert [row.shown_id for row in batch.rows] == order


def test_a_row_carries_what_only_the_live_page_knows(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)
    chat_id = busiest(reading)
    facts = {fact.key.stanza_id: fact for fact in reading.facts(chat_id)}

    for row in reading.read(chat_id).rows:
        fact = facts[row.shown_id]
        side = "flex-end" if fact.key.is_outgoing else "flex-start"
        assert row.alignment == ("center" if fact.type is MessageType.SYSTEM else side)
        assert row.date_marker
        assert row.model.sent_at_seconds == fact.sent_at.timestamp()
        assert (row.run_position == 0) == (row.run_head == row.shown_id)


def test_a_hidden_fiber_costs_nothing_but_the_model(open_reading, simulator):
    simulator.set_config(fiber=False)
    reading = open_reading(simulator)
    chat_id = busiest(reading)

    batch = reading.read(chat_id)

    assert captured(batch) == stanzas(reading.facts(chat_id))
    assert {row.model for row in batch.rows} == {None}


def test_only_a_new_message_is_read_without_walking_up(open_reading, simulator):
    reading = open_reading(simulator)
    chat_id = busiest(reading)
    new = simulator.add_message(chat_id, "The boat leaves at seven")
    reading.wait_until_stored(new)
    wanted = [fact for fact in reading.facts(chat_id) if str(fact.key) == new]

    batch = reading.read(chat_id, wanted)

    assert batch.stop_reason is StopReason.ALL_FOUND
    assert [row.shown_id for row in batch.rows] == [wanted[0].key.stanza_id]
    assert "The boat leaves at seven" in batch.rows[0].html
    assert batch.scrolls == 0


@pytest.mark.parametrize(
    ("margin_px", "hydrate_ms", "reveal_ms"),
    [
        (200, 60, 0),
        *(
            pytest.param(*each, marks=pytest.mark.matrix)
            for each in [(None, 0, 0), (None, 60, 0), (200, 0, 0), (None, 0, 2000)]
        ),
    ],
)
def test_a_chat_with_more_unread_messages_than_the_page_holds_is_captured_whole(
    open_reading, simulator, margin_px, hydrate_ms, reveal_ms
):
    """Also where rows come late, are filled some time later, and are emptied once they are off the screen."""
    delays = {"hydrate_ms": hydrate_ms, "reveal_ms": reveal_ms}
    simulator.set_config(virtual_margin_px=margin_px, delays=delays)
    chat_id = next(
        chat["id"]
        for chat in simulator.world()["chats"]
        if chat["id"].startswith("15552") and chat["unread"] == 0
    )
    begin = datetime.fromisoformat(simulator.world()["now"]) - timedelta(hours=3)
    for number in range(130):
        simulator.add_message(chat_id, f"Number {number}", at=(begin + timedelta(minutes=number)).isoformat())
    reading = open_reading(simulator)
    wanted = [fact for fact in reading.facts(chat_id) if fact.sent_at >= begin]

    batch = reading.read(chat_id, wanted)

    # It opens at the oldest unread one; those rows leave the page on the way down to the newest.
    assert batch.unread_before == len(wanted) == 130
    assert batch.stop_reason is StopReason.ALL_FOUND
    assert captured(batch) == stanzas(wanted)
    assert simulator.ledger()["receipts"] == 0


@pytest.mark.parametrize("late", [False, True], ids=["of_one_second", "that_came_late"])
def test_unread_messages_below_the_newest_are_captured(open_reading, simulator, late):
    """The page opens at the oldest unread one; its last row is then the newest by time, with others below."""
    chat_id = next(
        chat["id"]
        for chat in simulator.world()["chats"]
        if chat["id"].startswith("15552") and chat["unread"] == 0
    )
    begin = datetime.fromisoformat(simulator.world()["now"]) - timedelta(hours=3)
    ids = []
    for number in range(60):
        # 25 rows before the divider and 26 after it are what the page shows first.
        at = begin + timedelta(seconds=(number if number <= 25 else 0) if late else 0)
        ids.append(simulator.add_message(chat_id, f"Number {number}", at=at.isoformat()))
    reading = open_reading(simulator)
    facts = {str(fact.key): fact for fact in reading.facts(chat_id) if fact.sent_at >= begin}
    wanted = [facts.pop(ids[25]), *facts.values()]

    batch = reading.read(chat_id, wanted[::-1])

    assert batch.stop_reason is StopReason.ALL_FOUND
    assert captured(batch) == stanzas(wanted)
    assert len(wanted) == 60


def test_an_edited_message_far_up_is_read_again(open_reading, simulator):
    reading = open_reading(simulator)
    chat_id = busiest(reading)
    first = next(fact for fact in reading.facts(chat_id) if fact.type is MessageType.TEXT)
    simulator.edit(str(first.key), "Edited: the boat leaves at eight")
    reading.wait_until_stored(str(first.key), edited=True)
    (again,) = [fact for fact in reading.facts(chat_id) if fact.key == first.key]

    batch = reading.read(chat_id, [again])

    assert again.source_revision != first.source_revision
    assert [row.shown_id for row in batch.rows] == [first.key.stanza_id]
    assert "the boat leaves at eight" in batch.rows[0].html


def test_reading_a_chat_that_is_open_at_its_top_finds_its_newest_message(open_reading, simulator):
    reading = open_reading(simulator)
    chat_id = busiest(reading)
    reading.read(chat_id)
    new = simulator.add_message(chat_id, "One more thing")
    reading.wait_until_stored(new)
    wanted = [fact for fact in reading.facts(chat_id) if str(fact.key) == new]

    batch = reading.read(chat_id, wanted)

    assert [row.shown_id for row in batch.rows] == [wanted[0].key.stanza_id]


def test_nothing_wanted_opens_nothing(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)

    batch = reading.read(busiest(reading), [])

    assert batch.stop_reason is StopReason.NOTHING_TO_READ
    assert reading.session.page.locator("#main").count() == 0


def test_a_long_text_is_opened_to_its_end(open_reading, simulator):
    reading = open_reading(simulator)
    chat_id = busiest(reading)
    text = " ".join(f"word{number}" for number in range(1200))
    new = simulator.add_message(chat_id, text)
    reading.wait_until_stored(new)
    wanted = [fact for fact in reading.facts(chat_id) if str(fact.key) == new]

    (row,) = reading.read(chat_id, wanted).rows

    assert "word1199" in row.html


@pytest.mark.matrix
def test_chats_of_one_title_are_told_apart_by_their_messages(open_reading, simulator):
    simulator.set_config(fiber=False)
    reading = open_reading(simulator)
    by_title = {}
    for chat in reading.chats().values():
        if not chat.is_archived and reading.facts(chat.id):
            by_title.setdefault(chat.title, []).append(chat)
    one, other = next(chats for chats in by_title.values() if len(chats) == 2)

    for chat, misleading in ((one, other), (other, one)):
        visit = ChatVisit(chat, reading.facts(chat.id), reading.position(misleading))
        batch = reading.reader.read(visit, since=reading.since)

        assert batch.stop_reason is StopReason.ALL_FOUND
        assert captured(batch) == stanzas(reading.facts(chat.id))


def test_a_chat_that_shows_other_ids_counts_for_nothing(open_reading, simulator):
    simulator.set_config(fiber=False)
    reading = open_reading(simulator)
    meant, shown = [
        chat for chat in reading.chats().values() if not chat.is_archived and reading.facts(chat.id)
    ][:2]
    visit = ChatVisit(replace(meant, title=shown.title), reading.facts(meant.id), 0)

    batch = reading.reader.read(visit, since=reading.since)

    assert batch.stop_reason is StopReason.CHAT_UNIDENTIFIED
    assert batch.rows == ()


def test_a_title_that_is_nowhere_is_a_chat_not_found(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)
    chat_id = busiest(reading)
    chat = replace(reading.chats()[chat_id], id="15550000000@c.us", title="Nobody of this name")

    batch = reading.reader.read(ChatVisit(chat, reading.facts(chat_id), 3), since=reading.since)

    assert batch.stop_reason is StopReason.CHAT_NOT_FOUND


@pytest.mark.matrix
def test_a_request_to_stop_ends_the_walk_with_what_was_captured(open_reading, shared_simulator):
    # One scroll is free; the next would have to wait a quarter of an hour.
    reading = open_reading(shared_simulator, scrolls_per_second=0.001)
    chat_id = busiest(reading)
    facts = reading.facts(chat_id)
    absent = replace(facts[0], key=replace(facts[0].key, stanza_id="3EB0FFFFFFFFFFFFFFFF"))
    timer = threading.Timer(3, reading.stop.set)
    timer.start()

    batch = reading.read(chat_id, [absent, *facts])

    timer.join()
    assert batch.stop_reason is StopReason.INTERRUPTED
    assert 0 < len(batch.rows) <= len(facts)


def test_a_used_up_budget_is_said_and_keeps_what_was_captured(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)
    chat_id = busiest(reading)

    batch = reading.read(chat_id, budget=timedelta(0))

    assert batch.stop_reason is StopReason.TIME_BUDGET
    assert batch.rows


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("failed", StopReason.PHONE_FAILED), ("use_phone", StopReason.NEEDS_PHONE)],
)
def test_what_only_the_phone_has_is_said(open_reading, start_simulator, answer, reason):
    simulator = start_simulator(messages=600)
    reading = open_reading(simulator)
    chat = next(chat for chat in reading.chats().values() if chat.history_type == 0)
    simulator.set_phone_history(chat.id, answer)
    facts = reading.facts(chat.id)
    absent = replace(facts[0], key=replace(facts[0].key, stanza_id="3EB0FFFFFFFFFFFFFFFF"))

    batch = reading.read(chat.id, [*facts, absent], asks_phone=True)

    assert batch.stop_reason is reason
    assert captured(batch) == stanzas(facts)
    assert simulator.ledger()["phone_requests"] == {chat.id: 1}


def test_the_phone_is_not_asked_unless_allowed(open_reading, start_simulator):
    simulator = start_simulator(messages=600)
    reading = open_reading(simulator)
    chat = next(chat for chat in reading.chats().values() if chat.history_type == 0)
    facts = reading.facts(chat.id)
    absent = replace(facts[0], key=replace(facts[0].key, stanza_id="3EB0FFFFFFFFFFFFFFFF"))

    batch = reading.read(chat.id, [*facts, absent])

    assert batch.stop_reason is StopReason.NEEDS_PHONE
    assert simulator.ledger()["phone_requests"] == {}


def test_a_conversation_of_another_shape_is_drift_and_named(open_reading, shared_simulator, quick_settling):
    reading = open_reading(shared_simulator)
    scripts = reading.reader.conversation._scripts
    broken = Selector("message_scroller", ('[data-testid="renamed"]',), required_on="conversation")
    pack = replace(scripts.pack, selectors={**scripts.pack.selectors, "message_scroller": broken})
    reading.session._pack = pack
    reader = reading.new_reader(Patience(opening=timedelta(seconds=2)))
    visit = ChatVisit(reading.chats()[busiest(reading)], reading.facts(busiest(reading)), 0)

    with pytest.raises(SelectorDriftError, match=r"message_scroller"):
        reader.read(visit, since=reading.since)


def test_without_metadata_nothing_is_opened_and_the_reason_is_named(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)
    chat = reading.chats()[busiest(reading)]
    facts = reading.facts(chat.id)
    reading.session.page.evaluate(
        "() => Object.defineProperty(window, 'indexedDB', {value: undefined, configurable: true})"
    )

    with pytest.raises(MetadataUnreadableError, match="no_indexeddb"):
        reading.reader.read(ChatVisit(chat, facts, 0), since=reading.since)

    assert reading.session.page.locator("#main").count() == 0
