//! What a page that leaves hands to beacons.

use super::{Effect, Link, Transport};
use crate::ids::UnixMillis;

/// The first beacon of a page that leaves; the rest of [`BEACONS_SIZE`] is for what it does after that.
const BEACON_SIZE: usize = 24 * 1024;
/// A browser takes 64 KiB of beacons at a time, all of a page's together: the other half is the page's own.
const BEACONS_SIZE: usize = 32 * 1024;

/// The beacons of a page that is leaving.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Leaving {
    /// The number behind the last line that one of them carries.
    end: u64,
    bytes: usize,
    offer: Offer,
}

/// The last beacon, which the browser may have refused.
#[derive(Debug, Default, Clone, Copy)]
struct Offer {
    from: u64,
    bytes: usize,
    /// What `end` was before it.
    end: u64,
}

impl Transport {
    /// Hands what is left to a beacon, and again what the page does after that.
    pub(super) fn page_hide(&mut self, now: UnixMillis) {
        self.buffer.tell_refused(now);
        if self.buffer.bytes() > BEACON_SIZE {
            self.buffer.drop_all_reports(now);
        }
        let acknowledged = self.buffer.acknowledged();
        let Leaving { end, bytes, .. } = self.leaving.unwrap_or_default();
        let is_first = self.leaving.is_none();
        if !is_first && end == self.buffer.end() {
            return;
        }
        let size = if is_first { BEACON_SIZE } else { BEACONS_SIZE.saturating_sub(bytes) };
        // Repeated lines are stored once; without them a beacon that overtakes the one before would be refused.
        let repeats = is_first || self.buffer.bytes() <= size;
        let mut from = if repeats { acknowledged } else { end.max(acknowledged) };
        // Too much that the socket has carried, which most likely arrived: the rest has only this.
        let carried = self.buffer.carried();
        let is_more = from < carried && carried < self.buffer.end();
        if is_more && matches!(self.link, Link::Ready { .. }) && self.buffer.tail(from, size).1 <= carried {
            from = carried;
        }
        self.offer(from, size);
    }

    /// Half of what the browser refused, until nothing is left that it could take.
    pub(super) fn offer_less(&mut self) {
        let Some(leaving) = &mut self.leaving else { return };
        let Offer { from, bytes, end } = leaving.offer;
        leaving.end = end;
        leaving.bytes -= bytes;
        leaving.offer.bytes = 0;
        self.offer(from, bytes / 2);
    }

    fn offer(&mut self, from: u64, size: usize) {
        let Leaving { end: before, bytes, .. } = self.leaving.unwrap_or_default();
        let (body, end) = self.buffer.tail(from, size);
        // Lines that another one carries already are no reason for a beacon.
        if body.is_empty() || end <= before {
            self.leaving.get_or_insert_default();
            return;
        }
        let offer = Offer { from, bytes: body.len(), end: before };
        self.leaving = Some(Leaving { end, bytes: bytes + body.len(), offer });
        self.effects.push(Effect::Beacon { from, body });
    }
}
