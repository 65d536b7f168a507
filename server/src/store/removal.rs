//! What goes again: a session that somebody wants removed, and by age what the settings do not want kept.

use std::time::Duration;

use anyhow::Context;

use super::sessions::{self, Old};
use crate::config::Retention;
use crate::session::{SessionId, Stores, UnixMillis};
use crate::telemetry::{self, Removal};

/// Between two looks at what has become too old.
const INTERVAL: Duration = Duration::from_secs(600);
/// So many sessions are asked for at a time.
const BATCH: u32 = 200;

/// Removes a session that is over: its dump, then its rows. A crash in between leaves the rows, and the removal can be
/// repeated.
pub(crate) async fn remove(stores: &Stores, id: SessionId, dump: Option<&str>, why: Removal) -> anyhow::Result<()> {
    remove_dump(stores, dump).await?;
    sessions::remove(&stores.database, id).await.context("cannot remove the rows")?;
    telemetry::session_removed(why);
    tracing::info!(session = %id, "session removed");
    Ok(())
}

/// Removes what is too old, for ever. What fails is tried again at the next look.
pub(crate) async fn retain(stores: Stores, retention: Retention) {
    if retention.dumps.0.is_zero() && retention.sessions.0.is_zero() {
        return;
    }
    loop {
        if let Err(error) = look(&stores, &retention, UnixMillis::now()).await {
            tracing::warn!("what is older than `retention` allows was not all removed: {error:#}");
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn look(stores: &Stores, retention: &Retention, now: UnixMillis) -> anyhow::Result<()> {
    for (age, dumps_only) in [(retention.sessions.0, false), (retention.dumps.0, true)] {
        if age.is_zero() {
            continue;
        }
        let before = UnixMillis(now.0.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)));
        let mut after = None;
        loop {
            let old = sessions::ended_before(&stores.database, before, dumps_only, after, BATCH).await?;
            let Some(last) = old.last() else { break };
            after = Some(last.place);
            for Old { place, dump } in &old {
                // One that cannot be removed now keeps no other: the next look tries it again.
                if let Err(error) = remove_old(stores, place.id, dump.as_deref(), dumps_only).await {
                    tracing::warn!(session = %place.id, "it is older than `retention` allows and cannot be removed; the next look tries again: {error:#}");
                }
            }
        }
    }
    Ok(())
}

async fn remove_old(stores: &Stores, id: SessionId, dump: Option<&str>, dumps_only: bool) -> anyhow::Result<()> {
    if !dumps_only {
        return remove(stores, id, dump, Removal::Retention).await;
    }
    remove_dump(stores, dump).await?;
    sessions::forget_dump(&stores.database, id).await.context("cannot forget a dump")
}

async fn remove_dump(stores: &Stores, dump: Option<&str>) -> anyhow::Result<()> {
    let Some(path) = dump else { return Ok(()) };
    stores.objects.delete(&path.into()).await.context("cannot remove a dump")
}
