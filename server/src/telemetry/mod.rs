//! Every metric's name, once, and what counts it. Logs and traces are beside it.

mod log;
pub(crate) mod traces;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::session::Dialect;
use crate::store::stats::TABLES;

pub(crate) use log::install_log;

const LINES: &str = "rtctrace_lines_total";
const BYTES: &str = "rtctrace_line_bytes_total";
const DUPLICATES: &str = "rtctrace_duplicate_lines_total";
const BAD_LINES: &str = "rtctrace_bad_lines_total";
const UNDECODED: &str = "rtctrace_undecoded_lines_total";
const MISSING: &str = "rtctrace_missing_entries_total";
const SHORT: &str = "rtctrace_short_sessions_total";
const ACKS: &str = "rtctrace_acks_total";
const REFUSED: &str = "rtctrace_refused_total";
const SOCKETS: &str = "rtctrace_sockets";
const SESSIONS: &str = "rtctrace_sessions_total";
const SESSIONS_LIVE: &str = "rtctrace_sessions_live";
const SESSIONS_STORED: &str = "rtctrace_sessions_stored_total";
const SESSIONS_REMOVED: &str = "rtctrace_sessions_removed_total";
const SESSIONS_RECOVERED: &str = "rtctrace_sessions_recovered_total";
const SPOOL_BYTES: &str = "rtctrace_spool_bytes";
const TORN_TAILS: &str = "rtctrace_spool_torn_tails_total";
const STORE_FAILURES: &str = "rtctrace_store_failures_total";
const STORE_UP: &str = "rtctrace_store_up";
const BACKLOG: &str = "rtctrace_backlog_sessions";
const BACKLOG_AGE: &str = "rtctrace_backlog_oldest_seconds";
const STORAGE_WAIT: &str = "rtctrace_storage_longest_wait_seconds";
const SPOOL_PAUSES: &str = "rtctrace_spool_pauses_total";
const SLOWED: &str = "rtctrace_slowed_total";
const RELOADS: &str = "rtctrace_reloads_total";
const STATS_ROWS: &str = "rtctrace_stats_rows_total";
const STATS_QUEUE: &str = "rtctrace_stats_queue_bytes";
const STATS_QUEUE_ROWS: &str = "rtctrace_stats_queue_rows";
const STATS_OLDEST: &str = "rtctrace_stats_queue_oldest_seconds";
const STATS_BEHIND: &str = "rtctrace_stats_behind_total";
const STATS_LOST: &str = "rtctrace_stats_rows_lost_total";
const SORA_CONNECTIONS: &str = "rtctrace_sora_connections";
const SORA_REQUESTS: &str = "rtctrace_sora_requests";
const SORA_REQUEST_BYTES: &str = "rtctrace_sora_request_bytes";
const SORA_ANSWERS: &str = "rtctrace_sora_answers_total";

/// Why lines and messages are refused.
const BAD_LINE_REASONS: [&str; 9] = [
    "binary",
    "frame_too_large",
    "line_too_large",
    "malformed",
    "not_an_array",
    "not_json",
    "not_utf8",
    "refused_session",
    "unknown_connection",
];

/// The stores that can fail.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Store {
    /// The spool's disk.
    Spool = 0,
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
    describe_counter!(MISSING, "Entries that a client numbered and that never came; their dump says which.");
    describe_counter!(
        SHORT,
        "Sockets whose client goes on behind more lines than its session holds here; those before are missing."
    );
    describe_counter!(ACKS, "Acknowledgements sent.");
    describe_counter!(REFUSED, "Requests and sockets that were refused, by reason.");
    describe_gauge!(SOCKETS, "WebSockets that are open.");
    describe_counter!(SESSIONS, "Sessions that sent their first line, by dialect.");
    describe_gauge!(SESSIONS_LIVE, "Sessions that run, wait for their client or wait to be stored.");
    describe_counter!(SESSIONS_STORED, "Sessions whose dump and features are stored.");
    describe_counter!(SESSIONS_REMOVED, "Sessions that were removed from the stores, by reason.");
    describe_counter!(SESSIONS_RECOVERED, "Sessions that were found in the spool at start.");
    describe_gauge!(SPOOL_BYTES, "Bytes in the spool.");
    describe_counter!(TORN_TAILS, "Spool files whose last line was cut because a crash had torn it.");
    describe_counter!(STORE_FAILURES, "Operations that a store refused, by store; each is tried again.");
    describe_gauge!(STORE_UP, "Whether the newest operation of a store worked, by store.");
    describe_gauge!(BACKLOG, "Sessions that are over and wait to be stored.");
    describe_gauge!(BACKLOG_AGE, "How long the oldest of them waits, in seconds.");
    describe_gauge!(
        STORAGE_WAIT,
        "How long the oldest request to object storage has been waiting for its answer, in seconds."
    );
    describe_counter!(SPOOL_PAUSES, "Times that a socket was not read because the spool was full.");
    describe_counter!(SLOWED, "Times that a session was read more slowly because it exceeded its rate.");
    describe_counter!(
        RELOADS,
        "Changed files of keys, tokens and certificates that were read anew, by what and result."
    );
    describe_counter!(STATS_ROWS, "Stats rows written, by table.");
    describe_gauge!(STATS_QUEUE, "Bytes of stats rows that wait for the database.");
    describe_gauge!(STATS_QUEUE_ROWS, "Stats rows that wait for the database.");
    describe_gauge!(STATS_OLDEST, "How long the oldest of them have waited, in seconds.");
    describe_counter!(
        STATS_BEHIND,
        "Sessions whose rows are written from their dump at their end, because the queue was full."
    );
    describe_counter!(STATS_LOST, "Stats rows that no table takes: far too long, or refused by the database for good.");
    describe_gauge!(SORA_CONNECTIONS, "Connections to the listener for Sora.");
    describe_gauge!(SORA_REQUESTS, "Requests of Sora that are under way.");
    describe_gauge!(SORA_REQUEST_BYTES, "Bytes that are set aside for their bodies.");
    describe_counter!(SORA_ANSWERS, "Answers to Sora, by status.");
    begin();
    Ok(handle)
}

