ALTER TABLE sync_runs
    ADD COLUMN lookback_begin TIMESTAMP WITH TIME ZONE,
    ADD COLUMN read_by TEXT CONSTRAINT ck_sync_runs_read_by CHECK (read_by IN ('metadata', 'chat_list')),
    ADD COLUMN disagreements BIGINT DEFAULT '0' NOT NULL,
    ADD COLUMN lost_facts TEXT[] DEFAULT '{}' NOT NULL,
    ADD COLUMN metadata_unreadable TEXT[] DEFAULT '{}' NOT NULL;
COMMENT ON COLUMN sync_runs.lookback_begin IS 'How far back it looked; null: a run of an older program.';
COMMENT ON COLUMN sync_runs.read_by IS 'What decided which chats were opened: ''metadata'' (the browser''s storage) or ''chat_list'' (that could not be read, so how many messages there are is not known); null: not known.';
COMMENT ON COLUMN sync_runs.disagreements IS 'Texts that differ from the stored one without a sign of an edit, and times from the listed one.';
COMMENT ON COLUMN sync_runs.lost_facts IS 'Facts of messages that the storage lists and no row shows any more.';
COMMENT ON COLUMN sync_runs.metadata_unreadable IS 'What of the browser''s storage could not be read, and why.';

-- A cycle that came to its end in spite of an error is one in which the chat list decided.
UPDATE sync_runs SET read_by = CASE WHEN error IS NULL THEN 'metadata' ELSE 'chat_list' END
WHERE status IN ('success', 'partial');

CREATE VIEW coverage_gaps AS
SELECT x.external_id, x.thread_external_id, t.title, x.reason, x.attempts, x.first_missed_at,
       now() - x.first_missed_at AS age, x.next_try_at,
       EXISTS (SELECT FROM messages m
               WHERE m.platform = 'whatsapp' AND m.external_id = x.external_id)
       OR EXISTS (SELECT FROM message_aliases a
                  WHERE a.platform = 'whatsapp' AND a.external_id = x.external_id) AS is_stored,
       x.run_id
FROM missing_messages x
LEFT JOIN threads t ON t.platform = 'whatsapp' AND t.external_id = x.thread_external_id;
COMMENT ON VIEW coverage_gaps IS 'Every message that is known to be missing, with its chat and what comes next.';
COMMENT ON COLUMN coverage_gaps.external_id IS 'Message key.';
COMMENT ON COLUMN coverage_gaps.thread_external_id IS 'Chat id.';
COMMENT ON COLUMN coverage_gaps.title IS 'The chat''s title; null when nothing names it.';
COMMENT ON COLUMN coverage_gaps.reason IS 'Why it is not stored.';
COMMENT ON COLUMN coverage_gaps.attempts IS 'How often it was looked for.';
COMMENT ON COLUMN coverage_gaps.first_missed_at IS 'When it was first found missing.';
COMMENT ON COLUMN coverage_gaps.age IS 'For how long it has been missing.';
COMMENT ON COLUMN coverage_gaps.next_try_at IS 'Not looked for again before.';
COMMENT ON COLUMN coverage_gaps.is_stored IS 'An older state is stored: the edit or the picture is missing.';
COMMENT ON COLUMN coverage_gaps.run_id IS 'Run that looked for it last.';

CREATE VIEW chats_short_of_lookback AS
SELECT c.thread_external_id, t.title, c.complete_until, r.lookback_begin, c.history_type,
       c.stop_reason, c.expected, c.stored, t.last_activity_at, c.observed_at, c.run_id
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
COMMENT ON COLUMN chats_short_of_lookback.last_activity_at IS 'The chat''s last activity; before the look-back''s begin there is nothing to be short of.';
COMMENT ON COLUMN chats_short_of_lookback.observed_at IS 'When these facts were found.';
COMMENT ON COLUMN chats_short_of_lookback.run_id IS 'Run that found them.';

CREATE VIEW coverage_trend AS
SELECT d.day, d.runs, d.run_id, r.expected, r.expected - least(r.missing, r.expected) AS stored,
       r.missing
FROM (SELECT (started_at AT TIME ZONE 'UTC')::date AS day, count(*) AS runs,
             max(id) FILTER (WHERE status IN ('success', 'partial')
                             AND read_by = 'metadata') AS run_id
      FROM sync_runs GROUP BY 1) d
LEFT JOIN sync_runs r ON r.id = d.run_id;
COMMENT ON VIEW coverage_trend IS 'For each day (UTC) the counts of its last cycle that knew how many messages there are.';
COMMENT ON COLUMN coverage_trend.day IS 'Day on which the cycles began.';
COMMENT ON COLUMN coverage_trend.runs IS 'Cycles of that day, as far as they are still kept.';
COMMENT ON COLUMN coverage_trend.run_id IS 'The cycle whose counts these are; null: none of that day knew.';
COMMENT ON COLUMN coverage_trend.expected IS 'Messages that the metadata lists inside the look-back.';
COMMENT ON COLUMN coverage_trend.stored IS 'Of those, stored.';
COMMENT ON COLUMN coverage_trend.missing IS 'Not stored, entries that could not be understood among them.';
