"""The ledger of attachments' bytes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table
from sqlalchemy import text as sql

from whatsapp_etl.downloads import DownloadReason, DownloadState
from whatsapp_etl.load.tables.base import instant, metadata, number, one_of, text

attachment_downloads = Table(
    "attachment_downloads",
    metadata,
    Column(
        "attachment_id",
        BigInteger,
        ForeignKey("attachments.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        comment="`attachments.id`.",
    ),
    text(
        "state",
        "'seen' (not wanted), 'queued', 'downloading', 'stored', 'expired' (the page cannot get it any "
        "more), 'phone_needed' (gone from the server), 'too_large' or 'gave_up'.",
    ),
    text("reason", "Why it is in that state; null: nothing to explain.", null=True),
    text("way", "'page' or 'direct', of the last try; null: not tried yet.", null=True),
    Column("attempts", Integer, nullable=False, server_default="0", comment="Tries that brought nothing."),
    instant("next_try_at", "Not tried again before; null: settled, or with the next reading.", null=True),
    instant("changed_at", "When this was decided, by the program's clock."),
    number("run_id", "Run that decided it."),
    instant("mirrored_at", "When its file was copied to ATTACHMENTS_STORE_URL; null: it was not.", null=True),
    one_of("state", DownloadState),
    one_of("reason", DownloadReason),
    one_of("way", ("page", "direct")),
    Index(
        "ix_attachment_downloads_open",
        "next_try_at",
        postgresql_where=sql("state IN ('queued', 'downloading', 'phone_needed', 'too_large')"),
    ),
    Index(
        "ix_attachment_downloads_unmirrored",
        "attachment_id",
        postgresql_where=sql("state = 'stored' AND mirrored_at IS NULL"),
    ),
    comment="One row for each attachment: how far its bytes came, and when they are tried again.",
)
