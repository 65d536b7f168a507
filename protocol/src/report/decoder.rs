//! [`ReportDecoder`]: from deltas back to complete reports.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::json::{Kind, RawValue};
use crate::tables;

use super::members::{Held, MEMBER_OVERHEAD, Scratch, unquoted};
use super::types::{Entry, Report, Stamp, integer_like, position};
use super::{ReportError, carries_time};

/// How much one connection may make a decoder hold.
#[derive(Debug, Clone, Copy)]
pub struct ReportLimits {
    /// Entries of one report. A call with 500 participants has about 6,000.
    pub entries: usize,
    /// Text of the report and what its members cost besides, in bytes.
    pub bytes: usize,
}

impl Default for ReportLimits {
    fn default() -> Self {
        Self { entries: 16_384, bytes: 8 << 20 }
    }
}

/// More members no entry of a browser has.
const MOST_MEMBERS: usize = 128;

/// The longest text of a time. JavaScript writes numbers with 25 bytes at most.
const LONGEST_TIME: usize = 32;

/// Bytes of an entry's type. A longer one keeps its beginning.
const LONGEST_TYPE: usize = 64;

/// What an entry costs besides its id and its members.
const ENTRY_OVERHEAD: usize = size_of::<Entry>() + LONGEST_TIME + LONGEST_TYPE;

/// Restores the reports of one connection from their deltas. Values are kept as text, side by side (see `members`).
#[derive(Debug, Default)]
pub struct ReportDecoder {
    report: Report,
    limits: ReportLimits,
    bytes: usize,
    scratch: Scratch,
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

    /// About how much memory the report takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Applies a delta and hands out the complete report.
    ///
    /// # Errors
    /// [`ReportError`] if the value is no delta or would exceed a limit; the report then stays as it was.
    pub fn decode(&mut self, delta: RawValue<'_>) -> Result<&Report, ReportError> {
        let Checked { entries, members, time: new_time } = self.check(delta)?;
        let mut members = members.into_iter();
        let mut search = Search::over(&self.report);
        let mut is_any_gone = false;
        for (id, count) in entries {
            let found = search.find(&self.report.entries, &id);
            let Some(count) = count else {
                if let Some(entry) = found.and_then(|at| self.report.entries.get_mut(at)) {
                    self.bytes = self.bytes.saturating_sub(size_of_entry(entry));
                    entry.stamp = Stamp::Gone;
                    is_any_gone = true;
                }
                continue;
            };
            let at = found.unwrap_or_else(|| {
                self.bytes += id.len() + ENTRY_OVERHEAD;
                search.added(&id, self.report.entries.len());
                self.report.entries.push(new_entry(&id, count));
                self.report.entries.len() - 1
            });
            search.guess = at + 1;
            let Some(entry) = self.report.entries.get_mut(at) else { continue };
            let before = entry.members.bytes();
            apply(entry, members.by_ref().take(count), &mut self.scratch);
            self.bytes = (self.bytes + entry.members.bytes()).saturating_sub(before);
        }
        if is_any_gone {
            self.report.entries.retain(|entry| entry.stamp != Stamp::Gone);
        }
        if !search.added.is_empty() {
            self.report.sort();
        }
        self.tell_time(new_time);
        Ok(&self.report)
    }

    /// Gives every entry its time, and the report its own.
    fn tell_time(&mut self, new_time: Option<&str>) {
        let Report { entries, time } = &mut self.report;
        let report_time = new_time.unwrap_or(time).parse().unwrap_or(0.0);
        for entry in entries {
            let stamp = std::mem::replace(&mut entry.stamp, Stamp::Kept);
            match (stamp, new_time) {
                (Stamp::Own | Stamp::Gone, _) | (Stamp::Kept, None) => {}
                (Stamp::New, None) => entry.own_time = Some("null".to_owned()),
                (_, Some(new_time)) if carries_time(&entry.kind) => {
                    if entry.own_time.is_none() {
                        let time = if stamp == Stamp::New { new_time } else { time.as_str() };
                        entry.own_time = Some(time.to_owned());
                    }
                }
                (_, Some(_)) => entry.own_time = None,
            }
            entry.report_time = report_time;
        }
        if let Some(new_time) = new_time {
            time.clear();
            time.push_str(new_time);
        }
    }

