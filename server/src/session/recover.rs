//! What a start does with the sessions that it finds in the spool: their state is rebuilt from their lines, and they go on
//! from there: to wait for their client, or to the stores.

use std::time::{Duration, Instant};

use anyhow::Context;

use super::Origin;
use super::journal::Journal;
use super::registry::Registry;
use crate::spool::{self, Recovered};
use crate::store::sessions;
use crate::store::stats::RowBatch;

/// Takes in every session of the spool. One that cannot be read is reported, its file left alone.
pub(crate) async fn recover(registry: &Registry) -> anyhow::Result<()> {
    let dir = registry.config().spool_dir();
    let found = spool::recover(&dir).with_context(|| format!("cannot read the spool {}", dir.display()))?;
    let started = Instant::now();
    let count = found.len();
    for found in found {
        let path = found.path.display().to_string();
        if let Err(error) = recover_one(registry, found).await {
            tracing::error!(path, "a spool file cannot be recovered and is left alone: {error:#}");
        }
    }
    if count > 0 {
        tracing::info!(sessions = count, took = ?started.elapsed(), "the spool is recovered");
    }
    // Sessions that the database believes to run, although nothing is left of them: somebody emptied the spool.
    let database = &registry.stores().database;
    for id in sessions::live(database).await.context("cannot list running sessions")? {
        if registry.get(id).is_none() {
            tracing::warn!(session = %id, "the spool file of a running session is gone; the session is over");
            sessions::end_lost(database, id).await.context("cannot end a lost session")?;
        }
    }
    Ok(())
}

async fn recover_one(registry: &Registry, found: Recovered) -> anyhow::Result<()> {
    let stores = registry.stores();
    if let Some(row) = sessions::get(&stores.database, found.session).await?
        && row.ended
        && let Some(path) = row.dump_path
        && stores.objects.get(&path.into()).await.is_ok()
    {
        // The crash came between the last two steps of the session's end.
        return spool::remove(&found.path).context("cannot remove the spool file of a stored session");
    }

    let mut dump = spool::replay(&found.path, found.length)?;
    let origin = Origin::from_metadata(dump.metadata()).context("its header lacks what a session needs")?;
    let resumes = origin.dialect.resumes();
    let live = sessions::SessionRow::live(found.session, &origin);
    let mut journal = Journal::new(found.session, origin, registry.config(), Instant::now());
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
    if !resumes {
        journal.close(super::LOST, Duration::ZERO, Instant::now());
    }
    registry.adopt(found.session, journal, is_behind);
    Ok(())
}
