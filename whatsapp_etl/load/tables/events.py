"""What is told to a person or a program outside: the events, and how far each came with each target."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, Table, Text, Uuid
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from whatsapp_etl.happenings import DeliveryState, EventType, Subject
from whatsapp_etl.load.tables.base import instant, metadata, one_of, text

events = Table(
    "events",
    metadata,
    Column("id", Uuid, primary_key=True, comment="The same in every delivery of the event."),
    Column(
        "seq",
        BigInteger,
        Identity(),
        nullable=False,
        unique=True,
        comment="Rises in the order in which things happened.",
    ),
    text("type", "What happened, such as 'session.qr_required'; docs/events.md lists them."),
    text("subject", "What it is about: 'session', 'sync' or 'page'. One subject's events keep their order."),
    Column("data", JSONB, nullable=False, comment="Reason, advice and counts; no text, name or number."),
    instant("occurred_at", "When it happened."),
    one_of("type", EventType),
    one_of("subject", Subject),
    Index("ix_events_subject", "subject", "seq"),
    Index("ix_events_occurred", "occurred_at"),
    comment="What is told outside, written in the transaction of its cause.",
)

event_deliveries = Table(
    "event_deliveries",
    metadata,
    Column(
        "event_id",
        Uuid,
        ForeignKey("events.id", ondelete="CASCADE"),
        primary_key=True,
        comment="`events.id`.",
    ),
    Column(
        "target",
        Text,
        primary_key=True,
        comment="Host and a hash of the URL in EVENTS_WEBHOOKS, which may hold a secret itself.",
    ),
    text("state", "'pending', 'delivered' or 'dead' (given up).", server_default=DeliveryState.PENDING.value),
    Column("attempts", Integer, nullable=False, server_default="0", comment="Tries that have ended."),
    instant("next_try_at", "Not tried again before."),
    instant("settled_at", "When it was delivered or given up; null: still to do.", null=True),
    text("last_error", "Why the last try failed: a short code; null: it did not.", null=True),
    one_of("state", DeliveryState),
    Index("ix_event_deliveries_pending", "target", "next_try_at", postgresql_where=sql("state = 'pending'")),
    comment="One row for each event and target that was configured when it happened.",
)
