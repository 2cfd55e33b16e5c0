"""Recognising a message under another key: phone id and LID of one person, packed and bare keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.model import Message


def same_person_sql(one: str, other: str) -> str:
    """Return a condition: both expressions are the same id, or ids of the same contact.

    Chat ids of groups are nobody's, so for them only equality counts.
    """
    return f"({one} = {other} OR {_contact_of(one)} = {_contact_of(other)})"


def _contact_of(expression: str) -> str:
    return (
        "(SELECT i.contact_id FROM contact_identifiers i"  # noqa: S608  # called with column names only
        f" WHERE i.value = {expression} AND i.valid_to IS NULL AND i.kind IN ('phone', 'lid'))"
    )


def equals_in_batch(
    cursor: Cursor[TupleRow], rows: Sequence[Message], numbers: Iterable[int]
) -> Mapping[int, int]:
    """Find rows of one batch that are the same message; return position of the later -> of the first.

    `numbers` are the positions to look at, none of them stored yet.
    """
    by_stanza: dict[tuple[str, bool], list[int]] = {}
    for n in sorted(numbers):
        if rows[n].sender_id is not None:
            by_stanza.setdefault((rows[n].stanza_id, rows[n].is_outgoing), []).append(n)
    suspects = [group for group in by_stanza.values() if len(group) > 1]
    if not suspects:
        return {}
    ids = {
        each
        for group in suspects
        for n in group
        for each in (rows[n].sender_id, rows[n].thread_external_id)
        if each
    }
    person: dict[str | None, object] = dict(
        cursor.execute(
            "SELECT value, contact_id FROM contact_identifiers"
            " WHERE value = ANY(%s) AND valid_to IS NULL AND kind IN ('phone', 'lid')",
            (list(ids),),
        ).fetchall()
    )
    firsts: dict[tuple[object, ...], int] = {}
    same: dict[int, int] = {}
    for group in suspects:
        for n in group:
            row = rows[n]
            key = (
                row.stanza_id,
                row.is_outgoing,
                person.get(row.sender_id, row.sender_id),
                person.get(row.thread_external_id, row.thread_external_id),
            )
            first = firsts.setdefault(key, n)
            if first != n:
                same[n] = first
    return same


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
