-- What became of a session's connections, for lists of sessions. Its values and its indexes follow (0003_session_lists.concurrently.sql): nobody who
-- reads or writes sessions waits for them. It may run again, until those are there.

ALTER TABLE sessions ADD COLUMN IF NOT EXISTS outcome text;
ALTER TABLE sessions DROP CONSTRAINT IF EXISTS sessions_outcome_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_outcome_check CHECK (outcome IN ('connected', 'failed', 'none')) NOT VALID;
