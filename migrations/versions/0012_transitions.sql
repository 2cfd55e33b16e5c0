ALTER TABLE session_events
    ADD COLUMN previous TEXT,
    ADD COLUMN error TEXT,
    ADD COLUMN is_unexpected SMALLINT DEFAULT '0' NOT NULL
        CONSTRAINT ck_session_events_is_unexpected CHECK (is_unexpected IN (0, 1));

-- A cause was "ErrorClass: what happened", where an error told of the state; it was seen at the end of a cycle.
UPDATE session_events e SET
    error = substring(cause FROM '^[A-Z]\w*Error'),
    cause = CASE WHEN state = 'wrong_account' THEN 'other_account' WHEN state = 'crashed' THEN 'crashed' ELSE 'shown' END,
    previous = b.state_before
FROM (SELECT id, lag(state) OVER (ORDER BY id) AS state_before FROM session_events) b
WHERE b.id = e.id;

ALTER TABLE session_events
    ALTER COLUMN cause SET NOT NULL,
    ADD CONSTRAINT ck_session_events_cause CHECK (cause IN ('shown', 'opened', 'reset', 'reloaded', 'crashed', 'hung', 'memory', 'rested', 'taken_over', 'other_account'));

COMMENT ON COLUMN session_events.previous IS 'The state before; null: it was the first.';
COMMENT ON COLUMN session_events.cause IS 'Why it changed.';
COMMENT ON COLUMN session_events.error IS 'Class of the error that told it; null: none did.';
COMMENT ON COLUMN session_events.is_unexpected IS '1: this state was not known to follow the one before.';
