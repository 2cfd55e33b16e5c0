ALTER TABLE sync_runs
    ADD COLUMN rows_by_store BIGINT DEFAULT '0' NOT NULL,
    ADD COLUMN store_unavailable TEXT
        CONSTRAINT ck_sync_runs_store_unavailable CHECK (store_unavailable IN ('no_loader', 'modules_unsettled', 'module_missing', 'module_unresolved', 'member_missing', 'not_synced', 'key_late', 'table_empty', 'row_shape', 'not_decoded', 'not_listed', 'disagrees', 'timed_out', 'refused')),
    ADD COLUMN store_detail TEXT;
COMMENT ON COLUMN sync_runs.rows_by_store IS 'Messages that the page''s own message store told.';
COMMENT ON COLUMN sync_runs.store_unavailable IS 'Why the page''s message store was left for the page, or not read; null: it was read, or not wanted.';
COMMENT ON COLUMN sync_runs.store_detail IS 'Which of its modules, members or columns.';
