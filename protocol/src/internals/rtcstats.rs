//! [`RtcstatsLines`]: the lines of Chromium's rtcstats dump. It is of format 3, but reports are whole, the states of a connection
//! are JSON in strings, and calls of `getUserMedia` stand under an id that is no connection.

use super::reports::{Reports, is_whole, measured};
use super::updates::Updates;
use crate::json::{Kind, RawValue};
use crate::line::Line;

/// Translates one line after the other.
#[derive(Debug, Default)]
pub(crate) struct RtcstatsLines {
    updates: Updates,
    reports: Reports,
}

/// Whether a dump with this header may be Chromium's, which knows nothing to say of the session.
pub(crate) fn may_be_chromiums(metadata: RawValue<'_>) -> bool {
    metadata.members().count() == 1
}

/// Whether a connection has a name of Chromium's: the numbers of a process and of a connection in it.
fn is_chromiums(connection: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    connection.split_once('-').is_some_and(|(process, number)| is_number(process) && is_number(number))
}

impl RtcstatsLines {
    /// The lines that a line comes to; none if it is ours already, or no line.
    pub(crate) fn translate(&mut self, text: &str) -> Vec<String> {
        let Ok(line) = Line::parse(text) else { return Vec::new() };
        let Some(connection) = line.connection().filter(|connection| is_chromiums(connection)) else {
            return Vec::new();
        };
        let method = line.method();
        let mut drafts = Vec::new();
        let Updates { calls, tracks, media, .. } = &mut self.updates;
        if method == "getStats" {
            if line.value().kind() != Kind::Object || !is_whole(line.value()) {
                return Vec::new();
            }
            drafts.push(self.reports.event(&connection, measured(line.value())));
        } else if let Some(draft) = media.event(&method, line.value(), line.extra(), calls, tracks) {
            drafts.push(draft);
        } else {
            self.updates.update(&connection, &method, line.value(), line.extra(), &mut drafts);
        }
        let deltas = std::iter::once(line.delta_text()).chain(std::iter::repeat("0"));
        drafts.iter().zip(deltas).map(|(draft, delta)| draft.line(delta)).collect()
    }
}
