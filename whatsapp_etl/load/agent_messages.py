"""The agent's messages: copies of what is new in its chat, written in the transaction of the message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from psycopg import Cursor
from psycopg.rows import TupleRow

from whatsapp_etl.agent import AgentKind, AgentMessage, MessageFace, Routing
from whatsapp_etl.load.agent import faces, mark_new, routing_of
from whatsapp_etl.load.boxes import Box, put
from whatsapp_etl.model import AgentState, MessageType

#: Of the ids of these messages; a constant for ever.
_NAMESPACE = UUID("6f1b4c0e-0a6d-5b51-9a39-6d1b5b1f3c57")


def _agent_message(row: TupleRow) -> AgentMessage:
    (item_id, seq, kind, thread_id, external_id, sender_id, is_outgoing, is_agent_channel, *more) = row
    message_type, text, sent_at, attachments, occurred_at = more
    return AgentMessage(
        id=item_id,
        seq=seq,
        type=AgentKind(kind),
        thread_id=thread_id,
        external_id=external_id,
        sender_id=sender_id,
        is_outgoing=bool(is_outgoing),
        is_agent_channel=bool(is_agent_channel),
        message_type=message_type,
        text=text,
        sent_at=sent_at,
        attachments=attachments,
        occurred_at=occurred_at,
    )


AGENT_MESSAGES = Box(
    items="agent_messages",
    deliveries="agent_deliveries",
    key="agent_message_id",
    subject="thread_external_id",
    columns=(
        "id",
        "seq",
        "type",
        "thread_external_id",
        "external_id",
        "sender_id",
        "is_outgoing",
        "is_agent_channel",
        "message_type",
        "content_snippet",
        "sent_at",
        "attachments",
        "occurred_at",
    ),
    read=_agent_message,
)

# Oldest first: the order in which the chat's messages are delivered.
_WRITTEN = """
    SELECT m.id, m.thread_external_id, m.sender_id, m.is_outgoing, m.content_snippet, m.message_type, m.ts,
           m.ts_precision, m.external_id, m.is_agent_channel, coalesce(t.canonical_id, m.thread_external_id),
           coalesce((SELECT jsonb_agg(jsonb_build_object('position', a.position, 'media_type', a.media_type,
                         'file_name', a.file_name, 'file_path', a.file_path, 'sha256', a.checksum,
                         'size_bytes', a.size_bytes, 'is_stored', a.file_path IS NOT NULL)
                         ORDER BY a.position)
                     FROM attachments a WHERE a.message_id = m.id), '[]')
    FROM messages m
    LEFT JOIN threads t ON t.platform = 'whatsapp' AND t.external_id = m.thread_external_id
    WHERE m.change_seq > %(after)s AND (m.exclude_from_automation = 1
        OR EXISTS (SELECT FROM agent_messages h WHERE h.message_id = m.id))
    ORDER BY m.ts, m.album_position, m.id
"""
#: What each message said when it was last handed over.
_HANDED_OVER = """
    SELECT DISTINCT ON (message_id) message_id, revision, is_agent_channel, message_type, content_snippet,
           attachments
    FROM agent_messages WHERE message_id = ANY(%s) ORDER BY message_id, revision DESC
"""
_INSERT = """
    INSERT INTO agent_messages (id, message_id, revision, type, thread_external_id, external_id, sender_id,
        is_outgoing, is_agent_channel, message_type, content_snippet, sent_at, attachments, occurred_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING
"""


def route_new(cursor: Cursor[TupleRow], after_seq: int, targets: Sequence[str], now: datetime) -> int:
    """Flag what this transaction has written, and hand over what is the agent's; return how many messages.

    Those are the messages above a number of the change feed, which the transaction holds. What was handed
    over is handed over again when its text, its files or its type have changed.
    """
    routing = routing_of(cursor)
    if not routing.is_on:
        return 0
    mark_new(cursor, routing, after_seq)
    rows = cursor.execute(_WRITTEN, {"after": after_seq}).fetchall()
    found = cursor.execute(_HANDED_OVER, ([row[0] for row in rows],)).fetchall()
    before = {row[0]: _Said(*row[1:]) for row in found}
    ids = []
    for row, (message_id, face) in zip(rows, faces(rows), strict=True):
        external_id, is_agent_channel, thread_id, attachments = row[8:]
        said = before.get(message_id)
        kind = _kind(routing, face, said, attachments)
        if kind is None:
            continue
        revision = said.revision + 1 if said else 0
        item_id = uuid5(_NAMESPACE, f"{external_id}/{revision}")
        cursor.execute(
            _INSERT,
            (
                item_id,
                message_id,
                revision,
                kind.value,
                # One order, and one name, for a chat that goes from phone id to LID.
                routing.thread_id or thread_id,
                external_id,
                face.sender_id,
                int(face.is_outgoing),
                is_agent_channel,
                face.type.value,
                face.text,
                face.sent_at,
                json.dumps(attachments),
                now,
            ),
        )
        if cursor.rowcount:
            ids.append(item_id)
    put(cursor, AGENT_MESSAGES, ids, targets, now)
    return len(ids)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a message said when it was last handed over."""

    revision: int
    is_agent_channel: int
    message_type: str
    text: str | None
    attachments: Sequence[object]


def _kind(
    routing: Routing, face: MessageFace, said: _Said | None, attachments: Sequence[object]
) -> AgentKind | None:
    """Return as what a message is handed over; None: it is not, or says what it said."""
    mark = routing.mark(face)
    if said is None:
        is_new = mark.is_routed and face.type is not MessageType.DELETED
        return AgentKind.CREATED if is_new else None
    # A call that was deleted, or edited away, calls no longer; of a chat that is no longer the agent's
    # nothing more is told.
    is_told = mark.exclude_from_automation or (
        routing.state is AgentState.KEYWORDS and not said.is_agent_channel
    )
    is_equal = (said.message_type, said.text, said.attachments) == (face.type.value, face.text, attachments)
    if not is_told or is_equal:
        return None
    return AgentKind.DELETED if face.type is MessageType.DELETED else AgentKind.UPDATED
