"""The generated world: the same options give the same account, with every role and kind in it."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from tests.fixtures.simulator import SMALL_WORLD
from whatsapp_etl.simulator.generate import build_world
from whatsapp_etl.simulator.media import MediaLibrary
from whatsapp_etl.simulator.options import SimulatorOptions
from whatsapp_etl.simulator.rows import change_row
from whatsapp_etl.simulator.truth import truth
from whatsapp_etl.simulator.world import FIRST_ROW, World

NOW = int(SMALL_WORLD.clock().timestamp())


@pytest.fixture(scope="module")
def built() -> tuple[World, MediaLibrary]:
    return build_world(SMALL_WORLD)


@pytest.fixture(scope="module")
def world(built: tuple[World, MediaLibrary]) -> World:
    return built[0]


def feed_text(options: SimulatorOptions) -> str:
    world, _ = build_world(options)
    changes, _ = world.feed.after(0, 10**9)
    return json.dumps([change_row(world, change) for change in changes])


def test_equal_options_give_equal_rows_byte_by_byte():
    assert feed_text(SMALL_WORLD) == feed_text(SMALL_WORLD)


def test_equal_options_give_equal_picture_bytes(built):
    _, again = build_world(SMALL_WORLD)

    assert built[1].files == again.files


def test_another_seed_gives_another_world():
    assert feed_text(SMALL_WORLD) != feed_text(replace(SMALL_WORLD, seed=8))


def test_the_zone_of_now_makes_no_difference():
    elsewhere = SMALL_WORLD.now.astimezone(tz=None)

    assert feed_text(SMALL_WORLD) == feed_text(replace(SMALL_WORLD, now=elsewhere))


@pytest.mark.parametrize(("chats", "messages"), [(1, 40), (1, 500), (5, 3), (12, 300), (40, 1000)])
def test_a_world_has_as_many_chats_and_messages_as_asked_for(chats, messages):
    world, _ = build_world(replace(SMALL_WORLD, chats=chats, messages=messages, extras=False))

    assert len(world.chats) == chats
    assert len(world.messages) == messages


def test_extras_are_beside_the_chats_asked_for(world):
    kinds = Counter(chat.kind for chat in world.chats.values())

    assert (kinds["status"], kinds["channel"], kinds["bot"]) == (1, 1, 1)
    assert len(world.chats) == SMALL_WORLD.chats + 3


def test_the_small_world_has_every_kind_inside_the_look_back(world):
    shown = {row["message_type"] for row in truth(world, NOW - 30 * 86_400)}

    assert shown == {
        "text", "image", "video", "gif", "video_note", "audio", "voice", "sticker", "document", "location",
        "live_location", "contact", "contacts", "poll", "group_invite", "call", "view_once", "waiting",
        "deleted", "system",
    }  # fmt: skip


def test_the_small_world_has_every_role(world):
    chats = [chat for chat in world.chats.values() if chat.kind in {"person", "group", "self"}]
    titles = Counter(world.title_of(chat) for chat in chats)

    assert any(chat.kind == "self" for chat in chats)
    assert any(chat.is_archived for chat in chats)
    assert any(chat.is_locked for chat in chats)
    assert any(chat.pinned_at and chat.mute_expiration for chat in chats)
    assert any(chat.ephemeral_seconds for chat in chats)
    assert any(len(group.participant_ids) > 20 for group in world.groups.values())
    assert any(author.endswith("@lid") for group in world.groups.values() for author in group.participant_ids)
    assert titles["Alma Brisk"] == titles["Allotment 12"] == 2
    assert any(title.startswith("🎉") for title in titles)
    assert any("\u0600" < title[0] < "\u06ff" for title in titles)
    assert any(title.startswith("+1 (555)") for title in titles)


def test_messages_reach_back_beyond_the_look_back_and_never_into_the_future(world):
    instants = [message.t for message in world.messages.values()]

    assert min(instants) < NOW - 30 * 86_400
    assert min(instants) >= NOW - SMALL_WORLD.days * 86_400
    assert max(instants) <= NOW


def test_messages_of_a_chat_are_ordered_by_time_at_first(world):
    for chat_id in world.chats:
        instants = [message.t for message in world.messages_of(chat_id)]
        assert instants == sorted(instants)


def test_some_messages_share_their_second(world):
    seconds = Counter((message.chat_id, message.t) for message in world.messages.values())

    assert max(seconds.values()) > 1


def test_a_stanza_id_occurs_in_two_chats(world):
    chats_by_stanza: dict[str, set[str]] = {}
    for message in world.messages.values():
        chats_by_stanza.setdefault(message.stanza_id, set()).add(message.chat_id)

    assert any(len(chats) > 1 for chats in chats_by_stanza.values())


def test_unread_messages_are_the_newest_and_incoming(world):
    counts = {chat_id: world.unread_count(chat_id) for chat_id in world.chats}

    for chat_id, count in counts.items():
        newest = world.messages_of(chat_id)[-count:] if count else []
        assert not any(message.from_me for message in newest)
    assert sum(count > 0 for count in counts.values()) >= 3


def test_live_rows_count_up_in_time_and_history_counts_down(world):
    rows = sorted((m for m in world.messages.values() if not m.is_on_phone), key=lambda m: m.row_id)
    live = [message for message in rows if message.row_id >= FIRST_ROW]

    assert [message.row_id for message in live] == list(range(FIRST_ROW, FIRST_ROW + len(live)))
    assert [message.t for message in live] == sorted(message.t for message in live)
    assert rows[0].row_id == FIRST_ROW - (len(rows) - len(live))


def test_pictures_are_real_files_with_their_own_checksum(built):
    world, library = built
    pictures = [message.media for message in world.messages.values() if message.type == "image"]

    for media in pictures:
        mimetype, data = library.files[media.sha256]
        picture = Image.open(io.BytesIO(data))
        assert picture.size == (media.width, media.height)
        assert picture.get_format_mimetype() == mimetype == media.mimetype
        assert len(data) == media.size
    assert {media.mimetype for media in pictures} == {"image/jpeg", "image/png"}


def test_a_picture_is_sometimes_sent_twice():
    world, _ = build_world(replace(SMALL_WORLD, messages=3000))
    uses = Counter(message.media.sha256 for message in world.messages.values() if message.type == "image")

    assert max(uses.values()) > 1
    assert len(uses) > 100


def test_disappearing_messages_have_an_end_that_lies_ahead(world):
    chat = next(chat for chat in world.chats.values() if chat.ephemeral_seconds)
    ends = [message.expires_at for message in world.messages_of(chat.id) if not message.is_notice]

    assert ends
    assert all(end is not None and end > NOW for end in ends)


def test_what_is_only_on_the_phone_lies_outside_the_look_back(world):
    on_phone = [message for message in world.messages.values() if message.is_on_phone]

    assert on_phone
    assert max(message.t for message in on_phone) < NOW - 30 * 86_400


def test_what_is_only_on_the_phone_can_reach_into_the_look_back():
    world, _ = build_world(replace(SMALL_WORLD, phone_only_days=10))
    edge = NOW - 30 * 86_400

    missing = len(truth(world, edge)) - len(truth(world, edge, "attainable"))

    assert missing > 0


def test_no_text_holds_a_nul(world):
    assert "\0" not in json.dumps([dict(message.body) for message in world.messages.values()])


def test_a_clock_that_is_not_fixed_moves_with_the_world():
    options = SimulatorOptions(chats=1, messages=1)

    assert abs(options.clock() - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "wrong",
    [{"chats": 0}, {"messages": -1}, {"days": 0}, {"now": datetime(2026, 1, 1)}],  # noqa: DTZ001
)
def test_options_that_make_no_world_are_refused(wrong):
    with pytest.raises(ValueError, match="needs"):
        SimulatorOptions(**wrong)
