"""Erasing on request: a message, a chat or a person, with everything that tells of them.

`erase` is the story. It runs in the transaction of the caller; what it would remove is learned by running
it and rolling back, so that the counts shown before are those of the same statements. Which columns must
be reached is declared in `load.personal`.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.forgotten import (
    DigestKind,
    Erasure,
    Forgotten,
    Wish,
    digest,
    key_of,
    quotable,
    shown_name,
    variants,
)
from whatsapp_etl.hashing import hash_id
from whatsapp_etl.load.identity import ids_of
from whatsapp_etl.load.privacy import DISAGREEMENTS, remove_messages
from whatsapp_etl.load.staging import take_change_numbers

#: Of a key: its middle part, and who wrote or caused an incoming message. Ids hold no underscore.
_STANZA = "(regexp_match({0}, '^(?:true|false)_[^_@]*@[^_]+_(.+?)(?:_[^_@]*@[^_]+)?$'))[1]"
_PARTICIPANT = "(regexp_match({0}, '^false_.*_([^_@]*@[^_]+)$'))[1]"

#: Whether a key is one of a message that goes.
_NAMED = f"({{0}} = ANY(%(keys)s) OR coalesce({_PARTICIPANT} = ANY(%(people)s), false))"

# The statements below are put together from the constants of this file only.
_MESSAGES = (
    "SELECT id FROM messages WHERE thread_external_id = ANY(%(chats)s) OR sender_id = ANY(%(people)s)"  # noqa: S608
    f" OR {_PARTICIPANT.format('external_id')} = ANY(%(people)s)"
    " UNION SELECT id FROM messages WHERE external_id = ANY(%(asked)s)"
    " UNION SELECT message_id FROM message_aliases WHERE external_id = ANY(%(asked)s)"
)
_KEYS = (
    "SELECT external_id FROM messages WHERE id = ANY(%(messages)s)"  # noqa: S608
    " UNION SELECT external_id FROM message_aliases WHERE message_id = ANY(%(messages)s)"
    " UNION SELECT external_id FROM missing_messages WHERE external_id = ANY(%(asked)s)"
    f" OR thread_external_id = ANY(%(chats)s) OR {_PARTICIPANT.format('external_id')} = ANY(%(people)s)"
)
#: What hangs on messages and is removed with them.
_OF_MESSAGE = "message_id = ANY(%s)"
_OF_FILE = "attachment_id IN (SELECT id FROM attachments WHERE message_id = ANY(%s))"
_HANGING: Mapping[str, str] = {
    "agent_messages": _OF_MESSAGE,
    "agent_proposals": _OF_MESSAGE,
    "message_versions": _OF_MESSAGE,
    "message_aliases": _OF_MESSAGE,
    "reaction_versions": _OF_MESSAGE,
    "reactions": _OF_MESSAGE,
    "attachments": _OF_MESSAGE,
    "attachment_downloads": _OF_FILE,
    "extraction_jobs": _OF_FILE,
    "extractions": _OF_FILE,
}
_QUOTING = (
    "SELECT id FROM messages WHERE reply_to_external_id IS NOT NULL"  # noqa: S608
    f" AND ({_STANZA.format('reply_to_external_id')} = ANY(%(stanzas)s)"
    f" OR {_PARTICIPANT.format('reply_to_external_id')} = ANY(%(people)s))"
)
#: What a quote of them may show.
_TEXTS = (
    "SELECT content_snippet FROM messages WHERE id = ANY(%(messages)s) AND content_snippet <> ''"  # noqa: S608
    " UNION SELECT content_snippet FROM message_versions"
    " WHERE message_id = ANY(%(messages)s) AND content_snippet <> ''"
    f" UNION SELECT quoted_text FROM messages WHERE quoted_text <> '' AND id IN ({_QUOTING})"
)
# The digest covered what is cut off; an empty one makes the next reading compare the columns.
_CUT_OFF = """
    UPDATE messages m SET content_hash = '', updated_at = now(), change_seq = c.seq,
        quoted_text = CASE WHEN m.id = ANY(%(quoting)s) THEN NULL ELSE m.quoted_text END,
        reply_to_external_id = CASE WHEN m.id = ANY(%(quoting)s) THEN NULL ELSE m.reply_to_external_id END,
        deleted_by_id = CASE WHEN m.deleted_by_id = ANY(%(people)s) THEN NULL ELSE m.deleted_by_id END,
        recipient_ids = ARRAY(
            SELECT r FROM unnest(m.recipient_ids) WITH ORDINALITY AS u (r, n)
            WHERE NOT r = ANY(%(people)s) ORDER BY n)
    FROM unnest(%(ids)s::bigint[], %(seqs)s::bigint[]) AS c (id, seq) WHERE m.id = c.id
