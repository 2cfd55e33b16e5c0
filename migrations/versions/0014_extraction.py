"""Let workers take the stored images, and keep what they read with where it comes from.

The tables and columns are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# A job that was given up or done is one that an older program has never looked at.
_DOWN = """
DROP VIEW image_texts;
DROP FUNCTION image_phrase(text);
DROP TABLE extractions;
ALTER TABLE extraction_jobs DROP CONSTRAINT ck_extraction_jobs_state;
UPDATE extraction_jobs SET state = 'queued', attempts = 0 WHERE state <> 'queued';
DROP INDEX ix_extraction_jobs_queued;
DROP INDEX ix_extraction_jobs_running;
DROP INDEX ix_extraction_jobs_lease;
ALTER TABLE extraction_jobs DROP COLUMN next_try_at, DROP COLUMN lease_id, DROP COLUMN leased_by,
    DROP COLUMN leased_until, DROP COLUMN last_error, DROP COLUMN settled_at;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DOWN)
    lines = Path(__file__).with_name("0001_messages.sql").read_text(encoding="utf-8").splitlines()
    start = lines.index("CREATE TABLE extractions (")
    table = "\n".join(lines[start : lines.index(");", start) + 1])
    jobs = [
        line
        for line in lines
        if line.startswith(
            (
                "CREATE INDEX ix_extraction",
                "COMMENT ON TABLE extraction",
                "COMMENT ON COLUMN extractions.",
                "COMMENT ON COLUMN extraction_jobs.",
            )
        )
    ]
    check = next(line for line in lines if "CONSTRAINT ck_extraction_jobs_state " in line).strip().rstrip(",")
    op.get_bind().exec_driver_sql("\n".join((f"ALTER TABLE extraction_jobs ADD {check};", table, *jobs)))
