//! [`Report`] and [`Entry`]: what a decoder holds and hands out. Values stay text until someone asks for a number.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{RawValue, write_string};
use crate::tables::Property;

use super::short::Text;

/// A complete report: every RTCStats object of one `getStats` call.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// In the order in which JavaScript iterates over an object's keys: integer-like ids ascending, then the others as
    /// they came.
    pub(super) entries: Vec<Entry>,
    /// The report's time as it is written; empty before the first one.
    pub(super) time: String,
}

impl Report {
    /// The report's time, in ms since the Unix epoch: the newest of its entries' times.
    #[must_use]
    pub fn timestamp(&self) -> f64 {
        self.time.parse().unwrap_or(0.0)
    }

    /// The entries in the order of JavaScript's iteration.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The entry of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.entries.get(self.position(id).ok()?)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends the report as the JSON object that `JSON.stringify(Object.fromEntries(report))` would give, with the short
    /// ids of the dump as ids and without what never travels.
    pub fn write_json(&self, out: &mut String) {
        out.push('{');
        for (at, entry) in self.entries.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_string(out, &entry.id);
            out.push(':');
            entry.write_json(&self.time, out);
        }
        out.push('}');
    }

    /// Where the entry of that id is, or where it belongs.
    pub(super) fn position(&self, id: &str) -> Result<usize, usize> {
        match integer_like(id) {
            Some(number) => self.entries.binary_search_by(|entry| match entry.number {
                Some(other) => other.cmp(&number),
                None => core::cmp::Ordering::Greater,
            }),
            None => {
                let found = self.entries.iter().position(|entry| entry.number.is_none() && *entry.id == *id);
                found.ok_or(self.entries.len())
            }
        }
    }
}

/// An array index as ECMA-262 defines it: JavaScript iterates over such keys first, in ascending order.
pub(super) fn integer_like(id: &str) -> Option<u32> {
    let canonical = id == "0" || !id.starts_with('0') && !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    canonical.then(|| id.parse().ok()).flatten().filter(|number| *number != u32::MAX)
}

/// One RTCStats object.
#[derive(Debug, Clone)]
pub struct Entry {
    pub(super) id: Box<str>,
    pub(super) number: Option<u32>,
    pub(super) kind: String,
    /// The entry's own time as it is written, `null` if it has none; `None` while it is the report's.
    pub(super) own_time: Option<String>,
    /// The report's time when this entry was last decoded, in ms.
    pub(super) report_time: f64,
    /// Where the delta in hand left the entry's time.
    pub(super) stamp: Stamp,
    pub(super) members: Vec<Member>,
}

/// What the delta that is being applied says about an entry's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// Nothing.
    Kept,
    /// It gave the entry a time of its own.
    Own,
    /// Nothing, and the entry is new.
    New,
}

#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: Name,
    /// JSON.
    pub(super) value: Text,
}

/// A member's name: most have a token and need no text of their own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Known(Property),
    Other(Box<str>),
}

impl Member {
    pub(super) fn raw(&self) -> RawValue<'_> {
        RawValue::slice(self.value.as_str(), 0, self.value.len())
    }
}

impl Name {
    pub(super) fn text(&self) -> &str {
        match self {
            Name::Known(property) => property.name(),
            Name::Other(name) => name,
        }
    }

    pub(super) fn is(&self, key: &Key<'_>) -> bool {
        match (self, key) {
            (Name::Known(property), Key::Known(key)) => property == key,
            (Name::Other(name), Key::Other(key)) => **name == **key,
            _ => false,
        }
    }
}

/// The name behind a delta's key, looked up once.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key<'a> {
    Known(Property),
    Other(&'a str),
}

impl<'a> Key<'a> {
    pub(super) fn of(key: &'a str) -> Self {
        match Property::of_token(key).or_else(|| Property::of_name(key)) {
            Some(property) => Key::Known(property),
            None => Key::Other(key),
        }
    }

    pub(super) fn name(&self) -> Name {
        match *self {
            Key::Known(property) => Name::Known(property),
            Key::Other(key) => Name::Other(key.into()),
        }
    }
}

impl Entry {
    /// The entry's id: in a dump the short one, `"0"`, `"1"`, ...
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The value of `type`, such as `inbound-rtp`; empty if the entry has none.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The entry's time, in ms since the Unix epoch.
    #[must_use]
    pub fn timestamp(&self) -> f64 {
        self.own_time.as_ref().and_then(|time| time.parse().ok()).unwrap_or(self.report_time)
    }

    /// The member of that name, which is none of `id`, `type` and `timestamp`.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<RawValue<'_>> {
        let known = Property::of_name(name);
        let fits = |member: &&Member| match (&member.name, known) {
            (Name::Known(property), Some(known)) => *property == known,
            (Name::Other(other), None) => **other == *name,
            _ => false,
        };
        self.members.iter().find(fits).map(|member| member.raw())
    }

    /// All members but `id`, `type` and `timestamp`.
    pub fn members(&self) -> impl Iterator<Item = (&str, RawValue<'_>)> {
        self.members.iter().map(|member| (member.name.text(), member.raw()))
    }

    fn write_json(&self, report_time: &str, out: &mut String) {
        out.push_str("{\"id\":");
        write_string(out, &self.id);
        let time = self.own_time.as_deref().unwrap_or(report_time);
        if !time.is_empty() && time != "null" {
            out.push_str(",\"timestamp\":");
            out.push_str(time);
        }
        if !self.kind.is_empty() {
            out.push_str(",\"type\":");
            write_string(out, &self.kind);
        }
        for member in &self.members {
            out.push(',');
            write_string(out, member.name.text());
            out.push(':');
            out.push_str(member.value.as_str());
        }
        out.push('}');
    }
}
