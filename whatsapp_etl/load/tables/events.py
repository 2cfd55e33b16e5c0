"""What is told to a person or a program outside: the events, and how far each came with each target."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from whatsapp_etl.happenings import EventType, Subject
from whatsapp_etl.load.tables.base import instant, metadata, one_of, text
from whatsapp_etl.load.tables.deliveries import deliveries_table

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

event_deliveries = deliveries_table(
    "event_deliveries",
    "events",
    key="event_id",
    setting="EVENTS_WEBHOOKS",
    comment="One row for each event and target that was configured when it happened.",
)
