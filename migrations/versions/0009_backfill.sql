ALTER TABLE sync_runs
    ADD COLUMN kind TEXT DEFAULT 'sync' NOT NULL
        CONSTRAINT ck_sync_runs_kind CHECK (kind IN ('sync', 'backfill'));
COMMENT ON COLUMN sync_runs.kind IS '''sync'' (a cycle) or ''backfill'' (what lies before the look-back).';
COMMENT ON TABLE sync_runs IS 'One row per cycle, and per back-fill.';

CREATE TABLE backfill_progress (
    thread_external_id TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    expected BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    missing JSONB DEFAULT '{}' NOT NULL,
    stop_reason TEXT NOT NULL,
    is_finished SMALLINT DEFAULT '0' NOT NULL CONSTRAINT ck_backfill_progress_is_finished CHECK (is_finished IN (0, 1)),
    slices INTEGER NOT NULL,
    unread_digest TEXT NOT NULL,
    history_type INTEGER,
    phone_asked_at TIMESTAMP WITH TIME ZONE,
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    run_id BIGINT NOT NULL,
    CONSTRAINT pk_backfill_progress PRIMARY KEY (thread_external_id),
    CONSTRAINT ck_backfill_progress_stop_reason CHECK (stop_reason IN ('all_found', 'edge_reached', 'beginning_reached', 'checkpoint_reached', 'nothing_to_read', 'needs_phone', 'phone_failed', 'time_budget', 'stalled', 'chat_not_found', 'chat_unidentified', 'drift', 'not_stored', 'page_failed', 'shielded', 'excluded', 'interrupted')),
    CONSTRAINT ck_backfill_progress_missing CHECK (missing - ARRAY['not_shown', 'not_reached', 'needs_phone', 'empty_row', 'unreadable', 'picture_not_loaded', 'chat_not_opened', 'skipped_by_rule'] = '{}'::jsonb)
);
COMMENT ON TABLE backfill_progress IS 'How far back-fill came: one row per chat, written with the messages that it covers.';
COMMENT ON COLUMN backfill_progress.thread_external_id IS 'Chat id.';
COMMENT ON COLUMN backfill_progress.since IS 'How far back it was last to be read.';
COMMENT ON COLUMN backfill_progress.expected IS 'Ids from then on that the metadata lists.';
COMMENT ON COLUMN backfill_progress.stored IS 'Of those, stored.';
COMMENT ON COLUMN backfill_progress.missing IS 'Reason to number of messages missing, as last read.';
COMMENT ON COLUMN backfill_progress.stop_reason IS 'Why the last slice of reading ended.';
COMMENT ON COLUMN backfill_progress.is_finished IS '1: everything that the browser would show was read; 0: the next back-fill goes on.';
COMMENT ON COLUMN backfill_progress.slices IS 'Slices in a row that ran out of time; each doubles the next one.';
COMMENT ON COLUMN backfill_progress.unread_digest IS 'Of the ids before the look-back that stayed unread; '''': none.';
COMMENT ON COLUMN backfill_progress.history_type IS 'What the browser says about older messages on the phone (`endOfHistoryTransferType`): 0 and 2: it has more; 1: it has none; null: not known.';
COMMENT ON COLUMN backfill_progress.phone_asked_at IS 'When the phone was last asked for more; null: never.';
COMMENT ON COLUMN backfill_progress.observed_at IS 'When these facts were found; equal facts found later leave the row alone.';
COMMENT ON COLUMN backfill_progress.run_id IS 'Run that found them.';

DROP VIEW chats_short_of_lookback;
DROP VIEW coverage_trend;

CREATE VIEW chats_short_of_lookback AS
SELECT c.thread_external_id, t.title, c.complete_until, r.lookback_begin, c.history_type,
       c.stop_reason, c.expected, c.stored, c.missing, c.first_external_id, c.last_external_id,
       t.last_activity_at, c.observed_at, c.run_id
FROM sync_coverage c
LEFT JOIN (SELECT lookback_begin FROM sync_runs
           WHERE lookback_begin IS NOT NULL AND kind = 'sync' ORDER BY id DESC LIMIT 1) r ON true
LEFT JOIN threads t ON t.platform = 'whatsapp' AND t.external_id = c.thread_external_id
WHERE c.complete_until IS NULL OR c.complete_until > r.lookback_begin;
COMMENT ON VIEW chats_short_of_lookback IS 'Chats that are not known to be complete from the look-back''s begin on.';
COMMENT ON COLUMN chats_short_of_lookback.thread_external_id IS 'Chat id.';
COMMENT ON COLUMN chats_short_of_lookback.title IS 'The chat''s title; null when nothing names it.';
COMMENT ON COLUMN chats_short_of_lookback.complete_until IS 'From then on nothing is missing; null: not known.';
COMMENT ON COLUMN chats_short_of_lookback.lookback_begin IS 'How far back the newest run looked.';
COMMENT ON COLUMN chats_short_of_lookback.history_type IS 'What the browser says about older messages on the phone.';
COMMENT ON COLUMN chats_short_of_lookback.stop_reason IS 'Why reading of the chat last ended.';
COMMENT ON COLUMN chats_short_of_lookback.expected IS 'Ids that the metadata lists inside the look-back.';
COMMENT ON COLUMN chats_short_of_lookback.stored IS 'Of those, stored.';
COMMENT ON COLUMN chats_short_of_lookback.missing IS 'Reason to number of messages missing.';
COMMENT ON COLUMN chats_short_of_lookback.first_external_id IS 'Key of the oldest message that the metadata lists there.';
COMMENT ON COLUMN chats_short_of_lookback.last_external_id IS 'Key of the newest one.';
COMMENT ON COLUMN chats_short_of_lookback.last_activity_at IS 'The chat''s last activity; before the look-back''s begin there is nothing to be short of.';
COMMENT ON COLUMN chats_short_of_lookback.observed_at IS 'When these facts were found.';
COMMENT ON COLUMN chats_short_of_lookback.run_id IS 'Run that found them.';

CREATE VIEW coverage_trend AS
SELECT d.day, d.runs, d.run_id, r.expected, r.expected - least(r.missing, r.expected) AS stored,
       r.missing
FROM (SELECT (started_at AT TIME ZONE 'UTC')::date AS day, count(*) AS runs,
             max(id) FILTER (WHERE status IN ('success', 'partial')
                             AND read_by = 'metadata') AS run_id
      FROM sync_runs WHERE kind = 'sync' GROUP BY 1) d
LEFT JOIN sync_runs r ON r.id = d.run_id;
COMMENT ON VIEW coverage_trend IS 'For each day (UTC) the counts of its last cycle that knew how many messages there are.';
COMMENT ON COLUMN coverage_trend.day IS 'Day on which the cycles began.';
COMMENT ON COLUMN coverage_trend.runs IS 'Cycles of that day, as far as they are still kept.';
COMMENT ON COLUMN coverage_trend.run_id IS 'The cycle whose counts these are; null: none of that day knew.';
COMMENT ON COLUMN coverage_trend.expected IS 'Messages that the metadata lists inside the look-back.';
COMMENT ON COLUMN coverage_trend.stored IS 'Of those, stored.';
COMMENT ON COLUMN coverage_trend.missing IS 'Not stored, entries that could not be understood among them.';
