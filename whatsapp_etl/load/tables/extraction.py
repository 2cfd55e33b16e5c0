"""Reading pictures: the jobs, and what was read."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Interval,
    Table,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR

from whatsapp_etl.extracted import TEXT, JobState
from whatsapp_etl.load.tables.base import flag, identity, instant, metadata, one_of, text, written

extraction_jobs = Table(
    "extraction_jobs",
    metadata,
    identity(),
    Column(
        "attachment_id",
        BigInteger,
        ForeignKey("attachments.id", ondelete="CASCADE"),
        nullable=False,
        comment="`attachments.id`.",
    ),
    text("state", "'queued', 'running', 'done' or 'dead' (given up).", server_default=JobState.QUEUED.value),
    Column("attempts", Integer, nullable=False, server_default="0", comment="Tries that were begun."),
    Column(
        "next_try_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="Not tried before.",
    ),
    Column("lease_id", Uuid, comment="Lease of the worker that reads it; null: none does."),
    text("leased_by", "That worker: host and process.", null=True),
    instant("leased_until", "Taken for lost when it says nothing until then.", null=True),
    text("last_error", "Why the last try failed: a short code; null: it did not.", null=True),
    instant("settled_at", "When it was done or given up; null: still to do.", null=True),
    *written(),
    one_of("state", JobState),
    UniqueConstraint("attachment_id"),
    Index("ix_extraction_jobs_queued", "next_try_at", "id", postgresql_where=sql("state = 'queued'")),
    Index("ix_extraction_jobs_running", "leased_until", postgresql_where=sql("state = 'running'")),
    Index("ix_extraction_jobs_lease", "lease_id", postgresql_where=sql("lease_id IS NOT NULL")),
    comment="One row per stored image: work for `whatsapp-etl extract`, by the database's clock.",
)

#: Numbers, dates and codes are found however they are punctuated: "INV-2026/17" is three words.
_PUNCTUATION = "-_./:@+,;&?=#~"
WORDS = f"to_tsvector('simple'::regconfig, translate(text, '{_PUNCTUATION}', '{' ' * len(_PUNCTUATION)}'))"

extractions = Table(
    "extractions",
    metadata,
    identity(),
    Column(
        "attachment_id",
        BigInteger,
        ForeignKey("attachments.id", ondelete="CASCADE"),
        nullable=False,
        comment="`attachments.id`.",
    ),
    text("kind", "What was extracted: 'text'."),
    text("text", "All of it, a block a line; empty: there is none."),
    Column(
        "blocks",
        JSONB,
        nullable=False,
        comment="List of {text, confidence (0 to 1), box (corners [x, y] in pixels of the upright picture)}.",
    ),
    text("engine", "Name of the engine that read it."),
    text("version", "Version of the engine."),
    Column("parameters", JSONB, nullable=False, comment="Settings of the engine."),
    Column("duration", Interval, nullable=False, comment="How long reading took."),
    flag("is_shared", "1: taken over from an equal file, which was read once for all."),
    flag("is_current", "1: the newest of its kind of this attachment."),
    Column(
        "provenance",
        JSONB,
        nullable=False,
        comment="`thread_external_id` and `external_id` of the message, `checksum` of the bytes, and the run "
        "that queued them (`run_id`).",
    ),
    Column(
        "words",
        TSVECTOR,
        Computed(WORDS, persisted=True),
        comment="The text to search in; ask with `words @@ image_phrase('…')`.",
    ),
    instant("created_at", "When it was written, by the database's clock."),
    one_of("kind", (TEXT,)),
    UniqueConstraint(
        "attachment_id", "kind", "engine", "version", "parameters", name="uq_extractions_reading"
    ),
    comment="What was read out of attachments; equal bytes are read once by one engine and version.",
)
Index(
    "ix_extractions_words",
    extractions.c.words,
    postgresql_using="gin",
    postgresql_where=sql("is_current = 1"),
)
