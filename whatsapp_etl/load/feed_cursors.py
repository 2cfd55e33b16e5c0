"""How far the browser's list was read, in the row of the account that is read."""

from __future__ import annotations

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.cursors import FeedCursors, FeedRow


def cursors(cursor: Cursor[TupleRow]) -> FeedCursors | None:
    """Return them; None: no cycle came to its end yet."""
    row = cursor.execute(
        "SELECT feed_hi, feed_hi_mark, feed_lo, feed_complete_at, feed_listed_at, feed_scope, feed_reactions"
        " FROM sync_state WHERE is_active = 1 AND feed_hi IS NOT NULL"
    ).fetchone()
    return None if row is None else FeedCursors(FeedRow(row[0], row[1]), *row[2:])


def move(cursor: Cursor[TupleRow], to: FeedCursors) -> None:
    """Move them; in the transaction of the last rows that they cover."""
    cursor.execute(
        "UPDATE sync_state SET feed_hi = %s, feed_hi_mark = %s, feed_lo = %s, feed_complete_at = %s,"
        " feed_listed_at = %s, feed_scope = %s, feed_reactions = %s WHERE is_active = 1",
        (to.hi.number, to.hi.mark, to.lo, to.complete_at, to.listed_at, to.scope, to.reactions),
    )
