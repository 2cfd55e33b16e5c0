"""Which columns may tell of somebody, so that erasing reaches them, and which never do.

Every column of every table stands in exactly one of the two lists; a test says so, and another one fills
each column of the first list, erases, and looks for what is left. Whoever adds a column decides here.
"""

from __future__ import annotations

from collections.abc import Mapping

#: What `load.forget` removes, changes or cuts off.
ERASED: Mapping[str, frozenset[str]] = {
    "agent_messages": frozenset(
        {"id", "thread_external_id", "external_id", "sender_id", "content_snippet", "attachments"}
    ),
    "agent_proposals": frozenset({"agent_message_id", "payload"}),
    "agent_routing": frozenset({"thread_external_id", "thread_ids", "allowed_ids", "candidate_ids", "wish"}),
    "attachments": frozenset({"file_path", "checksum", "file_name"}),
    "backfill_progress": frozenset({"thread_external_id", "unread_digest"}),
    "contact_identifiers": frozenset({"value"}),
    "contacts": frozenset({"external_id", "saved_name", "push_name"}),
    "disagreements": frozenset({"thread_external_id", "external_id", "shown_id_hash", "known", "shown"}),
    "extractions": frozenset({"text", "blocks", "words", "provenance"}),
    "files_to_remove": frozenset({"file_path"}),
    "message_aliases": frozenset({"external_id"}),
    "message_versions": frozenset({"content_snippet"}),
    "messages": frozenset(
        {
            "external_id",
            "thread_external_id",
            "sender_id",
            "recipient_ids",
            "content_snippet",
            "stanza_id",
            "reply_to_external_id",
            "quoted_text",
            "album_id",
            "content_hash",
            "deleted_by_id",
        }
    ),
    "missing_messages": frozenset({"external_id", "thread_external_id"}),
    "participant_changes": frozenset({"participant_id"}),
    "reaction_versions": frozenset({"sender_id", "emoji"}),
    "reactions": frozenset({"sender_id", "emoji"}),
    "rejects": frozenset({"thread_external_id", "shown_id_hash", "evidence"}),
    "sync_coverage": frozenset({"thread_external_id", "first_external_id", "last_external_id"}),
    "sync_coverage_history": frozenset({"thread_external_id", "first_external_id", "last_external_id"}),
    "thread_titles": frozenset({"title"}),
    "threads": frozenset(
        {"external_id", "title", "participant_ids", "canonical_id", "checkpoint_message_id"}
    ),
    "tombstones": frozenset({"external_id", "thread_external_id"}),
}

_WRITTEN = {"id", "first_run_id", "last_run_id", "created_at", "updated_at"}

