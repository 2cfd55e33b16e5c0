"""Messages of a plan into `messages`: find what is new or different, write only that.

Two phases. First only the keys go to a temporary table, and a join returns the digests of what is stored.
Then the new rows are copied straight into `messages`, made while the server works, and the different
ones go to a second temporary table and update what they may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.load.copytext import MESSAGE_COLUMNS, MessageLines, cell, copy_lines, encoded
from whatsapp_etl.load.files import write_attachments
from whatsapp_etl.load.identity import (
    author_id,
    equals_in_batch,
    record_aliases,
    stored_under_another_key,
)
from whatsapp_etl.model import Attachment, Message

#: What an update makes of each column: `m` is the stored row, `s` the new observation. A less exact
#: observation (minute, no text, fewer recipients) never replaces a more exact one.
_EFFECTIVE: Mapping[str, str] = {
    "sender_id": "coalesce(m.sender_id, s.sender_id)",
    "recipient_ids": "CASE WHEN s.recipient_ids @> m.recipient_ids THEN s.recipient_ids"
    " ELSE m.recipient_ids END",
    "content_snippet": "CASE WHEN s.content_snippet IS NULL AND s.message_type = m.message_type"
    " THEN m.content_snippet ELSE s.content_snippet END",
    "ts": "CASE WHEN {less_exact} THEN m.ts ELSE s.ts END",
    "ts_precision": "CASE WHEN {less_exact} THEN m.ts_precision ELSE s.ts_precision END",
    "has_attachments": "s.has_attachments",
    "message_type": "s.message_type",
    "subtype": "CASE WHEN s.message_type = m.message_type THEN coalesce(s.subtype, m.subtype)"
    " ELSE s.subtype END",
    "source_revision": "s.source_revision",
    "is_forwarded": "s.is_forwarded",
    "is_edited": "s.is_edited",
    "edited_seen_at": "coalesce(s.edited_seen_at, m.edited_seen_at)",
    "deleted_seen_at": "coalesce(s.deleted_seen_at, m.deleted_seen_at)",
    "deleted_at": "coalesce(s.deleted_at, m.deleted_at)",
    "deleted_by": "coalesce(s.deleted_by, m.deleted_by)",
    "deleted_by_id": "coalesce(s.deleted_by_id, m.deleted_by_id)",
    "reply_to_external_id": "coalesce(s.reply_to_external_id, m.reply_to_external_id)",
    "quoted_text": "CASE WHEN s.message_type IN ('deleted', 'view_once') THEN s.quoted_text"
    " ELSE coalesce(s.quoted_text, m.quoted_text) END",
    "album_id": "coalesce(s.album_id, m.album_id)",
    "album_position": "coalesce(s.album_position, m.album_position)",
    "expires_at": "s.expires_at",
}
_LESS_EXACT = (
    "array_position(ARRAY['second', 'minute', 'clamped'], s.ts_precision)"
    " > array_position(ARRAY['second', 'minute', 'clamped'], m.ts_precision)"
)
_EXPRESSIONS = {name: sql.replace("{less_exact}", _LESS_EXACT) for name, sql in _EFFECTIVE.items()}

#: An older observation never overwrites a newer one, unless that was made by a clock that was ahead; and
#: "not decrypted yet" no known content.
_MAY_UPDATE = (
    "(s.observed_at >= m.observed_at OR m.observed_at > %s)"
    " AND NOT (s.message_type = 'waiting' AND m.message_type <> 'waiting')"
)

# The statements below are put together from the constants of this file only.
_DIFFERENT = (
    "SELECT m.id FROM stage_messages s JOIN messages m ON m.id = s.id"  # noqa: S608
    f" WHERE {_MAY_UPDATE} AND (m.id = ANY(%s) OR ({', '.join('m.' + name for name in _EXPRESSIONS)})"
    f" IS DISTINCT FROM ({', '.join(_EXPRESSIONS.values())}))"
)
_UPDATE = (
    "UPDATE messages m SET "  # noqa: S608
    + ", ".join(f"{name} = {sql}" for name, sql in _EXPRESSIONS.items())
    + ", ts_raw = coalesce(s.ts_raw, m.ts_raw), read_path = s.read_path, observed_at = s.observed_at,"
    " content_hash = s.content_hash, last_run_id = %s, updated_at = now(), change_seq = c.seq"
    " FROM stage_messages s JOIN unnest(%s::bigint[], %s::bigint[]) AS c (id, seq) ON c.id = s.id"
    " WHERE m.id = s.id"
)
# Each key is looked up for itself: a join would be planned as a scan of all messages, for each batch.
_STORED = (
    "SELECT k.n, m.id, m.content_hash FROM stage_keys k CROSS JOIN LATERAL ("
    "SELECT id, content_hash FROM messages WHERE platform = 'whatsapp' AND external_id = k.external_id"
    " OFFSET 0) m"
)
_BY_ALIAS = (
    "SELECT k.n, a.message_id FROM stage_keys k JOIN message_aliases a"
    " ON a.platform = 'whatsapp' AND a.external_id = k.external_id"
)


@dataclass(slots=True)
class MessageChanges:
    """What writing the messages of a plan came to."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    attachments_saved: int = 0
    jobs_enqueued: int = 0
    updated_ids: Mapping[str, int] = field(default_factory=dict)  #: The plan's key -> `messages.id`.
    after_seq: int | None = None  #: What was written lies above it in the change feed; None: nothing was.


