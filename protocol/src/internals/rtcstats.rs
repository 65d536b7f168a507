//! [`RtcstatsLines`]: the lines of Chromium's rtcstats dump. It is of format 3, but reports are whole, the states of a connection
//! are JSON in strings, and calls of `getUserMedia` stand under an id that is no connection. Lines stand as Chromium's page heard of
//! them, with the times at which the page of the call said them: they are put in the order of their times.

use std::collections::{BTreeMap, VecDeque};

use super::limits::{MAX_HELD, MAX_HELD_BYTES};
use super::reports::{Reports, is_whole, measured};
use super::updates::Updates;
use super::writer::delta_text;
use crate::json::{RawValue, number};
use crate::line::Line;
use crate::privacy::is_chromiums;

/// News of a later time than this, in ms, come behind all that are earlier.
const PATIENCE: f64 = 2000.0;

/// Translates one line after the other.
#[derive(Debug, Default)]
pub(crate) struct RtcstatsLines {
    updates: Updates,
    reports: Reports,
    /// Whether any line was Chromium's. Until then all are ours, and stay as they are.
    is_chromiums: bool,
    /// The time of the line that was read last, the latest of all, and that of the line that was written last, as a reader
    /// adds it up.
    read: f64,
    latest: f64,
    written: f64,
    /// By time and place.
    held: BTreeMap<(u64, u64), (f64, String)>,
    place: u64,
    bytes: usize,
}

/// Whether a dump with this header may be Chromium's, which knows nothing to say of the session.
pub(crate) fn may_be_chromiums(metadata: RawValue<'_>) -> bool {
    metadata.members().count() == 1
}

impl RtcstatsLines {
    /// Takes in the next line, and gives those whose turn it is.
    pub(crate) fn push(&mut self, text: &str, ready: &mut VecDeque<String>) {
        let line = Line::parse(text).ok();
        self.read += line.as_ref().map_or(0.0, Line::delta);
        let connection = line.as_ref().and_then(Line::connection);
        self.is_chromiums |= connection.is_some_and(|connection| is_chromiums(&connection));
        if !self.is_chromiums {
            (self.written, self.latest) = (self.read, self.read);
            return ready.push_back(text.to_owned());
        }
        self.latest = self.latest.max(self.read);
        self.bytes += text.len();
        self.place += 1;
        // Numbers that are not negative are in the order of their bits.
        self.held.insert((self.read.max(0.0).to_bits(), self.place), (self.read, text.to_owned()));
        while let Some((_, (time, _))) = self.held.first_key_value()
            && (self.latest - time > PATIENCE || self.held.len() > MAX_HELD || self.bytes > MAX_HELD_BYTES)
        {
            self.release(ready);
        }
    }

    /// Gives all that are left.
    pub(crate) fn finish(&mut self, ready: &mut VecDeque<String>) {
        while !self.held.is_empty() {
            self.release(ready);
        }
    }

    fn release(&mut self, ready: &mut VecDeque<String>) {
        let Some((_, (time, text))) = self.held.pop_first() else { return };
        self.bytes -= text.len();
        let Ok(line) = Line::parse(&text) else {
            // It is reported by who decodes it.
            return ready.push_back(text);
        };
        let delta = delta_text(time - self.written);
        self.written += number(&delta).unwrap_or(0.0);
        self.translate(&line, &delta, ready);
    }

    fn translate(&mut self, line: &Line<'_>, delta: &str, ready: &mut VecDeque<String>) {
        let mut drafts = Vec::new();
        let method = line.method();
        let Updates { calls, tracks, media, .. } = &mut self.updates;
        let connection = line.connection().filter(|connection| is_chromiums(connection));
        match connection {
            Some(_) if method == "getStats" && !is_whole(line.value()) => {}
            Some(connection) if method == "getStats" => {
                drafts.push(self.reports.event(&connection, measured(line.value())));
            }
            Some(connection) => match media.event(&method, line.value(), line.extra(), calls, tracks) {
                Some(draft) => drafts.push(draft),
                None => self.updates.update(&connection, &method, line.value(), line.extra(), &mut drafts),
            },
            None => {}
        }
        if drafts.is_empty() {
            // It is ours already, but for its time.
            let start = line.text().len() - line.text().trim_end_matches(']').trim_end().len();
            let end = line.text().len() - start - line.delta_text().len();
            let before = line.text().get(..end).unwrap_or_default();
            return ready.push_back(format!("{before}{delta}]"));
        }
        let deltas = std::iter::once(delta).chain(std::iter::repeat("0"));
        ready.extend(drafts.iter().zip(deltas).map(|(draft, delta)| draft.line(delta)));
    }
}
