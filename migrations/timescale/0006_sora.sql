-- What the SFU Sora says of a connection. Its indexes follow (0006_sora.concurrently.sql). It may run again, until those are there.

ALTER TABLE sessions ADD COLUMN IF NOT EXISTS sora_connection_id text;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS sora_session_id text;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS sora_bundle_id text;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS sora_role text;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS sora_multistream boolean;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS sora_simulcast boolean;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS sora_spotlight boolean;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS sora_node text;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS sora_version text;
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS sora_label text;
