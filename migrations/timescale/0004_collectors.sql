-- Several collectors share a database. Each tells now and then that it is there, and a session that runs names the one that holds it.

CREATE TABLE collectors (
  id text PRIMARY KEY,
  seen timestamptz NOT NULL
);

ALTER TABLE sessions ADD COLUMN collector text;
