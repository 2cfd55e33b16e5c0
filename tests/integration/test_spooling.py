"""Chats from the spool in a real database: in order, once, by the rules in force when they are loaded."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.captured import ANA, NOW, OWN, key, make_captured, make_facts, make_row, stanza
from tests.fixtures.load import rows
from whatsapp_etl.errors import DatabaseRefusedError
from whatsapp_etl.forgotten import Wish
from whatsapp_etl.model import Account
from whatsapp_etl.planning import plan_captured
from whatsapp_etl.scope import Directory
from whatsapp_etl.spool.folder import Spool
from whatsapp_etl.spooling import Spooling
from whatsapp_etl.tally import Tally
from whatsapp_etl.transform.visits import Rules

LATER = NOW + timedelta(hours=3)


@pytest.fixture
def spooling(store, tmp_path):
    store.pin_account(Account(OWN), NOW)

    def load_chat(captured, rules, tally, may_move):
        plan = plan_captured(captured, rules, store, LATER)
        try:
            tally.loaded_plan(plan if may_move else replace(plan, checkpoint=None), store.apply(plan, 1))
        except DatabaseRefusedError:
            return False
        return True

    return Spooling(Spool(tmp_path / "spool", 10**6), store, lambda: LATER, load_chat)


def tally():
    return Tally(started_at=LATER, hits_before={})


def load(spooling, rules=None, chats=()):
    counted = tally()
    now = replace(rules or Rules(), forgotten=spooling.store.forgotten())
    spooling.load(Directory(Account(OWN), chats, {}, (), {}, now, {}), counted)
    return counted


def texts(database):
    return [row[0] for row in rows(database, "SELECT content_snippet FROM messages ORDER BY ts")]


def keep(spooling, captured):
    spooling.keep(captured, plan_captured(captured, Rules(), None, NOW), tally())


def edited(text, observed_at):
    """Return a visit that showed the first message with another text."""
    row = make_row(1, text=text, is_edited=True)
    facts = make_facts(1, source_revision=f"chat|{text}||", latest_edit_key=text)
    return make_captured(1, observed_at=observed_at, facts=(facts,), parsed=(row,))


def test_the_oldest_is_loaded_first_and_the_latest_observation_stands(spooling, database):
    keep(spooling, make_captured(1, 2))
    keep(spooling, edited("The kettle hums", NOW + timedelta(minutes=10)))
    keep(spooling, edited("The kettle sings", NOW + timedelta(minutes=20)))

    counted = load(spooling)

    assert (counted.unspooled, counted.applied.inserted, counted.applied.updated) == (3, 2, 2)
    assert texts(database)[0] == "The kettle sings"
    versions = rows(database, "SELECT content_snippet FROM message_versions ORDER BY replaced_seen_at")
    assert versions == [("The kettle whistles for the 1. time",), ("The kettle hums",)]
    assert spooling.spool.facts().batches == 0


def test_a_program_killed_between_commit_and_removal_loads_twice_and_changes_nothing(
    spooling, database, tmp_path
):
    keep(spooling, make_captured(1, 2))
    keep(spooling, edited("The kettle hums", NOW + timedelta(minutes=10)))
    shutil.copytree(tmp_path / "spool", tmp_path / "copy")
    load(spooling)
    before = rows(database, "SELECT xmin::text, * FROM messages"), rows(database, "TABLE message_versions")
    for file in (tmp_path / "copy").iterdir():
        shutil.copy(file, tmp_path / "spool")

    again = load(spooling)

    assert (again.unspooled, again.applied.inserted, again.applied.updated) == (2, 0, 0)
    after = rows(database, "SELECT xmin::text, * FROM messages"), rows(database, "TABLE message_versions")
    assert after == before


def test_an_older_capture_never_overwrites_what_was_stored_since(spooling, database):
    spooling.load_chat(edited("The kettle sings", NOW + timedelta(hours=1)), Rules(), tally(), True)
    keep(spooling, make_captured(1, 2))

    load(spooling)

    assert texts(database) == ["The kettle sings", "The kettle whistles for the 2. time"]


def test_what_was_forgotten_meanwhile_is_not_stored(spooling, database):
    keep(spooling, make_captured(1, 2, picture="ab/cd/abcd.jpg"))
    spooling.store.erase(Wish("message", key(1)), NOW, [key(1)])

    load(spooling)

    assert texts(database) == ["The kettle whistles for the 2. time"]
    assert spooling.store.unused_files() == ("ab/cd/abcd.jpg",)


def test_what_disappeared_while_it_waited_is_not_stored_whichever_ids_the_page_shows(spooling, database):
    gone = [make_facts(n, expires_at=NOW + timedelta(hours=1)) for n in (1, 2)]
    packed = make_row(1, shown_id=key(1), key=gone[0].key)
    keep(spooling, make_captured(1, 2, facts=tuple(gone), parsed=(packed, make_row(2))))

    load(spooling)

    assert texts(database) == []
    assert rows(database, "SELECT count(*) FROM rejects") == [(0,)]
    assert rows(database, "SELECT external_id, reason FROM missing_messages ORDER BY 1") == [
        (key(1), "expired"),
        (key(2), "expired"),
    ]


@pytest.mark.parametrize("is_forgotten", [False, True])
def test_a_chat_that_is_excluded_or_forgotten_meanwhile_is_not_stored(spooling, database, is_forgotten):
    keep(spooling, make_captured(1, 2, picture="ab/cd/abcd.jpg"))
    if is_forgotten:
        spooling.store.erase(Wish("chat", ANA), NOW, [key(1)])

    load(spooling, Rules() if is_forgotten else Rules(exclude=(ANA,)))

    assert rows(database, "SELECT count(*) FROM messages") == [(0,)]
    assert rows(database, "SELECT count(*) FROM threads") == [(0,)]
    assert spooling.store.unused_files() == ("ab/cd/abcd.jpg",)
    assert spooling.spool.facts().batches == 0


def test_chats_of_another_account_are_set_aside(spooling, database):
    keep(spooling, make_captured(1))
    spooling.store.replace_account(Account("491555999999@c.us"), NOW)

    load(spooling)

    assert rows(database, "SELECT count(*) FROM messages") == [(0,)]
    assert (spooling.spool.facts().batches, spooling.spool.facts().set_aside) == (0, 1)


def test_what_postgres_refuses_is_set_aside_and_the_others_are_stored(spooling, database):
    keep(spooling, make_captured(1))
    keep(spooling, make_captured(2))
    with database.connect() as connection:
        connection.execute(f"ALTER TABLE messages ADD CONSTRAINT refused CHECK (stanza_id <> '{stanza(1)}')")
    try:
        load(spooling)
    finally:
        with database.connect() as connection:
            connection.execute("ALTER TABLE messages DROP CONSTRAINT refused")

    assert texts(database) == ["The kettle whistles for the 2. time"]
    assert spooling.spool.facts().set_aside == 1


def test_an_unread_count_that_fell_while_postgres_was_away_raises_the_alarm_late(spooling):
    captured = make_captured(1)
    keep(spooling, replace(captured, batch=replace(captured.batch, unread_before=2, unread_after=0)))
    assert not spooling.store.has_shield_alarm()

    load(spooling)

    assert spooling.store.has_shield_alarm()


def test_a_title_that_changed_meanwhile_is_not_set_back(spooling, database):
    captured = make_captured(1)
    keep(spooling, captured)

    load(spooling, chats=(replace(captured.chat, title="Ana Kettle"),))

    assert rows(database, "SELECT title FROM threads") == [("Ana Kettle",)]


def test_a_visit_that_brought_nothing_takes_no_room(spooling):
    captured = make_captured(1, facts=(), parsed=())
    keep(spooling, replace(captured, batch=replace(captured.batch, rows=())))

    assert spooling.spool.facts().batches == 0
