//! What is heard of a session that has no socket: when something was last said of it, and whether it was told to be over.

use std::sync::Mutex;
use std::time::Instant;

use tokio::sync::watch;

use super::registry::lock;

/// Of one session.
#[derive(Debug)]
pub(super) struct Hearing {
    last: Mutex<Instant>,
    /// When it ends, as it was told that it is over.
    ending: watch::Sender<Option<Instant>>,
}

impl Default for Hearing {
    fn default() -> Self {
        Self { last: Mutex::new(Instant::now()), ending: watch::Sender::new(None) }
    }
}

impl Hearing {
    /// Something was said of it.
    pub(super) fn heard(&self, now: Instant) {
        let mut last = lock(&self.last);
        *last = now.max(*last);
    }

    /// When that was.
    pub(super) fn last(&self) -> Instant {
        *lock(&self.last)
    }

    /// It was told that it is over: what was on its way is waited for until then.
    pub(super) fn ends(&self, due: Instant) {
        self.ending.send_if_modified(|ending| {
            let is_new = ending.is_none();
            ending.get_or_insert(due);
            is_new
        });
    }

    /// Says when it ends, once it was told.
    pub(super) fn ending(&self) -> watch::Receiver<Option<Instant>> {
        self.ending.subscribe()
    }
}
