//! Signs of life, for the other collectors of the database; and the end of sessions whose collector gives none any more.

use super::UnixMillis;
use super::registry::Registry;
use crate::store::Backoff;
use crate::store::collectors::{SIGN, end_abandoned, is_there};
use crate::store::database::Database;
use crate::telemetry::Store;

/// Until the process ends.
pub(crate) async fn keep_collectors(registry: Registry) {
    let id = registry.spool().id().to_owned();
    loop {
        let mut backoff = Backoff::new(Store::Database);
        while let Err(error) = sign(&registry.stores().database, &id).await {
            backoff.failed("telling that the collector is there", &error).await;
        }
        tokio::time::sleep(SIGN).await;
    }
}

async fn sign(database: &Database, id: &str) -> sqlx::Result<()> {
    // Its own first: it may be the one that was away.
    is_there(database, id, UnixMillis::now()).await?;
    end_abandoned(database, UnixMillis::now()).await
}
