//! The queue between sessions and the database, and its writer: rows of sessions that have begun, stats rows, and sessions that are
//! over. What comes within a moment is written by one transaction: each of its own would cost a sync of the disk.
//!
//! Ends are nobody's burden but their own: one that the database refuses, or whose rows somebody else works on, is handed back to who
//! waits for it, and the others of its transaction are written without it. Rows that it refuses for a reason that may pass (a table that is
//! not there, a right that is missing) are tried again later and later; the ends of their own sessions wait for them, and nobody else does.
//!
//! Bound: `stats.queue_bytes` of stats rows, those in the writer's hand and those refused included, and the number of sessions. When it is full, who decodes
//! a session waits, and the session with it; if the database does not take rows for [`PATIENCE`], the session is *behind*: it
//! offers no more rows, goes on without delay, and all its rows are written from its dump when it ends. So an outage of the
//! database neither stops recordings nor loses rows.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::Instant;

use super::Backoff;
use super::database::{Database, Transaction, is_final};
use super::sessions::{EndedSession, SessionRow, end_held, insert_live};
use super::stats::{RowBatch, StatsRow, write_rows};
use crate::session::SessionId;
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
        (
            Self { sender, room, capacity, since: Since::default() },
            Writer { database, collector, receiver, refused: None },
        )
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

/// Empties the queue into the database.
#[derive(Debug)]
pub(crate) struct Writer {
    database: Database,
    /// Whose sessions these are.
    collector: String,
    receiver: mpsc::UnboundedReceiver<Work>,
    refused: Option<Refused>,
}

/// What the database refuses for the time being, and what waits behind it.
#[derive(Debug)]
struct Refused {
    batch: Batch,
    again: Instant,
    backoff: Backoff,
}

/// What is written by one transaction.
#[derive(Default)]
struct Batch {
    sessions: Vec<Beginning>,
    rows: Vec<StatsRow>,
    rooms: Vec<Room>,
    ended: Vec<Ending>,
    /// The rows that these make.
    ended_rows: usize,
    settling: Vec<oneshot::Sender<()>>,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (rows, ended) = (self.rows.len(), self.ended.len());
        f.debug_struct("Batch").field("rows", &rows).field("ended", &ended).finish_non_exhaustive()
    }
}

impl Batch {
    /// Adds work, and says how long it may wait for more.
    fn add(&mut self, work: Work) -> Duration {
        match work {
            Work::Session(beginning) => {
                // Its end waits for that.
                let wait = if beginning.done.is_some() { Duration::ZERO } else { SOON };
                self.sessions.push(*beginning);
                wait
            }
            Work::Rows(_, _, listing) if listing.is_anothers() => FLUSH_INTERVAL,
            Work::Rows(rows, room, _) => {
                self.rows.extend(rows);
                self.rooms.push(room);
                FLUSH_INTERVAL
            }
            Work::Ended(ending) => {
                self.ended_rows += ending.session.rows();
                self.ended.push(ending);
                SOON
            }
            Work::Settle(done) => {
                self.settling.push(done);
                Duration::ZERO
            }
        }
    }

    /// Adds what waits for the same.
    fn append(&mut self, other: Self) {
        self.sessions.extend(other.sessions);
        self.rows.extend(other.rows);
        self.rooms.extend(other.rooms);
        self.ended.extend(other.ended);
        self.ended_rows += other.ended_rows;
        self.settling.extend(other.settling);
    }

    /// The sessions that have rows in it.
    fn with_rows(&self) -> HashSet<SessionId> {
        self.rows.iter().map(|row| row.session).collect()
    }
}

