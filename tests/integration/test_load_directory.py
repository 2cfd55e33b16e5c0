"""Threads, contacts and reactions: written when they differ, untouched otherwise."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.load import (
    ANA,
    ANA_LID,
    BEN,
    CLUB,
    NOW,
    OWN,
    make_coverage,
    make_message,
    make_plan,
    make_thread,
    row_versions,
    rows,
)
from whatsapp_etl.load.dictionary import dictionary
from whatsapp_etl.model import ChatKind, ContactFacts, GroupFacts, Reaction
from whatsapp_etl.resources import data_folder

CLUB_THREAD = make_thread(CLUB, kind=ChatKind.GROUP, title=None)
CLUB_GROUP = GroupFacts(CLUB, "Hikers", (ANA, BEN, OWN))
OWN_LID = "77000000000009@lid"
HEART = Reaction(make_message(1).external_id, BEN, "❤", NOW)


LATER = NOW + timedelta(minutes=1)


def load(store, *, threads=(), contacts=(), groups=(), reactions=(), run_id=1, now=NOW):
    return store.apply_directory(list(threads), contacts, groups, reactions, run_id=run_id, now=now)


def test_the_same_directory_again_touches_no_row(database, store):
    store.apply(make_plan(make_message(1)), 1)
    everything = {
        "threads": [make_thread(), CLUB_THREAD],
        "contacts": [ContactFacts(ANA, "Ana", "ana!", None), ContactFacts(ANA_LID, None, "ana!", ANA)],
        "groups": [CLUB_GROUP],
        "reactions": [HEART],
    }
    first = load(store, **everything)
    before = row_versions(database)

    second = load(store, **everything, run_id=2)

    assert (first.threads, first.contacts, first.reactions) == (1, 1, 1)
    assert (second.threads, second.contacts, second.reactions) == (0, 0, 0)
    assert row_versions(database) == before


def test_a_group_gets_title_and_participants_from_its_group_row(database, store):
    load(store, threads=[CLUB_THREAD], groups=[CLUB_GROUP])

    assert rows(database, "SELECT kind, title, participant_ids FROM threads") == [
        ("group", "Hikers", sorted([ANA, BEN, OWN]))
    ]


def test_what_is_not_told_this_time_stays(database, store):
    load(store, threads=[CLUB_THREAD], groups=[CLUB_GROUP])
    before = row_versions(database)

    load(store, threads=[replace(CLUB_THREAD, last_activity=None)])
    load(
        store, threads=[CLUB_THREAD], groups=[replace(CLUB_GROUP, participant_ids=(ANA,), is_complete=False)]
    )

    assert row_versions(database) == before


def test_a_former_title_is_kept_with_the_time_it_held(database, store):
    load(store, threads=[make_thread(), CLUB_THREAD], groups=[CLUB_GROUP])
    renamed = replace(CLUB_GROUP, subject="Climbers")

    load(store, threads=[make_thread(), CLUB_THREAD], groups=[renamed], now=LATER)
    store.apply(
        make_plan(thread=make_thread(title="Ana Maria"), coverage=make_coverage(observed_at=LATER)), 2
    )

    assert rows(
        database,
        "SELECT t.external_id, h.title, h.valid_from, h.valid_to FROM thread_titles h"
        " JOIN threads t ON t.id = h.thread_id ORDER BY t.external_id, h.id",
    ) == [
        (CLUB, "Hikers", NOW, LATER),
        (CLUB, "Climbers", LATER, None),
        (ANA, "Ana", NOW, LATER),
        (ANA, "Ana Maria", LATER, None),
    ]


def test_who_joined_and_left_a_group_is_kept_and_the_first_list_is_no_joining(database, store):
    load(store, threads=[CLUB_THREAD], groups=[replace(CLUB_GROUP, participant_ids=(ANA, OWN))])
    assert rows(database, "SELECT count(*) FROM participant_changes") == [(0,)]

    load(
        store,
        threads=[CLUB_THREAD],
        groups=[replace(CLUB_GROUP, participant_ids=(BEN, OWN))],
        now=LATER,
        run_id=2,
    )

    assert rows(
        database, "SELECT participant_id, change, seen_at, run_id FROM participant_changes ORDER BY id"
    ) == [(BEN, "joined", LATER, 2), (ANA, "left", LATER, 2)]


def test_a_group_that_lists_people_by_other_ids_now_lost_and_won_nobody(database, store):
    load(
        store,
        threads=[CLUB_THREAD],
        contacts=[ContactFacts(ANA_LID, None, "ana!", ANA)],
        groups=[replace(CLUB_GROUP, participant_ids=(ANA, OWN))],
    )

    load(store, threads=[CLUB_THREAD], groups=[replace(CLUB_GROUP, participant_ids=(ANA_LID, BEN, OWN))])

    assert rows(database, "SELECT participant_id, change FROM participant_changes") == [(BEN, "joined")]


def test_only_the_thread_that_changed_is_written(database, store):
    load(store, threads=[make_thread(), CLUB_THREAD])

    counts = load(store, threads=[make_thread(is_archived=True), CLUB_THREAD], run_id=2)

    assert counts.threads == 1
    assert rows(database, "SELECT external_id, is_archived FROM threads WHERE last_run_id = 2") == [(ANA, 1)]


def test_phone_id_and_lid_are_one_person_with_both_ids(database, store):
    load(store, contacts=[ContactFacts(ANA, "Ana", None, None), ContactFacts(ANA_LID, None, "ana!", ANA)])

    assert rows(database, "SELECT external_id, saved_name, push_name FROM contacts") == [(ANA, "Ana", "ana!")]
    assert rows(database, "SELECT kind, value FROM contact_identifiers ORDER BY kind") == [
        ("lid", ANA_LID),
        ("phone", ANA),
        ("push_name", "ana!"),
        ("saved_name", "Ana"),
    ]


def test_a_lid_that_turns_out_to_be_a_phones_becomes_that_person(database, store):
    load(store, contacts=[ContactFacts(ANA_LID, None, "ana!", None)])
    load(store, contacts=[ContactFacts(ANA, "Ana", None, None)])
    assert rows(database, "SELECT count(*) FROM contacts") == [(2,)]

    load(store, contacts=[ContactFacts(ANA_LID, None, "ana!", ANA)])
    before = row_versions(database)
    load(store, contacts=[ContactFacts(ANA_LID, None, "ana!", None)])

    assert rows(database, "SELECT external_id, push_name FROM contacts") == [(ANA, "ana!")]
    assert row_versions(database) == before


def test_a_former_name_is_kept_with_the_time_it_held(database, store):
    load(store, contacts=[ContactFacts(ANA, "Ana", None, None)])

    load(store, contacts=[ContactFacts(ANA, "Ana Maria", None, None)])

    assert rows(
        database,
        "SELECT value, valid_to IS NULL FROM contact_identifiers WHERE kind = 'saved_name' ORDER BY id",
    ) == [("Ana", False), ("Ana Maria", True)]


def test_chats_of_one_person_share_a_canonical_id(database, store):
    load(
        store,
        threads=[make_thread(ANA), make_thread(ANA_LID), CLUB_THREAD],
        contacts=[ContactFacts(ANA_LID, None, "ana!", ANA)],
    )

    assert rows(database, "SELECT external_id, canonical_id FROM threads ORDER BY external_id") == [
        (CLUB, None),
        (ANA, ANA),
        (ANA_LID, ANA),
    ]


def test_groups_and_channels_are_no_contacts(database, store):
    load(store, contacts=[ContactFacts(CLUB, "Hikers", None, None)])

    assert rows(database, "SELECT count(*) FROM contacts") == [(0,)]


# --- reactions -------------------------------------------------------------------------------


def test_a_reaction_to_a_message_that_is_not_stored_is_skipped_and_counted(store):
    counts = load(store, reactions=[HEART])

    assert (counts.reactions, counts.reactions_skipped) == (0, 1)


def test_a_reaction_taken_back_keeps_its_row(database, store):
    store.apply(make_plan(make_message(1)), 1)
    load(store, reactions=[HEART])

    counts = load(store, reactions=[replace(HEART, emoji=None, reacted_at=NOW + timedelta(minutes=1))])

    assert counts.reactions == 1
    assert rows(database, "SELECT sender_id, emoji, change_seq FROM reactions") == [(BEN, None, 3)]


def test_what_a_reaction_was_before_is_kept(database, store):
    store.apply(make_plan(make_message(1)), 1)
    instants = [NOW + timedelta(minutes=n) for n in range(4)]
    for run_id, (emoji, at) in enumerate(zip(("❤", "🌧", None, "❤"), instants, strict=True), start=1):
        reactions = [replace(HEART, emoji=emoji, reacted_at=at), replace(HEART, sender_id=OWN)]
        load(store, reactions=reactions, run_id=run_id, now=at + timedelta(seconds=5))

    assert rows(database, "SELECT emoji FROM reactions WHERE sender_id = %s", BEN) == [("❤",)]
    assert rows(
        database,
        "SELECT sender_id, emoji, reacted_at, replaced_seen_at, run_id FROM reaction_versions ORDER BY id",
    ) == [
        (BEN, emoji, at, seen + timedelta(seconds=5), run_id)
        for emoji, at, seen, run_id in zip(
            ("❤", "🌧", None), instants[:3], instants[1:], (2, 3, 4), strict=True
        )
    ]


def test_the_latest_reaction_of_a_sender_counts(database, store):
    store.apply(make_plan(make_message(1)), 1)
    later = replace(HEART, emoji="🌧", reacted_at=NOW + timedelta(minutes=1))

    load(store, reactions=[later, HEART])
    load(store, reactions=[HEART])

    assert rows(database, "SELECT emoji FROM reactions") == [("🌧",)]


# --- the data dictionary ---------------------------------------------------------------------


@pytest.mark.parametrize("is_late", [False, True])
def test_a_reaction_under_phone_id_and_lid_is_one(database, store, is_late):
    store.apply(make_plan(make_message(1, is_outgoing=True)), 1)
    load(store, contacts=[ContactFacts(ANA_LID, None, "Ana", ANA)])
    key = make_message(1, is_outgoing=True).external_id
    first, second = Reaction(key, ANA, "🎉", NOW), Reaction(key, ANA_LID, "🙏", NOW + timedelta(minutes=1))
    if is_late:
        load(store, reactions=[first])

    load(store, reactions=[second] if is_late else [second, first], run_id=2)

    assert rows(database, "SELECT emoji FROM reactions") == [("🙏",)]


def test_the_chat_with_oneself_has_one_canonical_id_too(database, store):
    load(
        store,
        threads=[make_thread(OWN, kind=ChatKind.SELF), make_thread(OWN_LID, kind=ChatKind.SELF)],
        contacts=[ContactFacts(OWN_LID, None, None, OWN)],
    )

    assert rows(database, "SELECT DISTINCT canonical_id FROM threads") == [(OWN,)]


def test_the_data_dictionary_is_current():
    document = data_folder("migrations").parent / "docs/data-dictionary.md"

    assert document.read_text() == dictionary(), (
        "run python -m whatsapp_etl.load.dictionary > docs/data-dictionary.md"
    )
