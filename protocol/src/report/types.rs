//! [`Report`] and [`Entry`]: what a decoder holds and hands out. Values stay text until someone asks for a number.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{RawValue, number, write_string};
use crate::sort::sorted_by;
use crate::tables::{self, Property};

use super::carries_time;
use super::members::{Key, Members, Search};

/// A complete report: every RTCStats object of one `getStats` call.
///
/// The reports of a connection are numbered, so that who has seen one of them need look only at what has changed since.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// In the order in which JavaScript iterates over an object's keys: integer-like ids ascending, then the others as
    /// they came.
    pub(super) entries: Vec<Held>,
    /// What the newest delta removed or made of another type.
    pub(super) gone: Vec<Held>,
    /// The values of all members, among others that have been replaced: a delta's text is appended as it is, and now and then
    /// what nobody refers to any more is left behind.
    pub(super) text: String,
    /// Where the newest delta's text begins among them; 0 where that is not known any more.
    pub(super) newest: usize,
    /// The report's time as it is written; empty before the first one.
    pub(super) time: String,
    /// The same in ms; 0 before the first one.
    pub(super) timestamp: f64,
    pub(super) generation: u64,
    /// The newest generation whose delta had a time.
    pub(super) timed: u64,
    /// See [`Report::reshaped`].
    pub(super) reshaped: u64,
}

impl Report {
    /// The report's time, in ms since the Unix epoch: the newest of its entries' times.
    #[must_use]
    pub fn timestamp(&self) -> f64 {
        self.timestamp
    }

    /// The entries in the order of JavaScript's iteration.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries.iter().map(|held| Entry { report: self, held })
    }

    /// The entry of that id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Entry<'_>> {
        self.at(self.place(id)?)
    }

    /// The place of the entry of that id in the order of [`Report::entries`].
    #[must_use]
    pub fn place(&self, id: &str) -> Option<usize> {
        position(&self.entries, id)
    }

    /// The entry at that place in the order of [`Report::entries`].
    #[must_use]
    pub fn at(&self, place: usize) -> Option<Entry<'_>> {
        Some(Entry { report: self, held: self.entries.get(place)? })
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

    /// The report's number: how many the connection has had, this one included.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The number of the newest report in which an entry came, went, or became of another type, or whose delta named what refers to
    /// an entry or a track (`codecId`, `trackIdentifier`), even if it is what it was. Until the next such report every entry keeps its place and all that.
    #[must_use]
    pub fn reshaped(&self) -> u64 {
        self.reshaped
    }

    /// The entries that a delta named after the report of that number, each with its place. What they say may be what it was.
    pub fn changed_since(&self, generation: u64) -> impl Iterator<Item = (usize, Entry<'_>)> {
        let entries = self.entries.iter().enumerate().filter(move |(_, held)| held.touched > generation);
        entries.map(|(place, held)| (place, Entry { report: self, held }))
    }

    /// The entries that the newest delta removed or made of another type, as they were. (Of an entry that a delta names twice, as none
    /// of a browser does, what it names last may be there already.)
    pub fn gone(&self) -> impl Iterator<Item = Entry<'_>> {
        self.gone.iter().map(|held| Entry { report: self, held })
    }

    /// Appends the report as the JSON object that `JSON.stringify(Object.fromEntries(report))` would give, with the short
    /// ids of the dump as ids and without what never travels.
    pub fn write_json(&self, out: &mut String) {
        out.push('{');
        for (at, entry) in self.entries().enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_string(out, entry.id());
            out.push(':');
            entry.write_json(out);
        }
        out.push('}');
    }

    /// Puts the entries in their order, new ones behind those that were there.
    pub(super) fn sort(&mut self) {
        self.entries = sorted_by(core::mem::take(&mut self.entries), |one, other| one.order().cmp(&other.order()));
    }
}

/// Where the entry of that id is among entries that are in order.
pub(super) fn position(entries: &[Held], id: &str) -> Option<usize> {
    match integer_like(id) {
        Some(number) => numbered(entries, number),
        None => entries.iter().position(|held| held.number.is_none() && *held.id == *id),
    }
}