impl Writer {
    /// Runs until every queue is dropped and all is written.
    pub(crate) async fn run(mut self) {
        let enough = match self.database {
            Database::Sqlite(_) => FLUSH_ROWS_SQLITE,
            Database::Postgres(_) => FLUSH_ROWS,
        };
        while let Some(first) = self.next().await {
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

    /// Waits for work; what was refused is tried again meanwhile.
    async fn next(&mut self) -> Option<Work> {
        while let Some(again) = self.refused.as_ref().map(|refused| refused.again) {
            if again > Instant::now() {
                match tokio::time::timeout_at(again, self.receiver.recv()).await {
                    Ok(Some(work)) => return Some(work),
                    Ok(None) => tokio::time::sleep_until(again).await,
                    Err(_) => {}
                }
            }
            if let Some(Refused { batch, backoff, .. }) = self.refused.take() {
                self.apart(batch, backoff).await;
            }
        }
        self.receiver.recv().await
    }

    /// Writes a batch, however long the database is away. Rows that it can never take are lost and counted.
    async fn write(&mut self, mut batch: Batch) {
        self.leave_behind(&mut batch);
        let mut backoff = Backoff::new(telemetry::Store::Database);
        let ended: Vec<_> = batch.ended.iter().map(|ending| Arc::clone(&ending.session)).collect();
        let written = loop {
            match self.attempt(&batch.sessions, &batch.rows, &ended).await {
                Err(error) if self.is_away(&error) => backoff.failed("writing to the database", &error).await,
                outcome => break outcome,
            }
        };
        match written {
            Ok(written) => {
                if self.refused.is_none() {
                    telemetry::store_works(telemetry::Store::Database);
                }
                batch.sessions.into_iter().for_each(|beginning| beginning.found(&written.own));
                tell(batch.ended, written.ends);
                settled(batch.settling);
            }
            Err(error) => {
                let (rows, ends) = (batch.rows.len(), ended.len());
                tracing::warn!(rows, ends, "the database refused what came together: {error}");
                self.apart(batch, backoff).await;
            }
        }
    }

    /// Where rows of a session are refused, its end waits behind them, and so does who wants to know that all is written.
    fn leave_behind(&mut self, batch: &mut Batch) {
        let Some(refused) = self.refused.as_mut().filter(|_| batch.ended.len() + batch.settling.len() > 0) else {
            return;
        };
        let with_rows = refused.batch.with_rows();
        refused.batch.ended.extend(batch.ended.extract_if(.., |ending| with_rows.contains(&ending.session.row.id)));
        refused.batch.settling.append(&mut batch.settling);
    }

    /// Writes what the database refuses together: first the ends of sessions that have no rows in it, then rows, then the other ends. What it
    /// refuses still waits, unless it can never take it.
    async fn apart(&mut self, mut batch: Batch, mut backoff: Backoff) {
        let with_rows = batch.with_rows();
        let behind = batch.ended.extract_if(.., |ending| with_rows.contains(&ending.session.row.id)).collect();
        let mut works = self.ends(std::mem::replace(&mut batch.ended, behind)).await;
        match self.rows(&mut batch, &mut backoff).await {
            None => {
                works &= self.ends(batch.ended).await;
                settled(batch.settling);
                if works && self.refused.is_none() {
                    telemetry::store_works(telemetry::Store::Database);
                }
            }
            Some(_) if let Some(refused) = &mut self.refused => refused.batch.append(batch),
            Some(error) => {
                let again = Instant::now() + backoff.refused("writing rows that the database refused", &error);
                self.refused = Some(Refused { batch, again, backoff });
            }
        }
    }

    /// Sessions that run, and rows table by table; one by one where one of them can never be taken. What is refused otherwise is left in the
    /// batch, and one of the reasons is given.
    async fn rows(&self, batch: &mut Batch, backoff: &mut Backoff) -> Option<sqlx::Error> {
        let mut reason = None;
        let mut left = Vec::new();
        for session in std::mem::take(&mut batch.sessions) {
            match self.insist(std::slice::from_ref(&session), &[], backoff).await {
                Ok(written) => {
                    let id = session.row.id;
                    if !written.own.contains(&id) {
                        batch.rows.retain(|row| row.session != id);
                    }
                    session.found(&written.own);
                }
                Err(error) if is_final(&error) => {
                    tracing::error!("the database will never take the row of a session that runs: {error}");
                }
                Err(error) => {
                    reason = Some(error);
                    left.push(session);
                }
            }
        }
        batch.sessions = left;
        let mut left = Vec::new();
        let mut rows = std::mem::take(&mut batch.rows);
        while let Some(table) = rows.first().map(|row| row.table) {
            let of_table: Vec<_> = rows.extract_if(.., |row| std::ptr::eq(row.table, table)).collect();
            match self.insist(&[], &of_table, backoff).await {
                Ok(_) => {}
                Err(error) if is_final(&error) => {
                    for row in of_table {
                        match self.insist(&[], std::slice::from_ref(&row), backoff).await {
                            Ok(_) => {}
                            Err(error) if is_final(&error) => {
                                tracing::error!("the database will never take a stats row: {error}");
                                telemetry::stats_lost(1);
                            }
                            Err(error) => {
                                reason = Some(error);
                                left.push(row);
                            }
                        }
                    }
                }
                Err(error) => {
                    reason = Some(error);
                    left.extend(of_table);
                }
            }
        }
        batch.rows = left;
        reason
    }

    /// One transaction, as often as it takes while the database is away.
    async fn insist(&self, sessions: &[Beginning], rows: &[StatsRow], backoff: &mut Backoff) -> sqlx::Result<Written> {
        loop {
            match self.attempt(sessions, rows, &[]).await {
                Err(error) if self.is_away(&error) => backoff.failed("writing to the database", &error).await,
                outcome => return outcome,
            }
        }
    }

    /// Sessions that are over, by halves: so one that is refused is found. It is tried no more than that: who waits for it tries again. Says
    /// whether the database works.
    async fn ends(&self, ended: Vec<Ending>) -> bool {
        let sessions: Vec<_> = ended.iter().map(|ending| Arc::clone(&ending.session)).collect();
        let mut outcomes = Vec::with_capacity(sessions.len());
        let mut groups = vec![sessions.as_slice()];
        while let Some(group) = groups.pop() {
            match self.attempt(&[], &[], group).await {
                Ok(written) => outcomes.extend(written.ends),
                Err(error) if group.len() == 1 => outcomes.push(Err(error.into())),
                Err(_) => {
                    let (first, second) = group.split_at(group.len() / 2);
                    groups.extend([second, first]);
                }
            }
        }
        let works = works(&outcomes);
        tell(ended, outcomes);
        works
    }

    /// Writes all of it by one transaction, but for the ends of sessions that somebody else works on.
    async fn attempt(
        &self,
        sessions: &[Beginning],
        rows: &[StatsRow],
        ended: &[Arc<EndedSession>],
    ) -> sqlx::Result<Written> {
        if sessions.is_empty() && rows.is_empty() && ended.is_empty() {
            return Ok(Written::default());
        }
        let mut transaction = self.database.begin().await?;
        match fill(&mut transaction, sessions, rows, ended, &self.collector).await {
            Ok(written) => transaction.commit().await.map(|()| written),
            Err(error) => {
                // Before the next attempt: until then its sessions are locked.
                let _ = transaction.rollback().await;
                Err(error)
            }
        }
    }

    /// Whether nothing else could be written either: the database does not answer, or takes nothing for a while.
    fn is_away(&self, error: &sqlx::Error) -> bool {
        let is_unheard = matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed);
        is_unheard || self.database.is_away(error)
    }
}

/// What a transaction wrote.
#[derive(Debug, Default)]
struct Written {
    /// The sessions that run and whose rows are their own.
    own: HashSet<SessionId>,
    /// What became of the ends, in their order.
    ends: Vec<Result<(), EndError>>,
}

/// The writing of one transaction.
async fn fill(
    transaction: &mut Transaction,
    sessions: &[Beginning],
    rows: &[StatsRow],
    ended: &[Arc<EndedSession>],
    collector: &str,
) -> sqlx::Result<Written> {
    // Who waited for one here would keep all others waiting.
    let ids: Vec<SessionId> = ended.iter().map(|session| session.row.id).collect();
    let locked = transaction.try_lock(&ids).await?;
    let free: Vec<_> = ended.iter().filter(|session| locked.contains(&session.row.id)).map(Arc::clone).collect();
    let sessions: Vec<&SessionRow> = sessions.iter().map(|beginning| &beginning.row).collect();
    let own = insert_live(transaction, &sessions).await?;
    let others: HashSet<SessionId> = sessions.iter().map(|row| row.id).filter(|id| !own.contains(id)).collect();
    if rows.iter().any(|row| others.contains(&row.session)) {
        let rows: Vec<_> = rows.iter().filter(|row| !others.contains(&row.session)).cloned().collect();
        write_rows(transaction, &rows).await?;
    } else {
        write_rows(transaction, rows).await?;
    }
    let written = end_held(transaction, &free, collector).await?;
    let outcome = |id: &SessionId| match (locked.contains(id), written.contains(id)) {
        (false, _) => Err(EndError::Locked),
        (true, false) => Err(EndError::Anothers),
        (true, true) => Ok(()),
    };
    Ok(Written { own, ends: ids.iter().map(outcome).collect() })
}

/// Tells those who wait for the ends of sessions what became of them.
fn tell(ended: Vec<Ending>, outcomes: Vec<Result<(), EndError>>) {
    for (Ending { done, .. }, outcome) in ended.into_iter().zip(outcomes) {
        let _ = done.send(outcome);
    }
}

/// Tells those who wait for all before them.
fn settled(settling: Vec<oneshot::Sender<()>>) {
    for done in settling {
        let _ = done.send(());
    }
}

/// Whether a database works that gave these answers: who can never take something, or finds it locked, does.
fn works(outcomes: &[Result<(), EndError>]) -> bool {
    outcomes.iter().all(|outcome| match outcome {
        Ok(()) | Err(EndError::Locked | EndError::Anothers) => true,
        Err(error) => error.is_final(),
    })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use futures_util::future::join_all;
    use rtctrace_features::SessionFeatures;
    use rtctrace_protocol::json::RawValue;
    use rtctrace_protocol::report::ReportDecoder;

    use super::*;
    use crate::session::UnixMillis;
    use crate::store::database::tests::both;
    use crate::store::sessions::{get, tests::row};
    use crate::store::stats::RowFilter;

    fn one_row() -> RowBatch {
        rows_of(SessionId::new(), "1")
    }

    /// A row of an entry of this type.
    fn rows_of(session: SessionId, kind: &str) -> RowBatch {
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
            let (queue, writer) = DatabaseQueue::new(database.clone(), 1 << 20, "here".to_owned());
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
            queue.offer(&mut one_row(), &Arc::default()).await.unwrap();
            let outcomes = join_all(sessions.iter().map(|session| queue.ended(Arc::clone(session)))).await;
            for (session, outcome) in sessions.iter().zip(outcomes) {
                let is_refused = session.row.url == "/refused";
                assert_eq!(outcome.is_err(), is_refused, "{outcome:?}");
                assert_eq!(get(&database, session.row.id).await.unwrap().is_none(), is_refused);
            }
            // Ends wait for no rows but their own session's.
            queue.settle().await;
            assert_eq!(database.read("SELECT 1 FROM stats_inbound_rtp", &[]).await.unwrap().len(), 1);
            running.abort();
        }
    }

