ALTER TABLE disagreements DROP CONSTRAINT ck_disagreements_fact,
    ADD CONSTRAINT ck_disagreements_fact CHECK (fact IN ('id', 'count', 'time', 'text', 'order', 'title', 'unread', 'preview', 'last_time'));
ALTER TABLE sync_runs DROP CONSTRAINT ck_sync_runs_disagreed,
    ADD CONSTRAINT ck_sync_runs_disagreed CHECK (disagreed - ARRAY['id', 'count', 'time', 'text', 'order', 'title', 'unread', 'preview', 'last_time'] = '{}'::jsonb);
COMMENT ON COLUMN disagreements.fact IS '''id'': listed and not shown where it belongs, or shown and not listed; ''count'': so many are listed of the stretch that was read, and so many shown; ''time'': another minute than the listed one; ''text'': another text than the stored one without a sign of an edit. Of the chat list: ''order'': the chat stands above one in which something happened later; ''title'', ''unread'', and ''preview'' and ''last_time'' of its newest message.';
COMMENT ON COLUMN disagreements.known IS 'What the metadata lists or, of a text, Postgres or the message store holds; of texts and names length and hash only.';
