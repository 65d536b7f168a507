//! Every metric's name, once; what counts it; and how log lines look.

use std::io::IsTerminal as _;

use anyhow::Context;
use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::session::Dialect;

const LINES: &str = "rtctrace_lines_total";
const BYTES: &str = "rtctrace_line_bytes_total";
const DUPLICATES: &str = "rtctrace_duplicate_lines_total";
const BAD_LINES: &str = "rtctrace_bad_lines_total";
const UNDECODED: &str = "rtctrace_undecoded_lines_total";
const ACKS: &str = "rtctrace_acks_total";
const REFUSED: &str = "rtctrace_refused_total";
const SOCKETS: &str = "rtctrace_sockets";
const SESSIONS: &str = "rtctrace_sessions_total";
const SESSIONS_LIVE: &str = "rtctrace_sessions_live";
const SESSIONS_STORED: &str = "rtctrace_sessions_stored_total";
const SESSIONS_RECOVERED: &str = "rtctrace_sessions_recovered_total";
const SPOOL_BYTES: &str = "rtctrace_spool_bytes";
const TORN_TAILS: &str = "rtctrace_spool_torn_tails_total";
const STORE_FAILURES: &str = "rtctrace_store_failures_total";
const STATS_ROWS: &str = "rtctrace_stats_rows_total";
const STATS_QUEUE: &str = "rtctrace_stats_queue_bytes";
const STATS_BEHIND: &str = "rtctrace_stats_behind_total";
const STATS_LOST: &str = "rtctrace_stats_rows_lost_total";

/// The stores that can fail.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Store {
    /// The spool's disk.
    Spool,
    /// Object storage.
    Objects,
    /// The database.
    Database,
}

impl Store {
    fn name(self) -> &'static str {
        match self {
            Self::Spool => "spool",
            Self::Objects => "objects",
            Self::Database => "database",
        }
    }
}

/// Installs the recorder of metrics; the handle renders them.
pub(crate) fn install_metrics() -> anyhow::Result<PrometheusHandle> {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).context("a recorder of metrics is installed already")?;
    describe_counter!(LINES, "Lines written to the spool, by dialect.");
    describe_counter!(BYTES, "Bytes of lines written to the spool, by dialect.");
    describe_counter!(DUPLICATES, "Lines that a client sent again and the session already held.");
    describe_counter!(BAD_LINES, "Lines that were refused, by reason.");
    describe_counter!(
        UNDECODED,
        "Lines that are in the dump, but gave neither stats nor features because they do not decode."
    );
    describe_counter!(ACKS, "Acknowledgements sent.");
    describe_counter!(REFUSED, "Requests and sockets that were refused, by reason.");
    describe_gauge!(SOCKETS, "WebSockets that are open.");
    describe_counter!(SESSIONS, "Sessions that sent their first line, by dialect.");
    describe_gauge!(SESSIONS_LIVE, "Sessions that run, wait for their client or wait to be stored.");
    describe_counter!(SESSIONS_STORED, "Sessions whose dump and features are stored.");
    describe_counter!(SESSIONS_RECOVERED, "Sessions that were found in the spool at start.");
    describe_gauge!(SPOOL_BYTES, "Bytes in the spool.");
    describe_counter!(TORN_TAILS, "Spool files whose last line was cut because a crash had torn it.");
    describe_counter!(STORE_FAILURES, "Operations that a store refused, by store; each is tried again.");
    describe_counter!(STATS_ROWS, "Stats rows written, by table.");
    describe_gauge!(STATS_QUEUE, "Bytes of stats rows that wait for the database.");
    describe_counter!(
        STATS_BEHIND,
        "Sessions whose rows are written from their dump at their end, because the queue was full."
    );
    describe_counter!(STATS_LOST, "Stats rows that no table takes: far too long, or refused by the database for good.");
    counter!(ACKS).absolute(0);
    counter!(DUPLICATES).absolute(0);
    gauge!(SPOOL_BYTES).set(0.0);
    gauge!(SESSIONS_LIVE).set(0.0);
    gauge!(SOCKETS).set(0.0);
    Ok(handle)
}

/// Log lines go to standard error; `verbose` shows what happens to every socket.
pub(crate) fn install_log(verbose: bool) -> anyhow::Result<()> {
    let level = if verbose { tracing::Level::DEBUG } else { tracing::Level::INFO };
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .finish();
    tracing::subscriber::set_global_default(subscriber).context("a log is installed already")
}

/// Lines reached the spool.
pub(crate) fn lines_stored(dialect: Dialect, lines: u64, bytes: u64) {
    counter!(LINES, "dialect" => dialect.name()).increment(lines);
    counter!(BYTES, "dialect" => dialect.name()).increment(bytes);
}

/// Lines came that the session already held.
pub(crate) fn duplicates(lines: u64) {
    counter!(DUPLICATES).increment(lines);
}

/// A line was refused.
pub(crate) fn bad_line(reason: &'static str) {
    counter!(BAD_LINES, "reason" => reason).increment(1);
}

/// A stored line does not decode.
pub(crate) fn undecoded() {
    counter!(UNDECODED).increment(1);
}

/// An acknowledgement was sent.
pub(crate) fn ack() {
    counter!(ACKS).increment(1);
}

/// A request or a socket was refused.
pub(crate) fn refused(reason: &'static str) {
    counter!(REFUSED, "reason" => reason).increment(1);
}

/// A session sent its first line.
pub(crate) fn session_started(dialect: Dialect) {
    counter!(SESSIONS, "dialect" => dialect.name()).increment(1);
}

/// How many sessions the collector holds.
pub(crate) fn sessions_live(count: usize) {
    gauge!(SESSIONS_LIVE).set(count as f64);
}

/// A session is stored for good.
pub(crate) fn session_stored() {
    counter!(SESSIONS_STORED).increment(1);
}

/// A session was found in the spool at start.
pub(crate) fn session_recovered() {
    counter!(SESSIONS_RECOVERED).increment(1);
}

/// The spool grew, or shrank.
pub(crate) fn spool_changed(bytes: i64) {
    gauge!(SPOOL_BYTES).increment(bytes as f64);
}

/// A torn tail was cut.
pub(crate) fn torn_tail() {
    counter!(TORN_TAILS).increment(1);
}

/// A store refused an operation.
pub(crate) fn store_failed(store: Store) {
    counter!(STORE_FAILURES, "store" => store.name()).increment(1);
}

/// Rows reached a stats table.
pub(crate) fn stats_rows(table: &'static str, rows: u64) {
    counter!(STATS_ROWS, "table" => table).increment(rows);
}

/// Rows were queued for the database, or taken from the queue.
pub(crate) fn stats_queued(bytes: f64) {
    gauge!(STATS_QUEUE).increment(bytes);
}

/// A session stopped offering rows.
pub(crate) fn stats_behind() {
    counter!(STATS_BEHIND).increment(1);
}

/// The database refused rows for good.
pub(crate) fn stats_lost(rows: u64) {
    counter!(STATS_LOST).increment(rows);
}

/// Counts a socket as open for as long as it lives.
#[derive(Debug)]
pub(crate) struct OpenSocket(());

impl OpenSocket {
    /// Counts one more.
    pub(crate) fn new() -> Self {
        gauge!(SOCKETS).increment(1.0);
        Self(())
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        gauge!(SOCKETS).decrement(1.0);
    }
}
