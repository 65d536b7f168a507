//! What changed of one entry, as a delta says it: changed members, vanished ones as `null`, and a time of its own where a
//! reader would otherwise take a wrong one.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{Members, Out, RawValue};
use crate::tables::{self, Property};

use super::snapshot::{Entry, Member, NONE, Role, Snapshot, name, span, unquoted, value};

/// What has vanished at some time: a report that is sent in full must say so again, because nobody knows which of the
/// reports before it were sent.
#[derive(Debug, Default)]
pub(super) struct Vanished {
    pub(super) entries: Vec<u32>,
    /// Entry, member with its quotes, key of the object member with its quotes.
    pub(super) members: Vec<(u32, String, Option<String>)>,
}

/// Writes what changed of one entry.
pub(super) struct EntryWriter<'a> {
    /// Of the report.
    pub(super) text: &'a str,
    pub(super) entry: &'a Entry,
    pub(super) members: &'a [Member],
    pub(super) previous: &'a Snapshot,
    /// The entry in the previous report.
    pub(super) before: Option<&'a Entry>,
    pub(super) vanished: &'a mut Vanished,
    pub(super) full: bool,
}

impl<'a> EntryWriter<'a> {
    pub(super) fn members(&mut self, out: &mut Out) {
        for member in self.members {
            if !(member.is_changed || self.full) || member.role >= Role::Time {
                continue;
            }
            match self.text.as_bytes().get(member.value_at()) {
                Some(b'n') => {}
                Some(b'{') => self.object(member, out),
                _ => {
                    if let Some(old) = self.old_object(member)
                        && member.is_changed
                    {
                        self.remember_keys(name(self.text, member), old);
                    }
                    self.name(member, out);
                    write_value(self.text, member, out);
                }
            }
        }
        if self.entry.lost_members {
            self.lost_members(out);
        }
        if self.full {
            self.vanished_members(out);
        }
    }

    /// The members that were there before and are not now.
    fn lost_members(&mut self, out: &mut Out) {
        let previous = self.previous;
        for old in self.before.map_or(&[][..], |entry| previous.members(entry)) {
            let (name, value) = (name(&previous.text, old), value(&previous.text, old));
            if old.role >= Role::Time || value == "null" || self.has_member(name) {
                continue;
            }
            self.remember(name, None);
            if let Some(old) = RawValue::object_at(&previous.text, old.value_at()) {
                self.remember_keys(name, old);
            }
            if !self.full {
                member_name(name, out);
                out.text_of("null");
            }
        }
    }

    /// What an object member adds to the one it had before, key by key; nothing if it adds nothing.
    fn object(&mut self, member: &Member, out: &mut Out) {
        let (text, new_text) = (self.text, value(self.text, member));
        let own_name = name(text, member);
        let new = RawValue::slice(new_text, 0, new_text.len());
        let old = self.old_object(member);
        let rewind = out.len();
        self.name(member, out);
        out.byte(b'{');
        let body = out.len();
        let mut olds = old.unwrap_or(RawValue::EMPTY_OBJECT).members();
        let mut is_aligned = true;
        for_each_member(new, |key, value| {
            // The same keys stand in the same order as a rule.
            let before = match next_member(&mut olds) {
                Some((old_key, before)) if is_aligned && old_key == key => Some(before),
                _ => {
                    is_aligned = false;
                    old.and_then(|old| find_member(old, key))
                }
            };
            if self.full || before != Some(value) {
                out.raw_key(key);
                out.scalar(value.text(), 0, value.text().len());
            }
        });
        if !is_aligned || next_member(&mut olds).is_some() {
            for_each_member(old.unwrap_or(RawValue::EMPTY_OBJECT), |key, _| {
                if find_member(new, key).is_none() {
                    self.remember(own_name, Some(key));
                    if !self.full {
                        out.raw_key(key);
                        out.text_of("null");
                    }
                }
            });
        }
        if self.full {
            for (short, member_name, nested) in &self.vanished.members {
                if let Some(nested) = nested
                    && *short == self.entry.short
                    && member_name == own_name
                    && find_member(new, nested).is_none()
                {
                    out.raw_key(nested);
                    out.text_of("null");
                }
            }
        }
        if out.len() == body && old.is_some() && !self.full {
            out.rewind(rewind);
        } else {
            out.byte(b'}');
        }
    }

