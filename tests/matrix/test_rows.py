"""Render, capture, parse: what the page's own script drew comes back as what was sent, for every kind.

No metadata takes part: what is compared was read from the row alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.matrix.choices import LOCALES, PROFILES, page_options
from tests.transform_values import UTC_ZONE
from whatsapp_etl.model import MessageType
from whatsapp_etl.simulator.generate import build_world
from whatsapp_etl.simulator.world import World, spoken_phone
from whatsapp_etl.transform.parse import parse_rows

_SAMPLE = {(PROFILES[-1], "en-US")}

CELLS = [
    pytest.param(profile, locale, marks=() if (profile, locale) in _SAMPLE else pytest.mark.matrix)
    for profile in PROFILES
    for locale in LOCALES
]


@pytest.mark.parametrize(("profile", "locale"), CELLS)
def test_every_kind_of_row_is_parsed_into_what_was_sent(start_simulator, open_reading, profile, locale):
    simulator = start_simulator(chats=6, messages=260, **page_options(profile, locale))
    world, _ = build_world(simulator.options)
    reading = open_reading(simulator)
    truth = reading.truth()
    parsed = []
    for chat_id in sorted({row["thread_external_id"] for row in truth.values()}):
        batch = reading.read(chat_id)
        expected = {
            key.split("_")[2]: row for key, row in truth.items() if row["thread_external_id"] == chat_id
        }
        # What the page's model or its metadata says must not help.
        rows = [replace(row, model=None) for row in batch.rows]
        good, rejects = parse_rows(
            rows,
            reading.session.pack,
            zone=UTC_ZONE,
            locale=locale,
            own_name=world.me.push_name,
            observed_at=simulator.options.clock(),
        )
        assert rejects == ()
        for row in good:
            if row.type is MessageType.ALBUM:
                take_pictures(row, expected)
        parsed += [(row, expected.pop(row.stanza_id)) for row in good if row.stanza_id in expected]
        assert {row["message_type"] for row in expected.values()} <= {"system"}

    wrong = [told for row, must in parsed if (told := differences(row, must, world))]

    assert wrong == [], f"{len(wrong)} of {len(parsed)} rows differ: {Counter(told[0] for told in wrong)}"
    assert {must["message_type"] for _, must in parsed} >= {
        "text",
        "image",
        "voice",
        "deleted",
        "poll",
        "call",
    }


def take_pictures(album, expected) -> None:
    """Take the messages that an album's row stands for out of those still expected."""
    first, last, count = album.shown_id.removeprefix("album-").rsplit("-", 2)
    stanzas = list(expected)
    held = stanzas[stanzas.index(first) : stanzas.index(last) + 1]
    assert len(held) == int(count) == album.attachment.count
    assert {expected.pop(stanza)["message_type"] for stanza in held} == {"image"}


#: Nothing on the pages since summer tells a round video note from a video; the metadata does.
_ALIKE = {("video", "video_note")}


def differences(row, must, world: World):
    """Return in which facts a parsed row is wrong, with both values; nothing when it is right."""
    found = {
        "type": (alike(row.type.value, must["message_type"]), must["message_type"]),
        "text": (row.text, must["content_snippet"]),
        "edited": (row.is_edited, bool(must["is_edited"])),
        "forwarded": (row.is_forwarded, bool(must["is_forwarded"])),
    }
    if row.type is not MessageType.SYSTEM:
        found["direction"] = (row.is_outgoing, bool(must["is_outgoing"]))
    # Notices show no time: theirs is their neighbours'. A time that cannot be is shown as it was sent.
    if row.type is not MessageType.SYSTEM and must["ts_precision"] != "clamped":
        found["minute"] = (
            str(row.sent_at.astimezone(UTC_ZONE))[:16] if row.sent_at else None,
            f"{must['ts'][:10]} {must['ts'][11:16]}",
        )
    if row.type is not MessageType.SYSTEM and row.sender_name is not None:
        found["sender"] = (row.sender_name in names_of(world, must["sender_id"]), True)
    wrong = {fact: values for fact, values in found.items() if values[0] != values[1]}
    return (tuple(wrong), must["message_type"], wrong) if wrong else None


def alike(read: str, sent: str) -> str:
    return sent if (read, sent) in _ALIKE else read


def names_of(world: World, person_id: str) -> set[str]:
    """Return everything that the page may call somebody."""
    if person_id in {world.me.id, world.me.lid}:
        return {world.me.push_name, "You"}
    contact = world.contacts[person_id]
    # Whoever is known by a phone number is called as that number is saved.
    saved = world.contacts.get(contact.phone_id or person_id, contact)
    phone = spoken_phone(contact.phone_id or person_id)
    chosen = {contact.push_name, f"~{contact.push_name}"} if contact.push_name else set()
    return {contact.name, contact.title, saved.name, phone, *chosen}
