-- What was wrong in a session, a row for each finding, and how many there are with the session, for lists.

CREATE TABLE findings (
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  -- The worst first.
  position INTEGER NOT NULL,
  rule TEXT NOT NULL,
  severity TEXT NOT NULL,
  connection_id TEXT,
  kind TEXT,
  direction TEXT,
  mid TEXT,
  rid TEXT,
  track_identifier TEXT,
  stats_id TEXT,
  begin_time INTEGER NOT NULL,
  end_time INTEGER NOT NULL,
  sentence TEXT NOT NULL,
  -- What triggered the rule, by name: a JSON object, `{"total": {"value": 4.2, "unit": "s"}}`.
  measured TEXT NOT NULL,
  PRIMARY KEY (session_id, position)
) STRICT, WITHOUT ROWID;

ALTER TABLE sessions ADD COLUMN critical_findings INTEGER;
ALTER TABLE sessions ADD COLUMN warning_findings INTEGER;
CREATE INDEX sessions_with_critical_findings ON sessions (start_time DESC, id DESC) WHERE critical_findings > 0;
CREATE INDEX sessions_with_warning_findings ON sessions (start_time DESC, id DESC) WHERE warning_findings > 0;
