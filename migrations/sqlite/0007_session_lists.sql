-- What lists of sessions are asked for: what became of a session's connections, and an index for each filter, in the order of the lists.

ALTER TABLE sessions ADD COLUMN outcome TEXT CHECK (outcome IN ('connected', 'failed', 'none'));

DROP INDEX sessions_live;
DROP INDEX sessions_by_conference;
CREATE INDEX sessions_live_by_start ON sessions (start_time DESC, id DESC) WHERE state = 'live';
CREATE INDEX sessions_by_user_start ON sessions ("user", start_time DESC, id DESC) WHERE "user" IS NOT NULL;
CREATE INDEX sessions_by_conference_start ON sessions (conference, start_time DESC, id DESC) WHERE conference IS NOT NULL;
CREATE INDEX sessions_by_source ON sessions (source, start_time DESC, id DESC);
CREATE INDEX sessions_by_browser ON sessions (browser_name, start_time DESC, id DESC) WHERE browser_name IS NOT NULL;
CREATE INDEX sessions_by_country ON sessions (country, start_time DESC, id DESC) WHERE country IS NOT NULL;
CREATE INDEX sessions_by_outcome ON sessions (outcome, start_time DESC, id DESC) WHERE outcome IS NOT NULL;
-- Sessions that an older collector ended: what a start looks for.
CREATE INDEX sessions_without_outcome ON sessions (id) WHERE state = 'ended' AND outcome IS NULL;
