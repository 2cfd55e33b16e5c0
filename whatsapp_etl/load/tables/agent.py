"""The agent's thread: which chat it is, what its pipeline is handed, and what comes back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from whatsapp_etl.agent import AgentKind, ProposalState
from whatsapp_etl.load.tables.base import flag, instant, metadata, one_of, only_row, text
from whatsapp_etl.load.tables.deliveries import deliveries_table
from whatsapp_etl.model import AgentState


def _texts(name: str, comment: str) -> Column[list[str]]:
    return Column(name, ARRAY(Text), nullable=False, server_default="{}", comment=comment)


def _message_id() -> Column[Any]:
    message = ForeignKey("messages.id", ondelete="CASCADE")
    return Column("message_id", BigInteger, message, nullable=False, comment="`messages.id`.")


agent_routing = Table(
    "agent_routing",
    metadata,
    only_row(),
    text(
        "state",
        "'thread' (one chat is the agent's), 'keywords' (messages that call it are told apart), 'off', "
        "'not_found' or 'ambiguous' (a chat is named, and it is not known which is meant).",
    ),
    text("wish", "Hash of the settings that name the chat: another one is looked up anew."),
    text("thread_external_id", "The chat that is pinned; null: none.", null=True),
    _texts("thread_ids", "Every id of it, sorted: phone id and LID."),
    _texts("keywords", "The names by which the agent is called, where no chat is pinned."),
    _texts("allowed_ids", "Every id of those whose calls are handed over, besides the account's own."),
    _texts("candidate_ids", "Chats that the name fits, where none was chosen."),
    instant("since", "From when on messages are handed over; those before are flagged only.", null=True),
    one_of("state", AgentState),
    comment="What is in force for the agent. The flags of all messages follow from this row, and change with "
    "it in one transaction. One row.",
)

agent_messages = Table(
    "agent_messages",
    metadata,
    Column("id", Uuid, primary_key=True, comment="The same in every delivery; made from the message's key."),
    Column(
        "seq",
        BigInteger,
        Identity(),
        nullable=False,
        unique=True,
        comment="Rises in the order in which messages were handed over.",
    ),
    _message_id(),
    Column("revision", Integer, nullable=False, comment="How often the message was handed over before."),
    text(
        "type",
        "'agent.message.created', 'agent.message.updated' (another text, or its file is held now) or "
        "'agent.message.deleted' (for everyone).",
    ),
    text("thread_external_id", "Chat id, one for all ids of the chat. Its messages keep their order."),
    text("external_id", "The message's key."),
    text("sender_id", "The sender's id.", null=True),
    flag("is_outgoing", "1: sent by the account."),
    flag("is_agent_channel", "1: in the agent's chat; 0: the agent was called by its name elsewhere."),
    text("message_type", "As in `messages`."),
    text("content_snippet", "The text as it was then; null: there is none.", null=True),
    instant("sent_at", "When the message was sent."),
    Column("attachments", JSONB, nullable=False, comment="What it carries, as known then; docs/agent.md."),
    instant("occurred_at", "When it was handed over."),
    one_of("type", AgentKind),
    Index("ix_agent_messages_thread", "thread_external_id", "seq"),
    UniqueConstraint("message_id", "revision"),
    Index("ix_agent_messages_occurred", "occurred_at"),
    comment="Messages handed to the agent's pipeline, written in the transaction of the message. Copies: "
    "they go with their message.",
)

agent_deliveries = deliveries_table(
    "agent_deliveries",
    "agent_messages",
    key="agent_message_id",
    setting="WHATSAPP_AGENT_WEBHOOKS",
    comment="One row for each message handed over and target that was configured then.",
)

agent_proposals = Table(
    "agent_proposals",
    metadata,
    Column("id", Uuid, primary_key=True, comment="What the caller was told."),
    _message_id(),
    Column("agent_message_id", Uuid, nullable=False, comment="`agent_messages.id` that it answers."),
    text("kind", "What is proposed, in the agent's own words, such as 'invoice.create'."),
    Column("payload", JSONB, nullable=False, comment="The proposal itself, as the agent wrote it."),
    text(
        "state",
        "'proposed'; whoever acts on it sets 'accepted', 'rejected', 'done' or 'failed'.",
        server_default=ProposalState.PROPOSED.value,
    ),
    text("idempotency_key", "The caller's own: the same proposal is kept once.", unique=True),
    text("request_sha256", "Hash of the whole request, to tell another proposal under the same key."),
    instant("created_at", "When it was handed in."),
    one_of("state", ProposalState),
    Index("ix_agent_proposals_message", "message_id"),
    Index("ix_agent_proposals_state", "state", "created_at"),
    comment="What an agent proposes, for others to act on. This program acts on none, and sends nothing. "
    "They go with the message that they answer.",
)
