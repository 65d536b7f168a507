//! Whether the recording of statistics was cut off. Chromium's webrtc-internals keeps the first 1000 values of each
//! entry; a dump made from it has entries that appear in exactly that many reports.

use std::collections::HashMap;

use rtctrace_protocol::report::Report;

use crate::budget::Budget;
use crate::input;

/// In how many reports an entry is that was cut off.
const CUT_OFF: u32 = 1000;

/// An entry first seen no later than this (in ms) after the connection's start does not count.
const LATE: f64 = 60_000.0;

/// Counts the reports in which each late entry is. While no entry comes or goes, all reports count for the same ones.
#[derive(Debug, Default)]
pub(crate) struct StatsIds {
    /// The place in `late`; `None` for an entry that was there early, and so must be known but not counted.
    ids: HashMap<Box<str>, Option<usize>>,
    /// In how many reports each late entry was before it last came or went.
    late: Vec<u32>,
    /// The late ones that are there now, and since how many reports.
    present: Vec<usize>,
    reports: u32,
}

impl StatsIds {
    /// Entries may have come or gone. `age`: milliseconds since the connection's first event.
    pub(crate) fn reshape(&mut self, report: &Report, age: f64, budget: &mut Budget) {
        let reports = std::mem::take(&mut self.reports);
        for at in self.present.drain(..) {
            if let Some(count) = self.late.get_mut(at) {
                *count = count.saturating_add(reports);
            }
        }
        for entry in report.entries() {
            match self.ids.get(entry.id()) {
                Some(at) => self.present.extend(*at),
                None => {
                    if let Some(id) = input::identifier(entry.id())
                        && budget.take()
                    {
                        let at = (age > LATE).then_some(self.late.len());
                        if let Some(at) = at {
                            self.late.push(0);
                            self.present.push(at);
                        }
                        self.ids.insert(id, at);
                    }
                }
            }
        }
    }

    /// One more report has the entries that are there.
    pub(crate) fn report(&mut self) {
        self.reports = self.reports.saturating_add(1);
    }

    pub(crate) fn truncated(&self) -> bool {
        let mut counts = self.late.clone();
        for at in &self.present {
            if let Some(count) = counts.get_mut(*at) {
                *count = count.saturating_add(self.reports);
            }
        }
        counts.contains(&CUT_OFF)
    }
}
