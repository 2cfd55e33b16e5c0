ALTER TABLE attachment_downloads ADD COLUMN mirrored_at TIMESTAMP WITH TIME ZONE;
CREATE INDEX ix_attachment_downloads_unmirrored ON attachment_downloads (attachment_id) WHERE state = 'stored' AND mirrored_at IS NULL;
COMMENT ON COLUMN attachment_downloads.mirrored_at IS 'When its file was copied to ATTACHMENTS_STORE_URL; null: it was not.';
