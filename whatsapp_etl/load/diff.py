"""The list of ids that the browser holds, compared with what Postgres holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load.apply import write_coverage
from whatsapp_etl.load.copytext import cell, copy_lines, encoded
from whatsapp_etl.load.identity import listed_under_another_key, record_aliases
from whatsapp_etl.load.unlisted import Judge, Listing, Lost
from whatsapp_etl.model import ChatDiff, Coverage, MessageIndexEntry, MissingReason, StopReason

# As `transform.missing.wait_after` has it: a test compares the two. What is to be tried later than that was
# put off by a clock that was ahead, and is due.
LONGEST_WAIT = """(CASE WHEN x.attempts > 9 THEN interval '7 days'
        ELSE least(interval '10 minutes' * 2 ^ greatest(x.attempts - 1, 0), interval '1 day') END)"""
# The entries that lack a row of their revision. Most cycles return none of them.
_OPEN_ENTRIES = f"""
    SELECT i.chat_id, i.external_id, x.reason,
           x.next_try_at > %(now)s AND x.next_try_at <= %(now)s + {LONGEST_WAIT},
           m.id IS NOT NULL OR a.message_id IS NOT NULL AS is_stored, i.sent_at
    FROM stage_index i
    LEFT JOIN messages m ON m.platform = 'whatsapp' AND m.external_id = i.external_id
    LEFT JOIN message_aliases a ON m.id IS NULL AND a.platform = 'whatsapp' AND a.external_id = i.external_id
    LEFT JOIN messages o ON o.id = a.message_id
    LEFT JOIN missing_messages x ON x.external_id = i.external_id
    WHERE coalesce(m.source_revision, o.source_revision) IS DISTINCT FROM i.source_revision
    ORDER BY i.chat_id, i.sent_at DESC, i.external_id
"""  # noqa: S608  # a constant of this file
_UNREAD = f"SELECT chat_id, external_id FROM ({_OPEN_ENTRIES}) o WHERE sent_at < %(edge)s"  # noqa: S608
# The oldest and the newest id stand behind their seconds, so that one pass over the list finds both.
_TOTALS = """
    SELECT chat_id, count(*), max(sent_at), min(placed COLLATE "C"), max(placed COLLATE "C")
    FROM (SELECT chat_id, sent_at,
                 lpad(floor(extract(epoch FROM sent_at))::bigint::text, 12, '0') || external_id AS placed
          FROM stage_index) i
    GROUP BY chat_id
"""
#: Of an id that was listed several times, what was read last.
_ONCE = """
    DELETE FROM stage_index i USING stage_index later
    WHERE later.external_id = i.external_id AND later.ctid > i.ctid
"""
_SECONDS = 12  #: Digits before the id.
_PAGE = 2000  #: Entries that are held at once beside their ids.
# Of a chat of which nothing is listed any more the counts are not true any more. A list without any entry
# says nothing of that kind.
_STALE_COVERAGE = """
    SELECT c.thread_external_id, c.stop_reason, c.complete_until, c.history_type FROM sync_coverage c
    WHERE (c.expected <> 0 OR c.missing <> '{}') AND EXISTS (SELECT FROM stage_index)
      AND NOT EXISTS (SELECT FROM stage_index i WHERE i.chat_id = c.thread_external_id)
