"""What Postgres holds of given messages, for the planner to merge with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.model import Attachment, KnownMessage, MessageType, MissingMessage, MissingReason

_KEYS = """
    SELECT external_id AS asked, id FROM messages
    WHERE platform = 'whatsapp' AND external_id = ANY(%(keys)s)
    UNION ALL
    SELECT external_id, message_id FROM message_aliases
    WHERE platform = 'whatsapp' AND external_id = ANY(%(keys)s)
"""
_MESSAGES = f"""
    SELECT k.asked, m.id, m.external_id, m.message_type, m.content_snippet, m.recipient_ids, m.sender_id,
           m.ts, m.ts_precision, m.is_edited, m.is_forwarded, m.source_revision, m.observed_at,
           m.edited_seen_at, m.deleted_seen_at, m.reply_to_external_id, m.quoted_text, m.expires_at,
           m.deleted_at, m.deleted_by, m.deleted_by_id
    FROM ({_KEYS}) k JOIN messages m ON m.id = k.id
"""  # noqa: S608  # constants of this file
_ATTACHMENTS = """
    SELECT message_id, position, media_type, state, file_path, checksum, is_verified, size_bytes, width,
           height, duration_seconds, file_name
    FROM attachments WHERE message_id = ANY(%s) ORDER BY message_id, position
"""


def known_messages(cursor: Cursor[TupleRow], external_ids: Collection[str]) -> Mapping[str, KnownMessage]:
    """Return what is stored, by the key asked for; `external_id` in it is the stored one."""
    rows = cursor.execute(_MESSAGES, {"keys": list(external_ids)}).fetchall()
    attachments: dict[int, list[Attachment]] = {}
    for message_id, *facts in cursor.execute(_ATTACHMENTS, ([row[1] for row in rows],)).fetchall():
        attachments.setdefault(message_id, []).append(_attachment(facts))
    return {row[0]: _message(row[2:], tuple(attachments.get(row[1], ()))) for row in rows}


def known_missing(cursor: Cursor[TupleRow], external_ids: Collection[str]) -> Mapping[str, MissingMessage]:
    """Return what is known of given gaps: how often they were looked for, and when next."""
    rows = cursor.execute(
        "SELECT external_id, reason, attempts, next_try_at, expires_at FROM missing_messages"
        " WHERE external_id = ANY(%s)",
        (list(external_ids),),
    ).fetchall()
    return {row[0]: MissingMessage(row[0], MissingReason(row[1]), *row[2:]) for row in rows}


def _message(facts: TupleRow, attachments: tuple[Attachment, ...]) -> KnownMessage:
    return KnownMessage(
        external_id=facts[0],
        message_type=MessageType(facts[1]),
        content_snippet=facts[2],
        recipient_ids=tuple(facts[3]),
        sender_id=facts[4],
        ts=facts[5],
        ts_precision=facts[6],
        is_edited=bool(facts[7]),
        is_forwarded=bool(facts[8]),
        source_revision=facts[9],
        observed_at=facts[10],
        edited_seen_at=facts[11],
        deleted_seen_at=facts[12],
        reply_to_external_id=facts[13],
        quoted_text=facts[14],
        expires_at=facts[15],
        deleted_at=facts[16],
        deleted_by=facts[17],
        deleted_by_id=facts[18],
        attachments=attachments,
    )


def _attachment(facts: Sequence[Any]) -> Attachment:
    return Attachment(
        position=facts[0],
        media_type=facts[1],
        state=facts[2],
        file_path=facts[3],
        checksum=facts[4],
        is_verified=None if facts[5] is None else bool(facts[5]),
        size_bytes=facts[6],
        width=facts[7],
        height=facts[8],
        duration_seconds=facts[9],
        file_name=facts[10],
    )
