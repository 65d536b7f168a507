//! [`Translator`]: from messages to the lines of a session's dump.
//!
//! An entry becomes one line: its method and value as ours where ours says the same, else as they came; the time as the
//! difference to the line before; and as extras a `null`, where our clients have a tracking id, and the sequence number. What is
//! no entry, as most of what backends send, becomes a line of the message's type with its data as value. A line without a
//! number came without one.

use std::borrow::Cow;

use super::entry::{Entry, method_of, number_of, says_more, time_of, value_of};
use super::message::Message;
use super::report::Reports;
use crate::json::{Kind, RawValue};
use crate::line::{Line, write_line};

/// The line `[":rtctrace.gap",null,{"from":..,"to":..},dt]` says which sequence numbers never came.
pub const GAP: &str = ":rtctrace.gap";
/// The line in place of one that would have been too long: as in our clients, `{"lines":1,"bytes":..}`.
const DROPPED: &str = ":rtctrace.dropped";

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Translated {
    /// Its line is there, and before it, if sequence numbers are missing, one that says so.
    Stored {
        /// How many numbers are missing right before it.
        missing: u64,
    },
    /// A line of its sequence number was there before.
    Duplicate,
}

/// Makes the lines of one session from its messages, in their order. Its memory is bounded, whatever they say.
#[derive(Debug)]
pub struct Translator {
    max_line: usize,
    /// The highest sequence number.
    number: Option<u64>,
    /// Of the line before, in ms since the Unix epoch.
    time: Option<f64>,
    reports: Reports,
}

/// A line on its way out.
struct Draft<'a> {
    method: Cow<'a, str>,
    connection: Option<&'a str>,
    value: &'a str,
    /// Each with a comma before it.
    extra: Vec<&'a str>,
    time: f64,
}

impl Translator {
    /// A translator for a session's first message. No line will have more than `max_line` bytes.
    #[must_use]
    pub fn new(max_line: usize) -> Self {
        Self { max_line, number: None, time: None, reports: Reports::default() }
    }

    /// The same for what servers of rtcstats wrote before there was a format 3: entries as Jitsi's, which come from them.
    #[must_use]
    pub fn of_rtcstats(max_line: usize) -> Self {
        Self { reports: Reports::of_rtcstats(), ..Self::new(max_line) }
    }

