-- Sessions with findings, in the order of the lists. Each statement runs by itself, outside of a transaction, and may run again.

CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_with_critical_findings ON sessions (start_time DESC, id DESC) WHERE critical_findings > 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_with_warning_findings ON sessions (start_time DESC, id DESC) WHERE warning_findings > 0;
