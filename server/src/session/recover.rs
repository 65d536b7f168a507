//! What a start does with the sessions that it finds in the spool: their state is rebuilt from their lines, and they go on
//! from there: to wait for their client, or to the stores.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::Origin;
use super::journal::Journal;
use super::registry::Registry;
use crate::spool::{self, Recovered};
use crate::store::stats::RowBatch;
use crate::store::{Backoff, sessions};
use crate::telemetry::Store;

/// Takes in every session of the spool. One that cannot be read is reported, its file left alone. Clients need not wait for
/// the end of it: who names a session that was not read yet has it read at once.
pub(crate) async fn recover(registry: &Registry) -> anyhow::Result<()> {
    let started = Instant::now();
    let spool = Arc::clone(registry.spool());
    let listed = tokio::task::spawn_blocking(move || spool::list(&spool));
    let dir = registry.spool().dir().display();
    let listed = listed.await?.with_context(|| format!("cannot read the spool {dir}"))?;
    let count = listed.len();
    for (session, path) in listed {
        let _turn = registry.turn(session).lock().await;
        // It may have been read for its client, and even stored, in the meantime.
        if !path.exists() {
            continue;
        }
        if let Err(error) = registry.take_in(session, &path).await {
            tracing::error!(path = %path.display(), "a spool file cannot be recovered and is left alone: {error:#}");
        }
    }
    if count > 0 {
        tracing::info!(sessions = count, took = ?started.elapsed(), "the spool is recovered");
    }
    let mut backoff = Backoff::new(Store::Database);
    while let Err(error) = end_lost(registry).await {
        backoff.failed("looking for lost sessions", &error).await;
    }
    Ok(())
}

/// Ends sessions that the database believes to run, although nothing is left of them: somebody emptied the spool.
async fn end_lost(registry: &Registry) -> sqlx::Result<()> {
    let database = &registry.stores().database;
    for id in sessions::live(database).await? {
        let _turn = registry.turn(id).lock().await;
        if registry.get(id).is_none() {
            tracing::warn!(session = %id, "the spool file of a running session is gone; the session is over");
            sessions::end_lost(database, id).await?;
        }
    }
    Ok(())
}

/// Rebuilds the state of a session from its file.
pub(super) async fn recover_one(registry: &Registry, found: Recovered) -> anyhow::Result<()> {
    let stores = registry.stores();
    if let Some(row) = sessions::get(&stores.database, found.session).await?
        && row.ended
        && let Some(path) = row.dump_path
        && stores.objects.get(&path.into()).await.is_ok()
        && spool::lines(&found.path, found.length).await? <= row.lines
    {
        // The crash came between the last two steps of the session's end. A text with more lines than were stored is of one
        // that went on since.
        return registry.spool().remove(&found.path).context("cannot remove the spool file of a stored session");
    }

    let Rebuilt { mut journal, is_behind, resumes } = rebuild(registry, &found).await?;
    if !resumes {
        journal.close(super::LOST, Duration::ZERO, Instant::now());
    }
    registry.adopt(found.session, journal, is_behind);
    Ok(())
}

/// A session whose state is rebuilt.
#[derive(Debug)]
pub(super) struct Rebuilt {
    pub(super) journal: Journal,
    /// Whether its stats are to be written from its dump.
    pub(super) is_behind: bool,
    resumes: bool,
}

/// Rebuilds a session's state from the lines of its spool file; its stats rows go to the database.
pub(super) async fn rebuild(registry: &Registry, found: &Recovered) -> anyhow::Result<Rebuilt> {
    let stores = registry.stores();
    let mut dump = spool::replay(&found.path, found.length)?;
    let origin = Origin::from_metadata(dump.metadata()).context("its header lacks what a session needs")?;
    let resumes = origin.dialect.resumes();
    let live = sessions::SessionRow::live(found.session, &origin);
    let mut journal = Journal::new(found.session, origin, registry.config(), registry.spool(), Instant::now());
    let (mut rows, mut is_behind) = (RowBatch::default(), false);
    while let Some(line) = dump.next_line() {
        journal.replay(line?, &mut rows);
        if rows.is_full() && stores.stats.offer(&mut rows).await.is_err() {
            journal.stop_rows();
            is_behind = true;
        }
    }
    if stores.stats.offer(&mut rows).await.is_err() {
        journal.stop_rows();
        is_behind = true;
    }
    stores.stats.session(live);
    journal.reopen(found.length)?;
    Ok(Rebuilt { journal, is_behind, resumes })
}
