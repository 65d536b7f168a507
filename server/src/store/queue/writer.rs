//! The writer, which empties the queue into the database: what it writes together, and what it does with what is refused.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::batch::{Batch, settled, tell};
use super::{Beginning, EndError, Ending, Work};
use crate::session::SessionId;
use crate::store::database::{Database, Transaction, is_final};
use crate::store::sessions::{EndedSession, SessionRow, end_held, insert_live};
use crate::store::stats::{StatsRow, write_rows};
use crate::store::{Backoff, Seldom};
use crate::telemetry;

/// So many ends of sessions are written by one transaction.
const FLUSH_ENDED: usize = 256;
/// So many rows are written without waiting for more; fewer where a transaction keeps all others from writing.
const FLUSH_ROWS: usize = 10_000;
const FLUSH_ROWS_SQLITE: usize = 2_000;

/// Empties the queue into the database.
#[derive(Debug)]
pub(crate) struct Writer {
    database: Database,
    /// Whose sessions these are.
    collector: String,
    receiver: mpsc::UnboundedReceiver<Work>,
    refused: Option<Refused>,
    refusals: Seldom,
    losses: Seldom,
}

/// What the database refuses for the time being, and what waits behind it.
#[derive(Debug)]
struct Refused {
    batch: Batch,
    again: Instant,
    backoff: Backoff,
}

impl Writer {
    /// One of a collector, for what comes out of the queue.
    pub(super) fn new(database: Database, collector: String, receiver: mpsc::UnboundedReceiver<Work>) -> Self {
        Self { database, collector, receiver, refused: None, refusals: Seldom::default(), losses: Seldom::default() }
    }

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
                // While a table is missing, every batch meets it.
                if self.refusals.is_due(Instant::now().into_std()) {
                    tracing::warn!(
                        rows,
                        ends,
                        "the database refuses what came together, so it is written apart: {error}"
                    );
                } else {
                    tracing::debug!(rows, ends, "the database refused what came together: {error}");
                }
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
    async fn rows(&mut self, batch: &mut Batch, backoff: &mut Backoff) -> Option<sqlx::Error> {
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
                                telemetry::stats_lost(1);
                                if self.losses.is_due(Instant::now().into_std()) {
                                    tracing::error!("the database will never take some stats rows: {error}");
                                }
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

/// Whether a database works that gave these answers: who can never take something, or finds it locked, does.
fn works(outcomes: &[Result<(), EndError>]) -> bool {
    outcomes.iter().all(|outcome| match outcome {
        Ok(()) | Err(EndError::Locked | EndError::Anothers) => true,
        Err(error) => error.is_final(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;

    use super::super::DatabaseQueue;
    use super::super::tests::{one_row, rows_of};
    use super::*;
    use crate::session::UnixMillis;
    use crate::store::database::tests::both;
    use crate::store::sessions::{get, tests::row};

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
                Arc::new(EndedSession { row, analysis: Arc::default() })
            };
            let mut sessions: Vec<_> = (0..10).map(session).collect();
            // One twice, and one whose client has a clock like none: neither is a reason to refuse.
            sessions.push(Arc::clone(&sessions[2]));
            let mut strange = EndedSession::clone(&sessions[7]);
            Arc::make_mut(&mut strange.analysis).features.client.start_time =
                Some(rtctrace_features::UnixMillis(-1_000_000_000_000_000));
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
                Arc::new(EndedSession { row, analysis: Arc::default() })
            };
            // It keeps no other from being written.
            let other_end = {
                let row = SessionRow { ended: true, ..row(3) };
                Arc::new(EndedSession { row, analysis: Arc::default() })
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
                Arc::new(EndedSession { row, analysis: Arc::default() })
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
                let session = Arc::new(EndedSession { row, analysis: Arc::default() });
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
