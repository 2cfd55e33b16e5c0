"""Keep a ledger of how far the bytes of each attachment came."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_DOWN = """
DROP TABLE attachment_downloads;
COMMENT ON COLUMN attachments.state IS '''seen'' (no bytes held), ''stored'', ''unavailable''.';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DOWN)
