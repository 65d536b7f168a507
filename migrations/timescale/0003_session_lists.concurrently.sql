-- An index for each filter of lists of sessions, in the order of the lists. Each statement runs by itself, outside of a transaction, and may run again.

ALTER TABLE sessions VALIDATE CONSTRAINT sessions_outcome_check;
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_live_by_start ON sessions (start_time DESC, id DESC) WHERE state = 'live';
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_by_user_start ON sessions ("user", start_time DESC, id DESC) WHERE "user" IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_by_conference_start ON sessions (conference, start_time DESC, id DESC) WHERE conference IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_by_source ON sessions (source, start_time DESC, id DESC);
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_by_browser ON sessions (browser_name, start_time DESC, id DESC) WHERE browser_name IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_by_country ON sessions (country, start_time DESC, id DESC) WHERE country IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_by_outcome ON sessions (outcome, start_time DESC, id DESC) WHERE outcome IS NOT NULL;
-- Sessions that an older collector ended: what a start looks for.
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_without_outcome ON sessions (id) WHERE state = 'ended' AND outcome IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS sessions_live;
DROP INDEX CONCURRENTLY IF EXISTS sessions_by_conference;
