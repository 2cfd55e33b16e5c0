"""Where one message is: stored, missing, removed, rejected, or none of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.hashing import key_sha256
from whatsapp_etl.load.forget import forgotten
from whatsapp_etl.load.ledger import runs_by_id
from whatsapp_etl.model import MessageType, MissingReason
from whatsapp_etl.records import (
    AttachmentFacts,
    ChatCoverage,
    MissingFacts,
    RejectFacts,
    RemovedFacts,
    StoredFacts,
    VersionFacts,
    Whereabouts,
)

#: Columns that are fields of the facts under the same name.
_FACTS = (
    "external_id",
    "thread_external_id",
    "message_type",
    "ts",
    "ts_precision",
    "read_path",
    "observed_at",
    "created_at",
    "updated_at",
    "edited_seen_at",
    "deleted_seen_at",
    "deleted_at",
    "deleted_by",
    "expires_at",
    "first_run_id",
    "last_run_id",
)
_MESSAGE = f"""
    SELECT id, source_revision <> '', CASE WHEN %(with_text)s THEN content_snippet END, {", ".join(_FACTS)}
    FROM messages WHERE id IN (
        SELECT id FROM messages WHERE platform = 'whatsapp' AND external_id = ANY(%(keys)s)
        UNION SELECT message_id FROM message_aliases
        WHERE platform = 'whatsapp' AND external_id = ANY(%(keys)s))
    ORDER BY id LIMIT 1
"""  # noqa: S608  # constants of this file
#: All chats of the person or group whose chat it is.
_CHATS = """
    SELECT %(chat)s UNION SELECT o.external_id FROM threads t JOIN threads o USING (canonical_id)
    WHERE t.platform = 'whatsapp' AND t.external_id = %(chat)s
"""


def whereabouts(
    cursor: Cursor[TupleRow],
    keys: Sequence[str],
    chat_id: str,
    shown_id_hashes: Collection[str],
    *,
    with_text: bool,
) -> Whereabouts:
    """Return what is known of a message.

    Args:
        cursor: Any cursor.
        keys: The key asked for, and other forms of it.
        chat_id: The chat that the key names.
        shown_id_hashes: Under which the page's rows of it would have been rejected.
        with_text: Whether texts are returned.
    """
    stored = _stored(cursor, keys, with_text=with_text)
    known = [*keys, *((stored.external_id, *stored.aliases) if stored else ())]
    run_ids = (
        {stored.first_run_id, stored.last_run_id, *(each.run_id for each in stored.versions)}
        if stored
        else set()
    )
    return Whereabouts(
        asked=keys[0],
        stored=stored,
        missing=_missing(cursor, known),
        removed=_removed(cursor, known),
        is_forgotten=_is_forgotten(cursor, known, chat_id),
        rejects=_rejects(cursor, shown_id_hashes, chat_id),
        chat=_coverage(cursor, stored.thread_external_id if stored else chat_id),
        runs=runs_by_id(cursor, run_ids),
    )


def _stored(cursor: Cursor[TupleRow], keys: Sequence[str], *, with_text: bool) -> StoredFacts | None:
    row = cursor.execute(_MESSAGE, {"keys": list(keys), "with_text": with_text}).fetchone()
    if row is None:
        return None
    message_id, is_listed, text, *values = row
    facts = dict(zip(_FACTS, values, strict=True))
    aliases = cursor.execute(
        "SELECT external_id FROM message_aliases WHERE message_id = %s ORDER BY external_id", (message_id,)
    ).fetchall()
    attachments = cursor.execute(
        "SELECT position, state, media_type, size_bytes, is_verified = 1, last_run_id FROM attachments"
        " WHERE message_id = %s ORDER BY position",
        (message_id,),
    ).fetchall()
    return StoredFacts(
        **facts,
        is_listed=is_listed,
        versions=_versions(cursor, message_id, facts["message_type"], with_text=with_text),
        aliases=tuple(alias for (alias,) in aliases),
        attachments=tuple(AttachmentFacts(*each) for each in attachments),
        text=text,
    )


def _versions(
    cursor: Cursor[TupleRow], message_id: int, current_type: str, *, with_text: bool
) -> tuple[VersionFacts, ...]:
    rows = cursor.execute(
        "SELECT replaced_seen_at, message_type, run_id, CASE WHEN %s THEN content_snippet END"
        " FROM message_versions WHERE message_id = %s ORDER BY replaced_seen_at, id",
        (with_text, message_id),
    ).fetchall()
    following = [*(row[1] for row in rows), current_type][1:]
    return tuple(
        VersionFacts(seen_at, kind, _change(kind, next_kind), run_id, text)
        for (seen_at, kind, run_id, text), next_kind in zip(rows, following, strict=True)
    )


def _change(kind: str, next_kind: str) -> str:
    if next_kind == MessageType.DELETED:
        return "deletion"
    return "edit" if kind == next_kind else next_kind


def _missing(cursor: Cursor[TupleRow], keys: Sequence[str]) -> MissingFacts | None:
    row = cursor.execute(
        "SELECT external_id, reason, attempts, first_missed_at, next_try_at, run_id FROM missing_messages"
        " WHERE external_id = ANY(%s) ORDER BY next_try_at LIMIT 1",
        (list(keys),),
    ).fetchone()
    return None if row is None else MissingFacts(row[0], MissingReason(row[1]), *row[2:])


def _removed(cursor: Cursor[TupleRow], keys: Sequence[str]) -> RemovedFacts | None:
    # Of what was forgotten a tombstone keeps the key's hash only.
    row = cursor.execute(
        "SELECT reason, removed_at FROM tombstones WHERE key_sha256 = ANY(%s)"
        " ORDER BY change_seq DESC LIMIT 1",
        (list(map(key_sha256, keys)),),
    ).fetchone()
    return None if row is None else RemovedFacts(*row)


def _is_forgotten(cursor: Cursor[TupleRow], keys: Sequence[str], chat_id: str) -> bool:
    may_read = cursor.execute("SELECT has_table_privilege('forget_key', 'SELECT')").fetchone()
    if may_read is None or not may_read[0]:
        return False  # only the owner can tell
    known = forgotten(cursor)
    return known.has_chat(chat_id) or any(map(known.has_key, keys))


def _rejects(cursor: Cursor[TupleRow], hashes: Collection[str], chat_id: str) -> tuple[RejectFacts, ...]:
    # Anybody can reuse a bare id, so the chat must be the same where the row's was known.
    rows = cursor.execute(
        "SELECT reason, pack_id, first_seen_at, last_seen_at, times_seen, last_run_id FROM rejects"  # noqa: S608
        " WHERE shown_id_hash = ANY(%(hashes)s)"
        f" AND (thread_external_id IS NULL OR thread_external_id IN ({_CHATS}))"
        " ORDER BY last_seen_at DESC, id",
        {"hashes": list(hashes), "chat": chat_id},
    ).fetchall()
    return tuple(RejectFacts(*row) for row in rows)


def _coverage(cursor: Cursor[TupleRow], chat_id: str) -> ChatCoverage | None:
    row = cursor.execute(
        "SELECT thread_external_id, stop_reason, expected, stored, complete_until, observed_at"  # noqa: S608
        f" FROM sync_coverage WHERE thread_external_id IN ({_CHATS}) ORDER BY observed_at DESC LIMIT 1",
        {"chat": chat_id},
    ).fetchone()
    return None if row is None else ChatCoverage(*row)
