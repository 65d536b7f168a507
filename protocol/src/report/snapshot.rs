//! One report taken apart: its text, and where in it the entries and their members are. Nothing is copied out of it.

use crate::json::compare_decimals;
use crate::tables::Property;

/// A part of a snapshot's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Where `part` lies in `whole`, of which it is a slice.
    pub(super) fn of(whole: &str, part: &str) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        Self { start: start as u32, end: (start + part.len()) as u32 }
    }

    pub(super) fn text(self, whole: &str) -> &str {
        whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct MemberSpan {
    /// With its quotes.
    pub(super) name: Span,
    pub(super) value: Span,
    pub(super) property: Option<Property>,
    /// The short id that the value stands for, if it names an entry.
    pub(super) reference: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct EntrySpan {
    /// With its quotes.
    pub(super) id: Span,
    pub(super) short: u32,
    /// The value of `type`, with its quotes.
    pub(super) kind: Option<Span>,
    pub(super) timestamp: Option<Span>,
    pub(super) members_start: u32,
    pub(super) members_end: u32,
    /// Where the same entry stands in the previous report.
    pub(super) previous: Option<u32>,
}

/// One report, taken apart but not copied.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    pub(super) text: String,
    pub(super) entries: Vec<EntrySpan>,
    pub(super) members: Vec<MemberSpan>,
}

impl Snapshot {
    pub(super) fn members(&self, entry: &EntrySpan) -> &[MemberSpan] {
        self.members.get(entry.members_start as usize..entry.members_end as usize).unwrap_or_default()
    }

    pub(super) fn kind(&self, entry: &EntrySpan) -> &str {
        entry.kind.map_or("", |kind| unquoted(kind.text(&self.text)))
    }

    pub(super) fn short_of(&self, quoted_id: &str) -> Option<u32> {
        self.entries.iter().find(|entry| entry.id.text(&self.text) == quoted_id).map(|entry| entry.short)
    }
}

/// The text inside the quotes.
pub(super) fn unquoted(quoted: &str) -> &str {
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(quoted)
}

/// The first item that fits, looked for at `guess` before anywhere else: reports keep their order as a rule.
pub(super) fn find_from<T>(items: &[T], guess: usize, fits: impl Fn(&T) -> bool) -> Option<usize> {
    if items.get(guess).is_some_and(&fits) { Some(guess) } else { items.iter().position(fits) }
}

/// The newest of the entries' times, as it is written.
pub(super) fn newest_time(snapshot: &Snapshot) -> Option<&str> {
    let mut newest: Option<&str> = None;
    for entry in &snapshot.entries {
        let Some(time) = entry.timestamp.map(|timestamp| timestamp.text(&snapshot.text)) else { continue };
        let is_number = time.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        if is_number && newest.is_none_or(|newest| compare_decimals(time, newest).is_gt()) {
            newest = Some(time);
        }
    }
    newest
}