@dataclass(slots=True)
class _Split:
    """Positions in the batch, by what is to be done."""

    new: list[int]
    different: dict[int, int]  #: Position -> `messages.id`.
    other_keys: dict[str, int]  #: Key that the batch uses -> `messages.id` of the message it stands for.
    doubled: Mapping[int, int]  #: Position -> position of the same message earlier in the batch.


def write_messages(
    cursor: Cursor[TupleRow], messages: Sequence[Message], run_id: int, now: datetime
) -> MessageChanges:
    """Insert and update the messages that differ from what is stored; touch no other row.

    Must run in a transaction with staging tables. Leaves the plan's keys in `stage_keys`.
    """
    changes = MessageChanges()
    rows = _answering_stored(cursor, list({message.external_id: message for message in messages}.values()))
    if not rows:
        return changes
    copy_lines(
        cursor,
        "stage_keys",
        ("n", "external_id", "chat_id", "stanza_id", "is_outgoing", "author_id"),
        (
            encoded(
                f"{n}\t{cell(row.external_id)}\t{cell(row.thread_external_id)}\t{cell(row.stanza_id)}\t"
                f"{int(row.is_outgoing)}\t{cell(author_id(row))}"
            )
            for n, row in enumerate(rows)
        ),
    )
    maker = MessageLines()
    split = _split(cursor, rows, maker)
    ids: list[int] = []
    if split.different:
        staged = (b"%d\t%b" % (target, maker.line(rows[n])) for n, target in split.different.items())
        copy_lines(cursor, "stage_messages", ("id", *MESSAGE_COLUMNS), staged)
        attachments = [(target, rows[n].attachments) for n, target in split.different.items()]
        with_files = _write_files(cursor, attachments, run_id, changes)
        ids = [row[0] for row in cursor.execute(_DIFFERENT, (now, list(with_files))).fetchall()]
    changes.inserted, changes.updated = len(split.new), len(ids)
    changes.unchanged = len(rows) - len(split.new) - len(ids)
    if split.new or ids:
        seqs = take_change_numbers(cursor, len(split.new) + len(ids))
        changes.after_seq = seqs.start - 1
        if ids:
            cursor.execute(_UPDATE, (run_id, ids, list(seqs[len(split.new) :])))
        new = [rows[n] for n in split.new]
        _insert(cursor, new, maker, run_id, changes.after_seq)
        _insert_files(cursor, new, run_id, changes)
    _record_other_keys(cursor, rows, split, run_id)
    updated = set(ids)
    changes.updated_ids = {
        rows[n].external_id: target for n, target in split.different.items() if target in updated
    }
    return changes


def _answering_stored(cursor: Cursor[TupleRow], rows: Sequence[Message]) -> Sequence[Message]:
    """Let answers name the message they answer by its stored key."""
    answered = {row.reply_to_external_id for row in rows if row.reply_to_external_id}
    if not answered:
        return rows
    stored: dict[str | None, str] = dict(
        cursor.execute(
            "SELECT a.external_id, m.external_id FROM message_aliases a"
            " JOIN messages m ON m.id = a.message_id"
            " WHERE a.platform = 'whatsapp' AND a.external_id = ANY(%s)",
            (list(answered),),
        ).fetchall()
    )
    return [
        replace(row, reply_to_external_id=stored[row.reply_to_external_id])
        if row.reply_to_external_id in stored
        else row
        for row in rows
    ]