    /// Looks at the whole delta before anything is applied, and takes it apart: no byte is looked at again.
    fn check<'a>(&self, delta: RawValue<'a>) -> Result<Checked<'a>, ReportError> {
        if delta.kind() != Kind::Object {
            return Err(ReportError::NotAnObject);
        }
        let (mut count, mut bytes) = (self.report.entries.len(), self.bytes);
        let mut checked = Checked { entries: Vec::with_capacity(32), members: Vec::with_capacity(256), time: None };
        let mut all = delta.members();
        while let Some(id) = all.next_name() {
            let id = unquoted(id);
            if id != "t"
                && let Some(mut members) = all.open()
            {
                let before = checked.members.len();
                while let Some(member) = members.next_raw() {
                    checked.members.push(member);
                }
                let length = all.close(&members);
                let found = checked.members.len() - before;
                count += 1;
                bytes += id.len() + length + ENTRY_OVERHEAD + MEMBER_OVERHEAD * found;
                checked.entries.push((id, Some(found)));
                if bytes > self.limits.bytes {
                    return Err(ReportError::TooLarge { what: "bytes", limit: self.limits.bytes });
                }
                continue;
            }
            let value = all.value();
            match value.kind() {
                Kind::Number if id == "t" && is_time(value) => checked.time = Some(value.text()),
                _ if id == "t" => return Err(ReportError::BadTime(value.text().chars().take(40).collect())),
                Kind::Null => checked.entries.push((id, None)),
                _ => return Err(ReportError::EntryNotAnObject(id.chars().take(80).collect())),
            }
        }
        // A real delta names an entry once.
        if checked.entries.len() > self.limits.entries.saturating_mul(2) {
            return Err(ReportError::TooLarge { what: "entries", limit: self.limits.entries });
        }
        // An estimate, and hardly ever near a limit: only then is it worth the time to count.
        if count > self.limits.entries {
            let mut search = Search::over(&self.report);
            let is_new = |(id, found): &&(Cow<'_, str>, Option<usize>)| {
                found.is_some() && search.find(&self.report.entries, id).is_none()
            };
            if self.report.entries.len() + checked.entries.iter().filter(is_new).count() > self.limits.entries {
                return Err(ReportError::TooLarge { what: "entries", limit: self.limits.entries });
            }
        }
        Ok(checked)
    }
}

/// Whether a number is a time that may be kept: every entry may get a copy.
fn is_time(value: RawValue<'_>) -> bool {
    value.text().len() <= LONGEST_TIME && value.as_f64().is_some()
}

/// Where the entries of a report are. Deltas name them in the order in which they are kept, so the next one is almost always the
/// one sought. Entries that are new wait behind the others until the end, when all are put in order at once.
struct Search {
    guess: usize,
    sorted: usize,
    added: HashMap<Box<str>, usize>,
    misses: usize,
    index: Option<HashMap<Box<str>, usize>>,
}

impl Search {
    /// So many searches through all entries are cheaper than an index.
    const MISSES: usize = 64;

    fn over(report: &Report) -> Self {
        Self { guess: 0, sorted: report.entries.len(), added: HashMap::new(), misses: 0, index: None }
    }

    fn find(&mut self, entries: &[Entry], id: &str) -> Option<usize> {
        let stays = |at: &usize| entries.get(*at).is_some_and(|entry| entry.stamp != Stamp::Gone);
        if !self.added.is_empty()
            && let Some(at) = self.added.get(id)
        {
            return Some(*at).filter(stays);
        }
        if self.guess < self.sorted && entries.get(self.guess).is_some_and(|entry| *entry.id == *id) {
            return Some(self.guess).filter(stays);
        }
        if let Some(index) = &self.index {
            return index.get(id).copied().filter(stays);
        }
        let sorted = entries.get(..self.sorted).unwrap_or_default();
        self.misses += 1;
        if self.misses > Self::MISSES {
            let ids = sorted.iter().enumerate().map(|(at, entry)| (entry.id.clone(), at));
            return self.index.insert(ids.collect()).get(id).copied().filter(stays);
        }
        position(sorted, id).filter(stays)
    }

    /// An entry is new.
    fn added(&mut self, id: &str, at: usize) {
        self.added.insert(id.into(), at);
    }
}

/// A delta that may be applied: its entries by id, with how many members each has, or `None` for one that goes; the members of all
/// of them; and its time.
struct Checked<'a> {
    entries: Vec<(Cow<'a, str>, Option<usize>)>,
    members: Vec<(&'a str, RawValue<'a>)>,
    time: Option<&'a str>,
}

/// `members`: how many it will have, as a rule.
fn new_entry(id: &str, members: usize) -> Entry {
    Entry {
        id: id.into(),
        number: integer_like(id),
        kind: String::new(),
        own_time: None,
        report_time: 0.0,
        stamp: Stamp::New,
        members: Held::with_capacity(members.min(MOST_MEMBERS)),
    }
}

fn size_of_entry(entry: &Entry) -> usize {
    entry.id.len() + ENTRY_OVERHEAD + entry.members.bytes()
}

/// Applies the members of one entry of a delta.
fn apply<'d>(entry: &mut Entry, delta: impl Iterator<Item = (&'d str, RawValue<'d>)>, scratch: &mut Scratch) {
    let Entry { members, own_time, stamp, kind, .. } = entry;
    members.apply(delta, scratch, |name, value| {
        match name {
            "t" | "timestamp" => {
                if value.text().len() <= LONGEST_TIME {
                    *own_time = Some(value.text().to_owned());
                    *stamp = Stamp::Own;
                }
            }
            "type" => {
                let known = tables::type_of_token(value).map(Into::into);
                let name = known.or_else(|| value.as_str()).unwrap_or_default();
                kind.clear();
                kind.push_str(name.get(..name.floor_char_boundary(LONGEST_TYPE)).unwrap_or_default());
            }
            _ => return false,
        }
        true
    });
}
