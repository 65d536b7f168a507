//! The queue between sessions and the database, and its writer: rows of sessions that have begun, stats rows, and sessions that are
//! over. What comes within a moment is written by one transaction: each of its own would cost a sync of the disk.
//!
//! Ends are nobody's burden but their own: one that the database refuses, or whose rows somebody else works on, is handed back to who
//! waits for it, and the others of its transaction are written without it. Rows that it refuses for a reason that may pass (a table that is
//! not there, a right that is missing) are tried again later and later; the ends of their own sessions wait for them, and nobody else does.
//!
//! Bound: `stats.queue_bytes` of stats rows, those in the writer's hand and those refused included, and the number of sessions. When it is full, who decodes
//! a session waits: before he takes it from who brings something, and only with more than usual while he has it. If the database does not take rows for [`PATIENCE`], the session is *behind*: it
//! offers no more rows, goes on without delay, and all its rows are written from its dump when it ends. So an outage of the
//! database neither stops recordings nor loses rows.

mod batch;
mod writer;

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

pub(crate) use self::writer::Writer;
use super::database::{Database, is_final};
use super::sessions::{EndedSession, SessionRow};
use super::stats::{RowBatch, StatsRow};
use crate::session::SessionId;
use crate::telemetry;

/// What the queue's room is counted in, in bytes.
const UNIT: usize = 1024;
/// What a session brings between two times that it is decoded usually fits into this, in bytes.
const USUAL: usize = 128 << 10;
/// How long a session waits for room in the queue.
const PATIENCE: Duration = Duration::from_secs(2);

/// A session offers no more rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Behind;

/// Why the end of a session is not in the database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndError {
    /// It may be later: the rows are another's at the moment.
    #[error("somebody else works on its rows")]
    Locked,
    /// It never will be under its id.
    #[error("its row is another session's, or another collector has it")]
    Anothers,
    /// The database's reason.
    #[error(transparent)]
    Refused(#[from] sqlx::Error),
}

impl EndError {
    /// Whether another attempt with the same would end the same.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Refused(error) if is_final(error))
    }
}

/// Whose the row of a session that runs is, as far as the writer knows.
#[derive(Debug, Default)]
pub(crate) struct Listing(AtomicU8);

impl Listing {
    const OWN: u8 = 1;
    const ANOTHERS: u8 = 2;

    /// Whether it is in the database, and its collector's: nobody else begins under this id, or goes on, before its end.
    pub(crate) fn is_own(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::OWN
    }

    /// Whether it is another session's, or one that had its end.
    pub(crate) fn is_anothers(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::ANOTHERS
    }

    fn found(&self, is_own: bool) {
        self.0.store(if is_own { Self::OWN } else { Self::ANOTHERS }, Ordering::Relaxed);
    }
}

enum Work {
    Session(Box<Beginning>),
    Rows(Vec<StatsRow>, Room, Arc<Listing>),
    Ended(Ending),
    Settle(oneshot::Sender<()>),
}

/// A session that has begun, and who hears whose its row is.
#[derive(Debug)]
struct Beginning {
    row: SessionRow,
    listing: Arc<Listing>,
    done: Option<oneshot::Sender<()>>,
}

impl Beginning {
    fn found(self, own: &HashSet<SessionId>) {
        self.listing.found(own.contains(&self.row.id));
        if let Some(done) = self.done {
            let _ = done.send(());
        }
    }
}

/// The end of a session, and who waits for it.
struct Ending {
    session: Arc<EndedSession>,
    done: oneshot::Sender<Result<(), EndError>>,
}

/// Since when what has room in the queue has it, in the order in which it came.
type Since = Arc<Mutex<BTreeMap<u64, Instant>>>;

/// The room of rows until they are written.
#[derive(Debug)]
struct Room {
    permit: OwnedSemaphorePermit,
    rows: usize,
    number: u64,
    since: Since,
}

impl Room {
    fn new(permit: OwnedSemaphorePermit, rows: usize, since: &Since) -> Self {
        let number = {
            let mut all = since.lock().unwrap_or_else(PoisonError::into_inner);
            let number = all.last_key_value().map_or(0, |(last, _)| last + 1);
            all.insert(number, Instant::now());
            number
        };
        telemetry::stats_queued((permit.num_permits() * UNIT) as f64, rows as f64);
        Self { permit, rows, number, since: Arc::clone(since) }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        telemetry::stats_queued(-((self.permit.num_permits() * UNIT) as f64), -(self.rows as f64));
        self.since.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

/// The end of the queue where sessions stand.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseQueue {
    sender: mpsc::UnboundedSender<Work>,
    room: Arc<Semaphore>,
    capacity: usize,
    since: Since,
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Session",
            Self::Rows(..) => "Rows",
            Self::Ended(_) => "Ended",
            Self::Settle(_) => "Settle",
        })
    }
}

