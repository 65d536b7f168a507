//! What goes again: a session that somebody wants removed, and by age what the settings do not want kept.

use std::time::Duration;

use anyhow::Context;

use super::list;
use super::sessions::{self, SessionRow};
use crate::config::Retention;
use crate::session::{Registry, SessionId, Stores, UnixMillis};
use crate::spool::path_of;
use crate::telemetry::{self, Removal};

/// Between two looks at what has become too old.
const INTERVAL: Duration = Duration::from_secs(600);
/// So many sessions are asked for at a time.
const BATCH: u32 = 200;

/// What became of a session that is to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is gone.
    Removed,
    /// It is not over, or not stored yet.
    Running,
    /// Nobody knows it.
    Unknown,
}

/// Removes a session that is over: its dump, then its rows. A crash in between leaves the rows, and the removal can be
/// repeated. A client that comes back meanwhile waits, and finds nothing of it.
pub(crate) async fn remove(registry: &Registry, id: SessionId, why: Removal) -> anyhow::Result<Outcome> {
    let _turn = registry.turn(id).lock().await;
    let row = match look_at(registry, id).await? {
        Ok(row) => row,
        Err(outcome) => return Ok(outcome),
    };
    take_away(registry.stores(), &row).await?;
    registry.changes().removed();
    telemetry::session_removed(why);
    tracing::info!(session = %id, "session removed");
    Ok(Outcome::Removed)
}

/// Removes what the stores have of a session that is over.
pub(crate) async fn take_away(stores: &Stores, row: &SessionRow) -> anyhow::Result<()> {
    remove_dump(stores, row.dump_path.as_deref()).await?;
    sessions::remove(&stores.database, row.id).await.context("cannot remove the rows")
}

/// Removes the dump of a session that is over. Its rows stay.
async fn remove_dump_only(registry: &Registry, id: SessionId) -> anyhow::Result<()> {
    let _turn = registry.turn(id).lock().await;
    let Ok(row) = look_at(registry, id).await? else { return Ok(()) };
    remove_dump(registry.stores(), row.dump_path.as_deref()).await?;
    sessions::forget_dump(&registry.stores().database, id).await.context("cannot forget a dump")
}

/// A session that is over, or what else it is. The caller has its turn.
async fn look_at(registry: &Registry, id: SessionId) -> anyhow::Result<Result<SessionRow, Outcome>> {
    if registry.get(id).is_some() {
        return Ok(Err(Outcome::Running));
    }
    let path = path_of(registry.spool().dir(), id);
    if tokio::fs::try_exists(&path).await.context("cannot look the session up in the spool")? {
        // The start has not come to it yet. It may be stored and left by a crash: whoever finds it without its row stores it again.
        registry.take_in(id, &path).await.context("cannot read what the spool has of the session")?;
        if registry.get(id).is_some() {
            return Ok(Err(Outcome::Running));
        }
    }
    let row = sessions::get(&registry.stores().database, id).await.context("cannot look the session up")?;
    Ok(row.ok_or(Outcome::Unknown).and_then(|row| if row.ended { Ok(row) } else { Err(Outcome::Running) }))
}

/// Removes what is too old, for ever. What fails is tried again at the next look.
pub(crate) async fn retain(registry: Registry, retention: Retention) {
    if retention.dumps.0.is_zero() && retention.sessions.0.is_zero() {
        return;
    }
    loop {
        if let Err(error) = look(&registry, &retention, UnixMillis::now()).await {
            tracing::warn!("what is older than `retention` allows was not all removed: {error:#}");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn look(registry: &Registry, retention: &Retention, now: UnixMillis) -> anyhow::Result<()> {
    for (age, dumps_only) in [(retention.sessions.0, false), (retention.dumps.0, true)] {
        if age.is_zero() {
            continue;
        }
        let before = UnixMillis(now.0.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)));
        if !dumps_only {
            // What can go as a whole leaves little to be taken out of the tables session by session.
            registry.stores().database.drop_stats_before(before).await.context("cannot drop old stats")?;
        }
        let mut after = None;
        loop {
            let old = list::ended_before(&registry.stores().database, before, dumps_only, after, BATCH).await?;
            let Some(last) = old.last() else { break };
            after = Some(*last);
            for place in &old {
                // One that cannot be removed now keeps no other: the next look tries it again.
                if let Err(error) = remove_old(registry, place.id, dumps_only).await {
                    tracing::warn!(session = %place.id, "it is older than `retention` allows and cannot be removed; the next look tries again: {error:#}");
                }
            }
        }
    }
    Ok(())
}

async fn remove_old(registry: &Registry, id: SessionId, dumps_only: bool) -> anyhow::Result<()> {
    if dumps_only {
        return remove_dump_only(registry, id).await;
    }
    remove(registry, id, Removal::Retention).await.map(|_| ())
}

async fn remove_dump(stores: &Stores, dump: Option<&str>) -> anyhow::Result<()> {
    let Some(path) = dump else { return Ok(()) };
    stores.objects.delete(&path.into()).await.context("cannot remove a dump")
}
