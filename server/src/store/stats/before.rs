//! What a row says of its entry's row before: views by minutes see only the rows of one minute, and where reports come a minute apart, that is
//! one. So the first row of each minute has with it what the counters were that the views sum up.

use std::collections::HashMap;
use std::fmt::Write as _;

use rtctrace_protocol::report::Report;

use super::times::hash;
use super::{Cell, StatsRow};

/// What lies between two rows that are further apart (ms) belongs to no minute: reports of the SFU Sora's clients come each minute, and one
/// may be missing.
const FURTHEST: f64 = 150_000.0;
const MINUTE: f64 = 60_000.0;
/// So many entries are kept before those that are gone are looked for.
const ROOM: usize = 64;

/// The newest rows of a connection's entries.
#[derive(Debug, Default)]
pub(super) struct Befores {
    /// By a hash of the entry's id.
    newest: HashMap<u64, Newest>,
    room: usize,
}

#[derive(Debug, Default)]
struct Newest {
    table: &'static str,
    time: f64,
    counters: Vec<Cell>,
}

impl Befores {
    /// What the next row of an entry, by its id in the report, says of the one before, a JSON object. `told`: when the newest report came that
    /// said the same as that one.
    pub(super) fn of_next(&mut self, id: &str, row: &StatsRow, told: Option<f64>) -> Option<String> {
        if row.table.summed.is_empty() {
            return None;
        }
        let newest = self.newest.entry(hash(id)).or_default();
        let is_first = (newest.time / MINUTE).floor() < (row.time / MINUTE).floor();
        let time = told.filter(|told| (newest.time..row.time).contains(told)).unwrap_or(newest.time);
        let is_known = newest.table == row.table.name && is_first && row.time - time <= FURTHEST;
        let before = is_known.then(|| newest.json(row, row.time - time));
        newest.table = row.table.name;
        newest.time = row.time;
        newest.counters.clear();
        newest.counters.extend(row.summed().map(|(_, cell)| cell.clone()));
        before
    }

    /// The entry of that id is gone: one that comes again begins anew.
    pub(super) fn gone(&mut self, id: &str) {
        self.newest.remove(&hash(id));
    }

    /// Keeps no more than about as many as are there.
    pub(super) fn forget_gone(&mut self, report: &Report) {
        if self.newest.len() <= self.room.max(ROOM) {
            return;
        }
        let mut newest = std::mem::take(&mut self.newest);
        let mut of = |id: &str| newest.remove_entry(&hash(id));
        self.newest = report.entries().filter_map(|entry| of(entry.id())).collect();
        self.room = 2 * self.newest.len();
    }
}

impl Newest {
    /// `row`: the next one, so many ms later.
    fn json(&self, row: &StatsRow, later: f64) -> String {
        let mut json = format!("{{\"seconds\":{}", (later * 1000.0).round() / 1e6);
        for ((name, _), cell) in row.summed().zip(&self.counters) {
            // Names are of columns, and numbers.
            let _ = match cell {
                Cell::Integer(value) => write!(json, ",\"{name}\":{value}"),
                Cell::Real(value) if value.is_finite() => write!(json, ",\"{name}\":{value}"),
                _ => Ok(()),
            };
        }
        json.push('}');
        json
    }
}
