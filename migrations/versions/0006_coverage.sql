ALTER TABLE sync_runs
    ADD COLUMN newest_listed_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN chats_skipped JSONB DEFAULT '{}' NOT NULL
        CONSTRAINT ck_sync_runs_chats_skipped CHECK (chats_skipped - ARRAY['excluded', 'agent', 'locked', 'out_of_scope', 'forgotten'] = '{}'::jsonb);
COMMENT ON COLUMN sync_runs.newest_listed_at IS 'When the newest message was sent that the metadata lists.';
COMMENT ON COLUMN sync_runs.chats_skipped IS 'Chats left alone altogether: rule to number of chats. Names none of them.';

ALTER TABLE sync_coverage
    ADD COLUMN first_external_id TEXT,
    ADD COLUMN last_external_id TEXT,
    ADD CONSTRAINT ck_sync_coverage_stop_reason CHECK (stop_reason IN ('all_found', 'edge_reached', 'beginning_reached', 'checkpoint_reached', 'nothing_to_read', 'needs_phone', 'phone_failed', 'time_budget', 'stalled', 'chat_not_found', 'chat_unidentified', 'drift', 'not_stored', 'page_failed', 'shielded', 'excluded', 'interrupted')),
    ADD CONSTRAINT ck_sync_coverage_missing CHECK (missing - ARRAY['not_shown', 'not_reached', 'needs_phone', 'empty_row', 'unreadable', 'picture_not_loaded', 'chat_not_opened', 'skipped_by_rule'] = '{}'::jsonb);
COMMENT ON COLUMN sync_coverage.history_type IS 'What the browser says about older messages on the phone (`endOfHistoryTransferType`): 0 and 2: it has more; 1: it has none; null: not known.';
COMMENT ON COLUMN sync_coverage.first_external_id IS 'Key of the oldest message that the metadata lists inside the look-back; null: none, or not readable.';
COMMENT ON COLUMN sync_coverage.last_external_id IS 'Key of the newest one.';

ALTER TABLE sync_coverage_history
    ADD COLUMN history_type INTEGER,
    ADD COLUMN first_external_id TEXT,
    ADD COLUMN last_external_id TEXT,
    ADD CONSTRAINT ck_sync_coverage_history_stop_reason CHECK (stop_reason IN ('all_found', 'edge_reached', 'beginning_reached', 'checkpoint_reached', 'nothing_to_read', 'needs_phone', 'phone_failed', 'time_budget', 'stalled', 'chat_not_found', 'chat_unidentified', 'drift', 'not_stored', 'page_failed', 'shielded', 'excluded', 'interrupted')),
    ADD CONSTRAINT ck_sync_coverage_history_missing CHECK (missing - ARRAY['not_shown', 'not_reached', 'needs_phone', 'empty_row', 'unreadable', 'picture_not_loaded', 'chat_not_opened', 'skipped_by_rule'] = '{}'::jsonb);
COMMENT ON COLUMN sync_coverage_history.history_type IS 'What the browser says about older messages on the phone (`endOfHistoryTransferType`): 0 and 2: it has more; 1: it has none; null: not known.';
COMMENT ON COLUMN sync_coverage_history.first_external_id IS 'Key of the oldest message that the metadata lists inside the look-back; null: none, or not readable.';
COMMENT ON COLUMN sync_coverage_history.last_external_id IS 'Key of the newest one.';
COMMENT ON TABLE sync_coverage_history IS 'A row for each time that a chat''s gaps, stop reason or history type changed.';

ALTER TABLE missing_messages
    ADD CONSTRAINT ck_missing_messages_reason CHECK (reason IN ('not_shown', 'not_reached', 'needs_phone', 'empty_row', 'unreadable', 'picture_not_loaded', 'chat_not_opened', 'skipped_by_rule'));

DROP VIEW coverage_gaps;
DROP VIEW chats_short_of_lookback;

CREATE VIEW coverage_gaps AS
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
LEFT JOIN threads t ON t.platform = 'whatsapp' AND t.external_id = x.thread_external_id;
COMMENT ON VIEW coverage_gaps IS 'Every message that is known to be missing, with its chat and what comes next.';
COMMENT ON COLUMN coverage_gaps.external_id IS 'Message key.';
COMMENT ON COLUMN coverage_gaps.thread_external_id IS 'Chat id.';
COMMENT ON COLUMN coverage_gaps.title IS 'The chat''s title; null when nothing names it.';
COMMENT ON COLUMN coverage_gaps.reason IS 'Why it is not stored.';
COMMENT ON COLUMN coverage_gaps.stop_reason IS 'Why reading of its chat last ended; of a skipped chat, the rule.';
COMMENT ON COLUMN coverage_gaps.attempts IS 'How often it was looked for.';
COMMENT ON COLUMN coverage_gaps.first_missed_at IS 'When it was first found missing.';
COMMENT ON COLUMN coverage_gaps.age IS 'For how long it has been missing.';
COMMENT ON COLUMN coverage_gaps.next_try_at IS 'Not looked for again before.';
COMMENT ON COLUMN coverage_gaps.is_stored IS 'An older state is stored: the edit or the picture is missing.';
COMMENT ON COLUMN coverage_gaps.run_id IS 'Run that looked for it last.';

CREATE VIEW chats_short_of_lookback AS
SELECT c.thread_external_id, t.title, c.complete_until, r.lookback_begin, c.history_type,
       c.stop_reason, c.expected, c.stored, c.missing, c.first_external_id, c.last_external_id,
       t.last_activity_at, c.observed_at, c.run_id
FROM sync_coverage c
LEFT JOIN (SELECT lookback_begin FROM sync_runs WHERE lookback_begin IS NOT NULL
           ORDER BY id DESC LIMIT 1) r ON true
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
