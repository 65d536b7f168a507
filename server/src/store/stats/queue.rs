//! The queue between sessions and the database's stats tables, and its writer.
//!
//! Bound: `stats.queue_bytes` of rows, those in the writer's hand included. When it is full, who decodes
//! a session waits, and the session with it; if the database does not take rows for [`PATIENCE`], the session is *behind*: it
//! offers no more rows, goes on without delay, and all its rows are written from its dump when it ends. So an outage of the
//! database neither stops recordings nor loses rows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::{RowBatch, StatsRow, write_rows};
use crate::store::Backoff;
use crate::store::database::{Database, is_final};
use crate::store::sessions::{SessionRow, insert_live};
use crate::telemetry;

/// What the queue's room is counted in, in bytes.
const UNIT: usize = 1024;
/// How long a session waits for room in the queue.
const PATIENCE: Duration = Duration::from_secs(2);
/// Rows wait at most so long for others to be written with.
const FLUSH_INTERVAL: Duration = Duration::from_millis(250);
/// So many rows are written without waiting for more; fewer where a transaction keeps all others from writing.
const FLUSH_ROWS: usize = 10_000;
const FLUSH_ROWS_SQLITE: usize = 2_000;

/// A session offers no more rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Behind;

enum Work {
    Session(Box<SessionRow>),
    Rows(Vec<StatsRow>, OwnedSemaphorePermit),
    Settle(oneshot::Sender<()>),
}

/// The end of the queue where sessions stand.
#[derive(Debug, Clone)]
pub(crate) struct StatsQueue {
    sender: mpsc::UnboundedSender<Work>,
    room: Arc<Semaphore>,
    capacity: usize,
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Session",
            Self::Rows(..) => "Rows",
            Self::Settle(_) => "Settle",
        })
    }
}

impl StatsQueue {
    /// A queue for so many bytes of rows, and the writer that empties it.
    pub(crate) fn new(database: Database, bytes: u64) -> (Self, Writer) {
        // Unbounded by itself: rows are bounded by the semaphore, the rest by the number of sessions.
        let (sender, receiver) = mpsc::unbounded_channel();
        let capacity = usize::try_from(bytes).unwrap_or(usize::MAX).div_ceil(UNIT).clamp(1, u32::MAX as usize);
        (Self { sender, room: Arc::new(Semaphore::new(capacity)), capacity }, Writer { database, receiver })
    }

    /// Announces a session that has sent its first line.
    pub(crate) fn session(&self, row: SessionRow) {
        // The writer outlives every session; at the process's end the row comes from the spool at the next start.
        let _ = self.sender.send(Work::Session(Box::new(row)));
    }

    /// Hands over rows, waiting for room. The batch is empty afterwards; until then, and after `Behind`, it keeps its rows.
    pub(crate) async fn offer(&self, batch: &mut RowBatch) -> Result<(), Behind> {
        if batch.is_empty() {
            return Ok(());
        }
        let need = batch.bytes().div_ceil(UNIT).min(self.capacity);
        let room = Arc::clone(&self.room).acquire_many_owned(u32::try_from(need).unwrap_or(u32::MAX));
        let permit = tokio::time::timeout(PATIENCE, room).await.map_err(|_| Behind)?.map_err(|_| Behind)?;
        telemetry::stats_queued((need * UNIT) as f64);
        self.sender.send(Work::Rows(batch.take(), permit)).map_err(|_| Behind)?;
        Ok(())
    }

    /// Waits until everything handed over so far is in the database.
    pub(crate) async fn settle(&self) {
        let (done, settled) = oneshot::channel();
        if self.sender.send(Work::Settle(done)).is_ok() {
            let _ = settled.await;
        }
    }
}

/// Empties the queue into the database.
#[derive(Debug)]
pub(crate) struct Writer {
    database: Database,
    receiver: mpsc::UnboundedReceiver<Work>,
}

