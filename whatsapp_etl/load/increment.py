"""What came since the last cycle, compared with Postgres; the rest is as the last whole comparison left it.

A message that is neither stored nor a known gap was not counted yet. So a cycle that was killed before its
cursors moved counts nothing twice, though it lists the same rows again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load.diff import LONGEST_WAIT, staged
from whatsapp_etl.load.unlisted import Listing
from whatsapp_etl.model import UNLISTED_REASONS, ChatDiff, MessageIndexEntry, MissingReason

_UNLISTED = {"unlisted": [reason.value for reason in UNLISTED_REASONS]}
# What is to be tried later than the longest wait was put off by a clock that was ahead.
_DUE = f"""
    SELECT thread_external_id, external_id FROM missing_messages x
    WHERE reason <> ALL(%(unlisted)s) AND (next_try_at <= %(now)s OR next_try_at > %(now)s + {LONGEST_WAIT})
"""  # noqa: S608  # a constant of this package
# What left the look-back since the chat was counted: its coverage names the run, and that how far it looked.
_COVERED = """
    SELECT c.thread_external_id, coalesce(c.expected, 0), c.stored, c.first_external_id, c.last_external_id,
           (SELECT count(*) FROM messages m WHERE m.platform = 'whatsapp'
              AND m.thread_external_id = c.thread_external_id
              AND m.ts >= r.lookback_begin AND m.ts < %(since)s)
    FROM sync_coverage c LEFT JOIN sync_runs r ON r.id = c.run_id
    WHERE c.thread_external_id = ANY(%(chats)s)
"""
_GAPS = """
    SELECT x.thread_external_id, x.reason, count(*), count(*) FILTER (WHERE m.id IS NULL)
    FROM missing_messages x
    LEFT JOIN messages m ON m.platform = 'whatsapp' AND m.external_id = x.external_id
    WHERE NOT x.external_id = ANY(%(wanted)s)
    GROUP BY x.thread_external_id, x.reason
"""
# A gap that another way closed is not looked for again.
_SETTLED = """
    DELETE FROM missing_messages x USING stage_index i, messages m
    WHERE i.external_id = x.external_id AND m.platform = 'whatsapp' AND m.external_id = x.external_id
      AND m.source_revision = i.source_revision AND x.reason <> ALL(%(unlisted)s)
"""
_NEWEST = """
    SELECT DISTINCT ON (i.chat_id) i.chat_id, i.sent_at, i.external_id,
           coalesce(i.sent_at > m.ts, true) AS is_newer
    FROM stage_index i
    LEFT JOIN sync_coverage c ON c.thread_external_id = i.chat_id
    LEFT JOIN messages m ON m.platform = 'whatsapp' AND m.external_id = c.last_external_id
    ORDER BY i.chat_id, i.sent_at DESC, i.external_id DESC
"""


def due_gaps(cursor: Cursor[TupleRow], now: datetime) -> Mapping[str, Sequence[str]]:
    """Return the known gaps that are to be looked for again, by chat."""
    found: dict[str, list[str]] = {}
    for chat, key in cursor.execute(_DUE.encode(), {"now": now, **_UNLISTED}).fetchall():
        found.setdefault(chat, []).append(key)
    return found


def covered_chats(cursor: Cursor[TupleRow]) -> frozenset[str]:
    """Return the chats that were compared before."""
    return frozenset(
        row[0] for row in cursor.execute("SELECT thread_external_id FROM sync_coverage").fetchall()
    )


def diff_increment(listing: Listing, pages: Iterable[Sequence[MessageIndexEntry]]) -> Mapping[str, ChatDiff]:
    """Compare what came since with Postgres, and add it to what is known of all chats.

    Args:
        listing: As for the whole list.
        pages: What is new, what is recent, and the gaps that are due; an id may come several times.

    Returns:
        By chat, as for the whole list: of every chat that was compared before or has something new.
    """
    cursor = listing.cursor
    opened = staged(cursor, pages, listing.since, listing.now, listing.run_id, may_repeat=True)
    cursor.execute(_SETTLED.encode(), _UNLISTED)
    newest = {row[0]: row[1:] for row in cursor.execute(_NEWEST).fetchall()}
    values = {"chats": list({*listing.chats.values()}), "since": listing.since}
    covered = {row[0]: row[1:] for row in cursor.execute(_COVERED, values).fetchall()}
    deferred, lost, unstored = _gaps(listing, [key for keys in opened.wanted.values() for key in keys])
    diffs = {}
    for chat_id in covered.keys() | newest.keys():
        expected, stored, first_id, last_id, gone = covered.get(chat_id, (0, 0, None, None, 0))
        newest_at, newest_id, is_newer = newest.get(chat_id, (None, None, False))
        expected = max(expected - gone, 0) + opened.new.get(chat_id, 0)
        diffs[chat_id] = ChatDiff(
            chat_id=chat_id,
            expected=expected,
            stored=min(max(stored - gone, 0), expected),
            wanted=tuple(opened.wanted.get(chat_id, ())),
            deferred=deferred.get(chat_id, {}),
            newest_at=newest_at,
            first_id=first_id or newest_id,
            last_id=newest_id if is_newer else last_id,
            lost=lost.get(chat_id, {}),
            lost_unstored=unstored.get(chat_id, 0),
        )
    return diffs


_Counts = dict[str, dict[MissingReason, int]]


def _gaps(listing: Listing, wanted: Sequence[str]) -> tuple[_Counts, _Counts, dict[str, int]]:
    """Return the known gaps that are not looked for now, and what is not listed any more, by chat."""
    deferred: _Counts = {}
    lost: _Counts = {}
    unstored: dict[str, int] = {}
    for chat, reason, count, lacking in listing.cursor.execute(_GAPS, {"wanted": wanted}).fetchall():
        chat_id, kind = listing.chats.get(chat, chat), MissingReason(reason)
        is_lost = kind in UNLISTED_REASONS
        counts = (lost if is_lost else deferred).setdefault(chat_id, {})
        counts[kind] = counts.get(kind, 0) + count
        if is_lost:
            unstored[chat_id] = unstored.get(chat_id, 0) + lacking
    return deferred, lost, unstored
