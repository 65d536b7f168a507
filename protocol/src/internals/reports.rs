//! [`Reports`]: from whole reports to the deltas of our format.

use std::collections::HashMap;

use super::limits::{MAX_CONNECTIONS, MAX_REPORTS};
use super::text::write_member;
use crate::json::{Kind, RawValue};
use crate::report::ReportEncoder;

/// The newest reports of all connections.
#[derive(Debug, Default)]
pub(super) struct Reports {
    encoders: HashMap<String, ReportEncoder>,
    bytes: usize,
}

impl Reports {
    /// The value of a `getStats` line: the delta, or the report itself where there are too many or too long ones to compare it.
    pub(super) fn delta(&mut self, connection: &str, report: String) -> String {
        let is_known = self.encoders.contains_key(connection);
        let held = self.encoders.get(connection).map_or(0, |encoder| encoder.report().len());
        if self.bytes - held + report.len() > MAX_REPORTS || (!is_known && self.encoders.len() >= MAX_CONNECTIONS) {
            return report;
        }
        let encoder = self.encoders.entry(connection.to_owned()).or_default();
        let mut delta = String::new();
        if encoder.encode(&report, &mut delta).is_err() {
            return report;
        }
        self.bytes = self.bytes - held + encoder.report().len();
        delta
    }
}

/// Whether this is a whole report, and not a delta of one: each entry names itself.
pub(super) fn is_whole(report: RawValue<'_>) -> bool {
    report.kind() == Kind::Object
        && report.members().all(|(id, entry)| entry.get("id").and_then(RawValue::as_str).is_some_and(|own| own == id))
}

/// The report without what Chromium computes for its page: `[bytesSent_in_bits/s]`, `[codec]`.
pub(super) fn measured(report: RawValue<'_>) -> String {
    let mut out = String::with_capacity(report.text().len());
    out.push('{');
    for (id, entry) in report.members() {
        let mut members = String::from("{");
        for (name, value) in entry.members().filter(|(name, _)| !(name.starts_with('[') && name.ends_with(']'))) {
            write_member(&mut members, &name, value.text());
        }
        members.push('}');
        write_member(&mut out, &id, &members);
    }
    out.push('}');
    out
}
