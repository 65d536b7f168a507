-- Which sessions are about a connection of the SFU Sora: its own, and those of pages whose application named it.

CREATE TABLE sora_connections (
  connection_id text NOT NULL,
  session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  PRIMARY KEY (connection_id, session_id)
);
CREATE INDEX sora_connections_by_session ON sora_connections (session_id);
