"""Keep what a run looked for and could not see, and answer the operators' questions as views.

The columns and views are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_VIEWS = ("coverage_trend", "chats_short_of_lookback", "coverage_gaps")
_COLUMNS = ("lookback_begin", "read_by", "disagreements", "lost_facts", "metadata_unreadable")


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    for view in _VIEWS:
        op.get_bind().exec_driver_sql(f"DROP VIEW {view}")
    for column in _COLUMNS:
        op.drop_column("sync_runs", column)