"""
_OF_THREAD = "thread_id IN (SELECT id FROM threads WHERE external_id = ANY(%(chats)s))"
#: In their order: what is told of a table, and the statement.
_BOOKKEEPING: Mapping[str, str] = {
    "rejects": "DELETE FROM rejects WHERE thread_external_id = ANY(%(chats)s)"
    " OR shown_id_hash = ANY(%(hashes)s)",
    "disagreements": "DELETE FROM disagreements WHERE thread_external_id = ANY(%(chats)s)"  # noqa: S608
    f" OR shown_id_hash = ANY(%(hashes)s) OR {_NAMED.format('external_id')}",
    **{
        f"{table} without an id": f"UPDATE {table} SET"  # noqa: S608
        f" first_external_id = CASE WHEN {_NAMED.format('first_external_id')} THEN NULL"
        " ELSE first_external_id END,"
        f" last_external_id = CASE WHEN {_NAMED.format('last_external_id')} THEN NULL"
        " ELSE last_external_id END"
        f" WHERE {_NAMED.format('first_external_id')} OR {_NAMED.format('last_external_id')}"
        for table in ("sync_coverage", "sync_coverage_history")
    },
    # Of the chat of each message that goes, too: its digest covered ids that were not read.
    "backfill_progress": "DELETE FROM backfill_progress WHERE thread_external_id = ANY(%(chats)s)"
    " OR thread_external_id IN (SELECT split_part(k, '_', 2) FROM unnest(%(keys)s::text[]) AS k)",
    # What an agent wrote about somebody in an answer to somebody else, as far as ids and numbers tell.
    "agent_proposals": "DELETE FROM agent_proposals p WHERE EXISTS"
    " (SELECT FROM unnest(%(people)s::text[]) AS u (id)"
    "  WHERE strpos(p.payload::text, split_part(u.id, '@', 1)) > 0)",
    # A chat that is forgotten is nobody's any more; which one is meant is looked for anew.
    "agent_routing": "UPDATE agent_routing SET"
    " state = CASE WHEN thread_ids && %(chats)s::text[] THEN 'not_found' ELSE state END,"
    " wish = CASE WHEN thread_ids && %(chats)s::text[] THEN '' ELSE wish END,"
    " thread_external_id = CASE WHEN thread_ids && %(chats)s::text[] THEN NULL ELSE thread_external_id END,"
    " thread_ids = CASE WHEN thread_ids && %(chats)s::text[] THEN '{}' ELSE thread_ids END,"
    " allowed_ids = ARRAY(SELECT a FROM unnest(allowed_ids) AS a WHERE NOT a = ANY(%(people)s)),"
    " candidate_ids = ARRAY(SELECT c FROM unnest(candidate_ids) AS c WHERE NOT c = ANY(%(chats)s))"
    " WHERE thread_ids && %(chats)s::text[] OR candidate_ids && %(chats)s::text[]"
    " OR allowed_ids && %(people)s::text[]",
    "sync_coverage": "DELETE FROM sync_coverage WHERE thread_external_id = ANY(%(chats)s)",
    "sync_coverage_history": "DELETE FROM sync_coverage_history WHERE thread_external_id = ANY(%(chats)s)",
    "thread_titles": f"DELETE FROM thread_titles WHERE {_OF_THREAD}",  # noqa: S608
    "participant_changes": f"DELETE FROM participant_changes WHERE {_OF_THREAD}"  # noqa: S608
    " OR participant_id = ANY(%(people)s)",
    "threads": "DELETE FROM threads WHERE external_id = ANY(%(chats)s)",
    # Of what had disappeared before.
    "tombstones": "UPDATE tombstones SET external_id = NULL, thread_external_id = NULL"  # noqa: S608
    " WHERE thread_external_id = ANY(%(chats)s) OR external_id = ANY(%(keys)s)"
    f" OR {_PARTICIPANT.format('external_id')} = ANY(%(people)s)",
    "threads without a participant": "UPDATE threads t SET updated_at = now(), participant_ids = ARRAY("
    "   SELECT p FROM unnest(t.participant_ids) WITH ORDINALITY AS u (p, n)"
    "   WHERE NOT p = ANY(%(people)s) ORDER BY n)"
    " WHERE t.participant_ids && %(people)s::text[]",
    # The newest message that is left before it: reading begins a little earlier, and misses nothing.
    "threads with an earlier checkpoint": "UPDATE threads t SET updated_at = now(),"  # noqa: S608
    " (checkpoint_message_id, checkpoint_ts) = ("
    "   SELECT m.external_id, m.ts FROM messages m WHERE m.thread_external_id = t.external_id"
    "   AND m.ts <= t.checkpoint_ts AND m.ts_precision <> 'clamped'"
    "   ORDER BY m.ts DESC, m.external_id DESC LIMIT 1)"
    " WHERE t.checkpoint_message_id = ANY(%(keys)s)"
    f" OR {_PARTICIPANT.format('t.checkpoint_message_id')} = ANY(%(people)s)",
}
# Health is right at once, and not only after the next cycle.
_RECOUNT = """
    UPDATE sync_coverage c SET missing = coalesce((
        SELECT jsonb_object_agg(r.reason, r.n) FROM (
            SELECT x.reason, count(*) AS n FROM missing_messages x
            WHERE x.thread_external_id = c.thread_external_id GROUP BY x.reason) r), '{}')
    WHERE c.thread_external_id = ANY(%s)
