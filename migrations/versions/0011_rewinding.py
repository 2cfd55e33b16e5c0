"""Keep as gaps what a storage that was set back no longer lists, and what disappeared before it was stored.

The statements are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_BEFORE = ("0006_coverage.sql", "0009_backfill.sql")
_DOWN = """
    ALTER TABLE sync_runs DROP COLUMN is_rewound;
    ALTER TABLE missing_messages DROP COLUMN expires_at;
    DELETE FROM missing_messages WHERE reason IN ('expired', 'no_longer_listed');
    UPDATE sync_coverage SET missing = missing - ARRAY['expired', 'no_longer_listed'];
    UPDATE sync_coverage_history SET missing = missing - ARRAY['expired', 'no_longer_listed'];
    UPDATE backfill_progress SET missing = missing - ARRAY['expired', 'no_longer_listed'];
    COMMENT ON TABLE missing_messages
        IS 'Messages that the metadata lists and that are not stored (or stored in an older revision).';
"""
_CHECKED = {
    "missing_messages": "reason",
    "sync_coverage": "missing",
    "sync_coverage_history": "missing",
    "backfill_progress": "missing",
}


def upgrade() -> None:
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DOWN)
    before = "\n".join(
        Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _BEFORE
    ).splitlines()
    for table, column in _CHECKED.items():
        name = f"CONSTRAINT ck_{table}_{column} "
        line = next(line for line in before if name in line)
        check = line[line.index(name) :].rstrip(",;")
        op.get_bind().exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{column}")
        op.get_bind().exec_driver_sql(f"ALTER TABLE {table} ADD {check}")
