ALTER TABLE sync_runs
    ADD COLUMN listed_by TEXT
        CONSTRAINT ck_sync_runs_listed_by CHECK (listed_by IN ('increment', 'each_cycle', 'first', 'rewound', 'scope_changed', 'due', 'unreadable')),
    ADD COLUMN rows_looked_at BIGINT DEFAULT '0' NOT NULL;
COMMENT ON COLUMN sync_runs.listed_by IS 'How it was learned which messages there are: ''increment'' (what came since), else why the whole list was compared; null: it was not.';
COMMENT ON COLUMN sync_runs.rows_looked_at IS 'Message rows of the browser''s storage, whatever was asked of them.';
ALTER TABLE sync_state
    ADD COLUMN feed_hi BIGINT,
    ADD COLUMN feed_hi_mark TEXT,
    ADD COLUMN feed_lo BIGINT,
    ADD COLUMN feed_complete_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN feed_listed_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN feed_scope TEXT,
    ADD COLUMN feed_reactions BIGINT;
COMMENT ON COLUMN sync_state.feed_hi IS 'Row of the browser''s list up to which all is stored or a known gap.';
COMMENT ON COLUMN sync_state.feed_hi_mark IS 'Hash of that row''s id: whether the list is the same one.';
COMMENT ON COLUMN sync_state.feed_lo IS 'Row down to which history came, of which the same is true.';
COMMENT ON COLUMN sync_state.feed_complete_at IS 'Start of the cycle that came so far.';
COMMENT ON COLUMN sync_state.feed_listed_at IS 'Start of the last cycle that compared the whole list.';
COMMENT ON COLUMN sync_state.feed_scope IS 'Hash of which chats are read, and how far back.';
COMMENT ON COLUMN sync_state.feed_reactions IS 'Reactions that the browser kept then; null: it does not keep them.';
