"""Keep how far the browser's list of messages was read, and for each cycle how it learned which there are.

The statements are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_DOWN = """
ALTER TABLE sync_runs DROP COLUMN listed_by, DROP COLUMN rows_looked_at;
ALTER TABLE sync_state DROP COLUMN feed_hi, DROP COLUMN feed_hi_mark, DROP COLUMN feed_lo,
    DROP COLUMN feed_complete_at, DROP COLUMN feed_listed_at, DROP COLUMN feed_scope,
    DROP COLUMN feed_reactions;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DOWN)
