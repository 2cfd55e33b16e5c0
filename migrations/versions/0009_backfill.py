"""Keep how far back-fill came in each chat, and tell its runs from cycles.

The statements are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_DOWN = """
    DROP VIEW chats_short_of_lookback;
    DROP VIEW coverage_trend;
    DROP TABLE backfill_progress;
    ALTER TABLE sync_runs DROP COLUMN kind;
    COMMENT ON TABLE sync_runs IS 'One row per cycle.';
"""


def _run(statements: str) -> None:
    op.get_bind().exec_driver_sql(statements)


def _view_of(revision_file: str, name: str) -> str:
    """Return the statements that made this view in an earlier revision."""
    text = Path(__file__).with_name(revision_file).read_text(encoding="utf-8")
    blocks = [block for block in text.split("\n\n") if block.startswith("CREATE VIEW")]
    return next(block for block in blocks if block.split()[2] == name)


def upgrade() -> None:
    _run(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    _run(_DOWN)
    _run(_view_of("0006_coverage.sql", "chats_short_of_lookback"))
    _run(_view_of("0005_ledger.sql", "coverage_trend"))
