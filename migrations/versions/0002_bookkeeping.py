"""Keep runs, coverage, gaps, rejects, session events and the change feed.

The tables are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: In the order in which they can be dropped.
_TABLES = (
    "tombstones",
    "sync_state",
    "sync_runs",
    "sync_coverage_history",
    "sync_coverage",
    "session_events",
    "rejects",
    "missing_messages",
    "change_counter",
)


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
