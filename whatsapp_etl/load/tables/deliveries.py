"""What every table of deliveries has: of what, to whom, and how far it came."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, Uuid
from sqlalchemy import text as sql

from whatsapp_etl.happenings import DeliveryState
from whatsapp_etl.load.tables.base import instant, metadata, one_of, text


def deliveries_table(name: str, items: str, *, key: str, setting: str, comment: str) -> Table:
    """Return a table of deliveries.

    Args:
        name: Of the table.
        items: The table of what is delivered.
        key: The column that refers to it.
        setting: The setting that names the targets.
        comment: What a row is.
    """
    item = ForeignKey(f"{items}.id", ondelete="CASCADE")
    states = "'pending', 'delivered' or 'dead' (given up)."
    return Table(
        name,
        metadata,
        Column(key, Uuid, item, primary_key=True, comment=f"`{items}.id`."),
        Column(
            "target",
            Text,
            primary_key=True,
            comment=f"Host and a hash of the URL in {setting}, which may hold a secret itself.",
        ),
        text("state", states, server_default=DeliveryState.PENDING.value),
        Column("attempts", Integer, nullable=False, server_default="0", comment="Tries that have ended."),
        instant("next_try_at", "Not tried again before."),
        instant("settled_at", "When it was delivered or given up; null: still to do.", null=True),
        text("last_error", "Why the last try failed: a short code; null: it did not.", null=True),
        one_of("state", DeliveryState),
        Index(f"ix_{name}_pending", "target", "next_try_at", postgresql_where=sql("state = 'pending'")),
        comment=comment,
    )
