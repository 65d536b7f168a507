-- Sessions by Sora's names for them. Each statement runs by itself, outside of a transaction, and may run again.

CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_by_sora_connection ON sessions (sora_connection_id, start_time DESC, id DESC) WHERE sora_connection_id IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_by_sora_session ON sessions (sora_session_id, start_time DESC, id DESC) WHERE sora_session_id IS NOT NULL;
