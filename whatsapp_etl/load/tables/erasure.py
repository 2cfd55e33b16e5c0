"""What stays of things that were erased: hashes by which they are known again, files still to remove."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text
from sqlalchemy.dialects.postgresql import BYTEA

from whatsapp_etl.load.tables.base import instant, metadata, one_of, only_row, text

forgotten = Table(
    "forgotten",
    metadata,
    Column(
        "kind",
        Text,
        primary_key=True,
        comment="'message', 'chat', 'contact', 'stanza' (the middle part of a removed message's key), or by "
        "what a quote shows it: 'text', 'name'.",
    ),
    Column(
        "digest",
        BYTEA,
        primary_key=True,
        comment="HMAC-SHA256 of kind and id, text or name under `forget_key.key`.",
    ),
    instant("forgotten_at", "When it was erased."),
    one_of("kind", ("message", "chat", "contact", "stanza", "text", "name")),
    comment="What was erased on request, so that no later cycle stores it again. Holds no id and no text.",
)

# The key lies in the database and not in a file beside it: a lost file would bring everything that was
# erased back with the next look-back, silently, and a database is moved, restored and served without the
# folder of a profile. Who may read the whole database can thus try whether a given number was forgotten;
# the key has a table of its own so that nobody else can, and roles that only read are refused it.
forget_key = Table(
    "forget_key",
    metadata,
    only_row(),
    Column("key", BYTEA, nullable=False, comment="32 random bytes, made by the first erasure."),
    comment="The key of `forgotten`. One row; readable by the owner only.",
)

files_to_remove = Table(
    "files_to_remove",
    metadata,
    text("file_path", "Relative to ATTACHMENTS_DIR.", primary_key=True),
    instant("unused_since", "When the last message that had it was removed."),
    comment="Files whose messages are gone; a row goes when its file is gone.",
)
