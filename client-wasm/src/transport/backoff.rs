//! The waits between attempts to reach the collector.

use super::{Link, Transport};
use crate::ids::UnixMillis;

/// The first wait for a reconnect is half to all of the first, the last one half to all of the second.
const WAITS: (UnixMillis, UnixMillis) = (1_000, 30_000);
/// The same for a collector that said that it is overloaded. It keeps a session for its client for a minute, as a rule, and not
/// longer because it refused it meanwhile: there must be several attempts in that time.
const WAITS_OVERLOADED: (UnixMillis, UnixMillis) = (4_000, 30_000);
/// The longest wait.
pub(super) const LONGEST: UnixMillis = WAITS.1;

impl Transport {
    /// Waits between half and all of a time that doubles with each attempt.
    pub(super) fn wait(&mut self, is_asked: bool, now: UnixMillis) {
        let (first, last) = if is_asked { WAITS_OVERLOADED } else { WAITS };
        let half = (first << self.attempts.min(6)).min(last) / 2;
        self.attempts += 1;
        // xorshift32; nothing but the spread of reconnects depends on it.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        let jitter = (UnixMillis::from(self.random) * (half + 1)) >> 32;
        self.link = Link::Waiting { until: now + half + jitter, is_asked };
        self.next_flush = None;
        self.waiting_since = None;
    }
}
