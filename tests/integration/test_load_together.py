"""Chats that are stored together are stored as if each came alone: all of them, or nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fixtures.load import (
    ANA,
    BEN,
    CLUB,
    NOW,
    make_coverage,
    make_image,
    make_message,
    make_plan,
    make_thread,
    row_versions,
    rows,
)
from tests.fixtures.postgres import empty_tables
from whatsapp_etl.cursors import FeedCursors, FeedRow
from whatsapp_etl.errors import DatabaseRefusedError
from whatsapp_etl.model import (
    ChatKind,
    Checkpoint,
    MessageType,
    MessageVersion,
    MissingMessage,
    MissingReason,
)

TABLES = {
    "messages": "external_id, thread_external_id, content_snippet, message_type",
    "threads": "external_id, title, checkpoint_message_id, checkpoint_ts",
    "sync_coverage": "thread_external_id, expected, stored, missing",
    "missing_messages": "external_id, thread_external_id, reason, attempts, first_missed_at, next_try_at",
    "message_versions": "content_snippet, message_type, replaced_seen_at",
    "attachments": "position, state, checksum",
    "extraction_jobs": "attachment_id",
    "sync_state": "last_seen_at",
}
LATER = NOW + timedelta(minutes=5)


def in_chat(chat, number, **changes):
    return make_message(number, thread_external_id=chat, sender_id=chat, **changes)


def gap(number):
    return MissingMessage(f"false_{BEN}_gap{number}", MissingReason.NOT_SHOWN, number, LATER)


def first_plans():
    anas, bens, clubs = in_chat(ANA, 1), in_chat(BEN, 2), make_image(3, thread_external_id=CLUB)
    return [
        make_plan(anas, checkpoint=Checkpoint(anas.external_id, anas.ts)),
        make_plan(
            bens, thread=make_thread(BEN), coverage=make_coverage(BEN, expected=3), missing=(gap(1), gap(2))
        ),
        make_plan(clubs, thread=make_thread(CLUB, kind=ChatKind.GROUP), coverage=make_coverage(CLUB)),
    ]


def second_plans():
    """An edit with its earlier text, a gap that was closed and one that was tried again, and nothing new."""
    (anas, bens, clubs) = first_plans()
    (said,) = anas.messages
    edited = replace(said, content_snippet="Edited", is_edited=True, source_revision="x", observed_at=LATER)
    earlier = MessageVersion(said.external_id, MessageType.TEXT, said.content_snippet, LATER)
    closed = in_chat(BEN, 4, stanza_id="gap1", observed_at=LATER)
    return [
        replace(anas, messages=(edited,), versions=(earlier,)),
        replace(bens, messages=(closed,), missing=(replace(gap(2), attempts=9),)),
        clubs,
    ]


def content(database):
    return {
        table: sorted(rows(database, f"SELECT {columns} FROM {table}"), key=repr)
        for table, columns in TABLES.items()
    }


def test_together_they_leave_the_same_rows_as_one_after_the_other(database, store):
    for plans in (first_plans(), second_plans()):
        for each in plans:
            store.apply(each, 1)
    alone = content(database)
    empty_tables(database)

    results = [store.apply_together(plans, 1) for plans in (first_plans(), second_plans())]

    together = content(database)
    assert {table: found for table, found in together.items() if found != alone[table]} == {}
    assert [(each.inserted, each.updated, each.unchanged) for each in results] == [(3, 0, 0), (1, 1, 1)]
    assert len(together["message_versions"]) == 1
    assert [row[3] for row in together["missing_messages"]] == [9]


def test_together_again_they_touch_no_row(database, store):
    store.apply_together(first_plans(), 1)
    before = row_versions(database)

    result = store.apply_together(first_plans(), 2)

    assert (result.inserted, result.updated, result.unchanged) == (0, 0, 3)
    assert row_versions(database) == before


def test_where_one_is_refused_nothing_is_stored_and_no_cursor_moves(database, store):
    *others, last = first_plans()
    cursors = FeedCursors(FeedRow(9, "true_x"), 1, NOW, NOW, "scope", None)
    with database.connect() as connection:
        connection.execute(
            f"ALTER TABLE messages ADD CONSTRAINT refused CHECK (thread_external_id <> '{BEN}')"
        )
    try:
        with pytest.raises(DatabaseRefusedError):
            store.apply_together([*others, replace(last, cursors=cursors)], 1)
    finally:
        with database.connect() as connection:
            connection.execute("ALTER TABLE messages DROP CONSTRAINT refused")

    assert rows(database, "SELECT count(*) FROM messages") == [(0,)]
    assert rows(database, "SELECT count(*) FROM threads") == [(0,)]
    assert store.cursors() is None