    #[tokio::test]
    async fn of_two_collectors_that_have_a_session_one_hears_that_it_is_its_own() {
        for (_guard, database) in both().await {
            let first = row(1);
            let row_of = |collector: &str, start: i64| SessionRow {
                start_time: UnixMillis(start),
                collector: Some(collector.to_owned()),
                ..first.clone()
            };
            let queue_of = |collector: &str| DatabaseQueue::new(database.clone(), 1 << 20, collector.to_owned());
            let ((here, writer), (there, other)) = (queue_of("here"), queue_of("there"));
            let running = [tokio::spawn(writer.run()), tokio::spawn(other.run())];
            let (own, anothers) = (Arc::default(), Arc::default());
            here.session(row_of("here", 1), &own);
            here.list(row_of("here", 1), &own).await;
            there.session(row_of("there", 2), &anothers);
            there.offer(&mut rows_of(first.id, "1"), &anothers).await.unwrap();
            there.list(row_of("there", 2), &anothers).await;
            there.offer(&mut rows_of(first.id, "1"), &anothers).await.unwrap();
            there.settle().await;
            assert!(database.read("SELECT 1 FROM stats_inbound_rtp", &[]).await.unwrap().is_empty());
            assert!(own.is_own() && !own.is_anothers() && anothers.is_anothers() && !anothers.is_own());

            let ended = |start: i64| {
                let row = SessionRow { ended: true, start_time: UnixMillis(start), ..first.clone() };
                Arc::new(EndedSession { row, features: SessionFeatures::default() })
            };
            // It keeps no other from being written.
            let other_end = {
                let row = SessionRow { ended: true, ..row(3) };
                Arc::new(EndedSession { row, features: SessionFeatures::default() })
            };
            let (refused, written) = tokio::join!(there.ended(ended(2)), there.ended(other_end));
            assert!(matches!(refused, Err(EndError::Anothers)) && written.is_ok(), "{refused:?} {written:?}");
            assert!(!get(&database, first.id).await.unwrap().unwrap().ended);
            here.ended(ended(1)).await.unwrap();
            here.list(row_of("here", 1), &own).await;
            assert!(own.is_anothers(), "it had its end");
            running.into_iter().for_each(|writer| writer.abort());
        }
    }

