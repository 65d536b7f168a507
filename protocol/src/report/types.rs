//! [`Report`] and [`Entry`]: what a decoder holds and hands out. Values stay text until someone asks for a number.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{RawValue, write_string};

use super::members::{Held, Key};

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
        self.entries.get(position(&self.entries, id)?)
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

    /// Puts the entries in their order, new ones behind those that were there.
    pub(super) fn sort(&mut self) {
        self.entries.sort_by_key(Entry::order);
    }
}

/// Where the entry of that id is among entries that are in order.
pub(super) fn position(entries: &[Entry], id: &str) -> Option<usize> {
    match integer_like(id) {
        Some(number) => entries.binary_search_by_key(&u64::from(number), Entry::order).ok(),
        None => entries.iter().position(|entry| entry.number.is_none() && *entry.id == *id),
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
    pub(super) members: Held,
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
    /// That the entry goes.
    Gone,
}

impl Entry {
    /// Its place among the entries, as JavaScript iterates; the same for all that are no array index.
    fn order(&self) -> u64 {
        self.number.map_or(u64::MAX, u64::from)
    }

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
        self.members.get(&Key::of_name(name))
    }

    /// All members but `id`, `type` and `timestamp`.
    pub fn members(&self) -> impl Iterator<Item = (&str, RawValue<'_>)> {
        self.members.iter().map(|member| (member.name(), member.value))
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
        for (name, value) in self.members() {
            out.push(',');
            write_string(out, name);
            out.push(':');
            out.push_str(value.text());
        }
        out.push('}');
    }
}
