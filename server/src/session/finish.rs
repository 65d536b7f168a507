//! The end of a session: dump to object storage, then stats, features, findings and the completed row to the database, then the spool
//! file goes. Before the first of it, its row is known to be its own: else it is stored beside the session whose row it is. Each step is tried until it works; until the last one the spool file is there, so a crash anywhere on the way
//! only means that the next start does it again.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tracing::Instrument as _;

use super::decoding;
use super::handle::Handle;
use super::pipeline::Pipeline;
use super::registry::{Stores, lock};
use super::reorder::reorder;
use super::snapshot::Snapshot;
use super::standing::{self, Standing};
use super::{Analysis, Dialect, LOST, SessionId};
use crate::spool::{self, Spool};
use crate::store::queue::EndError;
use crate::store::sessions::{EndedSession, SessionRow, end_lost};
use crate::store::stats::{self, RowBatch, StatsRow, write_rows};
use crate::store::{Backoff, database::Database};
use crate::telemetry::traces::TARGET;
use crate::telemetry::{self, Store};

/// How many sessions do the heavy parts at one time. One that has to wait for a store gives its turn to others.
#[derive(Debug)]
pub(crate) struct Turns {
    /// To be decoded and compressed.
    work: Semaphore,
    /// To have all stats written from the text. That takes as long as the database likes, and after an outage of it many sessions are at it.
    stats: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self { work: Semaphore::new(4), stats: Semaphore::new(4) }
    }
}

/// Stores a session for good. `stats`: how far apart the rows of an entry are, if there are any.
pub(crate) async fn run(handle: &Handle, stores: &Stores, spool: &Spool, turns: &Turns, stats: Option<Duration>) {
    let was_unordered = reorder(handle, spool, &turns.work).await;
    let turn = decode(handle, stores, &turns.work, stats.is_some()).await;
    // What waits to be stored keeps nobody from beginning anew; what waits for work, does.
    drop(lock(&handle.place).take());
    let (analysis, ended) = {
        let mut journal = handle.journal.lock().await;
        let (snapshot, file) = (journal.snapshot(), journal.path().clone());
        (journal.settle(), Ended { handle, stores, spool, turns, snapshot, file })
    };
    // It is compressed by the turn by which it was decoded, and waits for one only once; but it waits for nothing else with it.
    let mut turn = turn.filter(|_| handle.listing.is_own());
    let Some(mut id) = ended.name().await else { return ended.forget() };
    let mut backoff = Backoff::new(Store::Database);
    let dump_bytes = loop {
        let path = stores.objects.path(id, handle.origin.start_time);
        let Some(dump_bytes) = ended.store_dump(id, &path, turn.take()).await else { return };
        // Rows that came before it was known whose the id is may have been left out.
        let lacks_rows = handle.is_behind() || id != handle.id || !handle.listing.is_own();
        if let Some(interval) = stats.filter(|_| lacks_rows) {
            if was_unordered {
                // Rows of what came late may be on their way, under other ids.
                stores.queue.settle().await;
            }
            ended.store_stats(id, interval).await;
        }
        if ended.store_row(id, &path, dump_bytes, &analysis).await {
            break dump_bytes;
        }
        let what = format!("storing session {id} where it belongs");
        backoff.occupied(&what, &EndError::Anothers).await;
        // What is known of the id by now: this one may be what was stored, or be beside it.
        id = match ended.ask().await {
            None => return ended.forget(),
            Some(other) if other != id => other,
            Some(_) => ended.beside(),
        };
    };
    telemetry::store_works(Store::Database);
    ended.forget();
    telemetry::session_stored();
    tracing::info!(session = %id, lines = ended.snapshot.lines, bytes = dump_bytes, "session stored");
}

/// A session that is over, on its way into the stores.
struct Ended<'s> {
    handle: &'s Handle,
    stores: &'s Stores,
    spool: &'s Spool,
    turns: &'s Turns,
    snapshot: Snapshot,
    file: PathBuf,
}

