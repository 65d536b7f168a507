//! Whether the recording of statistics was cut off. Chromium's webrtc-internals keeps the first 1000 values of each
//! entry; a dump made from it has entries that appear in exactly that many reports.

use std::collections::HashMap;

use rtctrace_protocol::report::Report;

use crate::budget::Budget;
use crate::input;

/// In how many reports an entry is that was cut off.
const CUT_OFF: u16 = 1000;

/// An entry first seen no later than this (in ms) after the connection's start does not count.
const LATE: f64 = 60_000.0;

/// Counts the reports in which each late entry is.
#[derive(Debug, Default)]
pub(crate) struct StatsIds {
    /// `None` for an entry that was there early, and so must be known but not counted.
    reports: HashMap<Box<str>, Option<u16>>,
}

impl StatsIds {
    /// `age`: milliseconds since the connection's first event.
    pub(crate) fn report(&mut self, report: &Report, age: f64, budget: &mut Budget) {
        let late = age > LATE;
        for entry in report.entries() {
            match self.reports.get_mut(entry.id()) {
                Some(Some(count)) => *count = count.saturating_add(1),
                Some(None) => {}
                None => {
                    if let Some(id) = input::identifier(entry.id())
                        && budget.take()
                    {
                        self.reports.insert(id, late.then_some(1));
                    }
                }
            }
        }
    }

    pub(crate) fn truncated(&self) -> bool {
        self.reports.values().any(|count| *count == Some(CUT_OFF))
    }
}
