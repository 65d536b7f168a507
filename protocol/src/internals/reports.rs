//! [`Reports`]: from whole reports to the deltas of our format.

use std::collections::HashMap;

use super::limits::{MAX_CONNECTIONS, MAX_ENTRIES, MAX_REPORTS};
use super::text::{compact, write_member};
use super::writer::Draft;
use crate::dump::MAX_LINE;
use crate::json::{Kind, RawValue};
use crate::report::ReportEncoder;

/// A report that is not compared with others, and that nothing is decoded of.
const KEPT: &str = "getstats";

/// The newest reports of all connections.
#[derive(Debug, Default)]
pub(super) struct Reports {
    encoders: HashMap<String, ReportEncoder>,
    bytes: usize,
}

impl Reports {
    /// The event of a report. One beyond the limits is kept as it is, under another name.
    pub(super) fn event(&mut self, connection: &str, report: String) -> Draft {
        match self.delta(connection, &report) {
            Some(delta) => Draft::new("getStats", Some(connection), delta),
            None => Draft::new(KEPT, Some(connection), report),
        }
    }

    fn delta(&mut self, connection: &str, report: &str) -> Option<String> {
        let is_known = self.encoders.contains_key(connection);
        let held = self.encoders.get(connection).map_or(0, |encoder| encoder.report().len());
        let has_room = self.bytes - held + report.len() <= MAX_REPORTS
            && (is_known || self.encoders.len() < MAX_CONNECTIONS)
            && RawValue::parse(report).ok()?.members().nth(MAX_ENTRIES).is_none();
        if !has_room {
            return None;
        }
        let encoder = self.encoders.entry(connection.to_owned()).or_default();
        let mut delta = String::new();
        let encoded = encoder.encode(report, &mut delta);
        // The encoder takes what `JSON.stringify` writes.
        let encoded = encoded.or_else(|_| encoder.encode(&compact(report), &mut delta));
        self.bytes = self.bytes - held + encoder.report().len();
        if delta.len() >= MAX_LINE {
            // No line can have it, so the next may not build on it.
            encoder.reset();
            return None;
        }
        encoded.is_ok().then_some(delta)
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