"""
_CONTACTS = """
    SELECT contact_id FROM contact_identifiers
    WHERE value = ANY(%(people)s) AND valid_to IS NULL AND kind IN ('phone', 'lid')
    UNION SELECT id FROM contacts WHERE external_id = ANY(%(people)s)
"""
_IDENTIFIERS = f"DELETE FROM contact_identifiers WHERE value = ANY(%(people)s) OR contact_id IN ({_CONTACTS})"  # noqa: S608
_NAMES = (
    "SELECT value FROM contact_identifiers"  # noqa: S608
    f" WHERE kind IN ('saved_name', 'push_name') AND contact_id IN ({_CONTACTS})"
    f" UNION SELECT unnest(ARRAY[saved_name, push_name]) FROM contacts WHERE id IN ({_CONTACTS})"
)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a wish means: ids of chats and people, and the messages that are stored of them."""

    chats: Sequence[str]  #: Every id of the chat; of a person, of their direct chat.
    people: Sequence[str]  #: Every id of the person; empty for a message or a chat.
    keys: Sequence[str]  #: Every key of the messages, stored or only missed.
    messages: Sequence[int]  #: `messages.id`.

    @property
    def stanza_ids(self) -> list[str]:
        return sorted({found.stanza_id for key in self.keys if (found := key_of(key))})

    @property
    def shown_hashes(self) -> list[str]:
        """Return the keys as `rejects.shown_id_hash` has them: a page shows packed or bare ids."""
        return [hash_id(each) for each in (*self.keys, *self.stanza_ids)]


@dataclass(slots=True)
class _Counts:
    """Rows removed or changed, by table."""

    rows: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, count: int) -> None:
        if count:
            self.rows[name] = self.rows.get(name, 0) + count


