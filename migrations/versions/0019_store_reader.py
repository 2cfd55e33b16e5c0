"""Keep for each cycle how many messages the page's message store told, and why it was left.

The statements are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_DOWN = """
ALTER TABLE sync_runs DROP COLUMN rows_by_store, DROP COLUMN store_unavailable, DROP COLUMN store_detail;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DOWN)