/// Has every series there before its first event, as far as its labels are known: Prometheus sees no increase in the first sample of a series.
fn begin() {
    let counters = [ACKS, DUPLICATES, UNDECODED, MISSING, SHORT, SESSIONS_STORED, SESSIONS_RECOVERED, TORN_TAILS];
    for name in counters.into_iter().chain([SPOOL_PAUSES, SLOWED, STATS_BEHIND, STATS_LOST]) {
        counter!(name).absolute(0);
    }
    let gauges =
        [SOCKETS, SESSIONS_LIVE, SPOOL_BYTES, BACKLOG, BACKLOG_AGE, STORAGE_WAIT, STATS_QUEUE, STATS_QUEUE_ROWS];
    for name in gauges.into_iter().chain([STATS_OLDEST, SORA_CONNECTIONS, SORA_REQUESTS, SORA_REQUEST_BYTES]) {
        gauge!(name).set(0.0);
    }
    for store in [Store::Spool, Store::Objects, Store::Database] {
        counter!(STORE_FAILURES, "store" => store.name()).absolute(0);
        gauge!(STORE_UP, "store" => store.name()).set(1.0);
    }
    for dialect in Dialect::ALL {
        counter!(SESSIONS, "dialect" => dialect.name()).absolute(0);
    }
    for why in [Removal::Request, Removal::Retention] {
        counter!(SESSIONS_REMOVED, "reason" => why.name()).absolute(0);
    }
    for reason in BAD_LINE_REASONS {
        counter!(BAD_LINES, "reason" => reason).absolute(0);
    }
    for table in TABLES.iter() {
        counter!(STATS_ROWS, "table" => table.name).absolute(0);
    }
    LazyLock::force(&HOT);
}

/// What is counted with every line, looked up once: finding a metric by its name and labels costs as much as many lines' bytes.
struct Hot {
    lines: Vec<(Dialect, Counter, Counter)>,
    spool_bytes: Gauge,
    acks: Counter,
}

static HOT: LazyLock<Hot> = LazyLock::new(|| Hot {
    lines: Dialect::ALL
        .into_iter()
        .map(|dialect| {
            let lines = counter!(LINES, "dialect" => dialect.name());
            (dialect, lines, counter!(BYTES, "dialect" => dialect.name()))
        })
        .collect(),
    spool_bytes: gauge!(SPOOL_BYTES),
    acks: counter!(ACKS),
});

/// Lines reached the spool.
pub(crate) fn lines_stored(dialect: Dialect, lines: u64, bytes: u64) {
    if let Some((_, of_lines, of_bytes)) = HOT.lines.iter().find(|(known, ..)| *known == dialect) {
        of_lines.increment(lines);
        of_bytes.increment(bytes);
    }
}

/// Lines came that the session already held.
pub(crate) fn duplicates(lines: u64) {
    counter!(DUPLICATES).increment(lines);
}

/// Entries of a client are missing.
pub(crate) fn missing_entries(count: u64) {
    if count > 0 {
        counter!(MISSING).increment(count);
    }
}

/// A client believes that its session holds more lines than it does.
pub(crate) fn short_session() {
    counter!(SHORT).increment(1);
}

/// A line was refused.
pub(crate) fn bad_line(reason: &'static str) {
    debug_assert!(BAD_LINE_REASONS.contains(&reason), "{reason}");
    counter!(BAD_LINES, "reason" => reason).increment(1);
}

/// A stored line does not decode.
pub(crate) fn undecoded() {
    counter!(UNDECODED).increment(1);
}

/// An acknowledgement was sent.
pub(crate) fn ack() {
    HOT.acks.increment(1);
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

/// Why a session was removed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Removal {
    /// Somebody asked for it.
    Request,
    /// It is older than the settings allow.
    Retention,
}

impl Removal {
    fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Retention => "retention",
        }
    }
}