def forgotten(cursor: Cursor[TupleRow]) -> Forgotten:
    """Return what must be left out from now on."""
    row = cursor.execute("SELECT key FROM forget_key").fetchone()
    if row is None:
        return Forgotten()
    digests = cursor.execute("SELECT digest FROM forgotten").fetchall()
    return Forgotten(bytes(row[0]), frozenset(bytes(each[0]) for each in digests))


def erase(
    cursor: Cursor[TupleRow],
    wish: Wish,
    now: datetime,
    waiting_keys: Collection[str] = (),
    waiting_texts: Collection[str] = (),
) -> Erasure:
    """Remove everything that the wish names, and note it as forgotten.

    Nothing is noted where nothing is stored, and nothing waits to be: `waiting_keys` are messages of the
    wish that the spool holds, `waiting_texts` what they say.
    """
    scope = _scope(cursor, wish)
    scope = replace(scope, keys=sorted({*scope.keys, *waiting_keys}))
    counts = _Counts()
    was_forgotten = _was_forgotten(cursor, wish, scope)
    words = _words(cursor, scope)
    words["text"].update(waiting_texts)
    _remove_messages(cursor, scope, counts, now)
    _cut_off(cursor, scope, counts)
    _remove_bookkeeping(cursor, scope, counts)
    _remove_people(cursor, scope, counts)
    if counts.rows or waiting_keys:
        _note(cursor, wish, scope, words, now)
    return Erasure(counts.rows, was_forgotten)


# --- what is meant ---------------------------------------------------------------------------


def _scope(cursor: Cursor[TupleRow], wish: Wish) -> _Scope:
    is_message = wish.kind == "message"
    chats = [] if is_message else ids_of(cursor, wish.id)
    people = chats if wish.kind == "contact" else []
    asked = _message_keys(cursor, wish.id) if is_message else []
    values = {"chats": chats, "people": people, "asked": asked}
    messages = [row[0] for row in cursor.execute(_MESSAGES, values).fetchall()]
    keys = {row[0] for row in cursor.execute(_KEYS, {**values, "messages": messages}).fetchall()}
    return _Scope(chats, people, sorted({*keys, *asked}), messages)


def _message_keys(cursor: Cursor[TupleRow], external_id: str) -> list[str]:
    """Return every key of a message: its chat and its author may be known by several ids."""
    key = key_of(external_id)
    if key is None:
        return [external_id]
    return [external_id, *(str(each) for each in variants(key, lambda some_id: ids_of(cursor, some_id)))]


def _words(cursor: Cursor[TupleRow], scope: _Scope) -> dict[DigestKind, set[str]]:
    """Return by what a quote that names no message shows them: texts, and the names of the people."""
    people = list(scope.people)
    values = {"messages": list(scope.messages), "stanzas": scope.stanza_ids, "people": people}
    return {
        "text": {row[0] for row in cursor.execute(_TEXTS.encode(), values)},
        "name": {row[0] for row in cursor.execute(_NAMES.encode(), {"people": people}) if row[0]},
    }


# --- what goes -------------------------------------------------------------------------------


def _remove_messages(cursor: Cursor[TupleRow], scope: _Scope, counts: _Counts, now: datetime) -> None:
    messages = list(scope.messages)
    counts.add("disagreements", _count(cursor, DISAGREEMENTS, messages))
    for table, condition in _HANGING.items():
        counts.add(table, _count(cursor, f"{table} WHERE {condition}", messages))
    files_before = _count(cursor, "files_to_remove")
    counts.add("messages", remove_messages(cursor, messages, "forgotten", now))
    counts.add("files", _count(cursor, "files_to_remove") - files_before)


def _count(cursor: Cursor[TupleRow], rows: str, *values: object) -> int:
    found = cursor.execute(f"SELECT count(*) FROM {rows}".encode(), values).fetchone()  # noqa: S608
    assert found is not None
    return int(found[0])


