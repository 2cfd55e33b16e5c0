"""Views: the questions that operators ask of the bookkeeping, answered once.

They are made together with the tables, and read by everyone who may read those.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import DDL, event

from whatsapp_etl.load.tables.base import metadata


@dataclass(frozen=True, slots=True)
class View:
    """A view as the migrations leave it."""

    name: str
    comment: str
    query: str  #: Without a percent sign, which SQLAlchemy would take for a placeholder.
    columns: tuple[tuple[str, str, str], ...]  #: (name, type, meaning).

    @property
    def statements(self) -> tuple[str, ...]:
        """Return what creates it."""
        comments = [f"COMMENT ON VIEW {self.name} IS {_quoted(self.comment)}"]
        comments += [
            f"COMMENT ON COLUMN {self.name}.{name} IS {_quoted(meaning)}" for name, _, meaning in self.columns
        ]
        return (f"CREATE VIEW {self.name} AS {self.query}", *comments)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


VIEWS = (
    View(
        "ordinary_messages",
        "Messages for analysts, without the agent's chat; the table `messages` has those, too.",
        """
        SELECT m.id, m.external_id, m.thread_external_id, t.title AS thread_title, m.sender_id, m.ts,
               m.is_outgoing = 1 AS is_outgoing, m.message_type, m.content_snippet,
               m.has_attachments = 1 AS has_attachments,
               m.exclude_from_automation = 1 AS exclude_from_automation, m.is_edited = 1 AS is_edited,
               m.is_forwarded = 1 AS is_forwarded, m.deleted_at, m.change_seq
        FROM messages m
        LEFT JOIN threads t ON t.platform = m.platform AND t.external_id = m.thread_external_id
        WHERE m.is_agent_channel = 0
        """,
        (
            ("id", "bigint", "`messages.id`."),
            ("external_id", "text", "Message key."),
            ("thread_external_id", "text", "Chat id."),
            ("thread_title", "text", "The chat's title; null when nothing names it."),
            ("sender_id", "text", "The sender's id, the own id when outgoing; null on system rows."),
            ("ts", "timestamptz", "When it was sent."),
            ("is_outgoing", "boolean", "Sent by the account."),
            ("message_type", "text", "As in `messages`."),
            ("content_snippet", "text", "The whole text; null where there is none."),
            ("has_attachments", "boolean", "Carries a file by its type."),
            ("exclude_from_automation", "boolean", "Calls the agent: automations must leave it alone."),
            ("is_edited", "boolean", "Shown as edited."),
            ("is_forwarded", "boolean", "Shown as forwarded."),
            ("deleted_at", "timestamptz", "When it was deleted for everyone; null: not, or not known."),
            ("change_seq", "bigint", "As in `messages`."),
        ),
    ),
    View(
        "coverage_gaps",
        "Every message that is known to be missing, with its chat and what comes next.",
        """
        SELECT x.external_id, x.thread_external_id, t.title, x.reason, c.stop_reason, x.attempts,
               x.first_missed_at,
               now() - x.first_missed_at AS age, x.next_try_at,
               EXISTS (SELECT FROM messages m
                       WHERE m.platform = 'whatsapp' AND m.external_id = x.external_id)
               OR EXISTS (SELECT FROM message_aliases a
                          WHERE a.platform = 'whatsapp' AND a.external_id = x.external_id) AS is_stored,
               x.run_id
        FROM missing_messages x
        LEFT JOIN sync_coverage c ON c.thread_external_id = x.thread_external_id
        LEFT JOIN threads t ON t.platform = 'whatsapp' AND t.external_id = x.thread_external_id
        """,
        (
            ("external_id", "text", "Message key."),
            ("thread_external_id", "text", "Chat id."),
            ("title", "text", "The chat's title; null when nothing names it."),
            ("reason", "text", "Why it is not stored."),
            ("stop_reason", "text", "Why reading of its chat last ended; of a skipped chat, the rule."),
            ("attempts", "integer", "How often it was looked for."),
            ("first_missed_at", "timestamptz", "When it was first found missing."),
            ("age", "interval", "For how long it has been missing."),
            ("next_try_at", "timestamptz", "Not looked for again before."),
            ("is_stored", "boolean", "An older state is stored: the edit or the picture is missing."),
            ("run_id", "bigint", "Run that looked for it last."),
        ),
    ),
    # The newest run counts, not the newest finished one: a cycle that is running sets the begin of
    # the chats that it has read already.
    View(
        "chats_short_of_lookback",
        "Chats that are not known to be complete from the look-back's begin on.",
        """
        SELECT c.thread_external_id, t.title, c.complete_until, r.lookback_begin, c.history_type,
               c.stop_reason, c.expected, c.stored, c.missing, c.first_external_id, c.last_external_id,
               t.last_activity_at, c.observed_at, c.run_id
        FROM sync_coverage c
        LEFT JOIN (SELECT lookback_begin FROM sync_runs
                   WHERE lookback_begin IS NOT NULL AND kind = 'sync' ORDER BY id DESC LIMIT 1) r ON true
        LEFT JOIN threads t ON t.platform = 'whatsapp' AND t.external_id = c.thread_external_id
        WHERE c.complete_until IS NULL OR c.complete_until > r.lookback_begin
        """,
        (
            ("thread_external_id", "text", "Chat id."),
            ("title", "text", "The chat's title; null when nothing names it."),
            ("complete_until", "timestamptz", "From then on nothing is missing; null: not known."),
            ("lookback_begin", "timestamptz", "How far back the newest run looked."),
            ("history_type", "integer", "What the browser says about older messages on the phone."),
            ("stop_reason", "text", "Why reading of the chat last ended."),
            ("expected", "bigint", "Ids that the metadata lists inside the look-back."),
            ("stored", "bigint", "Of those, stored."),
            ("missing", "jsonb", "Reason to number of messages missing."),
            ("first_external_id", "text", "Key of the oldest message that the metadata lists there."),
            ("last_external_id", "text", "Key of the newest one."),
            (
                "last_activity_at",
                "timestamptz",
                "The chat's last activity; before the look-back's begin there is nothing to be short of.",
            ),
            ("observed_at", "timestamptz", "When these facts were found."),
            ("run_id", "bigint", "Run that found them."),
        ),
    ),
    View(
        "coverage_trend",
        "For each day (UTC) the counts of its last cycle that knew how many messages there are.",
        """
        SELECT d.day, d.runs, d.run_id, r.expected, r.expected - least(r.missing, r.expected) AS stored,
               r.missing
        FROM (SELECT (started_at AT TIME ZONE 'UTC')::date AS day, count(*) AS runs,
                     max(id) FILTER (WHERE status IN ('success', 'partial')
                                     AND read_by = 'metadata') AS run_id
              FROM sync_runs WHERE kind = 'sync' GROUP BY 1) d
        LEFT JOIN sync_runs r ON r.id = d.run_id
        """,
        (
            ("day", "date", "Day on which the cycles began."),
            ("runs", "bigint", "Cycles of that day, as far as they are still kept."),
            ("run_id", "bigint", "The cycle whose counts these are; null: none of that day knew."),
            ("expected", "bigint", "Messages that the metadata lists inside the look-back."),
            ("stored", "bigint", "Of those, stored."),
            ("missing", "bigint", "Not stored, entries that could not be understood among them."),
        ),
    ),
    View(
        "image_texts",
        "The newest text of each stored picture, with its message and chat.",
        """
        SELECT e.text, e.words, m.external_id, m.thread_external_id, t.title, m.sender_id, m.ts,
               m.content_snippet AS caption, a.id AS attachment_id, a.file_path, a.checksum,
               e.engine, e.version, e.created_at AS extracted_at
        FROM extractions e
        JOIN attachments a ON a.id = e.attachment_id
        JOIN messages m ON m.id = a.message_id
        LEFT JOIN threads t ON t.platform = 'whatsapp' AND t.external_id = m.thread_external_id
        WHERE e.is_current = 1 AND e.kind = 'text'
        """,
        (
            ("text", "text", "All text of the picture, a block a line; empty: there is none."),
            ("words", "tsvector", "The same to search in: `words @@ image_phrase('INV-2026-17')`."),
            ("external_id", "text", "Key of the message."),
            ("thread_external_id", "text", "Chat id."),
            ("title", "text", "The chat's title; null when nothing names it."),
            ("sender_id", "text", "Who sent it."),
            ("ts", "timestamptz", "When it was sent."),
            ("caption", "text", "What was written below it."),
            ("attachment_id", "bigint", "`attachments.id`."),
            ("file_path", "text", "Relative to ATTACHMENTS_DIR."),
            ("checksum", "text", "sha256 of the bytes."),
            ("engine", "text", "Name of the engine that read it."),
            ("version", "text", "Version of the engine."),
            ("extracted_at", "timestamptz", "When the text was written here."),
        ),
    ),
)


def _made_with_the_tables(view: View) -> None:
    for statement in view.statements:
        event.listen(metadata, "after_create", _ddl(statement))
    event.listen(metadata, "before_drop", _ddl(f"DROP VIEW IF EXISTS {view.name}"))


def _ddl(statement: str) -> DDL:
    return DDL(statement)  # type: ignore[no-untyped-call]  # not annotated there


for _view in VIEWS:
    _made_with_the_tables(_view)