"""


@dataclass(slots=True)
class Opened:
    """The listed entries that lack a row of their revision, by chat."""

    wanted: dict[str, list[str]] = field(default_factory=dict)  #: Those to be read now, newest first.
    deferred: dict[str, dict[MissingReason, int]] = field(default_factory=dict)  #: Gaps that are not due yet.
    unstored: dict[str, int] = field(default_factory=dict)  #: Those of which no revision is stored.
    new: dict[str, int] = field(default_factory=dict)  #: Those that are no known gap, besides.

    def add(
        self, chat_id: str, key: str, reason: str | None, *, is_deferred: bool | None, is_stored: bool
    ) -> None:
        if not is_stored:
            self.unstored[chat_id] = self.unstored.get(chat_id, 0) + 1
            if reason is None:
                self.new[chat_id] = self.new.get(chat_id, 0) + 1
        if is_deferred and reason is not None:
            counts = self.deferred.setdefault(chat_id, {})
            counts[MissingReason(reason)] = counts.get(MissingReason(reason), 0) + 1
        else:
            self.wanted.setdefault(chat_id, []).append(key)


def diff_index(
    listing: Listing, pages: Iterable[Sequence[MessageIndexEntry]], is_rewound: Judge
) -> Mapping[str, ChatDiff]:
    """Compare the metadata's list with Postgres, streaming it into a temporary table.

    Args:
        listing: In a transaction with staging tables. Its `since` is the look-back's edge: older entries are
            left out. Its `now` decides which known gaps are due, and which disappearing messages are gone.
            Its run notes other keys of stored messages (a chat whose id changed is not read again for that),
            and that a chat has nothing inside the look-back any more.
        pages: Everything that the metadata lists inside the look-back, in any order.
        is_rewound: Decides whether the storage was set back.

    Returns:
        By chat, for every chat with at least one entry: how many are expected and stored (in any
        revision), which to read (newest first), how many known gaps are not due yet, when the newest
        entry was sent, the ids of the oldest and the newest, and what was listed before and is not now.
    """
    cursor, now = listing.cursor, listing.now
    opened = staged(cursor, pages, listing.since, now, listing.run_id)
    # Asked after the other keys are known: a chat whose id changed lists all that it listed.
    if is_rewound(listing.before()):
        listing.keep_gaps()
        opened = _opened(cursor, now)
    listing.tidy()
    lost = listing.lost()
    write_coverage(cursor, _emptied(cursor, lost, now), listing.run_id)
    return _by_chat(cursor, opened, lost)


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
    diffs = _by_chat(cursor, staged(cursor, pages, since, now, run_id), {})
    unread: dict[str, list[str]] = {}
    for chat_id, key in cursor.execute(_UNREAD.encode(), {"now": now, "edge": edge}).fetchall():
        unread.setdefault(chat_id, []).append(key)
    return diffs, unread


def staged(
    cursor: Cursor[TupleRow],
    pages: Iterable[Sequence[MessageIndexEntry]],
    since: datetime,
    now: datetime,
    run_id: int,
    *,
    may_repeat: bool = False,
) -> Opened:
    """Put the list beside the tables, and return the entries that lack a row of their revision."""
    columns = ("external_id", "chat_id", "sent_at", "source_revision")
    copy_lines(cursor, "stage_index", columns, _lines(pages, since, now))
    if may_repeat:
        cursor.execute(_ONCE)
    # Without figures on the fresh table the planner expects a handful of rows.
    cursor.execute("ANALYZE stage_index")
    opened = _opened(cursor, now)
    if opened.unstored and (others := listed_under_another_key(cursor)):
        record_aliases(cursor, others, run_id)
        opened = _opened(cursor, now)
    return opened


def _opened(cursor: Cursor[TupleRow], now: datetime) -> Opened:
    """Sort the entries that lack a row of their revision, page by page: of a first cycle it is each one."""
    found = Opened()
    cursor.execute("SET LOCAL cursor_tuple_fraction = 1")  # all of them are read
    with cursor.connection.cursor(name="open_entries") as entries:
        entries.itersize = _PAGE
        for chat_id, key, reason, is_deferred, is_stored, _ in entries.execute(_OPEN_ENTRIES, {"now": now}):
            found.add(chat_id, key, reason, is_deferred=is_deferred, is_stored=is_stored)
    return found


def _by_chat(cursor: Cursor[TupleRow], opened: Opened, lost: Mapping[str, Lost]) -> Mapping[str, ChatDiff]:
    return {
        chat_id: ChatDiff(
            chat_id=chat_id,
            expected=total,
            stored=total - opened.unstored.get(chat_id, 0),
            wanted=tuple(opened.wanted.pop(chat_id, ())),
            deferred=opened.deferred.get(chat_id, {}),
            newest_at=newest_at,
            first_id=first[_SECONDS:],
            last_id=last[_SECONDS:],
            lost=lost[chat_id].reasons if chat_id in lost else {},
            lost_unstored=lost[chat_id].unstored if chat_id in lost else 0,
        )
        for chat_id, total, newest_at, first, last in cursor.execute(_TOTALS).fetchall()
    }


def _emptied(cursor: Cursor[TupleRow], lost: Mapping[str, Lost], now: datetime) -> list[Coverage]:
    """Return the coverage of chats of which nothing is listed any more."""
    return [
        Coverage(
            chat_id,
            0,
            0,
            lost[chat_id].reasons if chat_id in lost else {},
            StopReason(stop_reason),
            complete_until,
            history_type,
            now,
        )
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
