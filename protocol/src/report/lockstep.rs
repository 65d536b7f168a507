//! Takes a report's text apart beside the text of the report before it: entries and members stand in the same order as a
//! rule, so the two texts are compared word by word, and only where they differ is anything read. What is equal to text that
//! was validated is valid.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use crate::json::{JsonError, JsonErrorKind, common_prefix, scan_string, scan_value};
use crate::tables::Property;

use super::snapshot::{Entry, Member, NONE, Role, Snapshot, find_from, name, part, span, unquoted, value};
use super::{ReportError, carries_time, is_dropped_type};

/// What a report holds beside its entries.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Whole {
    /// The newest of the entries' times, where it is written.
    pub(super) time: (u32, u32),
    /// How many entries the previous report had too.
    pub(super) kept: usize,
}

/// Fills `current`, whose text is set, and ties its entries to those of `previous`. The text is what `JSON.stringify`
/// writes: white space between tokens is refused.
pub(super) fn take_apart(
    previous: &Snapshot,
    current: &mut Snapshot,
    next_short: &mut u32,
) -> Result<Whole, ReportError> {
    current.entries.clear();
    let Snapshot { text, entries, members } = current;
    let bytes = text.as_bytes();
    if !matches!(bytes.first(), Some(b'{')) {
        return Err(ReportError::NotAnObject);
    }
    let mut whole = Whole::default();
    let (mut at, mut guess, mut count) = (1, 0, 0);
    if !matches!(bytes.get(at), Some(b'}')) {
        loop {
            // With the colon and the brace behind it.
            let same_id = |entry: &Entry| {
                let id = part(&previous.text, entry.id.0 as usize, entry.id.1 as usize + 2);
                common_prefix(bytes, at, id.as_bytes(), 0) == id.len()
            };
            let found = find_from(&previous.entries, guess, same_id);
            let before = found.and_then(|found| previous.entries.get(found));
            let id_end = match before {
                Some(entry) => at + entry.id.1 as usize,
                None => scan_string(bytes, at)?,
            };
            expect(bytes, id_end, b':')?;
            if !matches!(bytes.get(id_end + 1), Some(b'{')) {
                scan_value(bytes, id_end + 1)?;
                return Err(ReportError::EntryNotAnObject(unquoted(part(text, at, id_end - at)).to_owned()));
            }
            let id = (at as u32, (id_end - at) as u32);
            let start = count as u32;
            let mut walk = Walk { text, previous, before, lost: 0, kind: None, time: (0, 0), members, count };
            at = walk.members(id_end + 2)?;
            let lost_members = walk.lost > 0;
            count = walk.count;
            let (kind, time) = (walk.kind, walk.time);
            let is_same_kind = kind.is_some_and(|kind| !kind.is_changed);
            let kind = kind.map_or("", |kind| unquoted(value(text, &kind)));
            if !is_same_kind && is_dropped_type(kind) {
                count = start as usize;
            } else {
                let carries_time = match before {
                    Some(before) if is_same_kind => before.carries_time,
                    _ => carries_time(kind),
                };
                let short = match (before, found) {
                    (Some(before), Some(found)) => {
                        guess = found + 1;
                        whole.kept += 1;
                        before.short
                    }
                    _ => {
                        *next_short += 1;
                        *next_short - 1
                    }
                };
                let previous = found.map_or(NONE, |found| found as u32);
                let end = count as u32;
                entries.push(Entry { id, short, time, start, end, previous, carries_time, lost_members });
                if is_later(text, time, whole.time) {
                    whole.time = time;
                }
            }
            match bytes.get(at) {
                Some(b',') => at += 1,
                Some(b'}') => break,
                _ => return Err(unexpected(bytes, at)),
            }
        }
    }
    members.truncate(count);
    if at + 1 != bytes.len() {
        return Err(JsonError { offset: at + 1, kind: JsonErrorKind::Trailing }.into());
    }
    Ok(whole)
}

/// The way through one entry's members.
struct Walk<'a> {
    text: &'a str,
    previous: &'a Snapshot,
    before: Option<&'a Entry>,
    /// How many members of the previous report have not been found yet.
    lost: usize,
    kind: Option<Member>,
    time: (u32, u32),
    members: &'a mut Vec<Member>,
    /// How many of them are there.
    count: usize,
}

