//! Signs of life, for the other collectors of the database; and the end of sessions whose collector gives none any more.

use std::time::Instant;

use super::registry::Registry;
use crate::store::Backoff;
use crate::store::collectors::{SIGN, Streak, end_abandoned, is_there};
use crate::telemetry::{Store, store_works};

/// Until the process ends.
pub(crate) async fn keep_collectors(registry: Registry) {
    let mut streak = None;
    loop {
        let mut backoff = Backoff::new(Store::Database);
        while let Err(error) = sign(&registry, &mut streak).await {
            backoff.failed("telling that the collector is there", &error).await;
        }
        store_works(Store::Database);
        tokio::time::sleep(SIGN).await;
    }
}

async fn sign(registry: &Registry, streak: &mut Option<Streak>) -> sqlx::Result<()> {
    let stores = registry.stores();
    is_there(&stores.database, registry.spool().id()).await?;
    let now = Instant::now();
    let goes_on = streak.as_mut().is_some_and(|streak| streak.goes_on(now));
    if !goes_on {
        if streak.is_some() {
            tracing::warn!("others heard nothing of this collector for a while; it says again which sessions it holds");
        }
        // Others may have ended meanwhile what it holds.
        registry.announce_all();
    }
    let streak = streak.get_or_insert_with(|| Streak::begin(now));
    if streak.tells_of_others() {
        end_abandoned(&stores.database).await?;
    }
    Ok(())
}
