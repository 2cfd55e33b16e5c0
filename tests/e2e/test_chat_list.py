"""Finding chats in the simulated list: virtualised, re-ordered, with doubled and odd titles."""

import pytest

from whatsapp_etl.model import ChatKind, StopReason


def in_list(reading):
    """Return the ids of the chats that the list itself shows, in its order."""
    return [
        chat for chat in reading.chats().values() if not chat.is_archived and chat.kind is not ChatKind.STATUS
    ]


def test_every_row_of_a_virtualised_list_is_passed_in_order(open_reading, start_simulator):
    reading = open_reading(start_simulator(chats=60, messages=300))

    rows = {row.index: row for row in reading.reader.chat_list.rows()}

    assert list(rows) == sorted(rows)
    assert list(rows) == list(range(len(rows)))
    assert len(rows) > 30


def test_each_row_names_its_chat_where_the_model_shows_it(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)

    rows = {row.chat_id: row.title for row in reading.reader.chat_list.rows()}

    chats = reading.chats()
    assert set(rows) <= set(chats)
    assert {chat_id for chat_id in rows if chats[chat_id].kind is ChatKind.GROUP}


def test_every_chat_is_found_at_its_place_by_title_alone(open_reading, simulator):
    simulator.set_config(fiber=False)
    reading = open_reading(simulator)

    for chat in in_list(reading):
        if chat.kind in {ChatKind.BOT, ChatKind.CHANNEL} or chat.is_locked:
            continue
        row = next(reading.reader.chat_list.candidates(chat, reading.position(chat)))
        assert row.chat_id is None
        assert row.title == chat.title or row.title.startswith("+"), chat.id


def test_an_unsaved_number_is_found_by_its_digits(open_reading, simulator):
    simulator.set_config(fiber=False)
    reading = open_reading(simulator)
    chat = next(chat for chat in in_list(reading) if (chat.title or "").startswith("+"))

    assert reading.read(chat.id).stop_reason is StopReason.ALL_FOUND


def test_a_wrong_expected_place_only_costs_a_sweep(open_reading, start_simulator):
    simulator = start_simulator(chats=60, messages=300)
    reading = open_reading(simulator)
    last = in_list(reading)[-1]

    found = next(reading.reader.chat_list.candidates(last, 0))

    assert found.chat_id == last.id


@pytest.mark.matrix
def test_an_archived_chat_is_opened_in_its_drawer_and_the_next_one_in_the_list(
    open_reading, shared_simulator
):
    reading = open_reading(shared_simulator)
    readable = [chat for chat in reading.chats().values() if reading.facts(chat.id) and not chat.is_locked]
    archived = next(chat for chat in readable if chat.is_archived)
    listed = next(chat for chat in in_list(reading) if reading.facts(chat.id))

    assert reading.read(archived.id).stop_reason is StopReason.ALL_FOUND
    assert reading.read(listed.id).stop_reason is StopReason.ALL_FOUND


@pytest.mark.parametrize("obstacle", ["#unread-filter", "#group-filter"])
def test_a_left_over_filter_is_taken_off(open_reading, shared_simulator, obstacle):
    reading = open_reading(shared_simulator)
    everything = len(list(reading.reader.chat_list.rows()))
    reading.session.page.click(obstacle)

    assert len(list(reading.reader.chat_list.rows())) == everything


def test_a_left_over_search_is_cleared(open_reading, shared_simulator):
    reading = open_reading(shared_simulator)
    everything = len(list(reading.reader.chat_list.rows()))
    box = reading.session.page.locator("#side input[role=textbox]")
    box.fill("zzz")
    reading.session.page.locator('[aria-label="Search results."]').wait_for(state="attached")

    assert len(list(reading.reader.chat_list.rows())) == everything


def test_a_list_that_re_orders_while_it_is_scrolled_still_gives_the_chat(open_reading, start_simulator):
    simulator = start_simulator(chats=40, messages=300)
    simulator.set_config(reorder_while_scrolling=True)
    reading = open_reading(simulator)
    last = [chat for chat in in_list(reading) if reading.facts(chat.id) and not chat.is_locked][-1]

    batch = reading.read(last.id)

    assert batch.stop_reason is StopReason.ALL_FOUND
