"""What the browser's storage listed before and lists no more.

A person may have deleted it, it may have disappeared, or the storage was set back. Rows are never removed
for it: what is lacking becomes a gap with a reason of its own, until it leaves the look-back or is listed
again. Everything here runs beside the list in `stage_index`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.model import UNLISTED_REASONS, ListedBefore, MissingReason

#: The ends of each chat as its coverage has them, by every key that their messages have.
_ENDS = """
    WITH ends AS (
        SELECT c.thread_external_id AS chat, e.place, e.key
        FROM sync_coverage c CROSS JOIN LATERAL
             (VALUES ('first', c.first_external_id), ('last', c.last_external_id)) AS e (place, key)
        WHERE c.thread_external_id = ANY(%(chats)s) AND e.key IS NOT NULL
    ), found AS (
        SELECT e.chat, e.place, m.id FROM ends e
        JOIN messages m ON m.platform = 'whatsapp' AND m.external_id = e.key
        UNION
        SELECT e.chat, e.place, a.message_id FROM ends e
        JOIN message_aliases a ON a.platform = 'whatsapp' AND a.external_id = e.key
    ), keys AS (
        SELECT f.chat, f.place, f.id, m.external_id AS key FROM found f JOIN messages m ON m.id = f.id
        WHERE m.ts >= %(since)s AND m.expires_at IS NULL
        UNION ALL
        SELECT f.chat, f.place, f.id, a.external_id FROM found f
        JOIN messages m ON m.id = f.id JOIN message_aliases a ON a.message_id = f.id
        WHERE m.ts >= %(since)s AND m.expires_at IS NULL
    )
    SELECT k.chat, bool_or(i.external_id IS NOT NULL) FILTER (WHERE k.place = 'first'),
           bool_or(i.external_id IS NOT NULL) FILTER (WHERE k.place = 'last')
    FROM keys k LEFT JOIN stage_index i ON i.external_id = k.key
    GROUP BY k.chat
"""
_IS_LISTED = """(m.external_id IN (SELECT external_id FROM stage_index)
    OR m.id IN (SELECT a.message_id FROM message_aliases a JOIN stage_index i USING (external_id)))"""

# The statements below are put together from the constants of this file only.
#: Stored messages of the look-back that were listed once and are not now; what disappears is left out.
_UNLISTED = f"""
    SELECT m.external_id, u.chat FROM messages m
    JOIN unnest(%(ids)s::text[], %(chats)s::text[]) AS u (id, chat)
        ON u.id = m.thread_external_id AND u.chat IS NOT NULL
    WHERE m.platform = 'whatsapp' AND m.ts >= %(since)s AND m.expires_at IS NULL
      AND m.source_revision NOT IN ('', '|no picture') AND NOT {_IS_LISTED}
"""  # noqa: S608
_COUNT_UNLISTED = f"SELECT chat, count(*) FROM ({_UNLISTED}) l GROUP BY chat"  # noqa: S608
_KEEP_STORED = f"""
    INSERT INTO missing_messages AS x (external_id, thread_external_id, reason, attempts, first_missed_at,
        next_try_at, run_id)
    SELECT external_id, chat, 'no_longer_listed', 0, %(now)s, %(now)s, %(run)s FROM ({_UNLISTED}) l
    ON CONFLICT (external_id) DO UPDATE SET reason = excluded.reason, next_try_at = excluded.next_try_at,
        run_id = excluded.run_id WHERE x.reason <> excluded.reason
"""  # noqa: S608
_KEEP_MISSING = """
    UPDATE missing_messages x SET reason = 'no_longer_listed', next_try_at = %(now)s, run_id = %(run)s
    WHERE x.thread_external_id = ANY(%(ids)s) AND x.reason NOT IN ('no_longer_listed', 'expired')
      AND NOT EXISTS (SELECT FROM stage_index i WHERE i.external_id = x.external_id)
"""
_TRY_AGAIN = """
    UPDATE missing_messages SET attempts = 0, next_try_at = %(now)s, run_id = %(run)s
    WHERE thread_external_id = ANY(%(ids)s) AND next_try_at > %(now)s
"""
_DISTRUST = """
    UPDATE threads SET checkpoint_message_id = NULL, checkpoint_ts = NULL, last_run_id = %(run)s,
        updated_at = now()
    WHERE platform = 'whatsapp' AND external_id = ANY(%(ids)s) AND checkpoint_ts IS NOT NULL
