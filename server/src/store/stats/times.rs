//! Which time a row has: one later than that of the entry's row before. Some entries change while their own time stands still (of
//! Chromium's `remote-outbound-rtp` the round trip times do), and by one time of both, the later row would take the place of the earlier one. All of
//! it follows from the reports, so a replay gives the same times.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rtctrace_protocol::report::Report;

use crate::store::database::Moment;

/// So many times are kept before those of entries that are gone are looked for.
const ROOM: usize = 256;

/// The times of the newest rows of a connection's entries.
#[derive(Debug)]
pub(super) struct Times {
    /// By a hash of the entry's id, which takes a quarter of what the id does: two of one hash have only times that are later than each other's. To the
    /// microsecond, as PostgreSQL keeps them.
    newest: HashMap<u64, Moment>,
    room: usize,
}

impl Default for Times {
    fn default() -> Self {
        Self { newest: HashMap::new(), room: ROOM }
    }
}

impl Times {
    /// The time of an entry's next row: the first of the two that is later than that of the row before, else the next microsecond.
    pub(super) fn later(&self, id: &str, own_time: f64, report_time: f64) -> f64 {
        later(self.newest.get(&hash(id)).copied(), own_time, report_time)
    }

    /// An entry has a row of that time.
    pub(super) fn set(&mut self, id: &str, time: f64) {
        self.newest.insert(hash(id), Moment::of_fraction(time));
    }

    /// What is gone may come again with the time it had; but it is not kept beyond about as many as are there.
    pub(super) fn forget_gone(&mut self, report: &Report) {
        if self.newest.len() <= self.room {
            return;
        }
        let of = |id: &str| Some((hash(id), *self.newest.get(&hash(id))?));
        self.newest = report.entries().filter_map(|entry| of(entry.id())).collect();
        self.room = ROOM.max(2 * self.newest.len());
    }
}

/// The time of a row behind one of that time: the first of the two that is later, else the next microsecond.
pub(super) fn later(before: Option<Moment>, own_time: f64, report_time: f64) -> f64 {
    let Some(before) = before else { return own_time };
    let later = [own_time, report_time].into_iter().find(|time| Moment::of_fraction(*time) > before);
    later.unwrap_or_else(|| before.next().fraction())
}

/// The same in every process.
pub(super) fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
