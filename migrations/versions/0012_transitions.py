"""Tell of each change of the session where it came from and why."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_DOWN = """
ALTER TABLE session_events DROP CONSTRAINT ck_session_events_cause;
ALTER TABLE session_events ALTER COLUMN cause DROP NOT NULL;
UPDATE session_events SET cause = error;
ALTER TABLE session_events DROP COLUMN previous, DROP COLUMN error, DROP COLUMN is_unexpected;
COMMENT ON COLUMN session_events.cause IS 'What was seen; no names or numbers.';
"""


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DOWN)
