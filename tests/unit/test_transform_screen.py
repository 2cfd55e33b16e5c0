"""What the message store tells of chats, compared with what the chat list shows of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transform_values import chat
from whatsapp_etl.model import ChatFacts, Disagreement, DisagreementFact, ShownChat
from whatsapp_etl.transform.screen import ScreenCheck, ToldChat, compare, confirmed, next_place, sample

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
CHAT = chat(id="15552001001@c.us", title="Ana Sanz", last_activity=NOW - timedelta(hours=2))
ROW = ShownChat("Ana Sanz", 0, CHAT.id, 0, "See you there", "10:00")
TOLD = ToldChat(CHAT, CHAT.last_activity, "See you there")


def facts(row: ShownChat = ROW, told: ToldChat = TOLD, zone=UTC) -> set[DisagreementFact]:
    return {each.fact for each in compare([told], [row], zone=zone, now=NOW).found}


def chats(count: int) -> list[ChatFacts]:
    return [
        replace(CHAT, id=f"{n}@c.us", title=f"Chat {n}", last_activity=NOW - timedelta(minutes=n))
        for n in range(count)
    ]


def rows(order: list[int]) -> list[ShownChat]:
    return [ShownChat(f"Chat {n}", place, f"{n}@c.us", 0, None, None) for place, n in enumerate(order)]


def test_what_says_the_same_agrees():
    assert compare([TOLD], [ROW], zone=UTC, now=NOW) == ScreenCheck(1, ())


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"title": "Ana Sand"}, DisagreementFact.TITLE),
        ({"unread_count": 2}, DisagreementFact.UNREAD),
        ({"unread_count": -1}, DisagreementFact.UNREAD),
        ({"preview": "See you then"}, DisagreementFact.PREVIEW),
        ({"preview": "See"}, DisagreementFact.PREVIEW),
        ({"clock": "10:01"}, DisagreementFact.LAST_TIME),
        ({"clock": "11:00 AM"}, DisagreementFact.LAST_TIME),
    ],
)
def test_each_fact_that_is_shown_otherwise_is_named(changes, fact):
    assert facts(replace(ROW, **changes)) == {fact}


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "\u202aAna  Sanz\u202c"},
        {"preview": None},  # a picture, or somebody is typing
        {"preview": "😀"},  # drawn as an image by some releases
        {"preview": "*See* you\u00a0there"},
        {"clock": "10:00 AM"},
        {"clock": "\u0661\u0660:\u0660\u0660"},  # Arabic digits
        {"clock": "a las 10.00"},
        {"clock": "Yesterday"},
        {"clock": None},
    ],
)
def test_language_and_release_are_no_disagreement(changes):
    assert facts(replace(ROW, **changes)) == set()


def test_a_title_of_signs_alone_is_compared_by_there_being_no_letters():
    flower = replace(TOLD, chat=replace(CHAT, title="🌻"))
    assert facts(replace(ROW, title=""), flower) == set()  # releases draw signs as images
    assert facts(replace(ROW, title="Ana"), flower) == {DisagreementFact.TITLE}


def test_a_clock_is_that_of_the_pages_zone_and_only_of_today():
    midnight = replace(TOLD, last_at=datetime(2026, 3, 15, 4, 5, tzinfo=UTC))
    older = replace(TOLD, last_at=NOW - timedelta(days=9))
    new_york = ZoneInfo("America/New_York")
    assert facts(replace(ROW, clock="24:05"), midnight, new_york) == set()
    assert facts(replace(ROW, clock="04:05"), midnight, new_york) == {DisagreementFact.LAST_TIME}
    assert facts(replace(ROW, clock="06/03/2026"), older) == set()


def test_numbers_of_unread_messages_agree_as_far_as_they_are_shown():
    many = replace(TOLD, chat=replace(CHAT, unread_count=1200))
    assert facts(replace(ROW, unread_count=999), many) == set()
    assert facts(replace(ROW, unread_count=-1), many) == set()  # digits that are no number to the reader
    assert facts(replace(ROW, unread_count=0), many) == {DisagreementFact.UNREAD}


def test_a_long_text_may_be_cut_by_the_page():
    whole = "A long story of words. " * 10
    told = replace(TOLD, last_text=whole)
    assert facts(replace(ROW, preview=whole[:120]), told) == set()
    assert facts(replace(ROW, preview="B" + whole[1:120]), told) == {DisagreementFact.PREVIEW}


def test_without_models_a_row_is_the_chat_of_its_title_where_there_is_one_of_it():
    bare = replace(ROW, chat_id=None, preview="Other words")
    twice = [bare, replace(bare, index=1)]
    assert facts(bare) == {DisagreementFact.PREVIEW}
    assert compare([TOLD], twice, zone=UTC, now=NOW) == ScreenCheck(0, ())
    assert compare([TOLD], [replace(bare, title="Ben")], zone=UTC, now=NOW).compared == 0


def test_an_order_that_is_not_that_of_the_latest_activity_is_told_but_for_pins():
    some = chats(3)
    told = [ToldChat(each, None, None) for each in some]
    pinned = [ToldChat(replace(each, is_pinned=True), None, None) for each in some]
    found = compare(told, rows([0, 2, 1]), zone=UTC, now=NOW).found
    assert [(each.thread_external_id, each.fact) for each in found] == [("2@c.us", DisagreementFact.ORDER)]
    assert compare(told, rows([0, 1, 2]), zone=UTC, now=NOW).found == ()
    assert compare(pinned, rows([2, 0, 1]), zone=UTC, now=NOW).found == ()


def test_nothing_that_somebody_wrote_or_is_called_is_told():
    row = replace(ROW, title="Eve", preview="A secret")
    told = repr(compare([TOLD], [row], zone=UTC, now=NOW).found)
    assert "secret" not in told
    assert "See you" not in told
    assert "Eve" not in told


def disagreement(chat: str, fact: DisagreementFact = DisagreementFact.PREVIEW) -> Disagreement:
    return Disagreement(chat, fact, "a", "b", NOW)


def test_only_what_is_seen_twice_counts():
    first = ScreenCheck(5, (disagreement("1"), disagreement("2")))
    second = ScreenCheck(
        5, (disagreement("2"), disagreement("3"), disagreement("1", DisagreementFact.UNREAD))
    )
    assert confirmed(first, second) == ScreenCheck(5, (disagreement("2"),))


@pytest.mark.parametrize(
    ("compared", "disagreeing", "is_serious"),
    [
        (10, 0, False),
        (10, 1, False),
        (1, 1, False),
        (2, 2, True),
        (10, 2, True),
        (20, 2, False),
        (20, 3, True),
    ],
)
def test_the_store_rests_when_several_chats_disagree_and_not_for_one(compared, disagreeing, is_serious):
    found = tuple(disagreement(str(n)) for n in range(disagreeing))
    assert ScreenCheck(compared, found).is_serious is is_serious


def test_several_facts_of_one_chat_are_one_chat():
    both = (disagreement("1"), disagreement("1", DisagreementFact.LAST_TIME))
    assert not ScreenCheck(10, both).is_serious


@given(count=st.integers(1, 40), size=st.integers(1, 45), first=st.integers(0, 10_000))
def test_the_sample_goes_round_all_chats(count, size, first):
    some = chats(count)
    places = {each.id: place for place, each in enumerate(some)}
    chosen = [sample(some, places, size, first + turn) for turn in range(count)]
    assert all(len(each) == len({chat.id for chat in each}) == min(size, count) for each in chosen)
    assert {chat.id for each in chosen for chat in each} == set(places)
    assert sample(some, places, 0, first) == []


def test_archived_chats_are_behind_a_button_and_left_out():
    some = [replace(each, is_archived=n % 2 == 0) for n, each in enumerate(chats(6))]
    assert [each.id for each in sample(some, {each.id: 0 for each in some}, 10, 0)] == [
        "1@c.us",
        "3@c.us",
        "5@c.us",
    ]


def test_places_are_looked_at_once_until_all_were_seen():
    some = chats(4)
    places = {each.id: place for place, each in enumerate(some)}
    assert next_place(some, places, (), ()) == 0
    assert next_place(some, places, {0, 1}, [0]) == 2
    assert next_place(some, places, {0, 1}, [0, 2]) == 3
    assert next_place(some, places, {0, 1}, [0, 2, 3]) is None
