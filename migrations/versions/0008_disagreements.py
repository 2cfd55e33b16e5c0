"""Keep where the browser's storage, Postgres and the page do not say the same of a message.

The statements are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.drop_table("disagreements")
    op.drop_column("sync_runs", "disagreed")
    op.drop_column("sync_runs", "rows_compared")
    op.get_bind().exec_driver_sql(
        "COMMENT ON COLUMN sync_runs.disagreements IS 'Texts that differ from the stored one without a sign"
        " of an edit, and times from the listed one.'"
    )
