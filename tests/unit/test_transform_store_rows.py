"""A row of the message store becomes what its bubble would have become."""

from datetime import timedelta
from typing import Any

import pytest

from tests.transform_values import NOW, OTHER, OWN, account, chat, context, facts
from whatsapp_etl.model import (
    ChatBatch,
    ContactFacts,
    Message,
    MessageKey,
    MessageType,
    RejectReason,
    StopReason,
)
from whatsapp_etl.store_records import QuotedRow, StoreRow
from whatsapp_etl.transform.plan import plan_load
from whatsapp_etl.transform.store_rows import (
    StoreWords,
    is_told,
    names_of,
    notice_without_words,
    read_store_row,
    read_store_rows,
)

ENGLISH = StoreWords({"15552001001@c.us": "Ana"}, "en")


def row(stanza_id: str = "3EB0A1", **changes: Any) -> StoreRow:
    values: dict[str, Any] = {
        "stored_id": str(MessageKey(False, OTHER, stanza_id)),
        "type": "chat",
        "sent_at": NOW - timedelta(hours=2) + timedelta(seconds=7),
        "body": "hello *there*",
    }
    return StoreRow(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({}, "text", "hello there"),
        ({"type": "image", "body": "thumbnail", "caption": "_A_ day"}, "image", "A day"),
        ({"type": "image", "body": "thumbnail"}, "image", None),
        ({"type": "image", "body": "thumbnail", "is_view_once": True, "caption": "x"}, "view_once", None),
        ({"type": "video", "body": "thumbnail", "is_gif": True}, "gif", None),
        ({"type": "document", "file_name": "a.pdf", "caption": "a.pdf"}, "document", None),
        ({"type": "document", "file_name": "a.pdf", "caption": "Newest"}, "document", "Newest"),
        ({"type": "ptt", "body": "x"}, "voice", None),
        ({"type": "location", "body": "thumbnail", "place": "Pier\n1 Mill"}, "location", "Pier\n1 Mill"),
        ({"type": "location", "is_live": True, "caption": "On my way"}, "live_location", "On my way"),
        ({"type": "vcard", "card_names": (" Ana ",)}, "contact", "Ana"),
        ({"type": "multi_vcard", "card_names": ("A",)}, "contacts", "A"),
        ({"type": "multi_vcard", "card_names": ("A", "B")}, "contacts", "A and 1 other contact"),
        ({"type": "multi_vcard", "card_names": ("A", "B", "C")}, "contacts", "A and 2 other contacts"),
        ({"type": "poll_creation", "poll_name": "*Q*", "poll_options": ("A", "_B_")}, "poll", "Q\nA\nB"),
        ({"type": "event_creation", "event_name": "Walk"}, "event", "Walk"),
        ({"type": "groups_v4_invite", "invited_to": "Rowing"}, "group_invite", "Rowing"),
        ({"type": "groups_v4_invite", "invited_to": "Rowing", "caption": "Come"}, "group_invite", "Come"),
        ({"type": "call_log", "call_outcome": "Missed", "is_video_call": True}, "call", "Missed video call"),
        ({"type": "call_log", "call_outcome": "Connected"}, "call", "Voice call"),
        ({"type": "revoked"}, "deleted", None),
        ({"type": "ciphertext"}, "waiting", None),
        ({"type": "list", "body": "Choose"}, "text", "Choose"),
        ({"body": "@15552001001 hi", "mentioned_ids": ("15552001001@c.us",)}, "text", "@Ana hi"),
    ],
)  # fmt: skip
def test_each_kind_has_the_text_that_the_page_shows(changes, kind, text):
    parsed = read_store_row(row(**changes), ENGLISH)
    assert parsed is not None
    assert (parsed.type, parsed.text, parsed.sent_at.second) == (kind, text, 7)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "gp2", "subtype": "add"},
        {"type": "something_new", "body": "x"},
        {"type": "unknown"},
        {"type": "image", "body": None, "is_opened": False},
        {"stored_id": "no key"},
        {"body": None},
        {"type": "list", "body": None},
        {"type": "multi_vcard", "card_names": ("A", " ")},
        {"type": "multi_vcard", "card_names": ()},
        {"type": "poll_creation", "poll_name": "When?"},
        {"type": "call_log", "call_outcome": "SomethingNew"},
        {"body": "@4915550009 hi", "mentioned_ids": ("4915550009@c.us",)},
    ],
)
def test_what_the_store_does_not_tell_is_left_to_the_page(changes):
    assert read_store_row(row(**changes), ENGLISH) is None