impl Ended<'_> {
    /// The id under which it is stored; none, if it is stored already. Usually its row was written long ago, and nobody has to be asked.
    async fn name(&self) -> Option<SessionId> {
        let Handle { id, origin, listing, .. } = self.handle;
        if !listing.is_own() {
            // Of two collectors that have this id the first to list it has it, so this one comes before any look at what is there.
            self.stores.queue.list(SessionRow::held(*id, origin, self.spool.id()), listing).await;
        }
        if listing.is_own() { Some(*id) } else { self.ask().await }
    }

    /// The same by what the stores know of its id.
    async fn ask(&self) -> Option<SessionId> {
        let Handle { id, origin, .. } = self.handle;
        match Standing::ask(self.stores, self.spool.id(), *id, origin.start_time, self.snapshot.lines).await {
            Standing::Own => Some(*id),
            Standing::Stored => None,
            Standing::AnothersId => Some(self.beside()),
        }
    }

    /// The id that it has where its own is another's.
    fn beside(&self) -> SessionId {
        let id = standing::beside(self.handle.id, self.handle.origin.start_time);
        tracing::warn!(session = %self.handle.id, "another session of this id is stored already; this one is stored as {id}");
        id
    }

    /// Says how long its dump is; nothing, if its text is gone, and it is over with that.
    async fn store_dump(
        &self,
        id: SessionId,
        path: &object_store::path::Path,
        mut turn: Option<SemaphorePermit<'_>>,
    ) -> Option<u64> {
        let Self { handle, stores, spool, turns, file, .. } = self;
        let mut backoff = Backoff::new(Store::Objects);
        loop {
            let span = tracing::info_span!(target: TARGET, "store dump", path = %path);
            match stores.objects.store_dump(file.clone(), path, &turns.work, turn.take()).instrument(span).await {
                Ok(length) => {
                    telemetry::store_works(Store::Objects);
                    return Some(length);
                }
                Err(_) if !file.exists() => {
                    tracing::error!(session = %id, "the spool file of the session is gone; nothing of it can be stored");
                    // Its row may be on its way.
                    stores.queue.settle().await;
                    if let Err(error) = end_lost(&stores.database, handle.id, spool.id()).await {
                        tracing::warn!(session = %id, "its row stays as it is until the next start: {error}");
                    }
                    return None;
                }
                Err(error) => backoff.failed(&format!("storing the dump of session {id}"), &error).await,
            }
        }
    }

    /// Writes all its stats from its text.
    async fn store_stats(&self, id: SessionId, interval: Duration) {
        let mut backoff = Backoff::new(Store::Database);
        loop {
            let turn = self.turns.stats.acquire().await;
            let span = tracing::info_span!(target: TARGET, "write stats");
            let dialect = self.handle.origin.dialect;
            let attempt =
                rewrite_stats(id, dialect, &self.file, &self.stores.database, interval).instrument(span).await;
            drop(turn);
            let Err(error) = attempt else { return };
            backoff.failed(&format!("writing the stats of session {id}"), &error).await;
        }
    }

    /// Writes its row, its features and its findings. False if the row is another's.
    async fn store_row(
        &self,
        id: SessionId,
        path: &object_store::path::Path,
        dump_bytes: u64,
        analysis: &Arc<Analysis>,
    ) -> bool {
        let Self { handle, stores, snapshot, .. } = self;
        let row = SessionRow {
            ended: true,
            end_time: Some(snapshot.end_time(handle.origin.start_time)),
            duration: Some(snapshot.duration),
            browser: snapshot.browser.as_deref().cloned(),
            connections: snapshot.connections,
            lines: snapshot.lines,
            dump_path: Some(path.to_string()),
            dump_bytes: Some(dump_bytes),
            close_code: Some(snapshot.close_code.unwrap_or(LOST)),
            sora_connections: snapshot.sora_connections.clone(),
            ..SessionRow::live(id, &handle.origin)
        };
        let mut session = Arc::new(EndedSession { row, analysis: Arc::clone(analysis) });
        let mut backoff = Backoff::new(Store::Database);
        let span = || tracing::info_span!(target: TARGET, "write features", lines = snapshot.lines);
        while let Err(error) = stores.queue.ended(Arc::clone(&session)).instrument(span()).await {
            if error.is_final() && *session.analysis != Analysis::default() {
                tracing::error!(session = %id, "the database will never take the session's features; it is stored without them: {error}");
                session = Arc::new(EndedSession { row: session.row.clone(), analysis: Arc::default() });
                continue;
            }
            let what = format!("writing the features of session {id}");
            match error {
                EndError::Anothers => return false,
                EndError::Locked => backoff.occupied(&what, &error).await,
                EndError::Refused(_) => backoff.failed(&what, &error).await,
            }
        }
        true
    }

    /// Removes the spool file of a session that is stored.
    fn forget(&self) {
        if let Err(error) = self.spool.remove(&self.file) {
            tracing::warn!(session = %self.handle.id, "the spool file of a stored session stays: {error}");
        }
    }
}