/// What is written by one transaction.
#[derive(Default)]
struct Batch {
    sessions: Vec<SessionRow>,
    rows: Vec<StatsRow>,
    permits: Vec<OwnedSemaphorePermit>,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Batch {
    fn add(&mut self, work: Work) {
        match work {
            Work::Session(row) => self.sessions.push(*row),
            Work::Rows(rows, permit) => {
                self.rows.extend(rows);
                self.permits.push(permit);
            }
            Work::Settle(done) => self.waiting.push(done),
        }
    }

    fn is_awaited(&self) -> bool {
        !self.waiting.is_empty() || !self.sessions.is_empty()
    }
}

impl Writer {
    /// Runs until every queue is dropped and all is written.
    pub(crate) async fn run(mut self) {
        let enough = match self.database {
            Database::Sqlite(_) => FLUSH_ROWS_SQLITE,
            Database::Postgres(_) => FLUSH_ROWS,
        };
        while let Some(first) = self.receiver.recv().await {
            let mut batch = Batch::default();
            batch.add(first);
            let deadline = Instant::now() + FLUSH_INTERVAL;
            while batch.rows.len() < enough {
                // What is there already is taken along; what somebody waits for does not wait for more.
                let more = match self.receiver.try_recv() {
                    Err(TryRecvError::Empty) if !batch.is_awaited() => {
                        tokio::time::timeout_at(deadline, self.receiver.recv()).await.ok().flatten()
                    }
                    more => more.ok(),
                };
                match more {
                    Some(work) => batch.add(work),
                    None => break,
                }
            }
            self.write(batch).await;
        }
    }

    /// Writes a batch, however long the database refuses. Only rows that it can never take are given up.
    async fn write(&self, mut batch: Batch) {
        let mut backoff = Backoff::new(telemetry::Store::Database);
        loop {
            match self.attempt(&batch).await {
                Ok(()) => {
                    telemetry::store_works(telemetry::Store::Database);
                    break;
                }
                Err(error) if is_final(&error) => {
                    tracing::error!(
                        rows = batch.rows.len(),
                        "the database refused one of these stats rows for good: {error}"
                    );
                    self.write_singly(&mut batch, &mut backoff).await;
                    telemetry::store_works(telemetry::Store::Database);
                    break;
                }
                Err(error) => backoff.failed("writing stats", &error).await,
            }
        }
        for permit in batch.permits {
            telemetry::stats_queued(-((permit.num_permits() * UNIT) as f64));
        }
        for done in batch.waiting {
            let _ = done.send(());
        }
    }

    /// Writes what came together row by row, so that one that cannot be written costs itself alone.
    async fn write_singly(&self, batch: &mut Batch, backoff: &mut Backoff) {
        let sessions = std::mem::take(&mut batch.sessions);
        let sessions = sessions.into_iter().map(|row| Batch { sessions: vec![row], ..Batch::default() });
        let rows = std::mem::take(&mut batch.rows);
        let rows = rows.into_iter().map(|row| Batch { rows: vec![row], ..Batch::default() });
        for one in sessions.chain(rows) {
            while let Err(error) = self.attempt(&one).await {
                if is_final(&error) {
                    telemetry::stats_lost(one.rows.len() as u64);
                    break;
                }
                backoff.failed("writing stats", &error).await;
            }
        }
    }

    async fn attempt(&self, batch: &Batch) -> sqlx::Result<()> {
        if batch.sessions.is_empty() && batch.rows.is_empty() {
            return Ok(());
        }
        let mut transaction = self.database.begin().await?;
        for session in &batch.sessions {
            insert_live(&mut transaction, session).await?;
        }
        write_rows(&mut transaction, &batch.rows).await?;
        transaction.commit().await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use rtctrace_protocol::json::RawValue;
    use rtctrace_protocol::report::ReportDecoder;

    use super::super::RowFilter;
    use super::*;
    use crate::session::SessionId;
    use crate::store::database::tests::both;

    fn one_row() -> RowBatch {
        let (mut decoder, mut filter, mut rows) = (ReportDecoder::new(), RowFilter::new(), RowBatch::default());
        let report = decoder.decode(RawValue::parse(r#"{"t":1,"0":{"type":1,"packetsReceived":1}}"#).unwrap()).unwrap();
        filter.rows(SessionId::new(), "PC_0", report, 0.0, &mut rows);
        rows
    }

    #[tokio::test]
    async fn who_waits_for_room_and_goes_away_takes_no_row_along() {
        for (_guard, database) in both().await {
            let (queue, writer) = StatsQueue::new(database, 1);
            let (mut first, mut second) = (one_row(), one_row());
            queue.offer(&mut first).await.unwrap();
            assert!(first.is_empty());
            assert!(queue.offer(&mut second).now_or_never().is_none());
            assert!(!second.is_empty());
            let running = tokio::spawn(writer.run());
            queue.offer(&mut second).await.unwrap();
            assert!(second.is_empty());
            queue.settle().await;
            running.abort();
        }
    }
}
