CREATE TABLE attachment_downloads (
    attachment_id BIGINT NOT NULL,
    state TEXT NOT NULL CONSTRAINT ck_attachment_downloads_state CHECK (state IN ('seen', 'queued', 'downloading', 'stored', 'expired', 'phone_needed', 'too_large', 'gave_up')),
    reason TEXT CONSTRAINT ck_attachment_downloads_reason CHECK (reason IN ('not_chosen', 'no_way', 'not_loaded', 'page_refused', 'gone', 'unreachable', 'damaged', 'no_key', 'file_size', 'total_size', 'disk')),
    way TEXT CONSTRAINT ck_attachment_downloads_way CHECK (way IN ('page', 'direct')),
    attempts INTEGER DEFAULT '0' NOT NULL,
    next_try_at TIMESTAMP WITH TIME ZONE,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    run_id BIGINT NOT NULL,
    CONSTRAINT pk_attachment_downloads PRIMARY KEY (attachment_id),
    CONSTRAINT fk_attachment_downloads_attachment_id FOREIGN KEY (attachment_id) REFERENCES attachments (id) ON DELETE CASCADE
);
CREATE INDEX ix_attachment_downloads_open ON attachment_downloads (next_try_at) WHERE state IN ('queued', 'downloading', 'phone_needed', 'too_large');
COMMENT ON TABLE attachment_downloads IS 'One row for each attachment: how far its bytes came, and when they are tried again.';
COMMENT ON COLUMN attachment_downloads.attachment_id IS '`attachments.id`.';
COMMENT ON COLUMN attachment_downloads.state IS '''seen'' (not wanted), ''queued'', ''downloading'', ''stored'', ''expired'' (the page cannot get it any more), ''phone_needed'' (gone from the server), ''too_large'' or ''gave_up''.';
COMMENT ON COLUMN attachment_downloads.reason IS 'Why it is in that state; null: nothing to explain.';
COMMENT ON COLUMN attachment_downloads.way IS '''page'' or ''direct'', of the last try; null: not tried yet.';
COMMENT ON COLUMN attachment_downloads.attempts IS 'Tries that brought nothing.';
COMMENT ON COLUMN attachment_downloads.next_try_at IS 'Not tried again before; null: settled, or with the next reading.';
COMMENT ON COLUMN attachment_downloads.changed_at IS 'When this was decided, by the program''s clock.';
COMMENT ON COLUMN attachment_downloads.run_id IS 'Run that decided it.';
COMMENT ON COLUMN attachments.state IS '''seen'' (no bytes held), ''stored'', ''unavailable'' (none held, and the page is not asked again); `attachment_downloads` says why.';

-- What is stored already: pictures that are looked for are gaps with their tries, everything else was not wanted.
INSERT INTO attachment_downloads (attachment_id, state, reason, way, attempts, next_try_at, changed_at, run_id)
SELECT a.id,
    CASE WHEN a.state = 'stored' THEN 'stored' WHEN m.message_type = 'image' THEN 'queued' ELSE 'seen' END,
    CASE WHEN a.state = 'stored' THEN NULL WHEN m.message_type = 'image' THEN 'not_loaded' ELSE 'not_chosen' END,
    CASE WHEN a.state = 'stored' OR m.message_type = 'image' THEN 'page' END,
    coalesce(x.attempts, 0),
    x.next_try_at,
    a.updated_at,
    a.last_run_id
FROM attachments a
JOIN messages m ON m.id = a.message_id
LEFT JOIN missing_messages x ON x.external_id = m.external_id AND x.reason = 'picture_not_loaded' AND a.state <> 'stored';