def test_words_of_the_page_are_written_in_english_only():
    call = row(type="call_log", call_outcome="Missed")
    assert read_store_row(call, StoreWords(language="de")) is None
    assert read_store_row(call, StoreWords()) is None
    assert (
        read_store_row(row(type="multi_vcard", card_names=("A", "B")), StoreWords(language="de-AT")) is None
    )
    assert read_store_row(call, StoreWords(language="en-GB")) is not None


def test_whom_nobody_named_here_is_not_named():
    people = (
        ContactFacts("1@c.us", "Ana", "ana_p", None),
        ContactFacts("2@c.us", None, "ben_p", None),
        ContactFacts("3@c.us", None, None, None),
        ContactFacts("9@lid", None, "ana_p", "1@c.us"),
        ContactFacts(OWN, "Me", None, None),
    )
    assert names_of(people, {OWN}) == {"1@c.us": "Ana", "2@c.us": "ben_p", "9@lid": "Ana"}


def planned(*rows: StoreRow, listed: tuple[Any, ...], **changes: Any) -> dict[str, Message]:
    batch = ChatBatch(
        chat_id=OTHER,
        pack_id="2026-08",
        rows=(),
        stop_reason=StopReason.ALL_FOUND,
        observed_at=NOW,
        read_path="store",
    )
    parsed = read_store_rows(rows, ENGLISH)
    plan = plan_load(batch, parsed, listed, {}, context(chat=chat(), account=account(), **changes), NOW)
    assert not [each for each in plan.rejects if each.reason is not RejectReason.NOT_IN_METADATA]
    return {each.stanza_id: each for each in plan.messages}


def test_a_message_of_the_store_says_so_and_is_exact_to_the_second():
    (message,) = planned(
        row(quoted=QuotedRow("chat", "*what*"), is_edited=True), listed=(facts("3EB0A1", wa_type="chat"),)
    ).values()
    assert (message.read_path, message.ts_precision, message.ts.second) == ("store", "second", 7)
    assert (message.content_snippet, message.quoted_text, message.is_edited) == ("hello there", "what", True)


def test_pictures_of_an_album_have_their_places():
    listed = tuple(
        facts(name, minute=minute, type=MessageType.IMAGE, wa_type="image", parent_stanza_id="PARENT")
        for minute, name in enumerate(("A1", "A2", "A3"))
    )
    alone = facts("B1", minute=9, type=MessageType.IMAGE, wa_type="image")
    found = planned(
        *(row(each.key.stanza_id, type="image", body=None) for each in (*listed, alone)),
        listed=(*listed, alone),
    )
    assert {name: (each.album_id, each.album_position) for name, each in found.items()} == {
        "A1": ("PARENT", 0),
        "A2": ("PARENT", 1),
        "A3": ("PARENT", 2),
        "B1": (None, None),
    }


def test_notices_and_what_is_not_known_are_left_to_the_page():
    assert is_told(facts(type=MessageType.TEXT))
    assert not is_told(facts(type=MessageType.SYSTEM))
    assert not is_told(facts(type=MessageType.OTHER))


def test_a_notice_is_kept_without_words_where_no_chat_is_opened_for_them():
    told = notice_without_words(facts("N1", type=MessageType.SYSTEM, subtype="add"))

    assert (told.type, told.subtype, told.text) == (MessageType.SYSTEM, "add", None)
    assert told.sent_at == facts("N1").sent_at
