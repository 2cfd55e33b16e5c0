"""Removing messages: the rows, the tombstones that tell of them, and the files that nothing uses any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load.staging import take_change_numbers


def expire_messages(cursor: Cursor[TupleRow], now: datetime) -> int:
    """Remove messages whose time to disappear has come; return how many."""
    rows = cursor.execute("SELECT id FROM messages WHERE expires_at <= %s", (now,)).fetchall()
    return remove_messages(cursor, [row[0] for row in rows], "expired", now)


#: Disagreements about messages: by key, so no deletion of the message reaches them.
DISAGREEMENTS = """disagreements WHERE external_id IN (
    SELECT k.external_id FROM (SELECT id, external_id FROM messages
                               UNION ALL SELECT message_id, external_id FROM message_aliases) k
    WHERE k.id = ANY(%s))"""

Reason = Literal["expired", "forgotten", "retention"]


def remove_messages(cursor: Cursor[TupleRow], ids: Collection[int], reason: Reason, now: datetime) -> int:
    """Delete messages with what hangs on them, leave a tombstone for each, and note unused files.

    Only a tombstone of what has disappeared keeps the key itself, the others its hash.
    """
    if not ids:
        return 0
    listed = list(ids)
    cursor.execute(
        "INSERT INTO files_to_remove (file_path, unused_since)"
        " SELECT DISTINCT a.file_path, %s::timestamptz FROM attachments a WHERE a.message_id = ANY(%s)"
        " AND a.file_path IS NOT NULL AND NOT EXISTS (SELECT FROM attachments o"
        "   WHERE o.file_path = a.file_path AND NOT o.message_id = ANY(%s))"
        " ON CONFLICT DO NOTHING",
        (now, listed, listed),
    )
    cursor.execute(f"DELETE FROM {DISAGREEMENTS}".encode(), (listed,))  # noqa: S608  # a constant
    seqs = take_change_numbers(cursor, len(listed))
    cursor.execute(
        "WITH gone AS (DELETE FROM messages WHERE id = ANY(%(ids)s)"
        "   RETURNING external_id, thread_external_id)"
        " INSERT INTO tombstones"
        "   (change_seq, key_sha256, external_id, thread_external_id, reason, removed_at)"
        " SELECT %(after)s + row_number() OVER (), encode(sha256(convert_to(external_id, 'UTF8')), 'hex'),"
        "   CASE WHEN %(keeps_key)s THEN external_id END,"
        "   CASE WHEN %(keeps_key)s THEN thread_external_id END, %(reason)s, %(now)s FROM gone",
        {
            "ids": listed,
            "after": seqs.start - 1,
            "keeps_key": reason == "expired",
            "reason": reason,
            "now": now,
        },
    )
    return cursor.rowcount


def note_unused(cursor: Cursor[TupleRow], file_paths: Collection[str], now: datetime) -> None:
    """Note files to remove, but for those that a message has."""
    if file_paths:
        cursor.execute(
            "INSERT INTO files_to_remove (file_path, unused_since)"
            " SELECT u.path, %s FROM unnest(%s::text[]) AS u (path)"
            " WHERE NOT EXISTS (SELECT FROM attachments a WHERE a.file_path = u.path)"
            " ON CONFLICT DO NOTHING",
            (now, list(file_paths)),
        )


def unused_files(cursor: Cursor[TupleRow]) -> tuple[str, ...]:
    """Return the files to remove; one that a message has again is none of them any more."""
    cursor.execute("DELETE FROM files_to_remove f USING attachments a WHERE a.file_path = f.file_path")
    return tuple(row[0] for row in cursor.execute("SELECT file_path FROM files_to_remove").fetchall())


def note_removed(cursor: Cursor[TupleRow], file_paths: Collection[str]) -> None:
    """Forget files that are gone."""
    cursor.execute("DELETE FROM files_to_remove WHERE file_path = ANY(%s)", (list(file_paths),))
