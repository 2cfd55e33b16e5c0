"""Keep who deleted a message and when, and the history of reactions, titles and participants.

The tables and columns are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

#: An older program knows two reasons; what was removed is removed in each case.
_DOWN = """
DROP FUNCTION messages_as_of(timestamptz);
ALTER TABLE messages DROP deleted_at, DROP deleted_by, DROP deleted_by_id;
DROP TABLE reaction_versions;
DROP TABLE thread_titles;
DROP TABLE participant_changes;
UPDATE tombstones SET reason = 'forgotten' WHERE reason = 'retention';
ALTER TABLE tombstones DROP CONSTRAINT ck_tombstones_reason;
ALTER TABLE tombstones ADD CONSTRAINT ck_tombstones_reason CHECK (reason IN ('expired', 'forgotten'));
COMMENT ON COLUMN tombstones.reason IS '''expired'' (a disappearing message) or ''forgotten'' (on request).';
COMMENT ON COLUMN tombstones.external_id IS 'The key itself; null once forgotten.';
COMMENT ON COLUMN tombstones.thread_external_id IS 'Its chat; null once forgotten.';
"""


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DOWN + _as_of_of("0004_forgetting.sql"))


def _as_of_of(file_name: str) -> str:
    """Return the statements of an older migration that make `messages_as_of`."""
    statements = Path(__file__).with_name(file_name).read_text(encoding="utf-8")
    return statements[statements.index("CREATE FUNCTION messages_as_of") :]