/// Where the entry is whose id is that array index.
pub(super) fn numbered(entries: &[Held], number: u32) -> Option<usize> {
    // Ids count upwards. While none has gone, each is a place.
    let at = number as usize;
    if entries.get(at).is_some_and(|held| held.number == Some(number)) {
        return Some(at);
    }
    entries.binary_search_by_key(&u64::from(number), Held::order).ok()
}

/// An array index as ECMA-262 defines it: JavaScript iterates over such keys first, in ascending order.
pub(super) fn integer_like(id: &str) -> Option<u32> {
    let canonical = id == "0" || !id.starts_with('0') && !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    canonical.then(|| id.parse().ok()).flatten().filter(|number| *number != u32::MAX)
}

/// A part of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) length: u32,
}

impl Span {
    /// No part of any text, which reads as `null`.
    pub(super) const NULL: Self = Self { start: u32::MAX, length: 4 };

    /// Texts are no longer than numbers of 32 bits can say.
    pub(super) fn between(start: usize, end: usize) -> Self {
        Self { start: start as u32, length: end.saturating_sub(start) as u32 }
    }

    pub(super) fn is_empty(self) -> bool {
        self.length == 0
    }

    pub(super) fn end(self) -> usize {
        self.start as usize + self.length as usize
    }

    pub(super) fn of(self, text: &str) -> Option<&str> {
        text.get(self.start as usize..self.end())
    }

    pub(super) fn value(self, text: &str) -> RawValue<'_> {
        RawValue::slice(text, self.start as usize, self.end())
    }
}

/// The type of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum EntryKind {
    #[default]
    None,
    /// One of the table.
    Known(u8),
    Other(Box<str>),
}

impl EntryKind {
    pub(super) fn of_name(name: &str) -> Self {
        match tables::type_token(name) {
            Some(token) => Self::Known(token),
            None if name.is_empty() => Self::None,
            None => Self::Other(name.into()),
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::None => "",
            Self::Known(token) => tables::type_name(*token).unwrap_or_default(),
            Self::Other(name) => name,
        }
    }
}

/// An entry's own time, as it is written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OwnTime {
    /// Empty if it never had one.
    pub(super) text: Span,
    /// The generation that gave it.
    pub(super) since: u64,
}

/// An entry as a decoder holds it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) number: Option<u32>,
    pub(super) is_gone: bool,
    /// How often a member was appended, or members were given up: each keeps its place until the next time.
    reordered: u32,
    /// Whether its time stays what it was until news come.
    pub(super) carries_time: bool,
    /// The generation in which it came, the newest whose delta named it, and the newest that made it another one.
    pub(super) born: u64,
    pub(super) touched: u64,
    pub(super) changed: u64,
    pub(super) members: Members,
    pub(super) own_time: OwnTime,
    pub(super) kind: EntryKind,
    pub(super) id: Box<str>,
}

impl Held {
    /// `members`: how many it will have, as a rule.
    pub(super) fn new(id: &str, members: usize, generation: u64) -> Self {
        Self {
            number: integer_like(id),
            is_gone: false,
            reordered: 0,
            carries_time: false,
            born: generation,
            touched: generation,
            changed: generation,
            members: Members::with_capacity(members),
            own_time: OwnTime::default(),
            kind: EntryKind::None,
            id: id.into(),
        }
    }

    /// See [`Members::append`].
    pub(super) fn append(&mut self, key: &Key<'_>, search: &mut Search) -> Option<usize> {
        self.reordered = self.reordered.wrapping_add(1);
        self.members.append(key, search)
    }

    /// See [`Members::forget_gone`].
    pub(super) fn forget_gone(&mut self) {
        self.reordered = self.reordered.wrapping_add(1);
        self.members.forget_gone();
    }

    pub(super) fn set_kind(&mut self, kind: EntryKind) {
        self.carries_time = carries_time(kind.name());
        self.kind = kind;
    }

    /// Its place among the entries, as JavaScript iterates; the same for all that are no array index.
    fn order(&self) -> u64 {
        self.number.map_or(u64::MAX, u64::from)
    }

    /// Whether the time that it was given once is still its time. `timed`: the newest generation with a time of all.
    pub(super) fn has_own_time(&self, timed: u64) -> bool {
        !self.own_time.text.is_empty() && (self.carries_time || self.own_time.since >= timed)
    }
}

