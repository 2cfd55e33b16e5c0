"""Rows of `threads`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load.copytext import array
from whatsapp_etl.model import Checkpoint, Thread


def upsert_threads(cursor: Cursor[TupleRow], threads: Sequence[Thread], run_id: int) -> int:
    """Insert threads and update those that differ; return how many rows were written.

    A title, participants or an activity that is not told this time stays as it was.
    """
    rows = list({thread.external_id: thread for thread in threads}.values())
    if not rows:
        return 0
    cursor.execute(
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
        "   updated_at = now()",
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
    )
    return cursor.rowcount


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
