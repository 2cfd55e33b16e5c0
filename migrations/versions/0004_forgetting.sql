CREATE TABLE forgotten (
    kind TEXT NOT NULL,
    digest BYTEA NOT NULL,
    forgotten_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_forgotten PRIMARY KEY (kind, digest),
    CONSTRAINT ck_forgotten_kind CHECK (kind IN ('message', 'chat', 'contact', 'stanza'))
);
COMMENT ON TABLE forgotten IS 'What was erased on request, so that no later cycle stores it again. Holds no id.';
COMMENT ON COLUMN forgotten.kind IS '''message'', ''chat'', ''contact'', or ''stanza'' (the middle part of a removed message''s key).';
COMMENT ON COLUMN forgotten.digest IS 'HMAC-SHA256 of kind and id under `forget_key.key`.';
COMMENT ON COLUMN forgotten.forgotten_at IS 'When it was erased.';

CREATE TABLE forget_key (
    id INTEGER NOT NULL CONSTRAINT ck_forget_key_one_row CHECK (id = 1),
    key BYTEA NOT NULL,
    CONSTRAINT pk_forget_key PRIMARY KEY (id)
);
COMMENT ON TABLE forget_key IS 'The key of `forgotten`. One row; readable by the owner only.';
COMMENT ON COLUMN forget_key.id IS 'Always 1.';
COMMENT ON COLUMN forget_key.key IS '32 random bytes, made by the first erasure.';

-- Default privileges may have let roles that only read see every new table.
DO $$
DECLARE reader RECORD;
BEGIN
    REVOKE ALL ON forget_key FROM PUBLIC;
    FOR reader IN
        SELECT r.rolname FROM pg_class c, aclexplode(c.relacl) a, pg_roles r
        WHERE c.oid = 'forget_key'::regclass AND r.oid = a.grantee AND r.oid <> c.relowner
    LOOP
        EXECUTE 'REVOKE ALL ON forget_key FROM ' || quote_ident(reader.rolname);
    END LOOP;
END $$;

CREATE TABLE files_to_remove (
    file_path TEXT NOT NULL,
    unused_since TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_files_to_remove PRIMARY KEY (file_path)
);
COMMENT ON TABLE files_to_remove IS 'Files whose messages are gone; a row goes when its file is gone.';
COMMENT ON COLUMN files_to_remove.file_path IS 'Relative to ATTACHMENTS_DIR.';
COMMENT ON COLUMN files_to_remove.unused_since IS 'When the last message that had it was removed.';

ALTER TABLE tombstones ADD key_sha256 TEXT;
UPDATE tombstones SET key_sha256 = encode(sha256(convert_to(external_id, 'UTF8')), 'hex');
ALTER TABLE tombstones ALTER key_sha256 SET NOT NULL,
    ALTER external_id DROP NOT NULL, ALTER thread_external_id DROP NOT NULL;
UPDATE tombstones SET external_id = NULL, thread_external_id = NULL WHERE reason = 'forgotten';
COMMENT ON COLUMN tombstones.key_sha256 IS 'sha256 of the removed message''s `external_id` (UTF-8), lowercase hex.';
COMMENT ON COLUMN tombstones.external_id IS 'The key itself; null once forgotten.';
COMMENT ON COLUMN tombstones.thread_external_id IS 'Its chat; null once forgotten.';

-- The body is bound to these tables now, so that it means the same under any search_path.
CREATE FUNCTION messages_as_of(instant TIMESTAMP WITH TIME ZONE)
RETURNS TABLE (
    id BIGINT, external_id TEXT, thread_external_id TEXT, sender_id TEXT, ts TIMESTAMP WITH TIME ZONE,
    is_outgoing SMALLINT, message_type TEXT, content_snippet TEXT,
    deleted_seen_at TIMESTAMP WITH TIME ZONE
)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT m.id, m.external_id, m.thread_external_id, m.sender_id, m.ts, m.is_outgoing,
        CASE WHEN v.id IS NULL THEN m.message_type ELSE v.message_type END,
        CASE WHEN v.id IS NULL THEN m.content_snippet ELSE v.content_snippet END,
        CASE WHEN m.deleted_seen_at <= instant THEN m.deleted_seen_at END
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
