//! Where sessions go: dumps to object storage; the list of sessions, features and stats to the database.

pub(crate) mod collectors;
pub(crate) mod database;
pub(crate) mod features;
pub(crate) mod filter;
pub(crate) mod findings;
pub(crate) mod links;
pub(crate) mod list;
pub(crate) mod objects;
pub(crate) mod queue;
#[cfg(test)]
mod reference;
pub(crate) mod removal;
pub(crate) mod sessions;
pub(crate) mod stats;

use std::time::{Duration, Instant};

use crate::telemetry;

/// Between two times that the same is said of the database.
const SAID_FOR: Duration = Duration::from_secs(60);

/// Says when to log what may come about many times a second.
#[derive(Debug, Default)]
struct Seldom {
    said: Option<Instant>,
}

impl Seldom {
    /// Whether it was not logged for a minute. Then it counts as logged now.
    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.said.is_none_or(|said| now.saturating_duration_since(said) >= SAID_FOR);
        if is_due {
            self.said = Some(now);
        }
        is_due
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_about_again_and_again_is_said_once_a_minute() {
        let (start, mut seldom) = (Instant::now(), Seldom::default());
        let mut at = |seconds| seldom.is_due(start + Duration::from_secs(seconds));
        assert_eq!([0, 1, 59, 60, 61, 119, 1000].map(&mut at), [true, false, false, true, false, false, true]);
    }
}
