ALTER TABLE forgotten DROP CONSTRAINT ck_forgotten_kind;
ALTER TABLE forgotten
    ADD CONSTRAINT ck_forgotten_kind CHECK (kind IN ('message', 'chat', 'contact', 'stanza', 'text', 'name'));

COMMENT ON COLUMN forgotten.kind IS '''message'', ''chat'', ''contact'', ''stanza'' (the middle part of a removed message''s key), or by what a quote shows it: ''text'', ''name''.';
COMMENT ON COLUMN forgotten.digest IS 'HMAC-SHA256 of kind and id, text or name under `forget_key.key`.';
COMMENT ON TABLE forgotten IS 'What was erased on request, so that no later cycle stores it again. Holds no id and no text.';
