"""Say what `complete_until` means: from then on nothing is missing, for the account in every chat.

The value of the account is written anew at the end of the next cycle.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NOW = {
    "sync_coverage": "From then on nothing is missing; null: not known.",
    "sync_state": "From then on nothing is missing in any chat that has such a time.",
}
_BEFORE = {
    "sync_coverage": "Oldest instant from which on nothing is missing.",
    "sync_state": "The oldest ''complete up to'' over covered chats.",
}


def _comment(texts: dict[str, str]) -> None:
    for table, text in texts.items():
        op.get_bind().exec_driver_sql(f"COMMENT ON COLUMN {table}.complete_until IS '{text}'")


def upgrade() -> None:
    _comment(_NOW)


def downgrade() -> None:
    _comment(_BEFORE)