impl Walk<'_> {
    /// Reads the members from `at`, behind the opening brace; the offset behind the closing one.
    fn members(&mut self, mut at: usize) -> Result<usize, ReportError> {
        let bytes = self.text.as_bytes();
        let old_text = self.previous.text.as_bytes();
        let old_members = self.before.map_or(&[][..], |entry| self.previous.members(entry));
        self.lost = old_members.len();
        if matches!(bytes.get(at), Some(b'}')) {
            return Ok(at + 1);
        }
        let mut next = 0;
        loop {
            let mut run = match old_members.get(next) {
                Some(old) => common_prefix(bytes, at, old_text, old.at as usize),
                None => 0,
            };
            while let Some(old) = old_members.get(next) {
                let span = old.span();
                if run < span {
                    break;
                }
                let before = old.value_at() as u32;
                self.push(Member { at: at as u32, before, is_changed: false, ..*old });
                // A report that names a member twice finds it twice.
                self.lost = self.lost.saturating_sub(1);
                next += 1;
                at += span;
                run -= span;
                if next == old_members.len() {
                    return Ok(at);
                }
            }
            // The next member differs: in its value, or altogether.
            let member = match old_members.get(next) {
                Some(old) if run > old.name as usize => {
                    next += 1;
                    let value_at = at + old.name as usize + 1;
                    let value = (scan_compact(bytes, value_at)? - value_at) as u32;
                    Member { at: at as u32, value, before: old.value_at() as u32, is_changed: true, ..*old }
                }
                _ => self.other(at, &mut next, old_members)?,
            };
            if member.before != NONE && !matches!(bytes.get(member.value_at()), Some(b'n')) {
                self.lost = self.lost.saturating_sub(1);
            }
            let end = member.value_at() + member.value as usize;
            self.push(member);
            at = end + 1;
            match bytes.get(end) {
                Some(b',') => {}
                Some(b'}') => return Ok(at),
                _ => return Err(unexpected(bytes, end)),
            }
        }
    }

    /// A member that stands in another place than before, or is new.
    fn other(&self, at: usize, next: &mut usize, old_members: &[Member]) -> Result<Member, ReportError> {
        let bytes = self.text.as_bytes();
        let name_end = scan_string(bytes, at)?;
        expect(bytes, name_end, b':')?;
        let value_at = name_end + 1;
        let value_end = scan_compact(bytes, value_at)?;
        let own_name = part(self.text, at, name_end - at);
        let mut member = Member {
            at: at as u32,
            name: own_name.len() as u32,
            value: (value_end - value_at) as u32,
            before: NONE,
            reference: NONE,
            property: None,
            role: Role::Plain,
            is_changed: true,
        };
        match find_from(old_members, *next, |old| name(&self.previous.text, old) == own_name) {
            Some(found) => {
                *next = found + 1;
                if let Some(old) = old_members.get(found) {
                    let Member { reference, property, role, .. } = *old;
                    let is_changed = value(&self.previous.text, old) != value(self.text, &member);
                    member = Member { before: old.value_at() as u32, reference, property, role, is_changed, ..member };
                }
            }
            None => {
                let own_name = unquoted(own_name);
                member.role = Role::of_name(own_name);
                member.property = Property::of_name(own_name);
            }
        }
        Ok(member)
    }

    #[inline(always)]
    fn push(&mut self, member: Member) {
        match member.role {
            Role::Kind => self.kind = Some(member),
            // A `null` is no time.
            Role::Time if !matches!(self.text.as_bytes().get(member.value_at()), Some(b'n')) => {
                self.time = (member.value_at() as u32, member.value);
            }
            _ => {}
        }
        // In the place of a member of the report before the last one, where there is one.
        match self.members.get_mut(self.count) {
            Some(place) => *place = member,
            None => self.members.push(member),
        }
        self.count += 1;
    }
}

/// The offset behind the value at `at`, most often a number without sign and exponent.
fn scan_compact(bytes: &[u8], at: usize) -> Result<usize, JsonError> {
    let (mut end, mut points) = (at, 0);
    while points < 2 {
        match bytes.get(end) {
            Some(b'0'..=b'9') => {}
            Some(b'.') => points += 1,
            Some(b',' | b'}') if end > at && !matches!(bytes.get(end - 1), Some(b'.')) => {
                match (bytes.get(at), bytes.get(at + 1)) {
                    (Some(b'1'..=b'9'), _) | (Some(b'0'), Some(b'.' | b',' | b'}')) => return Ok(end),
                    _ => break,
                }
            }
            _ => break,
        }
        end += 1;
    }
    match bytes.get(at) {
        Some(b' ' | b'\t' | b'\n' | b'\r') => Err(JsonError { offset: at, kind: JsonErrorKind::Unexpected }),
        _ => scan_value(bytes, at),
    }
}

fn expect(bytes: &[u8], at: usize, byte: u8) -> Result<(), ReportError> {
    match bytes.get(at) {
        Some(found) if *found == byte => Ok(()),
        _ => Err(unexpected(bytes, at)),
    }
}

fn unexpected(bytes: &[u8], at: usize) -> ReportError {
    let kind = if at < bytes.len() { JsonErrorKind::Unexpected } else { JsonErrorKind::End };
    JsonError { offset: at, kind }.into()
}

/// Whether the one time is later than the other. Times are positive and have no exponent; another number is no time that
/// others are told by.
fn is_later(text: &str, time: (u32, u32), than: (u32, u32)) -> bool {
    let (time, than) = (span(text, time).as_bytes(), span(text, than).as_bytes());
    if common_prefix(time, 0, than, 0) == time.len() || !time.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.')) {
        return false;
    }
    let integer = |text: &[u8]| text.iter().take_while(|byte| **byte != b'.').count();
    (integer(time), time) > (integer(than), than)
}