    #[tokio::test]
    async fn a_session_that_somebody_else_works_on_is_handed_back_at_once() {
        for (_guard, database) in both().await {
            if matches!(database, Database::Sqlite(_)) {
                continue;
            }
            let (queue, writer) = DatabaseQueue::new(database.clone(), 1 << 20, "here".to_owned());
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

    #[tokio::test]
    async fn rows_that_are_refused_for_a_while_keep_nobody_but_their_own_session() {
        for (_guard, database) in both().await {
            // What the database says then is neither final nor that it is away.
            database.write("ALTER TABLE stats_inbound_rtp RENAME TO elsewhere", &[]).await.unwrap();
            let (queue, writer) = DatabaseQueue::new(database.clone(), 4096, "here".to_owned());
            let running = tokio::spawn(writer.run());
            let end = |id| {
                let row = SessionRow { id, ended: true, ..row(1) };
                let session = Arc::new(EndedSession { row, features: SessionFeatures::default() });
                queue.ended(session)
            };
            let held = SessionId::new();
            queue.offer(&mut rows_of(held, "1"), &Arc::default()).await.unwrap();
            queue.offer(&mut rows_of(held, "2"), &Arc::default()).await.unwrap();
            let mut of_held = Box::pin(end(held));
            assert!(futures_util::poll!(&mut of_held).is_pending());
            for _ in 0..3 {
                let other = SessionId::new();
                end(other).await.unwrap();
                assert!(get(&database, other).await.unwrap().is_some());
                assert!(futures_util::poll!(&mut of_held).is_pending());
            }
            // Of another table, or handed over later: written at once.
            assert_eq!(database.read("SELECT 1 FROM stats_outbound_rtp", &[]).await.unwrap().len(), 1);
            assert!(get(&database, held).await.unwrap().is_none());
            assert!(queue.oldest() > Duration::ZERO && queue.room.available_permits() < queue.capacity);
            let mut settled = Box::pin(queue.settle());
            assert!(futures_util::poll!(&mut settled).is_pending());

            database.write("ALTER TABLE elsewhere RENAME TO stats_inbound_rtp", &[]).await.unwrap();
            of_held.await.unwrap();
            settled.await;
            assert_eq!(database.read("SELECT 1 FROM stats_inbound_rtp", &[]).await.unwrap().len(), 1);
            assert!(get(&database, held).await.unwrap().is_some());
            assert_eq!((queue.oldest(), queue.room.available_permits()), (Duration::ZERO, queue.capacity));
            running.abort();
        }
    }

    #[test]
    fn a_database_works_that_finds_rows_locked_or_refuses_them_for_good() {
        let error = |error: sqlx::Error| Err(EndError::Refused(error));
        assert!(works(&[
            Ok(()),
            Err(EndError::Locked),
            Err(EndError::Anothers),
            error(sqlx::Error::Encode("text".into()))
        ]));
        assert!(!works(&[Ok(()), error(sqlx::Error::PoolClosed), Ok(())]));
    }
}
