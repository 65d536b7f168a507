//! Stats rows of sessions that run: every few seconds, what they brought since is decoded. Where no rows are written, nobody waits
//! for anything, and sessions are decoded at their end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;

use super::{Handle, Registry};

/// How long rows may be behind the reports that they are of. Reports that come meanwhile are decoded together, which takes half the
/// time that it takes one by one.
const PERIOD: Duration = Duration::from_secs(2);

/// Follows all sessions, for ever.
pub(crate) async fn follow(registry: Registry) {
    if !registry.config().stats.enabled {
        return;
    }
    // Half of the cores: who brings something meanwhile finds another at once.
    let at_one_time = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
    loop {
        tokio::time::sleep(PERIOD).await;
        let sessions = futures_util::stream::iter(registry.undecoded());
        sessions.for_each_concurrent(at_one_time, |handle| catch_up(registry.clone(), handle)).await;
    }
}

/// In a task of its own: on any core, and nobody else falls with it.
async fn catch_up(registry: Registry, handle: Arc<Handle>) {
    let work = tokio::spawn(async move { registry.catch_up(&handle).await });
    if let Err(error) = work.await {
        tracing::error!("a session was not decoded: {error}");
    }
}
