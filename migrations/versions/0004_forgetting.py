"""Keep what is needed to forget on request, and ask for messages as they were known.

The tables and the function are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: Tombstones without a key say nothing to a program that knows no hashes.
_DOWN = """
DROP FUNCTION messages_as_of(timestamptz);
DELETE FROM tombstones WHERE external_id IS NULL;
ALTER TABLE tombstones ALTER external_id SET NOT NULL, ALTER thread_external_id SET NOT NULL,
    DROP key_sha256;
COMMENT ON COLUMN tombstones.external_id IS 'Key of the message that was removed.';
COMMENT ON COLUMN tombstones.thread_external_id IS 'Its chat.';
DROP TABLE files_to_remove;
DROP TABLE forget_key;
DROP TABLE forgotten;
"""


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DOWN)
