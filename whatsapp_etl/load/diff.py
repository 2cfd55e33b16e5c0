"""The list of ids that the browser holds, compared with what Postgres holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load.apply import write_coverage
from whatsapp_etl.load.copytext import cell, copy_lines, encoded
from whatsapp_etl.load.identity import listed_under_another_key, record_aliases
from whatsapp_etl.model import ChatDiff, Coverage, MessageIndexEntry, MissingReason, StopReason

# The entries that lack a row of their revision. Most cycles return none of them.
_OPEN_ENTRIES = """
    SELECT i.chat_id, i.external_id, x.reason, x.next_try_at > %(now)s,
           m.id IS NOT NULL OR a.message_id IS NOT NULL AS is_stored, i.sent_at
    FROM stage_index i
    LEFT JOIN messages m ON m.platform = 'whatsapp' AND m.external_id = i.external_id
    LEFT JOIN message_aliases a ON m.id IS NULL AND a.platform = 'whatsapp' AND a.external_id = i.external_id
    LEFT JOIN messages o ON o.id = a.message_id
    LEFT JOIN missing_messages x ON x.external_id = i.external_id
    WHERE coalesce(m.source_revision, o.source_revision) IS DISTINCT FROM i.source_revision
    ORDER BY i.chat_id, i.sent_at DESC, i.external_id
"""
_UNREAD = f"SELECT chat_id, external_id FROM ({_OPEN_ENTRIES}) o WHERE sent_at < %(edge)s"  # noqa: S608
# The oldest and the newest id stand behind their seconds, so that one pass over the list finds both.
_TOTALS = """
    SELECT chat_id, count(*), max(sent_at), min(placed COLLATE "C"), max(placed COLLATE "C")
    FROM (SELECT chat_id, sent_at,
                 lpad(floor(extract(epoch FROM sent_at))::bigint::text, 12, '0') || external_id AS placed
          FROM stage_index) i
    GROUP BY chat_id
"""
_SECONDS = 12  #: Digits before the id.
# What the browser no longer lists inside the look-back is not missing any more.
_FORGET_UNLISTED = """
    DELETE FROM missing_messages x
    WHERE NOT EXISTS (SELECT FROM stage_index i WHERE i.external_id = x.external_id)
"""
# Nor are its chat's counts true any more. A list without any entry says nothing of that kind.
_STALE_COVERAGE = """
    SELECT c.thread_external_id, c.stop_reason, c.complete_until, c.history_type FROM sync_coverage c
    WHERE (c.expected <> 0 OR c.missing <> '{}') AND EXISTS (SELECT FROM stage_index)
      AND NOT EXISTS (SELECT FROM stage_index i WHERE i.chat_id = c.thread_external_id)
