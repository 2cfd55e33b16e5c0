"""Keep messages, attachments, threads and contacts.

The tables are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: In the order in which they can be dropped.
_TABLES = (
    "extractions",
    "extraction_jobs",
    "reactions",
    "message_versions",
    "message_aliases",
    "contact_identifiers",
    "attachments",
    "threads",
    "messages",
    "contacts",
)


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
