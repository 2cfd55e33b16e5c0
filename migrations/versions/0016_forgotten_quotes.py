"""Know what was forgotten again where a quote names no message: by its text, and by who said it."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0016"
down_revision = "0014"
branch_labels = None
depends_on = None

_DOWN = """
DELETE FROM forgotten WHERE kind IN ('text', 'name');
ALTER TABLE forgotten DROP CONSTRAINT ck_forgotten_kind;
ALTER TABLE forgotten ADD CONSTRAINT ck_forgotten_kind
    CHECK (kind IN ('message', 'chat', 'contact', 'stanza'));
COMMENT ON COLUMN forgotten.kind IS
    '''message'', ''chat'', ''contact'', or ''stanza'' (the middle part of a removed message''s key).';
COMMENT ON COLUMN forgotten.digest IS 'HMAC-SHA256 of kind and id under `forget_key.key`.';
COMMENT ON TABLE forgotten IS
    'What was erased on request, so that no later cycle stores it again. Holds no id.';
"""


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DOWN)
