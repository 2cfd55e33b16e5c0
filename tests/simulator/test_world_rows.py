"""The rows of the client's storage: names and types as its own samples have them."""

from __future__ import annotations

import base64
import re

import pytest

from tests.fixtures.simulator import SMALL_WORLD
from whatsapp_etl.simulator.generate import build_world
from whatsapp_etl.simulator.rows import change_row, order_hex
from whatsapp_etl.simulator.world import World

UNDEFINED = {"$undefined": True}

# Field names and types as seen in the client's own storage. A "wid" is {server, user, _serialized}.
ALWAYS = {
    "id": str, "internalId": str, "rowId": int, "type": str, "t": int, "from": str, "to": "wid",
    "author": "wid?",
    "ack": int, "isStarred": "gap", "vcardWAids": "gap", "hasLink": "int?", "isMediaMsg": "int?",
    "isDocMsg": "int?", "isEventMsg": "gap", "expiredTimestamp": "int?", "messageRangeIndex": str,
    "isCarouselMsg": "gap", "isCallLogMsg": "int?",
}  # fmt: skip
IMAGE = {
    "directPath": str, "mimetype": str, "filehash": str, "size": int, "mediaKey": str,
    "mediaKeyTimestamp": int,
    "width": int, "height": int, "encFilehash": str, "typeFlag": int,
}  # fmt: skip
CHAT = {
    "id": str, "t": int, "unreadCount": int, "archive": bool, "isReadOnly": bool, "muteExpiration": int,
    "notSpam": bool, "isAnnounceGrpRestrict": bool,
}  # fmt: skip
SAVED_CONTACT = {
    "id": str, "name": str, "shortName": str, "type": str, "isAddressBookContact": int,
    "isContactSyncCompleted": int, "contactHash": str,
}  # fmt: skip
GROUP = {
    "id": str, "subject": str, "subjectTime": int, "creation": int, "owner": str, "desc": str,
    "restrict": bool,
    "announce": bool, "size": int, "isLidAddressingMode": bool,
}  # fmt: skip
PARTICIPANT = {
    "groupId": str,
    "participants": list,
    "pastParticipants": list,
    "admins": list,
    "superAdmins": list,
}
REACTION = {
    "parentMsgKey": str, "senderUserJid": str, "msgKey": str, "reactionText": str, "timestamp": int,
    "orphan": int,
    "read": bool, "ack": int, "t": int,
}  # fmt: skip
PICTURE = {
    "id": str, "tag": str, "eurl": str, "previewEurl": str, "timestamp": int, "fullDirectPath": str,
    "filehash": str,
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(SMALL_WORLD)[0]


@pytest.fixture(scope="module")
def stores(world: World) -> dict[str, list[dict]]:
    changes, _ = world.feed.after(0, 10**9)
    found: dict[str, list[dict]] = {}
    for change in changes:
        entry = change_row(world, change)
        found.setdefault(entry["store"], []).append(entry["value"])
    return found


def fits(value: object, kind: object) -> bool:
    if kind == "wid":
        return isinstance(value, dict) and set(value) == {"server", "user", "_serialized"}
    if kind == "gap":
        return value == UNDEFINED
    if kind == "wid?":
        return value == UNDEFINED or fits(value, "wid")
    if kind == "int?":
        return value == UNDEFINED or type(value) is int
    return type(value) is kind


def misfits(row: dict, shape: dict) -> list[str]:
    return [name for name, kind in shape.items() if name not in row or not fits(row[name], kind)]


@pytest.mark.parametrize(
    ("store", "shape"),
    [
        ("message", ALWAYS), ("chat", CHAT), ("group-metadata", GROUP), ("participant", PARTICIPANT),
        ("reactions", REACTION), ("profile-pic-thumb", PICTURE),
    ],
)  # fmt: skip
def test_rows_of_a_store_have_the_clients_fields_and_types(stores, store, shape):
    assert stores[store]
    assert [misfits(row, shape) for row in stores[store] if misfits(row, shape)] == []


def test_saved_contacts_have_the_clients_fields(stores):
    saved = [row for row in stores["contact"] if "name" in row]

    assert [misfits(row, SAVED_CONTACT) for row in saved if misfits(row, SAVED_CONTACT)] == []


def test_hidden_numbers_tell_their_phone_where_it_is_known(stores):
    hidden = [row for row in stores["contact"] if row["id"].endswith("@lid")]

    assert {"phoneNumber" in row for row in hidden} == {True, False}
    assert all(row["phoneNumber"].endswith("@c.us") for row in hidden if "phoneNumber" in row)


def test_image_rows_have_the_clients_media_fields(stores):
    images = [row for row in stores["message"] if row["type"] == "image"]

    assert [misfits(row, IMAGE) for row in images if misfits(row, IMAGE)] == []
    assert all(row["isMediaMsg"] == row["rowId"] and row["typeFlag"] == 1 for row in images)
    assert all(len(base64.b64decode(row["filehash"])) == 32 for row in images)


def test_plain_rows_hold_no_word_of_the_body(stores):
    telling = {"body", "caption", "text", "question", "mentions", "lat", "preview"}

    assert all(not telling & set(row) for row in stores["message"])
    assert all("$body" in row for row in stores["message"])


def test_internal_ids_sort_as_the_messages_do(world, stores):
    ids = {row["id"]: row["internalId"] for row in stores["message"]}
    for chat_id in world.chats:
        inside = [ids[world.row_key(m)] for m in world.messages_of(chat_id) if not m.is_on_phone]
        assert inside == sorted(inside)
        assert all(f"{chat_id}_/" < internal < f"{chat_id}_g" for internal in inside)


@pytest.mark.parametrize("column", ["id", "rowId", "internalId"])
def test_unique_columns_are_unique(stores, column):
    values = [row[column] for row in stores["message"]]

    assert len(values) == len(set(values))


def test_an_order_is_written_with_the_count_of_its_digits():
    assert order_hex(1_000_000_002) == "73b9aca02"
    assert order_hex(1_790_002_459) == "76ab1451b"
    assert sorted(order_hex(number) for number in (9, 16, 255, 256, 2**40)) == [
        order_hex(number) for number in (9, 16, 255, 256, 2**40)
    ]


def test_keys_have_the_clients_form(world, stores):
    form = re.compile(
        r"(true|false)_[^_]+@[a-z.]+_[0-9A-F]+(_in|_out)?(_[^_]+@[a-z.]+)?|.*status@broadcast.*"
    )

    assert all(form.fullmatch(row["id"]) for row in stores["message"])


def test_notes_to_oneself_carry_their_direction(world, stores):
    notes = [row["id"] for row in stores["message"] if row["id"].split("_")[1] == world.me.id]

    assert notes
    assert all(note.endswith(("_out", "_in")) for note in notes)


def test_what_is_only_on_the_phone_is_not_offered(world, stores):
    offered = {row["id"] for row in stores["message"]}

    assert not any(world.row_key(m) in offered for m in world.messages.values() if m.is_on_phone)
    assert len(offered) == sum(not m.is_on_phone for m in world.messages.values())


def test_history_from_the_phone_takes_its_place_before_the_rest():
    world = build_world(SMALL_WORLD)[0]
    chat_id = next(message.chat_id for message in world.messages.values() if message.is_on_phone)
    before = world.feed.last

    count = world.hand_over_from_phone(chat_id)

    changes, _ = world.feed.after(before, 10**9)
    rows = [change_row(world, change)["value"] for change in changes if change.store == "message"]
    assert len(rows) == count > 0
    lowest = min(
        m.row_id for m in world.messages.values() if m.external_id not in {row["id"] for row in rows}
    )
    assert all(row["rowId"] < lowest for row in rows)
    assert world.chats[chat_id].history_type == 1
