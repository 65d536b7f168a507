//! [`ReportEncoder`]: from the text of `JSON.stringify` to a delta, by comparing tokens of text: equal text is an equal
//! value. The previous report is kept as text with the places of its members, so a report costs no allocation per member.

use crate::json::{Kind, RawValue, compare_decimals, write_i64, write_shortest_number};
use crate::tables::{self, Property};

use super::{ReportError, carries_time, is_dropped_member, is_dropped_type};

/// A part of a snapshot's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Where `part` lies in `whole`, of which it is a slice.
    fn of(whole: &str, part: &str) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        Self { start: start as u32, end: (start + part.len()) as u32 }
    }

    fn text(self, whole: &str) -> &str {
        whole.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy)]
struct MemberSpan {
    /// With its quotes.
    name: Span,
    value: Span,
    property: Option<Property>,
    /// The short id that the value stands for, if it names an entry.
    reference: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
struct EntrySpan {
    /// With its quotes.
    id: Span,
    short: u32,
    /// The value of `type`, with its quotes.
    kind: Option<Span>,
    timestamp: Option<Span>,
    members_start: u32,
    members_end: u32,
    /// Where the same entry stands in the previous report.
    previous: Option<u32>,
}

/// One report, taken apart but not copied.
#[derive(Debug, Default)]
struct Snapshot {
    text: String,
    entries: Vec<EntrySpan>,
    members: Vec<MemberSpan>,
}

impl Snapshot {
    fn members(&self, entry: &EntrySpan) -> &[MemberSpan] {
        self.members.get(entry.members_start as usize..entry.members_end as usize).unwrap_or_default()
    }

    fn kind(&self, entry: &EntrySpan) -> &str {
        entry.kind.map_or("", |kind| unquoted(kind.text(&self.text)))
    }

    fn short_of(&self, quoted_id: &str) -> Option<u32> {
        self.entries.iter().find(|entry| entry.id.text(&self.text) == quoted_id).map(|entry| entry.short)
    }
}

/// What has vanished at some time: a report that is sent in full must say so again, because nobody knows which of the
/// reports before it were sent.
#[derive(Debug, Default)]
struct Vanished {
    entries: Vec<u32>,
    /// Entry, member with its quotes, key of the object member with its quotes.
    members: Vec<(u32, String, Option<String>)>,
}

/// Turns the reports of one connection into deltas.
///
/// ```
/// use rtctrace_protocol::report::ReportEncoder;
/// let mut encoder = ReportEncoder::new();
/// let mut delta = String::new();
/// encoder.encode(r#"{"T01":{"id":"T01","timestamp":1000.5,"type":"transport","bytesSent":300000}}"#, &mut delta)?;
/// assert_eq!(delta, r#"{"0":{"type":5,"80":300000},"t":1000.5}"#);
/// # Ok::<(), rtctrace_protocol::report::ReportError>(())
/// ```
#[derive(Debug, Default)]
pub struct ReportEncoder {
    previous: Snapshot,
    current: Snapshot,
    next_short: u32,
    vanished: Vanished,
    full: bool,
}

impl ReportEncoder {
    /// An encoder that has seen no report.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the next report go out in full, because reports that this encoder made were never sent. Whatever of them a
    /// reader saw, it then knows every entry as it is.
    pub fn reset(&mut self) {
        self.full = true;
    }

    /// Appends the delta that leads from the previous report to `report`, the text of
    /// `JSON.stringify(Object.fromEntries(report))`. A `null` member counts as absent.
    ///
    /// # Errors
    /// [`ReportError`] if the text is no report; nothing is appended then and the state stays as it was.
    pub fn encode(&mut self, report: &str, out: &mut String) -> Result<(), ReportError> {
        if report.len() > u32::MAX as usize {
            return Err(ReportError::TooLarge { what: "bytes", limit: u32::MAX as usize });
        }
        let known = self.next_short;
        if let Err(error) = self.take_apart(report) {
            self.next_short = known;
            return Err(error);
        }
        self.write(known, out);
        std::mem::swap(&mut self.previous, &mut self.current);
        self.full = false;
        Ok(())
    }

    /// Fills `current` from the text and ties its entries to those of the previous report.
    fn take_apart(&mut self, report: &str) -> Result<(), ReportError> {
        let Self { previous, current, next_short, .. } = self;
        current.text.clear();
        current.text.push_str(report);
        current.entries.clear();
        current.members.clear();
        let text = current.text.as_str();
        let whole = RawValue::parse(text)?;
        if whole.kind() != Kind::Object {
            return Err(ReportError::NotAnObject);
        }
        let mut entries = whole.members();
        let mut guess = 0;
        while let Some((id, value)) = entries.next_raw() {
            if value.kind() != Kind::Object {
                return Err(ReportError::EntryNotAnObject(unquoted(id).to_owned()));
            }
            let members_start = current.members.len() as u32;
            let found = find_from(&previous.entries, guess, |entry| entry.id.text(&previous.text) == id);
            let before = found.and_then(|at| previous.entries.get(at));
            let old_members = before.map_or(&[][..], |entry| previous.members(entry));
            let (mut kind, mut timestamp, mut old_at) = (None, None, 0);
            let mut members = value.members();
            while let Some((name, value)) = members.next_raw() {
                if value.is_null() {
                    continue;
                }
                match unquoted(name) {
                    "type" => kind = Some(Span::of(text, value.text())),
                    "timestamp" => {
                        timestamp = Some(Span::of(text, value.text()));
                        continue;
                    }
                    dropped if is_dropped_member(dropped) => continue,
                    _ => {}
                }
                // The same member stands in the same place as a rule: then its token need not be looked up again.
                let old = old_members.get(old_at).filter(|old| old.name.text(&previous.text) == name);
                let property = old.map_or_else(|| Property::of_name(unquoted(name)), |old| old.property);
                old_at += 1;
                let name = Span::of(text, name);
                let value = Span::of(text, value.text());
                current.members.push(MemberSpan { name, value, property, reference: None });
            }
            if kind.is_some_and(|kind| is_dropped_type(unquoted(kind.text(text)))) {
                current.members.truncate(members_start as usize);
                continue;
            }
            let short = before.map_or(*next_short, |entry| entry.short);
            if let Some(at) = found {
                guess = at + 1;
            } else {
                *next_short += 1;
            }
            current.entries.push(EntrySpan {
                id: Span::of(text, id),
                short,
                kind,
                timestamp,
                members_start,
                members_end: current.members.len() as u32,
                previous: found.map(|at| at as u32),
            });
        }
        Ok(())
    }

