-- What the SFU Sora says of a connection.

ALTER TABLE sessions ADD COLUMN sora_connection_id TEXT;
ALTER TABLE sessions ADD COLUMN sora_session_id TEXT;
ALTER TABLE sessions ADD COLUMN sora_bundle_id TEXT;
ALTER TABLE sessions ADD COLUMN sora_role TEXT;
ALTER TABLE sessions ADD COLUMN sora_multistream INTEGER;
ALTER TABLE sessions ADD COLUMN sora_simulcast INTEGER;
ALTER TABLE sessions ADD COLUMN sora_spotlight INTEGER;
ALTER TABLE sessions ADD COLUMN sora_node TEXT;
ALTER TABLE sessions ADD COLUMN sora_version TEXT;
ALTER TABLE sessions ADD COLUMN sora_label TEXT;

CREATE INDEX sessions_by_sora_connection ON sessions (sora_connection_id, start_time DESC, id DESC) WHERE sora_connection_id IS NOT NULL;
CREATE INDEX sessions_by_sora_session ON sessions (sora_session_id, start_time DESC, id DESC) WHERE sora_session_id IS NOT NULL;
