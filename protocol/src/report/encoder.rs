//! [`ReportEncoder`]: from the text of `JSON.stringify` to a delta, by comparing tokens of text: equal text is an equal
//! value. The previous report is kept as text with the places of its members, so a report costs no allocation per member.

use crate::json::{Kind, RawValue, write_i64};
use crate::tables::Property;

use super::delta::{EntryWriter, Vanished, key};
use super::snapshot::{EntrySpan, MemberSpan, Snapshot, Span, find_from, newest_time, unquoted};
use super::{ReportError, is_dropped_member, is_dropped_type};

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