    /// In a report that is sent in full: every member that ever vanished and is not there now.
    fn vanished_members(&self, out: &mut Out) {
        for (short, name, nested) in &self.vanished.members {
            if *short == self.entry.short && nested.is_none() && !self.has_member(name) {
                member_name(name, out);
                out.text_of("null");
            }
        }
    }

    /// The entry's own time, where a reader would otherwise get it wrong. `whole` is the report's.
    pub(super) fn time(&self, whole: (u32, u32), out: &mut Out) {
        let own = span(self.text, self.entry.time);
        let whole = span(self.text, whole);
        let carried = self.before.filter(|_| whole.is_empty() || self.entry.carries_time);
        let expected = carried.map_or(whole, |before| span(&self.previous.text, before.time));
        if own != expected || (self.full && carried.is_some()) {
            out.raw_key("\"t\"");
            out.text_of(if own.is_empty() { "null" } else { own });
        }
    }

    fn name(&self, member: &Member, out: &mut Out) {
        match member.property.and_then(Property::token) {
            Some(token) => out.key(u32::from(token)),
            None => out.raw_key(name(self.text, member)),
        }
    }

    fn has_member(&self, quoted: &str) -> bool {
        self.members.iter().any(|member| name(self.text, member) == quoted && value(self.text, member) != "null")
    }

    /// The value that the member had before, if it was an object.
    fn old_object(&self, member: &Member) -> Option<RawValue<'a>> {
        RawValue::object_at(&self.previous.text, member.before as usize)
    }

    /// Remembers the keys of an object member that has vanished or become something else.
    fn remember_keys(&mut self, name: &str, old: RawValue<'_>) {
        for_each_member(old, |key, _| self.remember(name, Some(key)));
    }

    fn remember(&mut self, name: &str, nested: Option<&str>) {
        let short = self.entry.short;
        let same = |known: &&(u32, String, Option<String>)| {
            known.0 == short && known.1 == name && known.2.as_deref() == nested
        };
        if !self.vanished.members.iter().any(|known| same(&known)) {
            self.vanished.members.push((short, name.to_owned(), nested.map(str::to_owned)));
        }
    }
}

/// The next member of an object that is not `null`, its name with its quotes.
fn next_member<'a>(members: &mut Members<'a>) -> Option<(&'a str, RawValue<'a>)> {
    loop {
        let member = members.next_raw()?;
        if !member.1.is_null() {
            return Some(member);
        }
    }
}

fn for_each_member<'a>(object: RawValue<'a>, mut visit: impl FnMut(&'a str, RawValue<'a>)) {
    let mut members = object.members();
    while let Some((name, value)) = next_member(&mut members) {
        visit(name, value);
    }
}

fn find_member<'a>(object: RawValue<'a>, quoted: &str) -> Option<RawValue<'a>> {
    let mut found = None;
    for_each_member(object, |name, value| {
        if name == quoted {
            found = Some(value);
        }
    });
    found
}

fn member_name(quoted: &str, out: &mut Out) {
    match Property::of_name(unquoted(quoted)).and_then(Property::token) {
        Some(token) => out.key(u32::from(token)),
        None => out.raw_key(quoted),
    }
}

fn write_value(text: &str, member: &Member, out: &mut Out) {
    let token = if member.role == Role::Kind { tables::type_token(unquoted(value(text, member))) } else { None };
    if member.reference != NONE {
        out.quoted_number(member.reference);
    } else if let Some(token) = token {
        out.number(u32::from(token));
    } else {
        out.scalar(text, member.value_at(), member.value_at() + member.value as usize);
    }
}