    /// The highest sequence number among the lines; 0 before the first.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number.unwrap_or(0)
    }

    /// Whether any line had one.
    #[must_use]
    pub fn is_numbered(&self) -> bool {
        self.number.is_some()
    }

    /// The time of the newest line, in ms since the Unix epoch; `None` before the first.
    #[must_use]
    pub fn time(&self) -> Option<f64> {
        self.time
    }

    /// Appends the lines of a message, each with its newline. `now` is the time of its arrival, in ms since the Unix epoch,
    /// for what has no time of its own. `close` and `keepalive` mean nothing here.
    pub fn message(&mut self, message: &Message<'_>, now: f64, out: &mut String) -> Translated {
        let data = message.data.unwrap_or(RawValue::NULL);
        if !matches!(&*message.kind, "identity" | "stats-entry") {
            return self.keep(&message.kind, data, now, out);
        }
        let text = data.as_str();
        let inner = text.as_deref().and_then(|text| RawValue::parse(text).ok());
        let value = inner.unwrap_or(data);
        match Entry::of(value) {
            Some(entry) => self.entry_of(&entry, now, out),
            None => self.keep(&message.kind, value, now, out),
        }
    }

    /// The same for an entry that is no message, as dumps have them. Anything else is kept as a `stats-entry`.
    pub fn entry(&mut self, value: RawValue<'_>, now: f64, out: &mut String) -> Translated {
        match Entry::of(value) {
            Some(entry) => self.entry_of(&entry, now, out),
            None => self.keep("stats-entry", value, now, out),
        }
    }

    /// Takes in a line that was written before, to go on behind it.
    pub fn replay(&mut self, line: &Line<'_>) {
        self.time = Some(self.time.unwrap_or(0.0) + line.delta());
        let method = line.method();
        let number = match method == GAP {
            true => line.value().get("to").and_then(number_of),
            false => line.extra().last().and_then(|extra| number_of(*extra)),
        };
        self.number = self.number.max(number);
        if let Some(connection) = line.connection() {
            match &*method {
                "getStats" => self.reports.replay(&connection, line.value(), line.extra().first().copied()),
                "getstats" => self.reports.replay_kept(&connection, line.value()),
                _ => {}
            }
        }
    }

    fn entry_of(&mut self, entry: &Entry<'_>, now: f64, out: &mut String) -> Translated {
        let connection = entry.connection.as_deref();
        let time = entry.time.or(self.time).unwrap_or(now);
        let mut missing = 0;
        if let Some(number) = entry.number {
            let last = self.number.unwrap_or(0);
            if number <= last && self.number.is_some() {
                return Translated::Duplicate;
            }
            missing = number.saturating_sub(last + 1);
            if missing > 0 {
                let value = format!("{{\"from\":{},\"to\":{}}}", last + 1, number - 1);
                let gap = Draft { method: GAP.into(), connection: None, value: &value, extra: Vec::new(), time };
                self.write(gap, out);
            }
            self.number = Some(number);
        }

        let number = entry.number.map(|number| number.to_string());
        let tail = || entry.rest.iter().map(|rest| rest.text()).chain(number.as_deref());
        if let Some(id) = connection
            && self.reports.are(&entry.kind)
            && let Some(delta) = self.reports.translate(id, &entry.kind, entry.payload)
        {
            let names = Some(delta.names.as_str()).filter(|names| !names.is_empty());
            let extra = names.into_iter().chain(tail()).collect();
            let draft = Draft { method: "getStats".into(), connection, value: &delta.value, extra, time };
            if !self.write_or_drop(draft, number.as_deref(), out) {
                self.reports.not_written(id);
            }
            return Translated::Stored { missing };
        }
        let ours = value_of(&entry.kind, entry.payload);
        let theirs = ours.as_ref().filter(|_| says_more(&entry.kind)).map(|_| entry.payload.text());
        let mut extra: Vec<&str> = theirs.into_iter().chain(tail()).collect();
        if !extra.is_empty() {
            extra.insert(0, "null");
        }
        let value = ours.as_deref().unwrap_or(entry.payload.text());
        let method = method_of(&entry.kind, connection);
        self.write_or_drop(Draft { method, connection, value, extra, time }, number.as_deref(), out);
        Translated::Stored { missing }
    }

    fn keep(&mut self, kind: &str, value: RawValue<'_>, now: f64, out: &mut String) -> Translated {
        let own = Some(value).filter(|value| value.kind() == Kind::Object).and_then(|value| value.get("timestamp"));
        let time = own.and_then(time_of).unwrap_or(now);
        let kind = Cow::Borrowed(kind);
        let method = method_of(&kind, None);
        let draft = Draft { method, connection: None, value: value.text(), extra: Vec::new(), time };
        self.write_or_drop(draft, None, out);
        Translated::Stored { missing: 0 }
    }

    /// Writes a line, or one that says that it was too long; false then.
    fn write_or_drop(&mut self, draft: Draft<'_>, number: Option<&str>, out: &mut String) -> bool {
        let Draft { connection, time, .. } = draft;
        let start = out.len();
        let before = self.time;
        self.write(draft, out);
        let length = out.len() - start - 1;
        if length <= self.max_line {
            return true;
        }
        out.truncate(start);
        self.time = before;
        let value = format!("{{\"lines\":1,\"bytes\":{length}}}");
        let extra = number.into_iter().flat_map(|number| ["null", number]).collect();
        self.write(Draft { method: DROPPED.into(), connection, value: &value, extra, time }, out);
        false
    }

    fn write(&mut self, draft: Draft<'_>, out: &mut String) {
        let before = self.time.unwrap_or(0.0);
        let delta = draft.time - before;
        // As a reader adds them up.
        self.time = Some(before + delta);
        let start = out.len();
        write_line(out, &draft.method, draft.connection, draft.value, &draft.extra, delta);
        // A line break can only be white space in JSON, and a line has none.
        if out.get(start..).is_some_and(|line| line.contains(['\n', '\r'])) {
            let line = out.split_off(start).replace(['\n', '\r'], " ");
            out.push_str(&line);
        }
        out.push('\n');
    }
}