/// Which members an entry has, and where: the same as long as none came or went. Shapes of different entries say nothing about each
/// other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    /// 0 is that of no entry.
    born: u64,
    reordered: u32,
}

/// One RTCStats object of a report.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'r> {
    report: &'r Report,
    pub(super) held: &'r Held,
}

impl<'r> Entry<'r> {
    /// The entry's id: in a dump the short one, `"0"`, `"1"`, ...
    #[must_use]
    pub fn id(self) -> &'r str {
        &self.held.id
    }

    /// The value of `type`, such as `inbound-rtp`; empty if the entry has none.
    #[must_use]
    pub fn kind(self) -> &'r str {
        self.held.kind.name()
    }

    /// The entry's time, in ms since the Unix epoch.
    #[must_use]
    pub fn timestamp(self) -> f64 {
        self.own_time().and_then(number).unwrap_or(self.report.timestamp)
    }

    /// Whether the entry was not there in the report of that number, or has been away since.
    #[must_use]
    pub fn is_new_since(self, generation: u64) -> bool {
        self.held.born > generation
    }

    /// Whether a delta has named the entry after the report of that number.
    #[must_use]
    pub fn is_changed_since(self, generation: u64) -> bool {
        self.held.touched > generation
    }

    /// Whether the entry came after the report of that number, or has a member or a type since that is another one, or is gone, by its text.
    #[must_use]
    pub fn differs_since(self, generation: u64) -> bool {
        self.held.changed > generation
    }

    /// Which members the entry has, and where.
    #[must_use]
    pub fn shape(self) -> Shape {
        Shape { born: self.held.born, reordered: self.held.reordered }
    }

    #[inline]
    pub(super) fn value_at(self, place: usize) -> Option<RawValue<'r>> {
        self.held.members.at(place, &self.report.text)
    }

    /// The member of that name, which is none of `id`, `type` and `timestamp`.
    #[must_use]
    pub fn member(self, name: &str) -> Option<RawValue<'r>> {
        self.held.members.get(&Key::of_name(name), &self.report.text)
    }

    /// The same under a name that is looked for again and again.
    #[must_use]
    pub fn named(self, name: &MemberName) -> Option<RawValue<'r>> {
        self.held.members.get(&name.0, &self.report.text)
    }

    /// All members but `id`, `type` and `timestamp`.
    pub fn members(self) -> impl Iterator<Item = (&'r str, RawValue<'r>)> {
        self.raw_members().map(|member| (member.name(), member.value))
    }

    /// The same, each with its property, if its name has a token.
    pub fn members_by_property(self) -> impl Iterator<Item = (Option<Property>, &'r str, RawValue<'r>)> {
        self.raw_members().map(|member| (member.property(), member.name(), member.value))
    }

    /// Of the members, each with its place among them, at least those that the newest delta named. All others are what they were in the report
    /// before, as long as the entry's [`Shape`] is that one's.
    pub fn newest_members(self) -> impl Iterator<Item = (usize, &'r str, RawValue<'r>)> {
        self.held
            .members
            .from(self.report.newest, &self.report.text)
            .map(|(at, member)| (at, member.name(), member.value))
    }

    pub(super) fn raw_members(self) -> impl Iterator<Item = super::members::Member<'r>> {
        self.held.members.iter(&self.report.text)
    }

    fn own_time(self) -> Option<&'r str> {
        self.held.has_own_time(self.report.timed).then(|| self.held.own_time.text.value(&self.report.text).text())
    }

    fn write_json(self, out: &mut String) {
        out.push_str("{\"id\":");
        write_string(out, self.id());
        let time = self.own_time().unwrap_or(&self.report.time);
        if !time.is_empty() && time != "null" {
            out.push_str(",\"timestamp\":");
            out.push_str(time);
        }
        if !self.kind().is_empty() {
            out.push_str(",\"type\":");
            write_string(out, self.kind());
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

/// A member's name that is looked for again and again: what it stands for is found once.
#[derive(Debug, Clone)]
pub struct MemberName(Key<'static>);

impl MemberName {
    /// The member of that name.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self(Key::of_name(name))
    }
}
