//! What changed of one entry, as a delta says it: changed members, vanished ones as `null`, and a time of its own where a
//! reader would otherwise take a wrong one.

use crate::json::{RawValue, write_i64, write_shortest_number};
use crate::tables::{self, Property};

use super::carries_time;
use super::snapshot::{EntrySpan, MemberSpan, Snapshot, find_from, unquoted};

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
    pub(super) entry: &'a EntrySpan,
    pub(super) current: &'a Snapshot,
    pub(super) previous: &'a Snapshot,
    pub(super) vanished: &'a mut Vanished,
    pub(super) full: bool,
    pub(super) first: bool,
}

impl EntryWriter<'_> {
    pub(super) fn members(&mut self, before: Option<&EntrySpan>, out: &mut String) {
        let (current, previous) = (self.current, self.previous);
        let old_members = before.map_or(&[][..], |entry| previous.members(entry));
        let mut guess = 0;
        let mut matched = 0;
        for member in current.members(self.entry) {
            let name = member.name.text(&current.text);
            let found = find_from(old_members, guess, |old| old.name.text(&previous.text) == name);
            let value = member.value.text(&current.text);
            let old = found.and_then(|at| old_members.get(at));
            if let Some(at) = found {
                guess = at + 1;
                matched += 1;
            }
            let old_value = old.map_or("", |old| old.value.text(&previous.text));
            if value.starts_with('{') {
                self.object(member, value, old_value, out);
                continue;
            }
            self.remember_keys(name, old_value);
            if self.full || old_value != value || old.is_some_and(|old| old.reference != member.reference) {
                self.name(member, out);
                write_value(member, name, value, out);
            }
        }
        if matched < old_members.len() {
            for old in old_members {
                let name = old.name.text(&previous.text);
                if self.has_member(name) {
                    continue;
                }
                self.remember(name, None);
                self.remember_keys(name, old.value.text(&previous.text));
                if !self.full {
                    self.member_name(name, old.property, out);
                    out.push_str("null");
                }
            }
        }
        if self.full {
            self.vanished_members(out);
        }
    }

    /// What an object member adds to the one it had before, key by key; nothing if the two are equal.
    fn object(&mut self, member: &MemberSpan, new_text: &str, old_text: &str, out: &mut String) {
        if new_text == old_text && !self.full {
            return;
        }
        let name = member.name.text(&self.current.text);
        let had_object = old_text.starts_with('{');
        let new = RawValue::slice(new_text, 0, new_text.len());
        let old = RawValue::slice(old_text, 0, old_text.len());
        let (rewind, was_first) = (out.len(), self.first);
        self.name(member, out);
        out.push('{');
        let body = out.len();
        let mut first = true;
        for_each_member(new, |key_text, value| {
            if self.full || find_member(old, key_text) != Some(value) {
                raw_key(out, &mut first, key_text);
                write_scalar(value.text(), out);
            }
        });
        for_each_member(old, |key_text, _| {
            if find_member(new, key_text).is_none() {
                self.remember(name, Some(key_text));
                if !self.full {
                    raw_key(out, &mut first, key_text);
                    out.push_str("null");
                }
            }
        });
        if self.full {
            for (short, member_name, nested) in &self.vanished.members {
                if let Some(nested) = nested
                    && *short == self.entry.short
                    && member_name == name
                    && find_member(new, nested).is_none()
                {
                    raw_key(out, &mut first, nested);
                    out.push_str("null");
                }
            }
        }
        if out.len() == body && had_object && !self.full {
            out.truncate(rewind);
            self.first = was_first;
        } else {
            out.push('}');
        }
    }

    /// In a report that is sent in full: every member that ever vanished and is not there now.
    fn vanished_members(&mut self, out: &mut String) {
        let names: Vec<String> = self
            .vanished
            .members
            .iter()
            .filter(|(short, _, nested)| *short == self.entry.short && nested.is_none())
            .map(|(_, name, _)| name.clone())
            .collect();
        for name in names {
            if !self.has_member(&name) {
                self.member_name(&name, Property::of_name(unquoted(&name)), out);
                out.push_str("null");
            }
        }
    }

    /// The entry's own time, where a reader would otherwise get it wrong.
    pub(super) fn time(&mut self, before: Option<&EntrySpan>, time: Option<&str>, out: &mut String) {
        let (current, previous) = (self.current, self.previous);
        let own = self.entry.timestamp.map(|timestamp| timestamp.text(&current.text));
        let old = before.and_then(|entry| entry.timestamp).map(|timestamp| timestamp.text(&previous.text));
        let carried = before.is_some() && (time.is_none() || carries_time(current.kind(self.entry)));
        let expected = if carried { old } else { time };
        if own == expected && !(self.full && carried) {
            return;
        }
        key(out, &mut self.first, |out| out.push('t'));
        out.push_str(own.unwrap_or("null"));
    }

    fn name(&mut self, member: &MemberSpan, out: &mut String) {
        self.member_name(member.name.text(&self.current.text), member.property, out);
    }

    fn member_name(&mut self, quoted: &str, property: Option<Property>, out: &mut String) {
        match property.and_then(Property::token) {
            Some(token) => key(out, &mut self.first, |out| write_i64(out, i64::from(token))),
            None => raw_key(out, &mut self.first, quoted),
        }
    }

    fn has_member(&self, quoted: &str) -> bool {
        let current = self.current;
        current.members(self.entry).iter().any(|member| member.name.text(&current.text) == quoted)
    }

    /// Remembers the keys of an object member that has vanished or become something else.
    fn remember_keys(&mut self, name: &str, old_text: &str) {
        if old_text.starts_with('{') {
            let old = RawValue::slice(old_text, 0, old_text.len());
            for_each_member(old, |key_text, _| self.remember(name, Some(key_text)));
        }
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

/// The members of an object that are not `null`, names with their quotes.
fn for_each_member<'a>(object: RawValue<'a>, mut visit: impl FnMut(&'a str, RawValue<'a>)) {
    let mut members = object.members();
    while let Some((name, value)) = members.next_raw() {
        if !value.is_null() {
            visit(name, value);
        }
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

fn comma(out: &mut String, first: &mut bool) {
    if !std::mem::replace(first, false) {
        out.push(',');
    }
}

pub(super) fn key(out: &mut String, first: &mut bool, write: impl FnOnce(&mut String)) {
    comma(out, first);
    out.push('"');
    write(out);
    out.push_str("\":");
}

fn raw_key(out: &mut String, first: &mut bool, quoted: &str) {
    comma(out, first);
    out.push_str(quoted);
    out.push(':');
}

fn write_value(member: &MemberSpan, name: &str, value: &str, out: &mut String) {
    if let Some(short) = member.reference {
        out.push('"');
        write_i64(out, i64::from(short));
        out.push('"');
    } else if name == "\"type\""
        && let Some(token) = tables::type_token(unquoted(value))
    {
        write_i64(out, i64::from(token));
    } else {
        write_scalar(value, out);
    }
}

fn write_scalar(value: &str, out: &mut String) {
    if value.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        write_shortest_number(out, value);
    } else {
        out.push_str(value);
    }
}
