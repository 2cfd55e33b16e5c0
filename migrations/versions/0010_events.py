"""Keep what is told outside, and how far it came.

The tables and columns are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_DOWN = """
DROP TABLE event_deliveries;
DROP TABLE events;
ALTER TABLE session_events ADD COLUMN delivered_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX ix_session_events_undelivered ON session_events (id) WHERE delivered_at IS NULL;
COMMENT ON TABLE session_events IS 'Outbox of session changes, one row per change of state.';
COMMENT ON COLUMN session_events.delivered_at IS 'When the event was handed on; null: not yet.';
"""


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DOWN)
