//! Which candidate pair was in use when, where no transport tells.

use rtctrace_features::Selection;
use rtctrace_protocol::report::Report;

use crate::states::Change;

/// Changes that are kept.
const HISTORY: usize = 1024;

/// Follows a connection's reports.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    selection: Selection,
    changes: Vec<Change>,
}

impl Selected {
    pub(crate) fn report(&mut self, report: &Report, time: f64) {
        self.selection.report(report);
        let pair = self.selection.pair().and_then(|place| report.at(place));
        let id = pair.as_ref().map_or("", |pair| pair.id());
        if self.changes.last().map_or("", |(_, last)| last) != id && self.changes.len() < HISTORY {
            self.changes.push((time, id.to_owned()));
        }
    }

    /// The ids of the pairs, each with the time of the first report (Unix ms) in which it was in use; empty where there was none any more.
    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }
}
