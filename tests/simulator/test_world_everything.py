"""A world whose repertoire is everything: each rare kind and each hostile text is in it and in the truth."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fixtures.simulator import SMALL_WORLD
from whatsapp_etl.model import MessageType
from whatsapp_etl.simulator import repertoire
from whatsapp_etl.simulator.generate import build_world
from whatsapp_etl.simulator.options import SimulatorOptions
from whatsapp_etl.simulator.plain_text import plain_text
from whatsapp_etl.simulator.story import MAKERS, Story
from whatsapp_etl.simulator.truth import truth

EVERYTHING = replace(SMALL_WORLD, chats=10, messages=300, repertoire="everything")
NEVER_SENT = {MessageType.OTHER, MessageType.ALBUM}


@pytest.fixture(scope="module")
def everything():
    return build_world(EVERYTHING)[0]


def test_every_type_of_message_occurs(everything):
    found = {row["message_type"] for row in truth(everything)}

    assert found == {str(each) for each in set(MessageType) - NEVER_SENT}


def test_every_hostile_text_occurs_as_typed_and_is_expected_as_read(everything):
    typed = {message.body.get("body") for message in everything.messages.values()}
    expected = {row["content_snippet"] for row in truth(everything)}

    assert set(repertoire.TEXTS) <= typed
    assert {plain_text(raw, {}) for raw in repertoire.TEXTS} <= expected


def test_a_message_was_edited_twice_and_its_history_is_known(everything):
    edited = [row for row in truth(everything) if len(row["earlier_texts"]) > 1]

    assert {(row["content_snippet"], *row["earlier_texts"], row["is_edited"]) for row in edited} == {
        ("Meet at the ferry", "Meet at the old bridge", "Meet at the new bridge", 1)
    }
    assert len({row["thread_external_id"] for row in edited}) == len(edited)


def test_it_holds_as_many_messages_as_asked_for(everything):
    usual = build_world(replace(EVERYTHING, repertoire="usual"))[0]
    asked_for = {chat.id for chat in usual.chats.values() if chat.kind not in {"status", "channel", "bot"}}

    assert sum(message.chat_id in asked_for for message in everything.messages.values()) == 300


def test_names_made_to_be_misread_are_borne_by_people_groups_and_the_account(everything):
    names = {contact.saved_name for contact in everything.contacts.values()}
    subjects = {group.subject for group in everything.groups.values()}

    assert len(names & set(repertoire.NAMES)) >= 3
    assert subjects >= set(repertoire.SUBJECTS)
    assert everything.me.push_name == repertoire.OWN_NAME


def test_one_message_has_reactions_of_everybody_in_the_group(everything):
    liked = next(m for m in everything.messages.values() if m.body.get("body") == repertoire.EVERYBODY_REACTS)
    reacting = {sender for parent, sender in everything.reactions if parent == liked.external_id}

    assert reacting == set(everything.groups[liked.chat_id].participant_ids)


def test_a_repertoire_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="repertoire"):
        SimulatorOptions(repertoire="some")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_every_kind_can_be_added_and_stands_in_the_truth(kind):
    world, library = build_world(replace(SMALL_WORLD, chats=2, messages=0, extras=False))
    group = next(chat for chat in world.chats.values() if chat.kind == "group")
    message = Story(world, library, seed=1).add_message({"chat": group.id, "type": kind})

    (row,) = [row for row in truth(world) if row["external_id"] == message.external_id]

    assert row["message_type"] in {str(each) for each in set(MessageType) - NEVER_SENT}
