//! How much one connection may make a decoder hold, and which deltas are refused before anything of them is applied.

use crate::json::{Kind, RawValue};

use super::ReportError;
use super::decoder::ReportDecoder;
use super::members::MEMBER_OVERHEAD;
use super::search::Search;
use super::take::{Cursor, Taken, TakenEntry, unquoted};
use super::text::LONGEST_TEXT;
use super::types::{Held, Span};

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
pub(super) const MOST_MEMBERS: usize = 128;

/// The longest text of a time. JavaScript writes numbers with 25 bytes at most.
pub(super) const LONGEST_TIME: usize = 32;

/// Bytes of an entry's type. A longer one keeps its beginning.
pub(super) const LONGEST_TYPE: usize = 64;

/// What an entry costs besides its id and its members.
pub(super) const ENTRY_OVERHEAD: usize = size_of::<Held>() + LONGEST_TIME + LONGEST_TYPE;

impl ReportDecoder {
    /// Looks at the whole delta before anything is applied, and takes it apart.
    pub(super) fn take(&self, delta: RawValue<'_>) -> Result<Taken, ReportError> {
        let text = delta.text();
        if delta.kind() != Kind::Object {
            return Err(ReportError::NotAnObject);
        }
        if text.len() > LONGEST_TEXT {
            return Err(ReportError::TooLarge { what: "bytes", limit: self.limits.bytes.min(LONGEST_TEXT) });
        }
        let (mut count, mut bytes) = (self.report.entries.len(), self.overhead + self.live);
        let mut taken = Taken::with_room();
        let mut all = Cursor::inside(text);
        while let Some((id, number)) = all.next_id() {
            let is_time = number.is_none() && unquoted(all.part(id)) == "t";
            if !is_time && all.first() == b'{' {
                let (before, start) = (taken.members.len(), all.at());
                all.take_members(&mut taken);
                let members = taken.members.len() - before;
                count += 1;
                bytes += id.length as usize + all.at() - start + ENTRY_OVERHEAD + MEMBER_OVERHEAD * members;
                taken.entries.push(TakenEntry { id, number, members: Some(members as u32) });
                if bytes > self.limits.bytes {
                    return Err(ReportError::TooLarge { what: "bytes", limit: self.limits.bytes });
                }
                continue;
            }
            let span = all.next_value();
            let value = all.value(span);
            if is_time {
                let Some(time) = time_of(value) else {
                    return Err(ReportError::BadTime(value.text().chars().take(40).collect()));
                };
                taken.time = Some((span, time));
            } else if value.is_null() {
                taken.entries.push(TakenEntry { id, number, members: None });
            } else {
                let id = unquoted(all.part(id));
                return Err(ReportError::EntryNotAnObject(id.chars().take(80).collect()));
            }
        }
        // A real delta names an entry once.
        if taken.entries.len() > self.limits.entries.saturating_mul(2) {
            return Err(ReportError::TooLarge { what: "entries", limit: self.limits.entries });
        }
        // An estimate, and hardly ever near a limit: only then is it worth the time to count.
        if count > self.limits.entries {
            let mut search = Search::over(&self.report);
            let is_new = |entry: &&TakenEntry| {
                entry.members.is_some() && search.find(&self.report.entries, text, entry).is_none()
            };
            if self.report.entries.len() + taken.entries.iter().filter(is_new).count() > self.limits.entries {
                return Err(ReportError::TooLarge { what: "entries", limit: self.limits.entries });
            }
        }
        Ok(taken)
    }
}

/// A time in ms that is written as it may be kept.
fn time_of(value: RawValue<'_>) -> Option<f64> {
    if value.text().len() <= LONGEST_TIME { value.as_f64() } else { None }
}

pub(super) fn size_of_entry(held: &Held) -> usize {
    held.id.len() + ENTRY_OVERHEAD + held.members.bytes()
}

pub(super) fn size_of_time(held: &Held) -> usize {
    if held.own_time.text == Span::NULL { 0 } else { held.own_time.text.length as usize }
}