/// Decodes what is left. A session whose few bytes stand for much work is given its share of time and no more: others go first.
/// Returns the turn by which it was done, for what follows; none where the session `has_rows`: those may wait for the database.
async fn decode<'t>(
    handle: &Handle,
    stores: &Stores,
    turns: &'t Semaphore,
    has_rows: bool,
) -> Option<SemaphorePermit<'t>> {
    let mut backoff = Backoff::new(Store::Spool);
    loop {
        // First the session: who has it may be at work, and need no turn.
        let mut journal = handle.journal.lock().await;
        let turn = turns.acquire().await.ok();
        let attempt = decoding::decode(handle, &mut journal, &stores.queue).await;
        let turn = turn.filter(|_| matches!(attempt, Ok(None)) && !has_rows);
        match attempt {
            Ok(None) => {
                decoding::end(handle, &mut journal, &stores.queue).await;
                return turn;
            }
            Ok(Some(wait)) => {
                drop(journal);
                tokio::time::sleep(wait).await;
            }
            // That it is gone is said by who stores it.
            Err(_) if !journal.path().exists() => return None,
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::NotFound) => {
                tracing::error!(session = %handle.id, "a part of the spool text is gone; the session is stored without it: {error}");
                handle.fall_behind(&mut journal, "rows of the part that is gone may be missing");
                journal.give_up_decoding();
                return None;
            }
            Err(error) => {
                drop(journal);
                backoff.failed(&format!("reading the spool of session {}", handle.id), &error).await;
            }
        }
    }
}

/// Writes all stats of a session from its spool file, in place of what is there.
async fn rewrite_stats(
    id: SessionId,
    dialect: Dialect,
    spool: &Path,
    database: &Database,
    interval: Duration,
) -> anyhow::Result<()> {
    let (sender, mut batches) = mpsc::channel::<Vec<StatsRow>>(1);
    let spool = spool.to_owned();
    let reading = tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
        let mut dump = spool::replay(&spool, u64::MAX)?;
        let mut pipeline = Pipeline::new(id, dialect, Some(interval));
        let mut rows = RowBatch::default();
        while let Some(line) = dump.next_line() {
            pipeline.spooled(line?, &mut rows);
            if rows.is_full() {
                sender.blocking_send(rows.take()).context("the writer gave up")?;
            }
        }
        pipeline.send_rest(&mut rows, &sender)
    });
    let mut transaction = database.begin().await?;
    stats::remove(&mut transaction, id).await?;
    let mut open = transaction.pause().await?;
    while let Some(rows) = batches.recv().await {
        let mut transaction = match open.take() {
            Some(transaction) => transaction,
            None => database.begin().await?,
        };
        write_rows(&mut transaction, &rows).await?;
        open = transaction.pause().await?;
    }
    reading.await.context("reading the spool panicked")??;
    if let Some(transaction) = open {
        transaction.commit().await?;
    }
    Ok(())
}
