"""The truth: checked by hand, kind by kind, and against what changes in the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.fixtures.simulator import SMALL_WORLD
from whatsapp_etl.simulator.generate import build_world
from whatsapp_etl.simulator.plain_text import plain_text
from whatsapp_etl.simulator.story import Story, StoryError, UnknownThingError
from whatsapp_etl.simulator.truth import truth
from whatsapp_etl.simulator.world import Chat, Contact, World

OWN = "15550001111@c.us"
ANA = "15557770001@c.us"
BEN = "15557770002@c.us"
GROUP = "120363999999999999@g.us"
NOW = int(SMALL_WORLD.clock().timestamp())


@pytest.fixture
def world() -> World:
    """An account with one friend, one group and oneself, and not a word said."""
    world, _ = build_world(replace(SMALL_WORLD, chats=1, messages=0))
    group = next(iter(build_world(replace(SMALL_WORLD, chats=2, messages=0))[0].groups.values()))
    world.chats.clear()
    for person, name in ((ANA, "Ana"), (BEN, "Ben")):
        world.put_contact(Contact(person, name, None))
    world.put_group(replace(group, id=GROUP, participant_ids=(OWN, ANA, BEN), admin_ids=(BEN,)))
    for chat in (Chat(ANA, "person"), Chat(GROUP, "group"), Chat(OWN, "self")):
        world.put_chat(chat)
    return world


@pytest.fixture
def story(world: World) -> Story:
    library = build_world(replace(SMALL_WORLD, chats=1, messages=0))[1]
    return Story(world, library, seed=1)


@pytest.fixture
def tell(world: World, story: Story) -> Callable[..., dict]:
    """Send one message and return what the truth says of it."""

    def sent(chat: str = ANA, body: object = None, **fields: object) -> dict:
        payload = {"chat": chat, **fields} | ({} if body is None else {"body": body})
        message = story.add_message(payload)
        return row_of(world, message.external_id)

    return sent


def row_of(world: World, external_id: str) -> dict:
    return next(row for row in truth(world) if row["external_id"] == external_id)


def test_an_incoming_text_is_from_the_other_to_oneself(tell):
    row = tell(body="Hello there", stanza="3EB0AA", at="2026-03-14T09:15:07+01:00")

    assert row == {
        "external_id": f"false_{ANA}_3EB0AA",
        "keys": [f"false_{ANA}_3EB0AA"],
        "thread_external_id": ANA,
        "sender_id": ANA,
        "recipient_ids": [OWN],
        "content_snippet": "Hello there",
        "ts": "2026-03-14T08:15:07+00:00",
        "ts_precision": "second",
        "is_outgoing": 0,
        "has_attachments": 0,
        "message_type": "text",
        "is_edited": 0,
        "is_forwarded": 0,
        "deleted": 0,
        "deleted_at": None,
        "deleted_by": None,
        "deleted_by_id": None,
        "was_forwarded": 0,
        "earlier_texts": [],
        "reactions": [],
        "file_sha256": None,
    }


def test_an_own_text_goes_to_the_other(tell):
    row = tell(body="Hi", **{"from": "me", "stanza": "3EB0AB"})

    assert row["external_id"] == f"true_{ANA}_3EB0AB"
    assert (row["sender_id"], row["recipient_ids"], row["is_outgoing"]) == (OWN, [ANA], 1)


def test_a_message_in_a_group_goes_to_all_but_its_sender(tell):
    row = tell(GROUP, "Hi all", **{"from": BEN, "stanza": "3A01"})

    assert row["external_id"] == f"false_{GROUP}_3A01_{BEN}"
    assert (row["sender_id"], row["recipient_ids"]) == (BEN, [OWN, ANA])


def test_an_own_message_in_a_group_ends_with_the_own_id(tell):
    row = tell(GROUP, "Hi all", **{"from": "me", "stanza": "3A02"})

    assert row["external_id"] == f"true_{GROUP}_3A02_{OWN}"
    assert (row["sender_id"], row["recipient_ids"]) == (OWN, [ANA, BEN])


def test_a_note_to_oneself_is_received_by_oneself(tell):
    row = tell(OWN, "Buy milk", stanza="3A03")

    assert row["external_id"] == f"true_{OWN}_3A03"
    assert (row["sender_id"], row["recipient_ids"], row["is_outgoing"]) == (OWN, [OWN], 1)


@pytest.mark.parametrize(
    ("type_", "body", "kind", "text", "has_file"),
    [
        ("image", "A *bold* caption", "image", "A bold caption", 1),
        ("image", {"caption": None}, "image", None, 1),
        ("video", {"caption": "Look"}, "video", "Look", 1),
        ("gif", {}, "gif", None, 1),
        ("ptv", {}, "video_note", None, 1),
        ("sticker", {}, "sticker", None, 1),
        ("audio", {}, "audio", None, 1),
        ("ptt", {}, "voice", None, 1),
        ("document", {"caption": "Newest"}, "document", "Newest", 1),
        ("document", {"caption": None}, "document", None, 1),
        ("location", {"name": "Pier", "address": "1 Quay"}, "location", "Pier\n1 Quay", 0),
        ("location", {"name": "Pier", "address": None}, "location", "Pier", 0),
        ("location", {"name": None, "address": None}, "location", None, 0),
        ("live_location", {"caption": "On my way"}, "live_location", "On my way", 0),
        ("vcard", {"name": "Cleo Dorn"}, "contact", "Cleo Dorn", 0),
        ("multi_vcard", {"names": ["A", "B"]}, "contacts", "A and 1 other contact", 0),
        ("multi_vcard", {"names": ["A", "B", "C"]}, "contacts", "A and 2 other contacts", 0),
        (
            "poll_creation",
            {"question": "When?", "options": [{"name": "Now", "votes": 1}, {"name": "Later", "votes": 0}]},
            "poll",
            "When?\nNow\nLater",
            0,
        ),
        ("groups_v4_invite", {"group_name": "Choir", "caption": None}, "group_invite", "Choir", 0),
        ("groups_v4_invite", {"group_name": "Choir", "caption": "Come"}, "group_invite", "Come", 0),
        ("call_log", {"video": False, "outcome": "missed"}, "call", "Missed voice call", 0),
        ("call_log", {"video": True, "outcome": "missed"}, "call", "Missed video call", 0),
        ("call_log", {"video": True, "outcome": "completed"}, "call", "Video call", 0),
        ("call_log", {"video": False, "outcome": "no_answer"}, "call", "Voice call", 0),
        ("revoked", {}, "deleted", None, 0),
        ("ciphertext", {}, "waiting", None, 0),
        ("view_once", {}, "view_once", None, 0),
        ("e2e_notification", {"text": " Your code changed. "}, "system", "Your code changed.", 0),
    ],
)
def test_each_kind_has_its_name_its_text_and_its_file(tell, type_, body, kind, text, has_file):  # noqa: PLR0917 - a table
    row = tell(type=type_, body=body)

    assert (row["message_type"], row["content_snippet"], row["has_attachments"]) == (kind, text, has_file)


def test_only_pictures_have_a_checksum(world, story):
    picture = story.add_message({"chat": ANA, "type": "image"})
    document = story.add_message({"chat": ANA, "type": "document"})

    assert row_of(world, picture.external_id)["file_sha256"] == picture.media.sha256
    assert row_of(world, document.external_id)["file_sha256"] is None


def test_a_view_once_picture_gives_nothing_away(tell):
    assert tell(type="view_once")["file_sha256"] is None


def test_a_notice_in_a_group_has_no_sender_and_reaches_everyone(tell):
    row = tell(GROUP, "Ben changed the subject", type="gp2", **{"from": BEN})

    assert (row["sender_id"], row["recipient_ids"]) == (None, [OWN, ANA, BEN])
    assert (row["message_type"], row["is_outgoing"]) == ("system", 0)


def test_a_notice_between_two_reaches_nobody(tell):
    row = tell(type="e2e_notification")

    assert (row["sender_id"], row["recipient_ids"]) == (None, [])


def test_a_mention_is_written_by_name(tell):
    row = tell(GROUP, "@15557770002 look", mentions={BEN: "Ben"}, **{"from": ANA})

    assert row["content_snippet"] == "@Ben look"


def test_an_edit_replaces_the_text_and_is_marked(world, story):
    message = story.add_message({"chat": ANA, "body": "frist"})

    story.edit(message.external_id, {"body": "first"})

    row = row_of(world, message.external_id)
    assert (row["content_snippet"], row["is_edited"]) == ("first", 1)


def test_a_deletion_for_everyone_leaves_a_row_without_text(world, story):
    message = story.add_message({"chat": ANA, "type": "image", "body": "oops", "forwarding_score": 1})

    story.delete(message.external_id, "sender")

    row = row_of(world, message.external_id)
    assert (row["message_type"], row["deleted"], row["content_snippet"]) == ("deleted", 1, None)
    assert (row["has_attachments"], row["file_sha256"], row["is_forwarded"]) == (0, None, 0)
    assert (row["deleted_by"], row["deleted_by_id"]) == ("sender", None)
    deleted_at = datetime.fromtimestamp(world.clock(), UTC).isoformat()
    assert row["deleted_at"] == deleted_at


def test_a_deletion_by_an_admin_keeps_the_sender_and_tells_the_admin(world, story):
    message = story.add_message({"chat": GROUP, "from": ANA, "body": "spam"})

    story.delete(message.external_id, "admin")

    row = row_of(world, message.external_id)
    assert (row["sender_id"], row["deleted_by"], row["deleted_by_id"]) == (ANA, "admin", BEN)
    assert world.messages[message.external_id].body == {"by": "admin", "admin_name": "Ben"}


def test_a_deletion_on_this_device_leaves_nothing(world, story):
    message = story.add_message({"chat": ANA, "body": "gone"})

    story.delete(message.external_id, "me")

    assert truth(world) == []


def test_reactions_count_as_long_as_they_stand(world, story):
    message = story.add_message({"chat": GROUP, "from": ANA, "body": "well"})
    story.react({"message": message.external_id, "sender": BEN, "emoji": "👍"})
    story.react({"message": message.external_id, "sender": "me", "emoji": "😂"})

    story.react({"message": message.external_id, "sender": BEN, "emoji": None})

    assert row_of(world, message.external_id)["reactions"] == [{"sender_id": OWN, "emoji": "😂"}]


def test_a_waiting_message_arrives_under_its_key(world, story):
    message = story.add_message({"chat": ANA, "type": "ciphertext"})

    story.decrypt({"message": message.external_id, "body": "late"})

    row = row_of(world, message.external_id)
    assert (row["message_type"], row["content_snippet"]) == ("text", "late")


def test_an_expired_disappearing_message_is_not_expected(world, story):
    world.put_chat(replace(world.chats[ANA], ephemeral_seconds=60))
    story.add_message({"chat": ANA, "body": "old", "at": "2026-03-15T11:58:00Z"})
    kept = story.add_message({"chat": ANA, "body": "fresh", "at": "2026-03-15T11:59:30Z"})

    assert [row["external_id"] for row in truth(world)] == [kept.external_id]


def test_since_keeps_messages_at_the_instant_itself(world, story):
    story.add_message({"chat": ANA, "at": "2026-03-01T00:00:00Z", "body": "before"})
    story.add_message({"chat": ANA, "at": "2026-03-01T00:00:01Z", "body": "at"})

    since = NOW - 14 * 86_400 - 12 * 3600 + 1
    assert [row["content_snippet"] for row in truth(world, since)] == ["at"]


def test_chats_out_of_scope_are_not_expected():
    world, _ = build_world(SMALL_WORLD)
    expected = {row["thread_external_id"] for row in truth(world)}
    outside = {
        chat.id
        for chat in world.chats.values()
        if chat.is_locked or chat.kind in {"channel", "status", "bot"}
    }

    assert len(outside) == 4
    assert not expected & outside


def test_the_attainable_view_leaves_out_what_only_the_phone_has(story):
    world, _ = build_world(SMALL_WORLD)
    chat_id = next(message.chat_id for message in world.messages.values() if message.is_on_phone)
    on_phone = {message.external_id for message in world.messages.values() if message.is_on_phone}
    everything = {row["external_id"] for row in truth(world)}

    assert everything - {row["external_id"] for row in truth(world, view="attainable")} == on_phone

    world.hand_over_from_phone(chat_id)
    assert {row["external_id"] for row in truth(world, view="attainable")} == everything


def test_the_attainable_view_leaves_out_files_that_are_gone(world, story):
    message = story.add_message({"chat": ANA, "type": "image"})

    story.expire({"message": message.external_id})

    assert truth(world)[0]["file_sha256"] == message.media.sha256
    assert truth(world, view="attainable")[0]["file_sha256"] is None


def test_every_expected_key_is_there_once():
    world, _ = build_world(replace(SMALL_WORLD, chats=40, messages=2000))
    keys = [row["external_id"] for row in truth(world)]

    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("*bold*, _italic_, ~struck~ and `code`", "bold, italic, struck and code"),
        ("*_both_*", "both"),
        ("2*3 and 3 * 4 * 5 and a_b_c", "2*3 and 3 * 4 * 5 and a_b_c"),
        ("*not closed", "*not closed"),
        ("`*kept*` as is", "*kept* as is"),
        ("```\na *b*\n  c\n```", "a *b*\n  c"),
        ("- one\n* two\n1. three", "- one\n- two\n1. three"),
        ("> said\nanswer", "said\nanswer"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("  trimmed \n", "trimmed"),
        ("nul\0free", "nulfree"),
        ("👩‍👩‍👧‍👦 🇵🇹", "👩‍👩‍👧‍👦 🇵🇹"),
        ("", None),
    ],
)
def test_marks_are_gone_from_a_text_and_nothing_else(raw, shown):
    assert plain_text(raw, {}) == shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"chat": ANA, "type": "telegram"},
        {"chat": ANA, "type": "sticker", "body": "words"},
        {"chat": ANA, "from": BEN},
        {"chat": ANA, "at": "2026-03-01T00:00:00"},
    ],
)
def test_a_message_that_cannot_be_is_refused(story, wrong):
    with pytest.raises(StoryError):
        story.add_message(wrong)


def test_a_chat_or_message_that_is_not_there_is_named_as_such(story):
    with pytest.raises(UnknownThingError):
        story.add_message({"chat": "nobody@c.us"})
    with pytest.raises(UnknownThingError):
        story.edit("false_x_y", {"body": "z"})


def test_a_key_cannot_be_used_twice(story):
    story.add_message({"chat": ANA, "stanza": "3EB0"})

    with pytest.raises(ValueError, match="exists"):
        story.add_message({"chat": ANA, "stanza": "3EB0"})
