"""Removing messages: disappearing ones when they have disappeared, others on request."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load.staging import take_change_numbers


def expire_messages(cursor: Cursor[TupleRow], now: datetime) -> tuple[str, ...]:
    """Remove messages whose time to disappear has come; see `remove_messages`."""
    rows = cursor.execute("SELECT id FROM messages WHERE expires_at <= %s", (now,)).fetchall()
    return _remove(cursor, [row[0] for row in rows], "expired", now)


def forget_messages(
    cursor: Cursor[TupleRow], external_ids: Collection[str], now: datetime
) -> tuple[str, ...]:
    """Remove given messages with everything that hangs on them."""
    rows = cursor.execute(
        "SELECT id FROM messages WHERE platform = 'whatsapp' AND external_id = ANY(%s)",
        (list(external_ids),),
    ).fetchall()
    return _remove(cursor, [row[0] for row in rows], "forgotten", now)


def _remove(
    cursor: Cursor[TupleRow], ids: list[int], reason: Literal["expired", "forgotten"], now: datetime
) -> tuple[str, ...]:
    """Delete messages, leave a tombstone for each, and return file paths that nothing uses any more."""
    if not ids:
        return ()
    files = cursor.execute(
        "SELECT DISTINCT a.file_path FROM attachments a WHERE a.message_id = ANY(%s)"
        " AND a.file_path IS NOT NULL AND NOT EXISTS (SELECT FROM attachments o"
        "   WHERE o.file_path = a.file_path AND NOT o.message_id = ANY(%s))",
        (ids, ids),
    ).fetchall()
    last = take_change_numbers(cursor, len(ids))
    cursor.execute(
        "WITH gone AS (DELETE FROM messages WHERE id = ANY(%s) RETURNING external_id, thread_external_id)"
        " INSERT INTO tombstones (change_seq, external_id, thread_external_id, reason, removed_at)"
        " SELECT %s + row_number() OVER (), external_id, thread_external_id, %s, %s FROM gone",
        (ids, last - len(ids), reason, now),
    )
    return tuple(row[0] for row in files)
