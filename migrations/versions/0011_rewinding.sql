ALTER TABLE sync_runs
    ADD COLUMN is_rewound SMALLINT DEFAULT '0' NOT NULL
        CONSTRAINT ck_sync_runs_is_rewound CHECK (is_rewound IN (0, 1));
COMMENT ON COLUMN sync_runs.is_rewound IS '1: the browser''s storage listed less than it had listed before.';

ALTER TABLE missing_messages
    ADD COLUMN expires_at TIMESTAMP WITH TIME ZONE,
    DROP CONSTRAINT ck_missing_messages_reason,
    ADD CONSTRAINT ck_missing_messages_reason CHECK (reason IN ('not_shown', 'not_reached', 'needs_phone', 'empty_row', 'unreadable', 'picture_not_loaded', 'chat_not_opened', 'skipped_by_rule', 'expired', 'no_longer_listed'));
COMMENT ON COLUMN missing_messages.expires_at IS 'When it disappears; null: it stays.';
COMMENT ON TABLE missing_messages IS 'Messages that the metadata lists and that are not stored (or stored in an older revision), and those that it listed before and lists no more: ''expired'' ones were never stored, ''no_longer_listed'' ones may be.';

ALTER TABLE sync_coverage
    DROP CONSTRAINT ck_sync_coverage_missing,
    ADD CONSTRAINT ck_sync_coverage_missing CHECK (missing - ARRAY['not_shown', 'not_reached', 'needs_phone', 'empty_row', 'unreadable', 'picture_not_loaded', 'chat_not_opened', 'skipped_by_rule', 'expired', 'no_longer_listed'] = '{}'::jsonb);

ALTER TABLE sync_coverage_history
    DROP CONSTRAINT ck_sync_coverage_history_missing,
    ADD CONSTRAINT ck_sync_coverage_history_missing CHECK (missing - ARRAY['not_shown', 'not_reached', 'needs_phone', 'empty_row', 'unreadable', 'picture_not_loaded', 'chat_not_opened', 'skipped_by_rule', 'expired', 'no_longer_listed'] = '{}'::jsonb);

ALTER TABLE backfill_progress
    DROP CONSTRAINT ck_backfill_progress_missing,
    ADD CONSTRAINT ck_backfill_progress_missing CHECK (missing - ARRAY['not_shown', 'not_reached', 'needs_phone', 'empty_row', 'unreadable', 'picture_not_loaded', 'chat_not_opened', 'skipped_by_rule', 'expired', 'no_longer_listed'] = '{}'::jsonb);
