"""Tell of each chat's coverage its first and last message, close its sets, and keep what a run saw listed.

The statements are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_DOWN = """
    DROP VIEW chats_short_of_lookback;
    DROP VIEW coverage_gaps;
    ALTER TABLE missing_messages DROP CONSTRAINT ck_missing_messages_reason;
    ALTER TABLE sync_coverage DROP CONSTRAINT ck_sync_coverage_stop_reason,
        DROP CONSTRAINT ck_sync_coverage_missing,
        DROP COLUMN first_external_id, DROP COLUMN last_external_id;
    ALTER TABLE sync_coverage_history DROP CONSTRAINT ck_sync_coverage_history_stop_reason,
        DROP CONSTRAINT ck_sync_coverage_history_missing,
        DROP COLUMN first_external_id, DROP COLUMN last_external_id, DROP COLUMN history_type;
    ALTER TABLE sync_runs DROP COLUMN newest_listed_at, DROP COLUMN chats_skipped;
    COMMENT ON COLUMN sync_coverage.history_type
        IS 'What the browser says about older messages on the phone.';
    COMMENT ON TABLE sync_coverage_history
        IS 'A row for each time that a chat''s gaps or stop reason changed.';
"""


def _run(statements: str) -> None:
    op.get_bind().exec_driver_sql(statements)


def _views_of(revision_file: str, *names: str) -> str:
    """Return the statements that made these views in an earlier revision."""
    text = Path(__file__).with_name(revision_file).read_text(encoding="utf-8")
    blocks = [block for block in text.split("\n\n") if block.startswith("CREATE VIEW")]
    return "\n".join(block for block in blocks if block.split()[2] in names)


def upgrade() -> None:
    _run(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    _run(_DOWN)
    _run(_views_of("0005_ledger.sql", "coverage_gaps", "chats_short_of_lookback"))