def take_change_numbers(cursor: Cursor[TupleRow], count: int) -> range:
    """Take `count` numbers of the change feed and return them.

    The counter's row stays locked until the transaction ends, so numbers become visible in order.
    """
    row = cursor.execute("UPDATE change_counter SET value = value + %s RETURNING value", (count,)).fetchone()
    assert row is not None
    return range(row[0] - count + 1, row[0] + 1)


def _split(cursor: Cursor[TupleRow], rows: Sequence[Message], maker: MessageLines) -> _Split:
    unknown = set(range(len(rows)))
    different: dict[int, int] = {}
    for n, target, content_hash in cursor.execute(_STORED, binary=True):
        unknown.discard(n)
        if maker.digest(rows[n]) != content_hash:
            different[n] = target
    resolved: dict[int, int] = {}
    doubled: Mapping[int, int] = {}
    if unknown:
        resolved.update(row for row in cursor.execute(_BY_ALIAS).fetchall() if row[0] in unknown)
        unknown.difference_update(resolved)
    if unknown:
        stored = stored_under_another_key(cursor)
        resolved.update({n: stored[key] for n in unknown if (key := rows[n].external_id) in stored})
        unknown.difference_update(resolved)
        doubled = equals_in_batch(cursor, rows, unknown)
        unknown.difference_update(doubled)
    # Under its own key a message tells more than under another one, so that one decides.
    own = set(different.values()) | _equal_targets(cursor, rows, resolved)
    for n, target in resolved.items():
        if target not in own:
            own.add(target)
            different[n] = target
    other_keys = {rows[n].external_id: target for n, target in resolved.items()}
    return _Split(sorted(unknown), different, other_keys, doubled)


def _equal_targets(
    cursor: Cursor[TupleRow], rows: Sequence[Message], resolved: Mapping[int, int]
) -> set[int]:
    """Return which of the resolved messages stand in the batch under their own keys too."""
    if not resolved:
        return set()
    keys = [row.external_id for row in rows]
    found = cursor.execute(
        "SELECT id FROM messages WHERE id = ANY(%s) AND external_id = ANY(%s)",
        (list(resolved.values()), keys),
    )
    return {row[0] for row in found.fetchall()}


def _insert(
    cursor: Cursor[TupleRow], new: Sequence[Message], maker: MessageLines, run_id: int, seq: int
) -> None:
    if new:
        copy_lines(
            cursor,
            "messages",
            (*MESSAGE_COLUMNS, "first_run_id", "last_run_id", "change_seq"),
            (
                b"%b\t%d\t%d\t%d" % (maker.line(row), run_id, run_id, n)
                for n, row in enumerate(new, start=seq + 1)
            ),
        )


def _insert_files(
    cursor: Cursor[TupleRow], messages: Sequence[Message], run_id: int, changes: MessageChanges
) -> None:
    with_files = {message.external_id: message.attachments for message in messages if message.attachments}
    if with_files:
        ids = message_ids(cursor, with_files)
        _write_files(cursor, [(ids[key], each) for key, each in with_files.items()], run_id, changes)


def _write_files(
    cursor: Cursor[TupleRow],
    attachments: Sequence[tuple[int, Sequence[Attachment]]],
    run_id: int,
    changes: MessageChanges,
) -> set[int]:
    """Write attachments, count them, and return the messages of which one changed."""
    written = write_attachments(cursor, attachments, run_id)
    changes.attachments_saved += written.saved
    changes.jobs_enqueued += written.jobs
    return written.message_ids


def _record_other_keys(cursor: Cursor[TupleRow], rows: Sequence[Message], split: _Split, run_id: int) -> None:
    aliases = dict(split.other_keys)
    owners = {rows[n].external_id: rows[first].external_id for n, first in split.doubled.items()}
    for n in (*split.new, *split.different):
        owners.update(dict.fromkeys(rows[n].aliases, rows[n].external_id))
    if owners:
        ids = message_ids(cursor, owners.values())
        aliases.update({alias: ids[owner] for alias, owner in owners.items() if owner in ids})
    record_aliases(cursor, aliases, run_id)


def message_ids(cursor: Cursor[TupleRow], keys: Iterable[str]) -> dict[str, int]:
    """Return `messages.id` by key, for the keys that are stored, also under another key."""
    wanted = list(keys)
    found = cursor.execute(
        "SELECT external_id, id FROM messages WHERE platform = 'whatsapp' AND external_id = ANY(%s)"
        " UNION ALL SELECT external_id, message_id FROM message_aliases"
        " WHERE platform = 'whatsapp' AND external_id = ANY(%s)",
        (wanted, wanted),
    )
    return dict(found.fetchall())