    fn write(&mut self, known: u32, out: &mut String) {
        let gone = self.gone_entries();
        // While the same entries are there, a reference that has not changed stands for the same short id as before.
        let same_entries = known == self.next_short && gone.is_empty();
        self.resolve_references(same_entries);
        let Self { previous, current, vanished, full, .. } = self;
        let time = newest_time(current);
        out.push('{');
        let mut first = true;
        for entry in &current.entries {
            let before = entry.previous.and_then(|at| previous.entries.get(at as usize));
            let (rewind, was_first) = (out.len(), first);
            key(out, &mut first, |out| write_i64(out, i64::from(entry.short)));
            out.push('{');
            let body = out.len();
            let mut writer = EntryWriter { entry, current, previous, vanished, full: *full, first: true };
            writer.members(before, out);
            writer.time(before, time, out);
            if out.len() == body && before.is_some() && !*full {
                out.truncate(rewind);
                first = was_first;
            } else {
                out.push('}');
            }
        }
        vanished.entries.extend_from_slice(&gone);
        let nulls = if *full { vanished.entries.as_slice() } else { gone.as_slice() };
        for short in nulls {
            key(out, &mut first, |out| write_i64(out, i64::from(*short)));
            out.push_str("null");
        }
        if let Some(time) = time {
            key(out, &mut first, |out| out.push('t'));
            out.push_str(time);
        }
        out.push('}');
    }

    /// The short ids of entries that the previous report had and this one has not.
    fn gone_entries(&mut self) -> Vec<u32> {
        let Self { previous, current, vanished, .. } = self;
        let kept = current.entries.iter().filter(|entry| entry.previous.is_some()).count();
        if kept == previous.entries.len() {
            return Vec::new();
        }
        let mut still_there = vec![false; previous.entries.len()];
        for at in current.entries.iter().filter_map(|entry| entry.previous) {
            if let Some(flag) = still_there.get_mut(at as usize) {
                *flag = true;
            }
        }
        let gone = previous.entries.iter().zip(&still_there).filter(|(_, kept)| !**kept).map(|(entry, _)| entry.short);
        let gone: Vec<u32> = gone.collect();
        vanished.members.retain(|(short, ..)| !gone.contains(short));
        gone
    }

    fn resolve_references(&mut self, same_entries: bool) {
        let Self { previous, current, .. } = self;
        for at in 0..current.entries.len() {
            let Some(entry) = current.entries.get(at).copied() else { continue };
            let before = entry.previous.and_then(|at| previous.entries.get(at as usize));
            let old_members = before.map_or(&[][..], |entry| previous.members(entry));
            for (place, member_at) in (entry.members_start as usize..entry.members_end as usize).enumerate() {
                let Some(member) = current.members.get(member_at) else { continue };
                let value = member.value.text(&current.text);
                if !value.starts_with('"') || !unquoted(member.name.text(&current.text)).ends_with("Id") {
                    continue;
                }
                let old = old_members.get(place).filter(|old| {
                    same_entries
                        && old.name.text(&previous.text) == member.name.text(&current.text)
                        && old.value.text(&previous.text) == value
                });
                let reference = old.map_or_else(|| current.short_of(value), |old| old.reference);
                if let Some(member) = current.members.get_mut(member_at) {
                    member.reference = reference;
                }
            }
        }
    }
}

/// Writes what changed of one entry.
struct EntryWriter<'a> {
    entry: &'a EntrySpan,
    current: &'a Snapshot,
    previous: &'a Snapshot,
    vanished: &'a mut Vanished,
    full: bool,
    first: bool,
}

impl EntryWriter<'_> {
    fn members(&mut self, before: Option<&EntrySpan>, out: &mut String) {
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
    fn time(&mut self, before: Option<&EntrySpan>, time: Option<&str>, out: &mut String) {
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

/// The text inside the quotes.
fn unquoted(quoted: &str) -> &str {
    quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(quoted)
}

/// The first item that fits, looked for at `guess` before anywhere else: reports keep their order as a rule.
fn find_from<T>(items: &[T], guess: usize, fits: impl Fn(&T) -> bool) -> Option<usize> {
    if items.get(guess).is_some_and(&fits) { Some(guess) } else { items.iter().position(fits) }
}

/// The newest of the entries' times, as it is written.
fn newest_time(snapshot: &Snapshot) -> Option<&str> {
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

fn key(out: &mut String, first: &mut bool, write: impl FnOnce(&mut String)) {
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
