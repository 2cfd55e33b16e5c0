"""Removing what was kept long enough, in bounded batches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load.privacy import remove_messages
from whatsapp_etl.retention import BATCH_ROWS, Retention

#: Which rows are old. The last successful run and the last event stay, however old: health shows them.
_OLD: Mapping[str, str] = {
    "message_versions": "replaced_seen_at < %(edge)s",
    "reaction_versions": "replaced_seen_at < %(edge)s",
    "participant_changes": "seen_at < %(edge)s",
    # The job stays done, so that the picture is not read again.
    "extractions": "created_at < %(edge)s",
    "sync_runs": "finished_at < %(edge)s"
    " AND id <> coalesce((SELECT max(id) FROM sync_runs WHERE status = 'success' AND kind = 'sync'), -1)",
    "rejects": "last_seen_at < %(edge)s",
    "disagreements": "last_seen_at < %(edge)s",
    "session_events": "occurred_at < %(edge)s AND id <> (SELECT max(id) FROM session_events)",
    # The last of each subject says what was told already. Deliveries go with their event.
    "events": "occurred_at < %(edge)s AND seq NOT IN (SELECT max(seq) FROM events GROUP BY subject)",
    "sync_coverage_history": "observed_at < %(edge)s",
    "agent_messages": "occurred_at < %(edge)s",
    "agent_proposals": "created_at < %(edge)s",
}
# A message that its sender dated in the future is stored under its neighbour's time, and is listed inside
# every look-back: it would be read again in the next cycle.
_OLD_MESSAGES = "SELECT id FROM messages WHERE ts < %s AND ts_precision <> 'clamped' ORDER BY ts LIMIT %s"


def retain(
    cursor: Cursor[TupleRow], retention: Retention, now: datetime, most: int = BATCH_ROWS
) -> Mapping[str, int]:
    """Delete what is older than it is kept, at most so many rows of each table.

    Messages go with everything that hangs on them, and leave tombstones without a key.

    Returns:
        How many rows of each table; tables of which none was old are left out.
    """
    removed: dict[str, int] = {}
    if (edge := retention.edge("messages", now)) is not None:
        ids = [message_id for (message_id,) in cursor.execute(_OLD_MESSAGES, (edge, most)).fetchall()]
        removed["messages"] = remove_messages(cursor, ids, "retention", now)
    for table, condition in _OLD.items():
        if (edge := retention.edge(table, now)) is not None:
            cursor.execute(
                f"DELETE FROM {table} WHERE id IN ("  # noqa: S608  # constants of this file
                f"SELECT id FROM {table} WHERE {condition} ORDER BY id LIMIT %(most)s)".encode(),
                {"edge": edge, "most": most},
            )
            removed[table] = cursor.rowcount
    return {table: count for table, count in removed.items() if count}
