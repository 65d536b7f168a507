//! One report taken apart: its text, and where in it the entries and their members are. Nothing is copied out of it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::tables::Property;

use super::is_dropped_member;

/// No short id, no place.
pub(super) const NONE: u32 = u32::MAX;

/// What a member's name says about how it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// As it is.
    Plain,
    /// Its name ends in `Id`: a string may name an entry.
    Reference,
    /// `type`.
    Kind,
    /// `timestamp`.
    Time,
    /// Not at all.
    Dropped,
}

impl Role {
    pub(super) fn of_name(name: &str) -> Self {
        match name {
            "type" => Self::Kind,
            "timestamp" => Self::Time,
            _ if is_dropped_member(name) => Self::Dropped,
            _ if name.ends_with("Id") => Self::Reference,
            _ => Self::Plain,
        }
    }
}

/// One member: `"name":value` at `at`, with a comma or a brace behind it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) at: u32,
    /// Length of the name with its quotes.
    pub(super) name: u32,
    /// Length of the value.
    pub(super) value: u32,
    /// Where the value of the same member begins in the previous report's text; `NONE` if it was not there.
    pub(super) before: u32,
    /// The short id that the value stands for, if it names an entry.
    pub(super) reference: u32,
    pub(super) property: Option<Property>,
    pub(super) role: Role,
    /// Whether the text of the value differs from the previous one.
    pub(super) is_changed: bool,
}

impl Member {
    #[inline(always)]
    pub(super) fn value_at(&self) -> usize {
        self.at as usize + self.name as usize + 1
    }

    /// From the name to the comma or brace behind the value, that one included.
    #[inline(always)]
    pub(super) fn span(&self) -> usize {
        self.name as usize + self.value as usize + 2
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Where the id is, with its quotes, and its length.
    pub(super) id: (u32, u32),
    pub(super) short: u32,
    /// The time as it is written, and its length; length 0 if there is none.
    pub(super) time: (u32, u32),
    /// Its members.
    pub(super) start: u32,
    pub(super) end: u32,
    /// Where the same entry stands in the previous report, or `NONE`.
    pub(super) previous: u32,
    /// Whether its time stays what it was until news come.
    pub(super) carries_time: bool,
    /// Whether some member of the previous report is not there any more.
    pub(super) lost_members: bool,
}

/// One report, taken apart but not copied.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    pub(super) text: String,
    pub(super) entries: Vec<Entry>,
    pub(super) members: Vec<Member>,
}

impl Snapshot {
    pub(super) fn members(&self, entry: &Entry) -> &[Member] {
        self.members.get(entry.start as usize..entry.end as usize).unwrap_or_default()
    }

    pub(super) fn entry(&self, at: u32) -> Option<&Entry> {
        self.entries.get(at as usize)
    }
}

/// A part of a text.
#[inline(always)]
pub(super) fn part(text: &str, at: usize, length: usize) -> &str {
    text.get(at..at.wrapping_add(length)).unwrap_or_default()
}

pub(super) fn span(text: &str, (at, length): (u32, u32)) -> &str {
    part(text, at as usize, length as usize)
}

pub(super) fn name<'a>(text: &'a str, member: &Member) -> &'a str {
    part(text, member.at as usize, member.name as usize)
}

pub(super) fn value<'a>(text: &'a str, member: &Member) -> &'a str {
    part(text, member.value_at(), member.value as usize)
}

/// The text inside the quotes.
pub(super) fn unquoted(quoted: &str) -> &str {
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default()
}

/// The first item that fits, looked for at `guess` before anywhere else: reports keep their order as a rule.
pub(super) fn find_from<T>(items: &[T], guess: usize, fits: impl Fn(&T) -> bool) -> Option<usize> {
    if items.get(guess).is_some_and(&fits) { Some(guess) } else { items.iter().position(fits) }
}