def _cut_off(cursor: Cursor[TupleRow], scope: _Scope, counts: _Counts) -> None:
    """Take quotes, recipients, reactions and who deleted them out of the messages that stay.

    Such a message gets a new number of the change feed, so that consumers read it and its reactions again.
    """
    people = list(scope.people)
    reacted = cursor.execute(
        "DELETE FROM reactions WHERE sender_id = ANY(%s) RETURNING message_id", (people,)
    ).fetchall()
    counts.add("reactions", len(reacted))
    cursor.execute("DELETE FROM reaction_versions WHERE sender_id = ANY(%s)", (people,))
    counts.add("reaction_versions", cursor.rowcount)
    quoting = cursor.execute(_QUOTING, {"stanzas": scope.stanza_ids, "people": people}).fetchall()
    received = cursor.execute(
        "SELECT id FROM messages WHERE recipient_ids && %s::text[] OR deleted_by_id = ANY(%s)",
        (people, people),
    ).fetchall()
    ids = sorted({row[0] for row in (*quoting, *received, *reacted)})
    counts.add("messages without a quote, recipient or reaction", len(ids))
    if ids:
        seqs = list(take_change_numbers(cursor, len(ids)))
        quoting_ids = [row[0] for row in quoting]
        cursor.execute(_CUT_OFF, {"quoting": quoting_ids, "people": people, "ids": ids, "seqs": seqs})


def _remove_bookkeeping(cursor: Cursor[TupleRow], scope: _Scope, counts: _Counts) -> None:
    keys = list(scope.keys)
    unread = cursor.execute(
        "DELETE FROM missing_messages WHERE external_id = ANY(%s) RETURNING thread_external_id", (keys,)
    ).fetchall()
    counts.add("missing_messages", len(unread))
    values = {
        "chats": list(scope.chats),
        "people": list(scope.people),
        "keys": keys,
        "hashes": scope.shown_hashes,
    }
    for name, statement in _BOOKKEEPING.items():
        cursor.execute(statement.encode(), values)
        counts.add(name, cursor.rowcount)
    cursor.execute(_RECOUNT, ([row[0] for row in unread],))


def _remove_people(cursor: Cursor[TupleRow], scope: _Scope, counts: _Counts) -> None:
    people = list(scope.people)
    cursor.execute(_IDENTIFIERS.encode(), {"people": people})
    counts.add("contact_identifiers", cursor.rowcount)
    cursor.execute("DELETE FROM contacts WHERE external_id = ANY(%s)", (people,))
    counts.add("contacts", cursor.rowcount)


# --- what stays ------------------------------------------------------------------------------


def _note(
    cursor: Cursor[TupleRow],
    wish: Wish,
    scope: _Scope,
    words: Mapping[DigestKind, Collection[str]],
    now: datetime,
) -> None:
    """Keep the keyed hashes by which the next look-back knows what to leave out."""
    key = _make_key(cursor)
    ids: dict[DigestKind, Iterable[str]] = {
        "message": scope.keys if wish.kind == "message" else (),
        "chat": scope.chats,
        "contact": scope.people,
        "stanza": scope.stanza_ids,
        "text": {form for each in words["text"] for form in quotable(each)},
        "name": {form for each in words["name"] for form in shown_name(each)},
    }
    for kind, each in ids.items():
        cursor.execute(
            "INSERT INTO forgotten (kind, digest, forgotten_at)"
            " SELECT %s, u.d, %s FROM unnest(%s::bytea[]) AS u (d) ON CONFLICT DO NOTHING",
            (kind, now, [digest(key, kind, some_id) for some_id in each]),
        )


def _make_key(cursor: Cursor[TupleRow]) -> bytes:
    cursor.execute(
        "INSERT INTO forget_key (id, key) VALUES (1, %s) ON CONFLICT DO NOTHING", (secrets.token_bytes(32),)
    )
    row = cursor.execute("SELECT key FROM forget_key").fetchone()
    assert row is not None
    return bytes(row[0])


def _was_forgotten(cursor: Cursor[TupleRow], wish: Wish, scope: _Scope) -> bool:
    known = forgotten(cursor)
    ids: Collection[str] = scope.keys if wish.kind == "message" else scope.chats
    return any(digest(known.key, wish.kind, each) in known.digests for each in ids)
