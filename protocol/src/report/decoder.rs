//! [`ReportDecoder`]: from deltas back to complete reports.

use crate::json::RawValue;

use super::ReportError;
use super::limits::ReportLimits;
use super::text::{LONGEST_TEXT, step};
use super::types::Report;

/// Restores the reports of one connection from their deltas. Values are kept as text, in the deltas that brought them.
#[derive(Debug, Default)]
pub struct ReportDecoder {
    pub(super) report: Report,
    pub(super) limits: ReportLimits,
    /// What the entries take, their text apart.
    pub(super) overhead: usize,
    /// The same of those that have just gone.
    pub(super) gone: usize,
    /// Bytes of the report's text that something refers to.
    pub(super) live: usize,
    /// How long the text has ever been.
    #[cfg(test)]
    pub(super) longest: usize,
    /// How much was copied by compaction.
    #[cfg(test)]
    pub(super) copied: usize,
}

impl ReportDecoder {
    /// A decoder that has seen no delta, with the usual limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with limits of one's own.
    #[must_use]
    pub fn with_limits(limits: ReportLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The newest report; empty before the first.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Applies a delta and hands out the complete report.
    ///
    /// # Errors
    /// [`ReportError`] if the value is no delta or would exceed a limit; the report then stays as it was.
    pub fn decode(&mut self, delta: RawValue<'_>) -> Result<&Report, ReportError> {
        let taken = self.take(delta)?;
        if self.longest_text(delta.text()) > LONGEST_TEXT {
            self.compact(0);
            if self.longest_text(delta.text()) > LONGEST_TEXT {
                return Err(ReportError::TooLarge { what: "bytes", limit: self.limits.bytes.min(LONGEST_TEXT) });
            }
        }
        self.make_room(if taken.members.is_empty() { 0 } else { delta.text().len() });
        let base = self.report.text.len();
        self.report.newest = base;
        if !taken.members.is_empty() {
            self.report.text.push_str(delta.text());
        }
        self.report.generation += 1;
        self.apply(delta.text(), base, &taken);
        #[cfg(test)]
        {
            self.longest = self.longest.max(self.report.text.len());
        }
        if let Some((text, time)) = taken.time {
            self.report.time.clear();
            self.report.time.push_str(text.of(delta.text()).unwrap_or_default());
            self.report.timestamp = time;
        }
        taken.leave_room();
        if self.report.text.len() > self.most_text() {
            self.compact(step(self.live));
        }
        Ok(&self.report)
    }
}
