import pytest

from tests.transform_values import GROUP, OTHER, OWN, OWN_LID, row
from whatsapp_etl.errors import MessageParseError
from whatsapp_etl.model import ChatKind, MessageKey, MessageType
from whatsapp_etl.transform import identity


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("4915550001:12@s.whatsapp.net", OTHER),
        ("4915550001.0:3@c.us", OTHER),
        (" 4915550001@C.US ", OTHER),
        ("99@lid", "99@lid"),
        ("99:4@lid", "99@lid"),
        ("4915-1600000000@g.us", "4915-1600000000@g.us"),
        ("no id at all", "no id at all"),
    ],
)
def test_ids_have_one_form(text, normal):
    assert identity.normalise_id(text) == normal


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f"false_{OTHER}_3EB0A1", MessageKey(False, OTHER, "3EB0A1")),
        (f"true_{OWN}_3EB0A1_out", MessageKey(True, OWN, "3EB0A1")),
        (f"false_{GROUP}_3EB0A1_777:2@lid", MessageKey(False, GROUP, "3EB0A1", "777@lid")),
        (f"true_{OWN}_3EB0A1_in_{OWN}", MessageKey(True, OWN, "3EB0A1", OWN)),
        (f"false_{OTHER}_a_b", MessageKey(False, OTHER, "a_b")),
    ],
)
def test_packed_keys_are_read(text, key):
    assert identity.parse_key(text) == key


@pytest.mark.parametrize(
    "text",
    ["3EB0A1", "maybe_x@c.us_1", "true_x_1", f"true_{OTHER}_", f"false_{GROUP}_777@lid", "true_x@_1", ""],
)
def test_other_texts_are_no_keys(text):
    with pytest.raises(MessageParseError):
        identity.parse_key(text)


def test_a_broken_packed_id_is_taken_as_it_is():
    assert identity.shown_stanza_id("true_broken") == "true_broken"


@pytest.mark.parametrize("shown", ["3EB0A1", f"false_{OTHER}_3EB0A1", f" false_{GROUP}_3EB0A1_777@lid"])
def test_every_page_shape_shows_the_same_stanza_id(shown):
    assert identity.shown_stanza_id(shown.strip()) == "3EB0A1"


def test_an_album_names_its_first_and_last_message():
    assert identity.collection_bounds("album-3EB0A1-3EB0A4-4") == ("3EB0A1", "3EB0A4", 4)
    assert identity.collection_bounds("grouped-sticker-A-B-2") == ("A", "B", 2)
    assert identity.collection_bounds("3EB0A1") is None


def test_an_own_message_in_a_group_ends_with_the_own_id():
    key = identity.canonical_key(MessageKey(True, GROUP, "3EB0A1"), OWN)

    assert str(key) == f"true_{GROUP}_3EB0A1_{OWN}"


@pytest.mark.parametrize(
    ("chat_id", "kind"),
    [
        (OTHER, ChatKind.PERSON),
        ("777@lid", ChatKind.PERSON),
        (OWN, ChatKind.SELF),
        (OWN_LID, ChatKind.SELF),
        (GROUP, ChatKind.GROUP),
        ("1600000000@broadcast", ChatKind.BROADCAST),
        ("status@broadcast", ChatKind.STATUS),
        ("120363@newsletter", ChatKind.CHANNEL),
        ("867051314767696@bot", ChatKind.BOT),
        ("x@call", ChatKind.OTHER),
    ],
)
def test_the_server_of_an_id_tells_the_chats_kind(chat_id, kind):
    assert identity.chat_kind(chat_id, OWN, OWN_LID) is kind


def test_a_key_names_the_sender():
    assert identity.sender(MessageKey(True, OTHER, "1"), OWN) == OWN
    assert identity.sender(MessageKey(False, GROUP, "1", "777@lid"), OWN) == "777@lid"
    assert identity.sender(MessageKey(False, OTHER, "1"), OWN) == OTHER
    assert identity.sender(MessageKey(False, GROUP, "1"), OWN) is None


def recipients(kind, **changes):
    values = {
        "chat_id": OTHER,
        "own_id": OWN,
        "sender_id": OTHER,
        "is_outgoing": False,
        "is_system": False,
        "participant_ids": (OWN, OTHER, "777@lid"),
    }
    return identity.recipients(kind, **{**values, **changes})


def test_a_received_message_went_to_the_account():
    assert recipients(ChatKind.PERSON) == (OWN,)


def test_a_sent_message_went_to_the_other_party():
    assert recipients(ChatKind.PERSON, is_outgoing=True, sender_id=OWN) == (OTHER,)


def test_a_note_to_oneself_went_to_the_account():
    assert recipients(ChatKind.SELF, is_outgoing=True, sender_id=OWN) == (OWN,)


def test_a_group_message_went_to_everybody_but_its_sender():
    assert recipients(ChatKind.GROUP) == tuple(sorted((OWN, "777@lid")))


def test_a_groups_notice_went_to_everybody():
    assert recipients(ChatKind.GROUP, is_system=True, sender_id=None) == tuple(
        sorted((OWN, OTHER, "777@lid"))
    )


def test_a_notice_between_two_went_to_nobody():
    assert recipients(ChatKind.PERSON, is_system=True, sender_id=None) == ()


def test_a_bare_row_has_a_key_where_the_chat_is_known():
    bare = row("3EB0A1")

    assert identity.key_in_chat(bare, OTHER, OWN) == MessageKey(False, OTHER, "3EB0A1")
    assert identity.key_in_chat(row(is_outgoing=True), GROUP, OWN) == MessageKey(True, GROUP, "3EB0A1", OWN)


def test_a_bare_row_without_proof_has_no_key():
    assert identity.key_in_chat(row(), None, OWN) is None
    assert identity.key_in_chat(row(is_outgoing=None), OTHER, OWN) is None
    assert identity.key_in_chat(row(), GROUP, OWN) is None
    assert identity.key_in_chat(row(is_outgoing=True), GROUP, None) is None
    assert identity.key_in_chat(row(type=MessageType.ALBUM), OTHER, OWN) is None


def test_a_packed_row_keeps_its_own_key():
    key = MessageKey(True, GROUP, "3EB0A1")

    assert identity.key_in_chat(row(key=key), OTHER, None) == key
    assert identity.key_in_chat(row(key=key), OTHER, OWN) == MessageKey(True, GROUP, "3EB0A1", OWN)
