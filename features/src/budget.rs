//! What all connections of a session may remember together.

use crate::limits;

/// How many more of something the session may remember.
#[derive(Debug)]
pub(crate) struct Budget(usize);

impl Budget {
    /// Takes one, if one is left.
    pub(crate) fn take(&mut self) -> bool {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }

    /// Gives back so many.
    pub(crate) fn give(&mut self, count: usize) {
        self.0 = self.0.saturating_add(count);
    }

    /// One of so many.
    #[cfg(test)]
    pub(crate) fn of(count: usize) -> Self {
        Self(count)
    }

    /// One for what is soon forgotten.
    pub(crate) fn endless() -> Self {
        Self(usize::MAX)
    }
}

/// The budgets of a session.
#[derive(Debug)]
pub(crate) struct Budgets {
    /// See [`limits::STATS_IDS`].
    pub(crate) stats_ids: Budget,
    /// See [`limits::TRACKS`].
    pub(crate) tracks: Budget,
    /// See [`limits::STREAMS`].
    pub(crate) streams: Budget,
    /// See [`limits::WATCHED`].
    pub(crate) watched: Budget,
    /// See [`limits::ALL_BUCKETS`].
    pub(crate) buckets: Budget,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            stats_ids: Budget(limits::STATS_IDS),
            tracks: Budget(limits::TRACKS),
            streams: Budget(limits::STREAMS),
            watched: Budget(limits::WATCHED),
            buckets: Budget(limits::ALL_BUCKETS),
        }
    }
}
