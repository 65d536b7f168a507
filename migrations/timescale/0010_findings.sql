-- What was wrong in a session, a row for each finding. How many there are stands with the session, for lists; its indexes follow
-- (0010_findings.concurrently.sql). It may run again, until those are there.

CREATE TABLE IF NOT EXISTS findings (
  session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  -- The worst first.
  position bigint NOT NULL,
  rule text NOT NULL,
  severity text NOT NULL,
  connection_id text COLLATE "C",
  kind text,
  direction text,
  mid text,
  rid text,
  track_identifier text,
  stats_id text,
  begin_time timestamptz NOT NULL,
  end_time timestamptz NOT NULL,
  sentence text NOT NULL,
  -- What triggered the rule, by name: `{"total": {"value": 4.2, "unit": "s"}}`.
  measured jsonb NOT NULL,
  PRIMARY KEY (session_id, position)
);

ALTER TABLE sessions ADD COLUMN IF NOT EXISTS critical_findings bigint;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS warning_findings bigint;