impl DatabaseQueue {
    /// A queue of a collector for so many bytes of rows, and the writer that empties it.
    pub(crate) fn new(database: Database, bytes: u64, collector: String) -> (Self, Writer) {
        // Unbounded by itself: rows are bounded by the semaphore, the rest by the number of sessions.
        let (sender, receiver) = mpsc::unbounded_channel();
        let capacity = usize::try_from(bytes).unwrap_or(usize::MAX).div_ceil(UNIT).clamp(1, u32::MAX as usize);
        let room = Arc::new(Semaphore::new(capacity));
        (Self { sender, room, capacity, since: Since::default() }, Writer::new(database, collector, receiver))
    }

    /// Announces a session that has sent its first line.
    pub(crate) fn session(&self, row: SessionRow, listing: &Arc<Listing>) {
        self.begin(row, listing, None);
    }

    /// The same for who waits until it is written, however long the database is away. One that the database will never take is not, and its
    /// listing stays as it was.
    pub(crate) async fn list(&self, row: SessionRow, listing: &Arc<Listing>) {
        let (done, written) = oneshot::channel();
        self.begin(row, listing, Some(done));
        let _ = written.await;
    }

    fn begin(&self, row: SessionRow, listing: &Arc<Listing>, done: Option<oneshot::Sender<()>>) {
        let beginning = Beginning { row, listing: Arc::clone(listing), done };
        // The writer outlives every session; at the process's end the row comes from the spool at the next start.
        let _ = self.sender.send(Work::Session(Box::new(beginning)));
    }

    /// Waits until there is room for what a session usually brings, which others may take then. For who is not to keep a session from
    /// taking in what comes while it waits.
    pub(crate) async fn has_room(&self) -> Result<(), Behind> {
        let need = USUAL.div_ceil(UNIT).min(self.capacity);
        let room = self.room.acquire_many(u32::try_from(need).unwrap_or(u32::MAX));
        tokio::time::timeout(PATIENCE, room).await.map_err(|_| Behind)?.map(drop).map_err(|_| Behind)
    }

    /// Hands over rows, waiting for room. The batch is empty afterwards; until then, and after `Behind`, it keeps its rows. They are written
    /// unless the id turns out to be another session's.
    pub(crate) async fn offer(&self, batch: &mut RowBatch, listing: &Arc<Listing>) -> Result<(), Behind> {
        if batch.is_empty() {
            return Ok(());
        }
        let need = batch.bytes().div_ceil(UNIT).min(self.capacity);
        let room = Arc::clone(&self.room).acquire_many_owned(u32::try_from(need).unwrap_or(u32::MAX));
        let permit = tokio::time::timeout(PATIENCE, room).await.map_err(|_| Behind)?.map_err(|_| Behind)?;
        let rows = batch.take();
        let room = Room::new(permit, rows.len(), &self.since);
        self.sender.send(Work::Rows(rows, room, Arc::clone(listing))).map_err(|_| Behind)?;
        Ok(())
    }

    /// How long the oldest rows that are not written yet have been here.
    pub(crate) fn oldest(&self) -> Duration {
        let all = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().next().map(Instant::elapsed).unwrap_or_default()
    }

    /// Writes a session that is over, behind everything that was handed over before. Waits as long as the database cannot be had.
    pub(crate) async fn ended(&self, session: Arc<EndedSession>) -> Result<(), EndError> {
        let (done, written) = oneshot::channel();
        let closed = || EndError::Refused(sqlx::Error::PoolClosed);
        self.sender.send(Work::Ended(Ending { session, done })).map_err(|_| closed())?;
        written.await.map_err(|_| closed())?
    }

    /// Waits until everything handed over so far is in the database.
    pub(crate) async fn settle(&self) {
        let (done, settled) = oneshot::channel();
        if self.sender.send(Work::Settle(done)).is_ok() {
            let _ = settled.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use rtctrace_protocol::json::RawValue;
    use rtctrace_protocol::report::ReportDecoder;

    use super::*;
    use crate::store::database::tests::both;
    use crate::store::stats::RowFilter;

    pub(super) fn one_row() -> RowBatch {
        rows_of(SessionId::new(), "1")
    }

    /// A row of an entry of this type.
    pub(super) fn rows_of(session: SessionId, kind: &str) -> RowBatch {
        let (mut decoder, mut filter, mut rows) =
            (ReportDecoder::new(), RowFilter::new(Duration::ZERO), RowBatch::default());
        let report = format!(r#"{{"t":1,"0":{{"type":{kind},"packetsReceived":1}}}}"#);
        let report = decoder.decode(RawValue::parse(&report).unwrap()).unwrap();
        filter.rows(session, "PC_0", report, 0.0, &mut rows);
        rows
    }

    #[tokio::test]
    async fn who_waits_for_room_and_goes_away_takes_no_row_along() {
        for (_guard, database) in both().await {
            let (queue, writer) = DatabaseQueue::new(database, 1, "here".to_owned());
            let (mut first, mut second) = (one_row(), one_row());
            queue.offer(&mut first, &Arc::default()).await.unwrap();
            assert!(first.is_empty());
            assert!(queue.offer(&mut second, &Arc::default()).now_or_never().is_none());
            assert!(!second.is_empty());
            let running = tokio::spawn(writer.run());
            queue.offer(&mut second, &Arc::default()).await.unwrap();
            assert!(second.is_empty());
            queue.settle().await;
            running.abort();
        }
    }
}
