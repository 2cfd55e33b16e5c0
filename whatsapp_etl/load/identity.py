"""Recognising a message under another key: phone id and LID of one person, packed and bare keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.model import Message

_SAME_STANZA = (
    "SELECT k.n, m.id, m.sender_id, m.thread_external_id FROM stage_keys k JOIN messages m"
    " ON m.stanza_id = k.stanza_id AND m.is_outgoing = k.is_outgoing AND m.sender_id IS NOT NULL"
    " AND m.external_id <> k.external_id ORDER BY k.n, m.id"
)


def stored_under_another_key(
    cursor: Cursor[TupleRow], rows: Sequence[Message], numbers: Collection[int]
) -> Mapping[int, int]:
    """Find rows that are stored under another key; return position -> `messages.id`.

    Equal stanza ids are not enough: anybody can reuse one. Chat and sender must be the same too, as an
    id or as two ids of one contact. System rows have no sender and are told apart by their keys alone.
    """
    found = cursor.execute(_SAME_STANZA).fetchall()
    candidates = [row for row in found if row[0] in numbers and rows[row[0]].sender_id is not None]
    if not candidates:
        return {}
    ids = {each for row in candidates for each in (*row[2:], *_parties(rows[row[0]]))}
    person = _people(cursor, ids)
    same: dict[int, int] = {}
    for n, message_id, *stored in candidates:
        pairs = zip(_parties(rows[n]), stored, strict=True)
        if all(person.get(one, one) == person.get(other, other) for one, other in pairs):
            same.setdefault(n, message_id)
    return same


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
        if rows[n].sender_id is not None:
            by_stanza.setdefault((rows[n].stanza_id, rows[n].is_outgoing), []).append(n)
    suspects = [n for group in by_stanza.values() if len(group) > 1 for n in group]
    person = _people(cursor, {each for n in suspects for each in _parties(rows[n])})
    firsts: dict[tuple[object, ...], int] = {}
    same: dict[int, int] = {}
    for n in suspects:
        sender_id, thread_id = _parties(rows[n])
        who = (person.get(sender_id, sender_id), person.get(thread_id, thread_id))
        first = firsts.setdefault((rows[n].stanza_id, rows[n].is_outgoing, *who), n)
        if first != n:
            same[n] = first
    return same


def _parties(row: Message) -> tuple[str, str]:
    """Return the sender and the chat of a row that has a sender."""
    assert row.sender_id is not None
    return row.sender_id, row.thread_external_id


def _people(cursor: Cursor[TupleRow], ids: Collection[str]) -> Mapping[str, object]:
    """Return the contact of each id that belongs to one; chat ids of groups belong to none."""
    found = cursor.execute(
        "SELECT value, contact_id FROM contact_identifiers"
        " WHERE value = ANY(%s) AND valid_to IS NULL AND kind IN ('phone', 'lid')",
        (list(ids),),
    )
    return dict(found.fetchall())


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
