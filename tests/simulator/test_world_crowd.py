"""The repertoire "everything": what it adds, and what the truth says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.fixtures.simulator import SMALL_WORLD
from whatsapp_etl.simulator.crowd import clock_changes
from whatsapp_etl.simulator.generate import build_world
from whatsapp_etl.simulator.rows import change_row
from whatsapp_etl.simulator.truth import truth
from whatsapp_etl.simulator.world import World

EVERYTHING = replace(SMALL_WORLD, chats=3, messages=30, repertoire="everything", timezone="America/New_York")
OWN, OWN_LID = "15550001111@c.us", "77001100220033@lid"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(EVERYTHING)[0]


@pytest.fixture(scope="module")
def rows(world: World) -> list[dict]:
    return truth(world)


def of(rows: list[dict], world: World, title: str) -> list[dict]:
    chats = {chat.id for chat in world.chats.values() if world.title_of(chat) == title}
    return [row for row in rows if row["thread_external_id"] in chats]


def test_it_adds_chats_behind_the_usual_ones(world: World):
    usual = build_world(replace(EVERYTHING, repertoire="usual"))[0]

    assert list(world.chats)[: len(usual.chats) - 3] == list(usual.chats)[: len(usual.chats) - 3]
    assert len(world.chats) > len(usual.chats)


def test_equal_options_give_an_equal_world(world: World):
    again = build_world(EVERYTHING)[0]

    assert truth(again) == truth(world)


def test_chats_share_title_and_last_words(world: World, rows: list[dict]):
    people = [
        chat for chat in world.chats.values() if world.title_of(chat) == "Sam Doe" and chat.kind == "person"
    ]
    last = [world.messages_of(chat.id)[-1] for chat in people]

    assert len(people) == 3
    assert {(message.body["body"], message.t) for message in last} == {("See you there", last[0].t)}


def test_a_list_is_sent_to_its_recipients_by_oneself(world: World, rows: list[dict]):
    sent = of(rows, world, "Newsletter to friends")

    assert sent
    assert {row["sender_id"] for row in sent} == {OWN}
    assert all(len(row["recipient_ids"]) == 3 and OWN not in row["recipient_ids"] for row in sent)
    changes, _ = world.feed.after(0, 10_000)
    stored = {
        row["key"] for change in changes if (row := change_row(world, change))["store"] == "participant"
    }
    assert {row["thread_external_id"] for row in sent} <= stored


def test_a_group_of_lids_has_the_own_lid_in_keys_and_the_own_id_in_columns(world: World, rows: list[dict]):
    talk = of(rows, world, "Night shift")
    own = [row for row in talk if row["is_outgoing"]]

    assert own
    assert all(row["external_id"].endswith(f"_{OWN_LID}") and row["sender_id"] == OWN for row in own)
    assert all(OWN in row["recipient_ids"] for row in talk if not row["is_outgoing"])
    assert all(OWN_LID not in row["recipient_ids"] for row in talk)


def test_a_community_is_no_chat_and_its_groups_are(world: World):
    (parent,) = [group for group in world.groups.values() if group.is_parent]
    parts = [group for group in world.groups.values() if group.parent_id == parent.id]

    assert parent.id not in world.chats
    assert [world.chats[group.id].kind for group in parts] == ["group"] * 3
    assert [group.is_announcement for group in parts] == [True, False, False]


def test_a_very_large_group_has_everybody_as_recipients(world: World, rows: list[dict]):
    assert {len(row["recipient_ids"]) for row in of(rows, world, "City runners")} == {499}


def test_two_chats_use_the_same_message_ids_in_every_shape(world: World):
    by_stanza: dict[str, set[str]] = {}
    for message in world.messages.values():
        by_stanza.setdefault(message.stanza_id, set()).add(message.chat_id)
    shared = {stanza for stanza, chats in by_stanza.items() if len(chats) == 2}

    assert {16, 20, 22, 32} <= {len(stanza) for stanza in shared if not stanza.isdigit()}
    assert {18, 20} <= {len(stanza) for stanza in shared if stanza.isdigit()}


def test_keys_of_an_old_group_name_devices_and_the_truth_does_not(world: World, rows: list[dict]):
    talk = of(rows, world, "Since 2020")
    stored = {world.row_key(world.messages[row["external_id"]]) for row in talk}

    assert any(key.endswith(":12@c.us") for key in stored)
    assert any(key.endswith("@s.whatsapp.net") for key in stored)
    assert all(row["thread_external_id"].endswith("-1600000000@g.us") for row in talk)
    assert not any(":12@" in row["external_id"] for row in talk)


def test_a_time_that_lies_ahead_is_that_of_the_message_before_it(world: World, rows: list[dict]):
    talk = of(rows, world, "Max Wrong")
    (index,) = [index for index, row in enumerate(talk) if row["ts_precision"] == "clamped"]

    assert talk[index]["content_snippet"] == "Hello from tomorrow"
    assert talk[index]["ts"] == talk[index - 1]["ts"]
    assert [row["ts"] for row in talk if row["ts"] < "2011"] == ["2010-01-01T00:03:00+00:00"]


def test_messages_lie_out_of_order_within_a_minute_and_on_both_sides_of_a_change(
    world: World, rows: list[dict]
):
    times = [datetime.fromisoformat(row["ts"]) for row in of(rows, world, "Dana Clock")]
    minutes = {time.replace(second=0) for time in times}
    zone = ZoneInfo(EVERYTHING.timezone)

    assert times != sorted(times)
    assert [time.replace(second=0) for time in times] == sorted(time.replace(second=0) for time in times)
    assert len(minutes) < len(times)
    assert len({time.astimezone(zone).utcoffset() for time in times}) == 2


@pytest.mark.parametrize(
    ("zone", "year", "expected"),
    [
        ("America/New_York", 2026, ["2026-03-08T07:00", "2026-11-01T06:00"]),
        ("Europe/Berlin", 2026, ["2026-03-29T01:00", "2026-10-25T01:00"]),
        ("UTC", 2026, []),
    ],
)
def test_the_clocks_change_at(zone: str, year: int, expected: list[str]):
    begin, end = (int(datetime(each, 1, 1, tzinfo=UTC).timestamp()) for each in (year, year + 1))

    found = [
        datetime.fromtimestamp(t, UTC).isoformat()[:16] for t in clock_changes(ZoneInfo(zone), begin, end)
    ]

    assert found == expected
