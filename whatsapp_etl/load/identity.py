"""Recognising a message under another key: phone id and LID of one person, packed and bare keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.model import Message

#: A key's parts. Ids hold no underscore; the last one names the participant.
_PARTS = "^(?:true|false)_[^_@]*@[^_]+_(.+?)(?:_([^_@]*@[^_]+))?$"

#: Ids of people, each with its contact.
_PEOPLE = (
    "SELECT value, contact_id FROM contact_identifiers WHERE valid_to IS NULL AND kind IN ('phone', 'lid')"
)
#: Whether two ids are one person's; ids of groups belong to no contact and equal only themselves.
_SAME = "({0} = {1} OR {2}.contact_id = {3}.contact_id)"

# Notices have no sender, so their key tells whose they are; no index leads to them but their chat's. What is
# asked is looked up for itself (OFFSET 0): a join would be planned as a scan of all messages, for each batch.
_TWINS = f"""
    WITH asked AS MATERIALIZED ({{asked}}),
    chats AS (
        SELECT a.chat_id, a.chat_id AS other_id FROM asked a
        UNION SELECT c.value, o.value FROM ({_PEOPLE}) c JOIN ({_PEOPLE}) o USING (contact_id)
        WHERE c.value IN (SELECT chat_id FROM asked)
    ),
    found AS (
        SELECT a.external_id, a.is_outgoing, a.author_id, m.id, m.sender_id AS stored_author_id
        FROM asked a CROSS JOIN LATERAL (
            SELECT id, sender_id, thread_external_id FROM messages
            WHERE stanza_id = a.stanza_id AND is_outgoing = a.is_outgoing
            AND sender_id IS NOT NULL AND external_id <> a.external_id OFFSET 0
        ) m JOIN chats c ON c.chat_id = a.chat_id AND c.other_id = m.thread_external_id
        UNION ALL
        SELECT a.external_id, a.is_outgoing, a.author_id, m.id,
               coalesce((regexp_match(m.external_id, '{_PARTS}'))[2], m.thread_external_id)
        FROM (SELECT DISTINCT other_id FROM chats) t CROSS JOIN LATERAL (
            SELECT id, external_id, thread_external_id, stanza_id, is_outgoing FROM messages
            WHERE thread_external_id = t.other_id AND sender_id IS NULL OFFSET 0
        ) m JOIN chats c ON c.other_id = m.thread_external_id
        JOIN asked a ON a.chat_id = c.chat_id AND a.stanza_id = m.stanza_id
        AND a.is_outgoing = m.is_outgoing AND a.external_id <> m.external_id
    )
    SELECT f.external_id, min(f.id) FROM found f
    LEFT JOIN ({_PEOPLE}) x ON x.value = f.author_id
    LEFT JOIN ({_PEOPLE}) y ON y.value = f.stored_author_id
    WHERE f.is_outgoing = 1 OR {_SAME.format("f.author_id", "f.stored_author_id", "x", "y")}
    GROUP BY f.external_id
"""  # noqa: S608  # constants of this file
_OF_THE_BATCH = "SELECT external_id, chat_id, stanza_id, is_outgoing, author_id FROM stage_keys"
_OF_THE_LIST = f"""
    SELECT i.external_id, i.chat_id, p.parts[1] AS stanza_id,
           (i.external_id LIKE 'true%')::int AS is_outgoing, coalesce(p.parts[2], i.chat_id) AS author_id
    FROM stage_index i CROSS JOIN LATERAL (SELECT regexp_match(i.external_id, '{_PARTS}') AS parts) p
    WHERE p.parts IS NOT NULL
    AND NOT EXISTS (SELECT FROM messages m WHERE m.platform = 'whatsapp' AND m.external_id = i.external_id)
    AND NOT EXISTS (SELECT FROM message_aliases a
                    WHERE a.platform = 'whatsapp' AND a.external_id = i.external_id)
