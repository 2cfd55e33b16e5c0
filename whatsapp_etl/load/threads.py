"""Rows of `threads`, their former titles, and who joined and left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load.copytext import array
from whatsapp_etl.load.identity import contact_ids
from whatsapp_etl.model import Checkpoint, Thread


def upsert_threads(cursor: Cursor[TupleRow], threads: Sequence[Thread], run_id: int, now: datetime) -> int:
    """Insert threads and update those that differ; return how many rows were written.

    A title, participants or an activity that is not told this time stays as it was. Former titles are
    kept, and who joined and left.
    """
    rows = list({thread.external_id: thread for thread in threads}.values())
    if not rows:
        return 0
    _write_participant_changes(cursor, rows, run_id, now)
    written = cursor.execute(
        "INSERT INTO threads AS t (external_id, kind, title, participant_ids, is_archived, last_activity_at,"
        "   first_run_id, last_run_id)"
        " SELECT u.external_id, u.kind, coalesce(u.title, o.title),"
        "   CASE WHEN u.participant_ids = '{}' THEN coalesce(o.participant_ids, '{}')"
        "     ELSE u.participant_ids END,"
        "   u.is_archived, coalesce(u.last_activity_at, o.last_activity_at), %s, %s"
        " FROM (SELECT external_id, kind, title, participants::text[] AS participant_ids, is_archived,"
        "     last_activity_at"
        "   FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::smallint[], %s::timestamptz[])"
        "   AS v (external_id, kind, title, participants, is_archived, last_activity_at)) u"
        " LEFT JOIN threads o ON o.platform = 'whatsapp' AND o.external_id = u.external_id"
        " WHERE o.id IS NULL OR (u.kind, coalesce(u.title, o.title), u.is_archived,"
        "     coalesce(u.last_activity_at, o.last_activity_at))"
        "   IS DISTINCT FROM (o.kind, o.title, o.is_archived, o.last_activity_at)"
        "   OR (u.participant_ids <> '{}' AND u.participant_ids <> o.participant_ids)"
        " ON CONFLICT (platform, external_id) DO UPDATE SET kind = excluded.kind, title = excluded.title,"
        "   participant_ids = excluded.participant_ids, is_archived = excluded.is_archived,"
        "   last_activity_at = excluded.last_activity_at, last_run_id = excluded.last_run_id,"
        "   updated_at = now()"
        " RETURNING id",
        (
            run_id,
            run_id,
            [row.external_id for row in rows],
            [row.kind.value for row in rows],
            [None if row.title is None else row.title.replace("\0", "") for row in rows],
            # Arrays of arrays must be rectangular in Postgres, so each list travels as text.
            [array(sorted(row.participant_ids)) for row in rows],
            [int(row.is_archived) for row in rows],
            [row.last_activity for row in rows],
        ),
    ).fetchall()
    if written:
        _write_titles(cursor, [thread_id for (thread_id,) in written], now)
    return len(written)


def _write_titles(cursor: Cursor[TupleRow], thread_ids: Sequence[int], now: datetime) -> None:
    """End the titles that hold no longer, and begin those that hold now."""
    cursor.execute(
        "UPDATE thread_titles h SET valid_to = %s FROM threads t"
        " WHERE t.id = h.thread_id AND t.id = ANY(%s) AND h.valid_to IS NULL AND h.title <> t.title",
        (now, thread_ids),
    )
    cursor.execute(
        "INSERT INTO thread_titles (thread_id, title, valid_from) SELECT t.id, t.title, %s FROM threads t"
        " WHERE t.id = ANY(%s) AND t.title IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM thread_titles h WHERE h.thread_id = t.id AND h.valid_to IS NULL)",
        (now, thread_ids),
    )


def _write_participant_changes(
    cursor: Cursor[TupleRow], threads: Sequence[Thread], run_id: int, now: datetime
) -> None:
    """Note who joined and left since the participants were stored; the first list is no joining."""
    listed = {thread.external_id: set(thread.participant_ids) for thread in threads if thread.participant_ids}
    if not listed:
        return
    stored = cursor.execute(
        "SELECT id, external_id, participant_ids FROM threads"
        " WHERE platform = 'whatsapp' AND external_id = ANY(%s) AND participant_ids <> '{}'",
        (list(listed),),
    ).fetchall()
    changes: list[tuple[int, str, str]] = []
    for thread_id, external_id, before in stored:
        now_there = listed[external_id]
        changes += [(thread_id, each, "joined") for each in sorted(now_there.difference(before))]
        changes += [(thread_id, each, "left") for each in sorted(set(before) - now_there)]
    for thread_id, person, change in _without_other_ids(cursor, changes):
        cursor.execute(
            "INSERT INTO participant_changes (thread_id, participant_id, change, seen_at, run_id)"
            " VALUES (%s, %s, %s, %s, %s)",
            (thread_id, person, change, now, run_id),
        )


def _without_other_ids(
    cursor: Cursor[TupleRow], changes: Sequence[tuple[int, str, str]]
) -> list[tuple[int, str, str]]:
    """Leave out people who left under one of their ids and joined under another: the list changed its ids."""
    if len({change for *_, change in changes}) <= 1:
        return list(changes)
    contact = contact_ids(cursor, {person for _, person, _ in changes})
    seen: dict[tuple[int, object], set[str]] = {}
    for thread_id, person, change in changes:
        seen.setdefault((thread_id, contact.get(person, person)), set()).add(change)
    return [each for each in changes if len(seen[each[0], contact.get(each[1], each[1])]) == 1]


def unify_threads(cursor: Cursor[TupleRow]) -> int:
    """Give the chats of one person, seen under phone id and LID, one canonical id."""
    cursor.execute(
        "UPDATE threads t SET canonical_id = c.external_id, updated_at = now()"
        " FROM contact_identifiers i JOIN contacts c ON c.id = i.contact_id"
        " WHERE i.value = t.external_id AND i.valid_to IS NULL AND i.kind IN ('phone', 'lid')"
        " AND t.kind IN ('person', 'self') AND t.canonical_id IS DISTINCT FROM c.external_id"
    )
    return cursor.rowcount


def checkpoints(cursor: Cursor[TupleRow]) -> Mapping[str, Checkpoint]:
    """Return the chats' checkpoints by chat id."""
    found = cursor.execute(
        "SELECT external_id, checkpoint_message_id, checkpoint_ts FROM threads"
        " WHERE checkpoint_message_id IS NOT NULL"
    )
    return {row[0]: Checkpoint(row[1], row[2]) for row in found.fetchall()}


def checkpoints_of(cursor: Cursor[TupleRow], chat_ids: Sequence[str]) -> Mapping[str, Checkpoint]:
    """Return the checkpoints of given chats, by chat id."""
    found = cursor.execute(
        "SELECT external_id, checkpoint_message_id, checkpoint_ts FROM threads"
        " WHERE platform = 'whatsapp' AND external_id = ANY(%s) AND checkpoint_message_id IS NOT NULL",
        (list(chat_ids),),
    )
    return {row[0]: Checkpoint(row[1], row[2]) for row in found.fetchall()}
