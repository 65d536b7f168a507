//! [`Unordered`]: the lines of a session whose pushes did not come in the order of their times, read so that each stands for itself.
//! Who writes them by their times gives each to [`Translator::again`](super::Translator::again).

use std::collections::HashSet;
use std::hash::RandomState;

use super::push::Subject;
use super::stamp::Stamp;
use super::translate::{CONNECTION, Clock, Envelopes, NODE, pushed, subject_of, write_member};
use crate::json::RawValue;
use crate::line::{Line, write_line};
use crate::report::NamedDecoder;

/// When a line was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// In microseconds since the Unix epoch.
    pub time: i64,
    /// Whether a line before it is newer.
    pub is_late: bool,
    /// Where in the text the line begins, behind the envelope of its push; 0 if there is none.
    pub line: usize,
    /// The client's push that it has entries of, by a number that all lines of one share.
    pub push: Option<u64>,
    /// Whether it has only those that another line of the push lacks. It is late then, whatever its time is.
    pub is_part: bool,
}

/// Reads lines in the order in which they are there.
#[derive(Debug, Default)]
pub struct Unordered {
    clock: Clock,
    reports: NamedDecoder,
    envelopes: Envelopes,
    /// The stamps of lines that were read, eight bytes for each.
    seen: HashSet<u64>,
    /// The pushes that have a line which is no part, as many bytes.
    wholes: HashSet<u64>,
    /// The session's end was read.
    is_over: bool,
    hasher: RandomState,
}

impl Unordered {
    /// Before a session's first line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Before the first line again, and with the same numbers for pushes.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { hasher: self.hasher.clone(), ..Self::default() }
    }

    /// Whether a line that is no part was read of a push.
    #[must_use]
    pub fn has_whole(&self, push: u64) -> bool {
        self.wholes.contains(&push)
    }

    /// Writes the next line to `out`, its report in full and its time 0, and before it the envelope of its push, if it is one. `None` if the
    /// line is an envelope itself, or there was one of its push before.
    ///
    /// # Errors
    /// If the line's report cannot be had.
    pub fn read(&mut self, line: &Line<'_>, out: &mut String) -> Result<Option<Moment>, NoReport> {
        out.clear();
        let newest = self.clock.newest;
        let method = line.method();
        let stamp = Stamp::of(line, &method, &self.hasher);
        self.clock.take_in(line, stamp);
        let mut time = self.clock.time.unwrap_or_default();
        let (connection, value) = (line.connection(), line.value());
        if matches!(&*method, CONNECTION | NODE) {
            self.envelopes.put(subject_of(value), value.text());
            return Ok(None);
        }
        // Nothing comes behind the end, and there is one.
        if method == "close" && connection.is_none() {
            if std::mem::replace(&mut self.is_over, true) {
                return Ok(None);
            }
            time = time.max(newest);
        }
        let subject = pushed(&method, connection.as_deref());
        if stamp.is_some_and(|stamp| !self.seen.insert(stamp.hash)) {
            if subject == Some(Subject::Client) {
                // What follows may build on it.
                let _ = self.reports.take(value, line.extra().first().copied());
            }
            return Ok(None);
        }
        let push = stamp.filter(|_| subject == Some(Subject::Client));
        self.wholes.extend(push.filter(|push| !push.is_part).map(|push| push.push));
        out.push_str(subject.map_or("", |subject| self.envelopes.of(subject)));
        let start = out.len();
        if subject == Some(Subject::Client) {
            self.reports.take(value, line.extra().first().copied()).ok_or(NoReport)?;
            let mut report = String::new();
            self.reports.write_report(&mut report).ok_or(NoReport)?;
            let stamp = line.extra().last().map_or("null", |stamp| stamp.text());
            write_line(out, &method, connection.as_deref(), &report, &[stamp], 0.0);
        } else {
            let extra: Vec<&str> = line.extra().iter().map(|extra| RawValue::text(*extra)).collect();
            write_line(out, &method, connection.as_deref(), value.text(), &extra, 0.0);
        }
        let is_part = push.is_some_and(|push| push.is_part);
        Ok(Some(Moment {
            time,
            is_late: time < newest || is_part,
            line: start,
            push: push.map(|push| push.push),
            is_part,
        }))
    }
}

/// The line of a push that [`Unordered::read`] wrote, with the entries of another one of it; `None` if either is no such line.
#[must_use]
pub fn merged(whole: &str, part: &str) -> Option<String> {
    let (whole, part) = (Line::parse(whole).ok()?, Line::parse(part).ok()?);
    let mut report = whole.value().text().strip_suffix('}')?.to_owned();
    let held: HashSet<_> = whole.value().members().map(|(id, _)| id).collect();
    for (id, entry) in part.value().members().filter(|(id, _)| !held.contains(id)) {
        write_member(&id, entry.text(), &mut report);
    }
    report.push('}');
    let extra: Vec<&str> = whole.extra().iter().map(|extra| extra.text()).collect();
    let mut out = String::new();
    write_line(&mut out, &whole.method(), whole.connection().as_deref(), &report, &extra, 0.0);
    Some(out)
}

/// A line has no report, or none that it can be told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the report of a line cannot be had")]
pub struct NoReport;
