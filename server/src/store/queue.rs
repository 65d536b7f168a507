//! The queue between sessions and the database, and its writer: rows of sessions that have begun, stats rows, and sessions that are
//! over. What comes within a moment is written by one transaction: each of its own would cost a sync of the disk.
//!
//! Ends are nobody's burden but their own: one that the database refuses, or whose rows somebody else works on, is handed back to who
//! waits for it, and the others of its transaction are written without it.
//!
//! Bound: `stats.queue_bytes` of stats rows, those in the writer's hand included, and the number of sessions. When it is full, who decodes
//! a session waits, and the session with it; if the database does not take rows for [`PATIENCE`], the session is *behind*: it
//! offers no more rows, goes on without delay, and all its rows are written from its dump when it ends. So an outage of the
//! database neither stops recordings nor loses rows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::Backoff;
use super::database::{Database, is_final};
use super::sessions::{EndedSession, SessionRow, insert_live, write_ended};
use super::stats::{RowBatch, StatsRow, write_rows};
use crate::telemetry;

/// What the queue's room is counted in, in bytes.
const UNIT: usize = 1024;
/// How long a session waits for room in the queue.
const PATIENCE: Duration = Duration::from_secs(2);
/// Rows wait at most so long for others to be written with.
const FLUSH_INTERVAL: Duration = Duration::from_millis(250);
/// So long does a session that has begun, or is over: somebody may look for it.
const SOON: Duration = Duration::from_millis(50);
/// So many of them are written by one transaction.
const FLUSH_ENDED: usize = 256;
/// So many rows are written without waiting for more; fewer where a transaction keeps all others from writing.
const FLUSH_ROWS: usize = 10_000;
const FLUSH_ROWS_SQLITE: usize = 2_000;

/// A session offers no more rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Behind;

/// Why the end of a session is not in the database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EndError {
    /// It may be later: the rows are another's at the moment.
    #[error("somebody else works on its rows")]
    Locked,
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

enum Work {
    Session(Box<SessionRow>),
    Rows(Vec<StatsRow>, OwnedSemaphorePermit),
    Ended(Arc<EndedSession>, oneshot::Sender<Result<(), EndError>>),
    Settle(oneshot::Sender<()>),
}

/// The end of the queue where sessions stand.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseQueue {
    sender: mpsc::UnboundedSender<Work>,
    room: Arc<Semaphore>,
    capacity: usize,
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Session",
            Self::Rows(..) => "Rows",
            Self::Ended(..) => "Ended",
            Self::Settle(_) => "Settle",
        })
    }
}

impl DatabaseQueue {
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

    /// Writes a session that is over, behind everything that was handed over before. Waits as long as the database cannot be had.
    pub(crate) async fn ended(&self, session: Arc<EndedSession>) -> Result<(), EndError> {
        let (done, written) = oneshot::channel();
        let closed = || EndError::Refused(sqlx::Error::PoolClosed);
        self.sender.send(Work::Ended(session, done)).map_err(|_| closed())?;
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
    ended: Vec<Arc<EndedSession>>,
    /// The rows that these make.
    ended_rows: usize,
    permits: Vec<OwnedSemaphorePermit>,
    /// Who waits for those that ended, in their order.
    waiting: Vec<oneshot::Sender<Result<(), EndError>>>,
    settling: Vec<oneshot::Sender<()>>,
}

impl Batch {
    /// Adds work, and says how long it may wait for more.
    fn add(&mut self, work: Work) -> Duration {
        match work {
            Work::Session(row) => {
                self.sessions.push(*row);
                SOON
            }
            Work::Rows(rows, permit) => {
                self.rows.extend(rows);
                self.permits.push(permit);
                FLUSH_INTERVAL
            }
            Work::Ended(session, done) => {
                self.ended_rows += session.rows();
                self.ended.push(session);
                self.waiting.push(done);
                SOON
            }
            Work::Settle(done) => {
                self.settling.push(done);
                Duration::ZERO
            }
        }
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
            let mut deadline = Instant::now() + batch.add(first);
            while batch.rows.len() + batch.ended_rows < enough && batch.ended.len() < FLUSH_ENDED {
                // Whatever the time, what is there already is taken along.
                let Ok(Some(work)) = tokio::time::timeout_at(deadline, self.receiver.recv()).await else { break };
                deadline = deadline.min(Instant::now() + batch.add(work));
            }
            self.write(batch).await;
        }
    }

