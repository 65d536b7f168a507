//! What a start does with the sessions that it finds in the spool: their state is rebuilt from their lines, and they go on
//! from there: to wait for their client, or to the stores.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::journal::Journal;
use super::registry::Registry;
use super::standing::Standing;
use super::{Origin, SessionId, TURN};
use crate::spool::{self, Recovered, path_of};
use crate::store::Backoff;
use crate::store::list;
use crate::store::sessions::{self, SessionRow};
use crate::telemetry::{Store, is_down, store_works};

/// Between two looks for lost sessions.
const LOOK: Duration = Duration::from_secs(300);
/// So many sessions are asked for at a time.
const PART: u32 = 1000;

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
    store_works(Store::Database);
    Ok(())
}

/// Looks for lost sessions as long as the process runs: not all come about while it is away.
pub(crate) async fn keep_looking_for_lost(registry: Registry) {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Err(error) = end_lost(&registry).await {
            tracing::warn!("lost sessions are looked for again in {LOOK:?}: {error}");
        }
    }
}

/// Ends sessions that the database believes to run here, although nothing is left of them: somebody emptied the spool, or the database was away
/// before it could answer that one was to go on.
async fn end_lost(registry: &Registry) -> sqlx::Result<()> {
    let (database, collector) = (&registry.stores().database, registry.spool().id());
    let mut after = None;
    loop {
        let part = list::live_in(database, collector, after, PART).await?;
        let Some(last) = part.last() else { return Ok(()) };
        after = Some(*last);
        for id in part.iter().map(|place| place.id).filter(|id| registry.get(*id).is_none()) {
            let _turn = registry.turn(id).lock().await;
            // A file that could not be read is left alone, and so is its session.
            let has_file = path_of(registry.spool().dir(), id).try_exists().unwrap_or(true);
            if registry.get(id).is_none() && !has_file && sessions::end_lost(database, id, collector).await? {
                tracing::warn!(session = %id, "the spool file of a running session is gone; the session is over");
            }
        }
    }
}

/// Rebuilds the state of a session from its file. A database that is down keeps no session from its client.
pub(super) async fn recover_one(registry: &Registry, found: Recovered) -> anyhow::Result<()> {
    let stores = registry.stores();
    let origin = Origin::from_metadata(spool::replay(&found.path, found.length)?.metadata());
    let start = origin.context("its header lacks what a session needs")?.start_time;
    let standing = match row(registry, found.session).await {
        Ok(row) => {
            let lines = spool::lines(&found.path, found.length).await?;
            match Standing::of(row.as_ref(), registry.spool().id(), start, lines, &stores.objects).await {
                Ok(standing) => Some(standing),
                Err(error) => {
                    tracing::warn!(session = %found.session, "a session is recovered without object storage: {error}");
                    None
                }
            }
        }
        Err(error) => {
            tracing::warn!(session = %found.session, "a session is recovered without the database: {error}");
            None
        }
    };
    if standing == Some(Standing::Stored) {
        // The crash came between the last two steps of the session's end. A text with more lines than were stored is of one
        // that went on since.
        return registry.spool().remove(&found.path).context("cannot remove the spool file of a stored session");
    }
    let mut rebuilt = rebuild(registry, &found, standing != Some(Standing::Own)).await?;
    if !rebuilt.resumes {
        rebuilt.journal.close(super::LOST, Duration::ZERO, Instant::now());
    }
    registry.adopt(found.session, rebuilt);
    Ok(())
}

/// The row of a session. A database that has not answered a moment ago is not asked: that may take seconds for each session. One that only
/// refuses to write something is.
pub(super) async fn row(registry: &Registry, id: SessionId) -> anyhow::Result<Option<SessionRow>> {
    ensure!(!(is_down(Store::Database) && registry.has_asked_in_vain()), "it is down");
    let row = sessions::get(&registry.stores().database, id).await;
    registry.asked(row.is_ok());
    Ok(row?)
}

/// A session whose state is rebuilt.
#[derive(Debug)]
pub(super) struct Rebuilt {
    pub(super) journal: Journal,
    /// Whether nobody could say that its id is its own.
    pub(super) is_unasked: bool,
    resumes: bool,
}

/// Rebuilds a session's state from the lines of its spool file. Nothing of it counts as decoded: its stats rows go to the database anew,
/// unless they are not known to be those of its id.
pub(super) async fn rebuild(registry: &Registry, found: &Recovered, is_unasked: bool) -> anyhow::Result<Rebuilt> {
    let mut dump = spool::replay(&found.path, found.length)?;
    let origin = Origin::from_metadata(dump.metadata()).context("its header lacks what a session needs")?;
    let resumes = origin.dialect.resumes();
    let mut journal = Journal::new(found.session, origin, registry.config(), registry.spool(), Instant::now());
    if is_unasked {
        journal.stop_rows();
    }
    let mut turn = Instant::now();
    while let Some(line) = dump.next_line() {
        journal.replay(line?);
        if turn.elapsed() > TURN {
            tokio::task::yield_now().await;
            turn = Instant::now();
        }
    }
    journal.reopen(found.length)?;
    Ok(Rebuilt { journal, is_unasked, resumes })
}

#[cfg(test)]
mod tests {
    use super::super::registry::{Attach, Stores};
    use super::*;
    use crate::access::Access;
    use crate::app::App;
    use crate::config::Config;
    use crate::store::database::tests::both;
    use crate::store::objects::Objects;
    use crate::store::queue::DatabaseQueue;
    use crate::store::sessions::tests::{begin, origin};

    #[tokio::test]
    async fn a_session_that_runs_nowhere_is_over_and_no_other_is() {
        for (_guard, database) in both().await {
            let dir = tempfile::tempdir().unwrap();
            let config = Arc::new(Config { data_dir: dir.path().to_owned(), ..Config::default() });
            std::fs::create_dir_all(config.spool_dir()).unwrap();
            let collector = spool::collector_of(&config.data_dir).unwrap();
            let (queue, _writer) = DatabaseQueue::new(database.clone(), 1, collector.clone());
            let objects = Objects::open(&config).unwrap();
            let stores = Arc::new(Stores { database: database.clone(), objects, queue });
            let access = Arc::new(Access::open(&config).unwrap());
            let (App { registry, .. }, _stop) = App::unheard(config, stores, access).unwrap();

            let ids: Vec<SessionId> = (0..4).map(|_| SessionId::new()).collect();
            let [lost, held, spooled, elsewhere] = ids.as_slice() else { unreachable!() };
            let attached = registry.attach(*held, origin(1), 0).await;
            assert!(matches!(attached, Attach::Session(_, true)), "{attached:?}");
            std::fs::write(path_of(registry.spool().dir(), *spooled), "left alone").unwrap();
            for id in &ids {
                let holder = if id == elsewhere { "elsewhere" } else { collector.as_str() };
                assert!(begin(&database, &SessionRow::held(*id, &origin(1), holder)).await);
            }
            for _ in 0..2 {
                end_lost(&registry).await.unwrap();
                for id in &ids {
                    let row = sessions::get(&database, *id).await.unwrap().unwrap();
                    assert_eq!(row.ended, id == lost, "{id}");
                }
            }
        }
    }
}