"""


def diff_index(
    cursor: Cursor[TupleRow],
    pages: Iterable[Sequence[MessageIndexEntry]],
    since: datetime,
    now: datetime,
    run_id: int,
) -> Mapping[str, ChatDiff]:
    """Compare the metadata's list with Postgres, streaming it into a temporary table.

    Must run in a transaction with staging tables.

    Args:
        cursor: In a transaction with staging tables.
        pages: Everything that the metadata lists inside the look-back, in any order.
        since: The look-back's edge; older entries are left out.
        now: Decides which known gaps are due, and which disappearing messages are gone.
        run_id: The run that notes other keys of stored messages (a chat whose id changed is not read
            again for that), and that a chat has nothing inside the look-back any more.

    Returns:
        By chat, for every chat with at least one entry: how many are expected and stored (in any
        revision), which to read (newest first), how many known gaps are not due yet, when the newest
        entry was sent, and the ids of the oldest and the newest.
    """
    diffs = _compare(cursor, pages, since, now, run_id)
    cursor.execute(_FORGET_UNLISTED)
    write_coverage(cursor, _emptied(cursor, now), run_id)
    return diffs


def diff_before(
    cursor: Cursor[TupleRow],
    pages: Iterable[Sequence[MessageIndexEntry]],
    since: datetime,
    *,
    edge: datetime,
    now: datetime,
    run_id: int,
) -> tuple[Mapping[str, ChatDiff], Mapping[str, Sequence[str]]]:
    """Compare some chats' ids with Postgres, and leave alone what cycles keep of gaps and coverage.

    Args:
        cursor: In a transaction with staging tables.
        pages: What the metadata lists of the chats that are wanted.
        since: The window's edge.
        edge: The ordinary look-back's.
        now: As in `diff_index`.
        run_id: As in `diff_index`.

    Returns:
        The comparison by chat, and by chat the ids before the look-back that lack a row of their revision.
    """
    diffs = _compare(cursor, pages, since, now, run_id)
    unread: dict[str, list[str]] = {}
    for chat_id, key in cursor.execute(_UNREAD.encode(), {"now": now, "edge": edge}).fetchall():
        unread.setdefault(chat_id, []).append(key)
    return diffs, unread


def _compare(
    cursor: Cursor[TupleRow],
    pages: Iterable[Sequence[MessageIndexEntry]],
    since: datetime,
    now: datetime,
    run_id: int,
) -> Mapping[str, ChatDiff]:
    """Compare as `diff_index` does, and leave alone what is kept of gaps and coverage."""
    columns = ("external_id", "chat_id", "sent_at", "source_revision")
    copy_lines(cursor, "stage_index", columns, _lines(pages, since, now))
    # Without figures on the fresh table the planner expects a handful of rows.
    cursor.execute("ANALYZE stage_index")
    entries = cursor.execute(_OPEN_ENTRIES, {"now": now}).fetchall()
    if any(not is_stored for *_, is_stored, _ in entries) and (others := listed_under_another_key(cursor)):
        record_aliases(cursor, others, run_id)
        entries = cursor.execute(_OPEN_ENTRIES, {"now": now}).fetchall()
    totals = cursor.execute(_TOTALS).fetchall()
    unstored = {chat_id: 0 for chat_id, *_ in totals}
    wanted: dict[str, list[str]] = {}
    deferred: dict[str, dict[MissingReason, int]] = {}
    for chat_id, key, reason, is_deferred, is_stored, _ in entries:
        if not is_stored:
            unstored[chat_id] += 1
        if is_deferred:
            counts = deferred.setdefault(chat_id, {})
            counts[MissingReason(reason)] = counts.get(MissingReason(reason), 0) + 1
        else:
            wanted.setdefault(chat_id, []).append(key)
    return {
        chat_id: ChatDiff(
            chat_id=chat_id,
            expected=total,
            stored=total - unstored[chat_id],
            wanted=tuple(wanted.get(chat_id, ())),
            deferred=deferred.get(chat_id, {}),
            newest_at=newest_at,
            first_id=first[_SECONDS:],
            last_id=last[_SECONDS:],
        )
        for chat_id, total, newest_at, first, last in totals
    }


def _emptied(cursor: Cursor[TupleRow], now: datetime) -> list[Coverage]:
    """Return the coverage of chats of which nothing is listed any more."""
    return [
        Coverage(chat_id, 0, 0, {}, StopReason(stop_reason), complete_until, history_type, now)
        for chat_id, stop_reason, complete_until, history_type in cursor.execute(_STALE_COVERAGE).fetchall()
    ]


def _lines(pages: Iterable[Sequence[MessageIndexEntry]], since: datetime, now: datetime) -> Iterable[bytes]:
    for page in pages:
        for entry in page:
            if entry.sent_at < since or (entry.expires_at is not None and entry.expires_at <= now):
                continue
            yield encoded(
                f"{cell(entry.external_id)}\t{cell(entry.chat_id)}\t{entry.sent_at.isoformat(' ')}\t"
                f"{cell(entry.source_revision)}"
            )