/// A session was removed from the stores.
pub(crate) fn session_removed(why: Removal) {
    counter!(SESSIONS_REMOVED, "reason" => why.name()).increment(1);
}

/// A session was found in the spool at start.
pub(crate) fn session_recovered() {
    counter!(SESSIONS_RECOVERED).increment(1);
}

/// The spool grew, or shrank.
pub(crate) fn spool_changed(bytes: i64) {
    HOT.spool_bytes.increment(bytes as f64);
}

/// A torn tail was cut.
pub(crate) fn torn_tail() {
    counter!(TORN_TAILS).increment(1);
}

/// Whether the newest operation of object storage and of the database worked; the spool's own state is with the spool.
static DOWN: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

/// A store refused an operation.
pub(crate) fn store_failed(store: Store) {
    counter!(STORE_FAILURES, "store" => store.name()).increment(1);
    gauge!(STORE_UP, "store" => store.name()).set(0.0);
    if let Some(down) = DOWN.get(store as usize) {
        down.store(true, Ordering::Relaxed);
    }
}

/// A store took what it was given.
pub(crate) fn store_works(store: Store) {
    if let Some(down) = DOWN.get(store as usize)
        && down.swap(false, Ordering::Relaxed)
    {
        gauge!(STORE_UP, "store" => store.name()).set(1.0);
    }
}

/// Whether a store refused the newest operation.
pub(crate) fn is_down(store: Store) -> bool {
    DOWN.get(store as usize).is_some_and(|down| down.load(Ordering::Relaxed))
}

/// How many sessions wait to be stored, and the oldest of them how long.
pub(crate) fn backlog(sessions: usize, longest: Duration) {
    gauge!(BACKLOG).set(sessions as f64);
    gauge!(BACKLOG_AGE).set(longest.as_secs_f64());
}

/// How long the oldest request to object storage has been waiting.
pub(crate) fn storage_wait(wait: Duration) {
    gauge!(STORAGE_WAIT).set(wait.as_secs_f64());
}

/// A session is read more slowly.
pub(crate) fn slowed() {
    counter!(SLOWED).increment(1);
}

/// A socket is not read, because the spool is full.
pub(crate) fn spool_pause() {
    counter!(SPOOL_PAUSES).increment(1);
}

/// Files are watched for changes.
pub(crate) fn watched(what: &'static str) {
    for result in ["ok", "failed"] {
        counter!(RELOADS, "what" => what, "result" => result).absolute(0);
    }
}

/// Changed files were read anew, or could not be.
pub(crate) fn reloaded(what: &'static str, is_ok: bool) {
    counter!(RELOADS, "what" => what, "result" => if is_ok { "ok" } else { "failed" }).increment(1);
}

/// Rows reached a stats table.
pub(crate) fn stats_rows(table: &'static str, rows: u64) {
    counter!(STATS_ROWS, "table" => table).increment(rows);
}

/// Rows were queued for the database, or taken from the queue.
pub(crate) fn stats_queued(bytes: f64, rows: f64) {
    gauge!(STATS_QUEUE).increment(bytes);
    gauge!(STATS_QUEUE_ROWS).increment(rows);
}

/// How long the oldest rows in the queue have been there.
pub(crate) fn stats_oldest(wait: Duration) {
    gauge!(STATS_OLDEST).set(wait.as_secs_f64());
}

/// A session stopped offering rows.
pub(crate) fn stats_behind() {
    counter!(STATS_BEHIND).increment(1);
}

/// The database refused rows for good.
pub(crate) fn stats_lost(rows: u64) {
    counter!(STATS_LOST).increment(rows);
}

/// Counts as one in a gauge for as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted(&'static str);

impl Counted {
    /// A socket that is open.
    pub(crate) fn socket() -> Self {
        Self::one(SOCKETS)
    }

    /// A connection to the listener for Sora.
    pub(crate) fn sora_connection() -> Self {
        Self::one(SORA_CONNECTIONS)
    }

    fn one(gauge: &'static str) -> Self {
        gauge!(gauge).increment(1.0);
        Self(gauge)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}

/// Counts a request of Sora, and what is set aside for its body, for as long as it is under way.
#[derive(Debug)]
pub(crate) struct SoraRequest {
    bytes: f64,
    _request: Counted,
}

impl SoraRequest {
    /// Counts one more.
    pub(crate) fn new(bytes: f64) -> Self {
        gauge!(SORA_REQUEST_BYTES).increment(bytes);
        Self { bytes, _request: Counted::one(SORA_REQUESTS) }
    }

    /// It is so much longer.
    pub(crate) fn grew(&mut self, bytes: f64) {
        gauge!(SORA_REQUEST_BYTES).increment(bytes);
        self.bytes += bytes;
    }
}

impl Drop for SoraRequest {
    fn drop(&mut self) {
        gauge!(SORA_REQUEST_BYTES).decrement(self.bytes);
    }
}

/// A request of Sora was answered.
pub(crate) fn sora_answered(status: u16) {
    counter!(SORA_ANSWERS, "status" => status.to_string()).increment(1);
}
