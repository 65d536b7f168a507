//! What a page that leaves hands to beacons.

use super::{Effect, Transport};
use crate::ids::UnixMillis;

/// The first beacon of a page that leaves; the rest of [`BEACONS_SIZE`] is for what it does after that.
const BEACON_SIZE: usize = 48 * 1024;
/// The browser takes 64 KiB of beacons at a time, all of them together.
const BEACONS_SIZE: usize = 60 * 1024;

/// The beacons of a page that is leaving.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Leaving {
    /// The number behind the last line that one of them carries.
    end: u64,
    bytes: usize,
}

impl Transport {
    /// Hands what is left to a beacon, and again what the page does after that.
    pub(super) fn page_hide(&mut self, now: UnixMillis) {
        self.buffer.tell_refused(now);
        if self.buffer.bytes() > BEACON_SIZE {
            self.buffer.drop_all_reports(now);
        }
        let acknowledged = self.buffer.acknowledged();
        let Leaving { end, bytes } = self.leaving.unwrap_or_default();
        let is_first = self.leaving.is_none();
        if !is_first && end == self.buffer.end() {
            return;
        }
        let size = if is_first { BEACON_SIZE } else { BEACONS_SIZE.saturating_sub(bytes) };
        // Repeated lines are stored once; without them a beacon that overtakes the one before would be refused.
        let repeats = is_first || self.buffer.bytes() <= size;
        let from = if repeats { acknowledged } else { end.max(acknowledged) };
        let (body, end) = self.buffer.tail(from, size);
        self.leaving = Some(Leaving { end, bytes: bytes + body.len() });
        if !body.is_empty() {
            self.effects.push(Effect::Beacon { from, body });
        }
    }
}