#: Counts, times, states and hashes that name nobody, of rows that stay or go with their owner.
IMPERSONAL: Mapping[str, frozenset[str]] = {
    "attachment_downloads": frozenset(
        {
            "attachment_id",
            "state",
            "reason",
            "way",
            "attempts",
            "next_try_at",
            "changed_at",
            "run_id",
            "mirrored_at",
        }
    ),
    "agent_deliveries": frozenset(
        {"agent_message_id", "target", "state", "attempts", "next_try_at", "settled_at", "last_error"}
    ),
    "agent_messages": frozenset(
        {
            "seq",
            "message_id",
            "revision",
            "type",
            "is_outgoing",
            "is_agent_channel",
            "message_type",
            "sent_at",
            "occurred_at",
        }
    ),
    "agent_proposals": frozenset(
        {"id", "message_id", "kind", "state", "idempotency_key", "request_sha256", "created_at"}
    ),
    # The names of the agent are the user's own setting.
    "agent_routing": frozenset({"id", "state", "keywords", "since"}),
    "attachments": frozenset(
        {
            *_WRITTEN,
            "message_id",
            "position",
            "source",
            "media_type",
            "state",
            "is_verified",
            "size_bytes",
            "width",
            "height",
            "duration_seconds",
        }
    ),
    "backfill_progress": frozenset(
        {
            "since",
            "expected",
            "stored",
            "missing",
            "stop_reason",
            "is_finished",
            "slices",
            "history_type",
            "phone_asked_at",
            "observed_at",
            "run_id",
        }
    ),
    "change_counter": frozenset({"id", "value"}),
    "contact_identifiers": frozenset({"id", "contact_id", "kind", "valid_from", "valid_to"}),
    "contacts": frozenset(_WRITTEN),
    "disagreements": frozenset(
        {"id", "fact", "first_seen_at", "last_seen_at", "times_seen", "first_run_id", "last_run_id"}
    ),
    # Codes, advice and counts: a decision that puts a person's data into an event would belong above.
    "event_deliveries": frozenset(
        {"event_id", "target", "state", "attempts", "next_try_at", "settled_at", "last_error"}
    ),
    "events": frozenset({"id", "seq", "type", "subject", "data", "occurred_at"}),
    "extraction_jobs": frozenset(
        {
            *_WRITTEN,
            "attachment_id",
            "state",
            "attempts",
            "next_try_at",
            "lease_id",
            "leased_by",  # a machine of the user's
            "leased_until",
            "last_error",
            "settled_at",
        }
    ),
    "extractions": frozenset(
        {
            "id",
            "attachment_id",
            "kind",
            "engine",
            "version",
            "parameters",
            "duration",
            "is_shared",
            "is_current",
            "created_at",
        }
    ),
    "files_to_remove": frozenset({"unused_since"}),
    "forget_key": frozenset({"id", "key"}),
    "forgotten": frozenset({"kind", "digest", "forgotten_at"}),
    "message_aliases": frozenset({"id", "platform", "message_id", "first_run_id"}),
    "message_versions": frozenset({"id", "message_id", "message_type", "replaced_seen_at", "run_id"}),
    "messages": frozenset(
        {
            *_WRITTEN,
            "platform",
            "ts",
            "is_outgoing",
            "source_app",
            "is_agent_channel",
            "exclude_from_automation",
            "has_attachments",
            "message_type",
            "subtype",
            "ts_precision",
            "ts_raw",
            "is_forwarded",
            "is_edited",
            "edited_seen_at",
            "deleted_seen_at",
            "deleted_at",
            "deleted_by",
            "album_position",
            "expires_at",
            "source_revision",
            "read_path",
            "observed_at",
            "change_seq",
        }
    ),
    "missing_messages": frozenset(
        {"reason", "attempts", "first_missed_at", "next_try_at", "expires_at", "run_id"}
    ),
    "participant_changes": frozenset({"id", "thread_id", "change", "seen_at", "run_id"}),
    "reaction_versions": frozenset({"id", "message_id", "reacted_at", "replaced_seen_at", "run_id"}),
    "reactions": frozenset({*_WRITTEN, "message_id", "reacted_at", "change_seq"}),
    "rejects": frozenset(
        {
            "id",
            "reason",
            "pack_id",
            "first_seen_at",
            "last_seen_at",
            "times_seen",
            "first_run_id",
            "last_run_id",
        }
    ),
    "session_events": frozenset(
        {"id", "state", "previous", "cause", "error", "is_unexpected", "needs_person", "occurred_at"}
    ),
    "sync_coverage": frozenset(
        {
            "expected",
            "stored",
            "missing",
            "stop_reason",
            "complete_until",
            "history_type",
            "observed_at",
            "run_id",
        }
    ),
    "sync_coverage_history": frozenset(
        {"id", "expected", "stored", "missing", "stop_reason", "history_type", "observed_at", "run_id"}
    ),
    "sync_runs": frozenset(
        {
            "id",
            "kind",
            "account_id",  # the user's own
            "status",
            "started_at",
            "finished_at",
            "lookback_begin",
            "read_by",
            "pid",
            "host",
            "session_state",
            "wa_version",
            "pack_id",
            "chats_listed",
            "chats_opened",
            "seen",
            "id_found",
            "matched",
            "body_found",
            "written",
            "inserted",
            "updated",
            "unchanged",
            "attachments_saved",
            "jobs_enqueued",
            "rejects",
            "expected",
            "missing",
            "newest_listed_at",
            "chats_skipped",
            "is_rewound",
            "receipts_observed",
            "disagreements",
            "disagreed",
            "rows_compared",
            "rows_by_store",
            "store_unavailable",
            "store_detail",
            "listed_by",
            "rows_looked_at",
            "lost_facts",
            "metadata_unreadable",
            "stop_reasons",
            "selector_hits",
            "stage_seconds",
            "seconds",
            "error",
        }
    ),
    "sync_state": frozenset(
        {
            "id",
            "source",
            "account_id",  # the user's own
            "account_lid",
            "is_active",
            "pinned_at",
            "replaced_at",
            "last_seen_at",
            "complete_until",
            "last_success_at",
            "session_status",
            "session_status_at",
            "shield_alarm_at",
            "shield_acknowledged_at",
            "feed_hi",
            "feed_hi_mark",
            "feed_lo",
            "feed_complete_at",
            "feed_listed_at",
            "feed_scope",
            "feed_reactions",
        }
    ),
    "thread_titles": frozenset({"id", "thread_id", "valid_from", "valid_to"}),
    "threads": frozenset({*_WRITTEN, "platform", "kind", "is_archived", "last_activity_at", "checkpoint_ts"}),
    "tombstones": frozenset({"change_seq", "key_sha256", "reason", "removed_at"}),
}
