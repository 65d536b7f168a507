//! Where sessions go: dumps to object storage; the list of sessions, features and stats to the database.

pub(crate) mod collectors;
pub(crate) mod database;
pub(crate) mod features;
pub(crate) mod filter;
pub(crate) mod list;
pub(crate) mod objects;
pub(crate) mod queue;
#[cfg(test)]
mod reference;
pub(crate) mod removal;
pub(crate) mod sessions;
pub(crate) mod stats;

use std::time::Duration;

use crate::telemetry;

/// Waits longer and longer between the attempts of an operation that a store refuses.
#[derive(Debug)]
pub(crate) struct Backoff {
    store: telemetry::Store,
    next: Duration,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(200);
    const LONGEST: Duration = Duration::from_secs(15);

    /// No attempt has failed yet.
    pub(crate) fn new(store: telemetry::Store) -> Self {
        Self { store, next: Self::FIRST }
    }

    /// Counts and logs a failed attempt, and waits.
    pub(crate) async fn failed(&mut self, what: &str, error: &(dyn std::fmt::Display + Send + Sync)) {
        tokio::time::sleep(self.refused(what, error)).await;
    }

    /// Counts and logs a failed attempt, and says how long to wait.
    pub(crate) fn refused(&mut self, what: &str, error: &(dyn std::fmt::Display + Send + Sync)) -> Duration {
        telemetry::store_failed(self.store);
        tracing::warn!("{what} failed and is tried again in {:?}: {error:#}", self.next);
        self.longer()
    }

    /// Waits for somebody else who has what an operation needs: no failure of the store.
    pub(crate) async fn occupied(&mut self, what: &str, why: &(dyn std::fmt::Display + Send + Sync)) {
        tracing::debug!("{what} is tried again in {:?}: {why:#}", self.next);
        tokio::time::sleep(self.longer()).await;
    }

    fn longer(&mut self) -> Duration {
        let longer = (self.next * 2).min(Self::LONGEST);
        std::mem::replace(&mut self.next, longer)
    }
}