    /// Writes a batch, however long the database is away. Rows that it can never take are lost and counted.
    async fn write(&self, batch: Batch) {
        let mut backoff = Backoff::new(telemetry::Store::Database);
        let Batch { sessions, rows, ended, permits, waiting, settling, .. } = batch;
        let outcomes = match self.all(&sessions, &rows, &ended, &mut backoff).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                tracing::warn!(
                    rows = rows.len(),
                    ends = ended.len(),
                    "the database refused what came together: {error}"
                );
                self.rows(&sessions, &rows, &mut backoff).await;
                self.ends(&ended).await
            }
        };
        telemetry::store_works(telemetry::Store::Database);
        for permit in permits {
            telemetry::stats_queued(-((permit.num_permits() * UNIT) as f64));
        }
        for (done, outcome) in waiting.into_iter().zip(outcomes) {
            let _ = done.send(outcome);
        }
        for done in settling {
            let _ = done.send(());
        }
    }

    /// Everything by one transaction, unless the database refuses that.
    async fn all(
        &self,
        sessions: &[SessionRow],
        rows: &[StatsRow],
        ended: &[Arc<EndedSession>],
        backoff: &mut Backoff,
    ) -> sqlx::Result<Vec<Result<(), EndError>>> {
        loop {
            match self.attempt(sessions, rows, ended).await {
                Err(error) if is_unheard(&error) => {
                    backoff.failed("writing to the database", &error).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// What running sessions brought: as often as it takes, and one by one if one of it can never be taken.
    async fn rows(&self, sessions: &[SessionRow], rows: &[StatsRow], backoff: &mut Backoff) {
        if self.insist(sessions, rows, backoff).await.is_ok() {
            return;
        }
        for session in sessions.chunks(1) {
            if let Err(error) = self.insist(session, &[], backoff).await {
                tracing::error!("the database will never take the row of a session that runs: {error}");
            }
        }
        if self.insist(&[], rows, backoff).await.is_ok() {
            return;
        }
        for row in rows.chunks(1) {
            if let Err(error) = self.insist(&[], row, backoff).await {
                tracing::error!("the database will never take a stats row: {error}");
                telemetry::stats_lost(1);
            }
        }
    }

    /// One transaction, until it works or can never work.
    async fn insist(&self, sessions: &[SessionRow], rows: &[StatsRow], backoff: &mut Backoff) -> sqlx::Result<()> {
        loop {
            match self.attempt(sessions, rows, &[]).await {
                Ok(_) => return Ok(()),
                Err(error) if is_final(&error) => return Err(error),
                Err(error) => backoff.failed("writing to the database", &error).await,
            }
        }
    }

    /// Sessions that are over, by halves: so one that is refused is found. It is tried no more than that: who waits for it tries again.
    async fn ends(&self, ended: &[Arc<EndedSession>]) -> Vec<Result<(), EndError>> {
        let mut outcomes = Vec::with_capacity(ended.len());
        let mut groups = vec![ended];
        while let Some(group) = groups.pop() {
            match self.attempt(&[], &[], group).await {
                Ok(written) => outcomes.extend(written),
                Err(error) if group.len() == 1 => outcomes.push(Err(error.into())),
                Err(_) => {
                    let (first, second) = group.split_at(group.len() / 2);
                    groups.extend([second, first]);
                }
            }
        }
        outcomes
    }

    /// Writes all of it by one transaction, but for the ends of sessions that somebody else works on.
    async fn attempt(
        &self,
        sessions: &[SessionRow],
        rows: &[StatsRow],
        ended: &[Arc<EndedSession>],
    ) -> sqlx::Result<Vec<Result<(), EndError>>> {
        if sessions.is_empty() && rows.is_empty() && ended.is_empty() {
            return Ok(Vec::new());
        }
        let mut transaction = self.database.begin().await?;
        let (mut outcomes, mut ours) = (Vec::with_capacity(ended.len()), Vec::with_capacity(ended.len()));
        for session in ended {
            // Who waited for one here would keep all others waiting.
            if transaction.try_lock(session.row.id).await? {
                ours.push(Arc::clone(session));
                outcomes.push(Ok(()));
            } else {
                outcomes.push(Err(EndError::Locked));
            }
        }
        insert_live(&mut transaction, sessions).await?;
        write_rows(&mut transaction, rows).await?;
        write_ended(&mut transaction, &ours).await?;
        transaction.commit().await?;
        Ok(outcomes)
    }
}

/// Whether the database did not even answer.
fn is_unheard(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::join_all;
    use rtctrace_features::SessionFeatures;
    use rtctrace_protocol::json::RawValue;
    use rtctrace_protocol::report::ReportDecoder;

    use super::*;
    use crate::session::SessionId;
    use crate::store::database::tests::both;
    use crate::store::sessions::{get, tests::row};
    use crate::store::stats::RowFilter;

    fn one_row() -> RowBatch {
        let (mut decoder, mut filter, mut rows) =
            (ReportDecoder::new(), RowFilter::new(Duration::ZERO), RowBatch::default());
        let report = decoder.decode(RawValue::parse(r#"{"t":1,"0":{"type":1,"packetsReceived":1}}"#).unwrap()).unwrap();
        filter.rows(SessionId::new(), "PC_0", report, 0.0, &mut rows);
        rows
    }

    #[tokio::test]
    async fn who_waits_for_room_and_goes_away_takes_no_row_along() {
        for (_guard, database) in both().await {
            let (queue, writer) = DatabaseQueue::new(database, 1);
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

    #[tokio::test]
    async fn a_session_that_cannot_be_written_keeps_no_other_from_it_that_ends_with_it() {
        for (_guard, database) in both().await {
            let refuse = match database {
                Database::Sqlite(_) => {
                    "CREATE TRIGGER refused BEFORE INSERT ON sessions WHEN new.url = '/refused' \
                     BEGIN SELECT RAISE(ABORT, 'refused'); END"
                }
                Database::Postgres(_) => "ALTER TABLE sessions ADD CHECK (url <> '/refused')",
            };
            database.write(refuse, &[]).await.unwrap();
            let (queue, writer) = DatabaseQueue::new(database.clone(), 1 << 20);
            let running = tokio::spawn(writer.run());
            let session = |number| {
                let mut row = SessionRow { ended: true, ..row(number) };
                if number == 4 {
                    row.url = "/refused".to_owned();
                }
                Arc::new(EndedSession { row, features: SessionFeatures::default() })
            };
            let mut sessions: Vec<_> = (0..10).map(session).collect();
            // One twice, and one whose client has a clock like none: neither is a reason to refuse.
            sessions.push(Arc::clone(&sessions[2]));
            let mut strange = EndedSession::clone(&sessions[7]);
            strange.features.client.start_time = Some(rtctrace_features::UnixMillis(-1_000_000_000_000_000));
            sessions[7] = Arc::new(strange);
            queue.offer(&mut one_row()).await.unwrap();
            let outcomes = join_all(sessions.iter().map(|session| queue.ended(Arc::clone(session)))).await;
            for (session, outcome) in sessions.iter().zip(outcomes) {
                let is_refused = session.row.url == "/refused";
                assert_eq!(outcome.is_err(), is_refused, "{outcome:?}");
                assert_eq!(get(&database, session.row.id).await.unwrap().is_none(), is_refused);
            }
            assert_eq!(database.read("SELECT 1 FROM stats_inbound_rtp", &[]).await.unwrap().len(), 1);
            running.abort();
        }
    }

    #[tokio::test]
    async fn a_session_that_somebody_else_works_on_is_handed_back_at_once() {
        for (_guard, database) in both().await {
            if matches!(database, Database::Sqlite(_)) {
                continue;
            }
            let (queue, writer) = DatabaseQueue::new(database.clone(), 1 << 20);
            let running = tokio::spawn(writer.run());
            let session = |number| {
                let row = SessionRow { ended: true, ..row(number) };
                Arc::new(EndedSession { row, features: SessionFeatures::default() })
            };
            let (held, free) = (session(1), session(2));
            let mut other = database.begin().await.unwrap();
            other.lock(held.row.id).await.unwrap();
            let (one, two) = tokio::join!(queue.ended(Arc::clone(&held)), queue.ended(Arc::clone(&free)));
            assert!(matches!(one, Err(EndError::Locked)) && two.is_ok(), "{one:?} {two:?}");
            other.commit().await.unwrap();
            queue.ended(held).await.unwrap();
            running.abort();
        }
    }
}
