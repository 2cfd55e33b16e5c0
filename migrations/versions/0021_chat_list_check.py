"""Let disagreements tell of the chat list, too.

The statements are spelled out in the SQL file of the same name.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_DOWN = """
DELETE FROM disagreements WHERE fact NOT IN ('id', 'count', 'time', 'text');
UPDATE sync_runs SET disagreed = disagreed - ARRAY['order', 'title', 'unread', 'preview', 'last_time'];
ALTER TABLE disagreements DROP CONSTRAINT ck_disagreements_fact,
    ADD CONSTRAINT ck_disagreements_fact CHECK (fact IN ('id', 'count', 'time', 'text'));
ALTER TABLE sync_runs DROP CONSTRAINT ck_sync_runs_disagreed,
    ADD CONSTRAINT ck_sync_runs_disagreed
        CHECK (disagreed - ARRAY['id', 'count', 'time', 'text'] = '{}'::jsonb);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DOWN)