"""
_EXPIRE = """
    UPDATE missing_messages SET reason = 'expired', run_id = %(run)s
    WHERE thread_external_id = ANY(%(ids)s) AND expires_at <= %(now)s AND reason <> 'expired'
"""
_LISTED_AGAIN = f"""
    DELETE FROM missing_messages x USING messages m
    WHERE x.reason = 'no_longer_listed' AND m.platform = 'whatsapp' AND m.external_id = x.external_id
      AND (m.ts < %(since)s OR {_IS_LISTED})
"""  # noqa: S608
# What a person deleted is not missing any more, nor is what has left the look-back or the scope.
_FORGET = """
    DELETE FROM missing_messages x
    WHERE NOT EXISTS (SELECT FROM stage_index i WHERE i.external_id = x.external_id)
      AND NOT (x.reason IN ('expired', 'no_longer_listed') AND x.first_missed_at >= %(since)s
               AND x.thread_external_id = ANY(%(ids)s))
"""
_LOST = """
    SELECT x.thread_external_id, x.reason, count(*), count(*) FILTER (WHERE m.id IS NULL)
    FROM missing_messages x
    LEFT JOIN messages m ON m.platform = 'whatsapp' AND m.external_id = x.external_id
    WHERE x.reason = ANY(%(reasons)s)
      AND NOT EXISTS (SELECT FROM stage_index i WHERE i.external_id = x.external_id)
    GROUP BY x.thread_external_id, x.reason
"""

Judge = Callable[[Sequence[ListedBefore]], bool]


@dataclass(slots=True)
class Lost:
    """What of one chat was listed before and is not now."""

    reasons: dict[MissingReason, int] = field(default_factory=dict)
    unstored: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """The list that stands in `stage_index`, and what it is compared for."""

    cursor: Cursor[TupleRow]
    chats: Mapping[str, str]  #: Every id of the chats in scope -> the id in use.
    since: datetime
    now: datetime
    run_id: int
    #: Ids in use of chats whose messages disappear and of which no stored message says when: what such a chat
    #: lists no more tells nothing.
    fleeting: frozenset[str] = frozenset()

    def before(self) -> list[ListedBefore]:
        """Return, for each chat whose ends are known, whether they are still listed.

        A list without any entry is one that was not read yet: it says nothing.
        """
        if self.cursor.execute("SELECT 1 FROM stage_index LIMIT 1").fetchone() is None:
            return []
        lasting = [some_id for some_id, chat in self.chats.items() if chat not in self.fleeting]
        values = {"chats": lasting, "since": self.since}
        ends = self.cursor.execute(_ENDS, values).fetchall()
        lacks = any(False in {has_first, has_last} for _, has_first, has_last in ends)
        unlisted: dict[str, int] = {}
        if lacks:
            unlisted.update(self.cursor.execute(_COUNT_UNLISTED, self._values).fetchall())
        return [
            ListedBefore(chat, has_first, has_last, unlisted.get(self.chats[chat], 0))
            for chat, has_first, has_last in ends
        ]

    def keep_gaps(self) -> None:
        """Note what a storage that was set back lacks, and trust nothing that was concluded from it."""
        for statement in (_KEEP_STORED, _KEEP_MISSING, _TRY_AGAIN, _DISTRUST):
            self.cursor.execute(statement.encode(), self._values)

    def tidy(self) -> None:
        """End the gaps that are none any more, and name those whose message has disappeared."""
        for statement in (_EXPIRE, _LISTED_AGAIN, _FORGET):
            self.cursor.execute(statement.encode(), self._values)

    def lost(self) -> Mapping[str, Lost]:
        """Return what is lost, by chat."""
        lost: dict[str, Lost] = {}
        reasons = {"reasons": [reason.value for reason in UNLISTED_REASONS]}
        for chat, reason, count, unstored in self.cursor.execute(_LOST, reasons).fetchall():
            found = lost.setdefault(self.chats.get(chat, chat), Lost())
            found.reasons[MissingReason(reason)] = found.reasons.get(MissingReason(reason), 0) + count
            found.unstored += unstored
        return lost

    @property
    def _values(self) -> Mapping[str, object]:
        return {
            "ids": list(self.chats),
            # Of a fleeting chat none: nothing of it is kept as a gap.
            "chats": [None if chat in self.fleeting else chat for chat in self.chats.values()],
            "since": self.since,
            "now": self.now,
            "run": self.run_id,
        }
