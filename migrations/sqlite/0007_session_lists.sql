-- What lists of sessions are asked for: what became of a session's connections, and an index for each filter, in the order of the lists.

ALTER TABLE sessions ADD COLUMN outcome TEXT CHECK (outcome IN ('connected', 'failed', 'none'));

UPDATE sessions SET outcome = CASE
  WHEN EXISTS (SELECT 1 FROM features_connection f WHERE f.session_id = sessions.id AND f.connected) THEN 'connected'
  WHEN EXISTS (SELECT 1 FROM features_connection f WHERE f.session_id = sessions.id) THEN 'failed'
  ELSE 'none' END
WHERE state = 'ended';

DROP INDEX sessions_live;
DROP INDEX sessions_by_conference;
CREATE INDEX sessions_live ON sessions (start_time DESC, id DESC) WHERE state = 'live';
CREATE INDEX sessions_by_user_start ON sessions ("user", start_time DESC, id DESC) WHERE "user" IS NOT NULL;
CREATE INDEX sessions_by_conference ON sessions (conference, start_time DESC, id DESC) WHERE conference IS NOT NULL;
CREATE INDEX sessions_by_source ON sessions (source, start_time DESC, id DESC);
CREATE INDEX sessions_by_browser ON sessions (browser_name, start_time DESC, id DESC) WHERE browser_name IS NOT NULL;
CREATE INDEX sessions_by_country ON sessions (country, start_time DESC, id DESC) WHERE country IS NOT NULL;
CREATE INDEX sessions_by_outcome ON sessions (outcome, start_time DESC, id DESC) WHERE outcome IS NOT NULL;
