-- Several collectors share a database. Each tells now and then that it is there, and a session that runs names the one that holds it.

CREATE TABLE collectors (
  id TEXT NOT NULL PRIMARY KEY,
  seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE sessions ADD COLUMN collector TEXT;
