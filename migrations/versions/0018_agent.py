"""Keep which chat is the agent's, what its pipeline is handed, and what it proposes."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_DOWN = """
DROP VIEW ordinary_messages;
DROP TABLE agent_proposals;
DROP TABLE agent_deliveries;
DROP TABLE agent_messages;
DROP TABLE agent_routing;
-- An older program does not know the flags, and takes none back.
UPDATE messages SET is_agent_channel = 0, exclude_from_automation = 0
WHERE is_agent_channel = 1 OR exclude_from_automation = 1;
DROP FUNCTION messages_as_of(TIMESTAMP WITH TIME ZONE, BOOLEAN);
CREATE FUNCTION messages_as_of(instant TIMESTAMP WITH TIME ZONE)
RETURNS TABLE (
    id BIGINT, external_id TEXT, thread_external_id TEXT, sender_id TEXT, ts TIMESTAMP WITH TIME ZONE,
    is_outgoing SMALLINT, message_type TEXT, content_snippet TEXT,
    deleted_seen_at TIMESTAMP WITH TIME ZONE, deleted_at TIMESTAMP WITH TIME ZONE, deleted_by TEXT
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT m.id, m.external_id, m.thread_external_id, m.sender_id, m.ts, m.is_outgoing,
        CASE WHEN v.id IS NULL THEN m.message_type ELSE v.message_type END,
        CASE WHEN v.id IS NULL THEN m.content_snippet ELSE v.content_snippet END,
        CASE WHEN m.deleted_seen_at <= instant THEN m.deleted_seen_at END,
        CASE WHEN m.deleted_seen_at <= instant THEN m.deleted_at END,
        CASE WHEN m.deleted_seen_at <= instant THEN m.deleted_by END
    FROM messages m
    LEFT JOIN LATERAL (
        SELECT w.id, w.message_type, w.content_snippet FROM message_versions w
        WHERE w.message_id = m.id AND w.replaced_seen_at > instant
        ORDER BY w.replaced_seen_at, w.id LIMIT 1
    ) v ON true
    WHERE m.created_at <= instant;
END;
COMMENT ON FUNCTION messages_as_of(TIMESTAMP WITH TIME ZONE) IS
    'The messages as they were known at an instant: text and type as then; what was not yet seen is absent.';
"""


def upgrade() -> None:
    statements = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements)


def downgrade() -> None:
    op.get_bind().exec_driver_sql(_DOWN)