"""  # noqa: S608  # constants of this file

# An id that has passed to somebody else is theirs.
_IDS = """
    WITH held AS (
        SELECT i.contact_id, i.value FROM contact_identifiers i
        WHERE i.kind IN ('phone', 'lid') AND (i.valid_to IS NULL OR NOT EXISTS (
            SELECT FROM contact_identifiers o
            WHERE o.value = i.value AND o.kind IN ('phone', 'lid') AND o.valid_to IS NULL))
    )
    SELECT o.value FROM held h JOIN held o USING (contact_id) WHERE h.value = %(id)s
    UNION SELECT c.external_id FROM held h JOIN contacts c ON c.id = h.contact_id WHERE h.value = %(id)s
    UNION SELECT o.external_id FROM threads t JOIN threads o USING (canonical_id) WHERE t.external_id = %(id)s
    UNION SELECT canonical_id FROM threads WHERE external_id = %(id)s AND canonical_id IS NOT NULL
"""


def ids_of(cursor: Cursor[TupleRow], some_id: str) -> list[str]:
    """Return every id of a chat or person."""
    return sorted({some_id, *(row[0] for row in cursor.execute(_IDS, {"id": some_id}).fetchall())})


def stored_under_another_key(cursor: Cursor[TupleRow]) -> Mapping[str, int]:
    """Find keys of `stage_keys` whose message is stored under another one; return key -> `messages.id`.

    Equal stanza ids are not enough: anybody can reuse one. Chat and author must be the same too, as an
    id or as two ids of one contact.
    """
    return dict(cursor.execute(_TWINS.replace("{asked}", _OF_THE_BATCH)).fetchall())


def listed_under_another_key(cursor: Cursor[TupleRow]) -> Mapping[str, int]:
    """Find unknown keys of `stage_index` in the same way; where nothing is stored, nothing is looked for."""
    row = cursor.execute("SELECT EXISTS (SELECT FROM messages)").fetchone()
    if row is None or not row[0]:
        return {}
    return dict(cursor.execute(_TWINS.replace("{asked}", _OF_THE_LIST)).fetchall())


def equals_in_batch(
    cursor: Cursor[TupleRow], rows: Sequence[Message], numbers: Collection[int]
) -> Mapping[int, int]:
    """Find rows of one batch that are the same message; return position of the later -> of the first.

    `numbers` are the positions to look at, none of them stored yet.
    """
    if len({rows[n].stanza_id for n in numbers}) == len(numbers):
        return {}  # the usual case, and cheap to see
    by_stanza: dict[tuple[str, bool], list[int]] = {}
    for n in sorted(numbers):
        by_stanza.setdefault((rows[n].stanza_id, rows[n].is_outgoing), []).append(n)
    suspects = [n for group in by_stanza.values() if len(group) > 1 for n in group]
    person = contact_ids(cursor, {each for n in suspects for each in _parties(rows[n])})
    firsts: dict[tuple[object, ...], int] = {}
    same: dict[int, int] = {}
    for n in suspects:
        row = rows[n]
        author, thread_id = (person.get(each, each) for each in _parties(row))
        who = (None if row.is_outgoing else author, thread_id)
        first = firsts.setdefault((row.stanza_id, row.is_outgoing, *who), n)
        if first != n:
            same[n] = first
    return same


def author_id(row: Message) -> str:
    """Return who wrote or caused a message, as far as its key tells."""
    participant = row.external_id.rpartition("_")[2]
    return row.sender_id or (participant if "@" in participant else row.thread_external_id)


def contact_ids(cursor: Cursor[TupleRow], ids: Collection[str]) -> Mapping[str, object]:
    """Return the contact of each id that belongs to one; chat ids of groups belong to none."""
    found = cursor.execute(
        f"{_PEOPLE} AND value = ANY(%s)",  # a constant of this file
        (list(ids),),
    )
    return dict(found.fetchall())


def _parties(row: Message) -> tuple[str, str]:
    return author_id(row), row.thread_external_id


def record_aliases(cursor: Cursor[TupleRow], aliases: Mapping[str, int], run_id: int) -> None:
    """Note other keys of stored messages; a key that is stored or noted already is left alone."""
    if not aliases:
        return
    cursor.execute(
        "INSERT INTO message_aliases (external_id, message_id, first_run_id)"
        " SELECT u.external_id, u.message_id, %s"
        " FROM unnest(%s::text[], %s::bigint[]) AS u (external_id, message_id)"
        " WHERE NOT EXISTS (SELECT FROM message_aliases a"
        "   WHERE a.platform = 'whatsapp' AND a.external_id = u.external_id)"
        " AND NOT EXISTS (SELECT FROM messages m"
        "   WHERE m.platform = 'whatsapp' AND m.external_id = u.external_id)",
        (run_id, list(aliases), list(aliases.values())),
    )
