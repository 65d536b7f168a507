//! [`ReportDecoder`]: from deltas back to complete reports.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::json::{Kind, Members, RawValue};
use crate::tables;

use super::short::Text;
use super::types::{Entry, Key, Member, Name, Report, Stamp, integer_like};
use super::{ReportError, carries_time};

/// How much one connection may make a decoder hold.
#[derive(Debug, Clone, Copy)]
pub struct ReportLimits {
    /// Entries of one report. A call with 500 participants has about 6,000.
    pub entries: usize,
    /// Text of the report and what its members cost besides, in bytes.
    pub bytes: usize,
}

impl Default for ReportLimits {
    fn default() -> Self {
        Self { entries: 16_384, bytes: 8 << 20 }
    }
}

/// More members no entry of a browser has.
const MOST_MEMBERS: usize = 128;

/// What a member costs besides its text.
const MEMBER_OVERHEAD: usize = 64;

/// Restores the reports of one connection from their deltas. Values are kept as text, side by side (see `short`).
#[derive(Debug, Default)]
pub struct ReportDecoder {
    report: Report,
    limits: ReportLimits,
    bytes: usize,
}

impl ReportDecoder {
    /// A decoder that has seen no delta, with the usual limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with limits of one's own.
    #[must_use]
    pub fn with_limits(limits: ReportLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The newest report; empty before the first.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// About how much memory the report takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Applies a delta and hands out the complete report.
    ///
    /// # Errors
    /// [`ReportError`] if the value is no delta or would exceed a limit; the report then stays as it was.
    pub fn decode(&mut self, delta: RawValue<'_>) -> Result<&Report, ReportError> {
        let Checked { entries, members, time: new_time } = self.check(delta)?;
        let mut members = members.into_iter();
        // Reports name their entries in the order in which they are kept, so the next one is almost always the one sought.
        let mut guess = 0;
        for (id, count) in entries {
            let guessed = self.report.entries.get(guess).is_some_and(|entry| *entry.id == *id);
            let position = if guessed { Ok(guess) } else { self.report.position(&id) };
            let Some(count) = count else {
                if let Ok(at) = position {
                    let entry = self.report.entries.remove(at);
                    self.bytes = self.bytes.saturating_sub(size_of_entry(&entry));
                }
                continue;
            };
            let (at, is_new) = match position {
                Ok(at) => (at, false),
                Err(at) => {
                    self.bytes += id.len() + MEMBER_OVERHEAD;
                    self.report.entries.insert(at, new_entry(&id, count));
                    (at, true)
                }
            };
            guess = at + 1;
            let Some(entry) = self.report.entries.get_mut(at) else { continue };
            entry.stamp = if is_new { Stamp::New } else { Stamp::Kept };
            apply_members(entry, members.by_ref().take(count), &mut self.bytes);
        }
        self.tell_time(new_time);
        Ok(&self.report)
    }

    /// Gives every entry its time, and the report its own.
    fn tell_time(&mut self, new_time: Option<&str>) {
        let Report { entries, time } = &mut self.report;
        let report_time = new_time.unwrap_or(time).parse().unwrap_or(0.0);
        for entry in entries {
            let stamp = std::mem::replace(&mut entry.stamp, Stamp::Kept);
            match (stamp, new_time) {
                (Stamp::Own, _) | (Stamp::Kept, None) => {}
                (Stamp::New, None) => entry.own_time = Some("null".to_owned()),
                (_, Some(new_time)) if carries_time(&entry.kind) => {
                    if entry.own_time.is_none() {
                        let time = if stamp == Stamp::New { new_time } else { time.as_str() };
                        entry.own_time = Some(time.to_owned());
                    }
                }
                (_, Some(_)) => entry.own_time = None,
            }
            entry.report_time = report_time;
        }
        if let Some(new_time) = new_time {
            time.clear();
            time.push_str(new_time);
        }
    }

    /// Looks at the whole delta before anything is applied, and takes it apart: no byte is looked at again.
    fn check<'a>(&self, delta: RawValue<'a>) -> Result<Checked<'a>, ReportError> {
        if delta.kind() != Kind::Object {
            return Err(ReportError::NotAnObject);
        }
        let (mut count, mut bytes) = (self.report.entries.len(), self.bytes);
        let mut checked = Checked { entries: Vec::with_capacity(32), members: Vec::with_capacity(256), time: None };
        let mut all = delta.members();
        while let Some(id) = all.next_name() {
            let id = unquoted(id);
            if id != "t"
                && let Some(mut members) = all.open()
            {
                let before = checked.members.len();
                while let Some(member) = members.next_raw() {
                    checked.members.push(member);
                }
                let length = all.close(&members);
                let found = checked.members.len() - before;
                count += 1;
                bytes += id.len() + length + MEMBER_OVERHEAD * (1 + found);
                checked.entries.push((id, Some(found)));
                continue;
            }
            let value = all.value();
            match value.kind() {
                Kind::Number if id == "t" && value.as_f64().is_some() => checked.time = Some(value.text()),
                _ if id == "t" => return Err(ReportError::BadTime(value.text().chars().take(40).collect())),
                Kind::Null => checked.entries.push((id, None)),
                _ => return Err(ReportError::EntryNotAnObject(id.chars().take(80).collect())),
            }
        }
        // An estimate, and hardly ever near a limit: only then is it worth the time to count.
        if count > self.limits.entries {
            let is_new =
                |(id, found): &&(Cow<'_, str>, Option<usize>)| found.is_some() && self.report.position(id).is_err();
            if self.report.entries.len() + checked.entries.iter().filter(is_new).count() > self.limits.entries {
                return Err(ReportError::TooLarge { what: "entries", limit: self.limits.entries });
            }
        }
        if bytes > self.limits.bytes {
            return Err(ReportError::TooLarge { what: "bytes", limit: self.limits.bytes });
        }
        Ok(checked)
    }
}

/// A delta that may be applied: its entries by id, with how many members each has, or `None` for one that goes; the members of all
/// of them; and its time.
struct Checked<'a> {
    entries: Vec<(Cow<'a, str>, Option<usize>)>,
    members: Vec<(&'a str, RawValue<'a>)>,
    time: Option<&'a str>,
}

/// The text of a name that is written with its quotes.
fn unquoted(name: &str) -> Cow<'_, str> {
    RawValue::slice(name, 0, name.len()).as_str().unwrap_or_default()
}

/// `members`: how many it will have, as a rule.
fn new_entry(id: &str, members: usize) -> Entry {
    Entry {
        id: id.into(),
        number: integer_like(id),
        kind: String::new(),
        own_time: None,
        report_time: 0.0,
        stamp: Stamp::New,
        members: Vec::with_capacity(members.min(MOST_MEMBERS)),
    }
}

fn size_of_entry(entry: &Entry) -> usize {
    entry.id.len() + MEMBER_OVERHEAD + entry.members.iter().map(size_of_member).sum::<usize>()
}

fn size_of_member(member: &Member) -> usize {
    let name = match &member.name {
        Name::Known(_) => 0,
        Name::Other(name) => name.len(),
    };
    name + member.value.len() + MEMBER_OVERHEAD
}

/// Where the members of an entry are. Deltas name them in the order in which they are kept, so a guess is almost always
/// right and a short search is next. Only a delta with very many members pays for an index: it would take time that
/// grows with the square of its length otherwise.
#[derive(Default)]
struct Places {
    guess: usize,
    searches: usize,
    index: Option<HashMap<Name, usize>>,
}

impl Places {
    /// So many searches through all members are cheaper than an index.
    const SEARCHES: usize = 64;

    fn find(&mut self, members: &[Member], key: &Key<'_>) -> Option<usize> {
        if members.get(self.guess).is_some_and(|member| member.name.is(key)) {
            return Some(self.guess);
        }
        if let Some(index) = &self.index {
            return index.get(&key.name()).copied();
        }
        self.searches += 1;
        if self.searches > Self::SEARCHES {
            let places = members.iter().enumerate().map(|(at, member)| (member.name.clone(), at));
            return self.index.insert(places.collect()).get(&key.name()).copied();
        }
        // What a delta leaves out did not change: the one sought is as a rule a little further on.
        let behind = members.get(self.guess..).unwrap_or_default();
        let found = behind.iter().position(|member| member.name.is(key)).map(|at| self.guess + at);
        found.or_else(|| members.iter().take(self.guess).position(|member| member.name.is(key)))
    }

    /// A member was appended.
    fn added(&mut self, name: &Name, at: usize) {
        if let Some(index) = &mut self.index {
            index.insert(name.clone(), at);
        }
    }
}

/// Applies the members of one entry of a delta.
fn apply_members<'a>(entry: &mut Entry, delta: impl Iterator<Item = (&'a str, RawValue<'a>)>, bytes: &mut usize) {
    let (mut places, mut is_any_gone) = (Places::default(), false);
    for (key, value) in delta {
        let key = unquoted(key);
        match &*key {
            "t" | "timestamp" => {
                entry.own_time = Some(value.text().to_owned());
                entry.stamp = Stamp::Own;
                continue;
            }
            "type" => {
                let known = tables::type_of_token(value).map(Into::into);
                entry.kind = known.or_else(|| value.as_str()).unwrap_or_default().into_owned();
                continue;
            }
            _ => {}
        }
        let key = Key::of(&key);
        if let Some(at) = places.find(&entry.members, &key) {
            places.guess = at + 1;
            let Some(member) = entry.members.get_mut(at) else { continue };
            *bytes = bytes.saturating_sub(member.value.len());
            if value.is_null() {
                // Its place is given up behind the loop, so that those of the others hold until then.
                member.value = Text::EMPTY;
                is_any_gone = true;
            } else {
                set_value(&mut member.value, value);
                *bytes += member.value.len();
            }
        } else if !value.is_null() {
            let mut text = Text::EMPTY;
            set_value(&mut text, value);
            let member = Member { name: key.name(), value: text };
            *bytes += size_of_member(&member);
            places.added(&member.name, entry.members.len());
            entry.members.push(member);
        }
    }
    if is_any_gone {
        entry.members.retain(|member| {
            let is_gone = member.value.is_empty();
            if is_gone {
                *bytes = bytes.saturating_sub(size_of_member(member));
            }
            !is_gone
        });
    }
}

/// Replaces a value, or merges two objects key by key.
fn set_value(text: &mut Text, delta: RawValue<'_>) {
    *text = match delta.kind() {
        Kind::Object => merged(text.as_str(), delta).into(),
        _ => delta.text().into(),
    };
}

fn merged(old: &str, delta: RawValue<'_>) -> String {
    let base = if old.starts_with('{') { RawValue::slice(old, 0, old.len()) } else { RawValue::EMPTY_OBJECT };
    let (old_keys, new_keys) = (Keys::of(base), Keys::of(delta));
    let mut text = String::with_capacity(old.len() + delta.text().len());
    text.push('{');
    let mut members: Members<'_> = base.members();
    while let Some((name, value)) = members.next_raw() {
        match new_keys.get(name) {
            Some(changed) if changed.is_null() => {}
            Some(changed) => push_member(&mut text, name, changed),
            None => push_member(&mut text, name, value),
        }
    }
    let mut members = delta.members();
    while let Some((name, value)) = members.next_raw() {
        if !value.is_null() && old_keys.get(name).is_none() {
            push_member(&mut text, name, value);
        }
    }
    text.push('}');
    text
}

fn push_member(text: &mut String, quoted_name: &str, value: RawValue<'_>) {
    if text.len() > 1 {
        text.push(',');
    }
    text.push_str(quoted_name);
    text.push(':');
    text.push_str(value.text());
}

/// An object whose members are asked for one by one. Those of real reports have three or four; searching a large one
/// again and again would take time that grows with the square of its length.
enum Keys<'a> {
    Few(RawValue<'a>),
    Many(HashMap<&'a str, RawValue<'a>>),
}

impl<'a> Keys<'a> {
    /// Bytes of the longest text that is searched rather than indexed.
    const SHORT: usize = 512;

    fn of(object: RawValue<'a>) -> Self {
        if object.text().len() <= Self::SHORT {
            return Self::Few(object);
        }
        let mut all = HashMap::new();
        let mut members = object.members();
        while let Some((name, value)) = members.next_raw() {
            all.insert(name, value);
        }
        Self::Many(all)
    }

    /// The member whose name is written exactly so; the last one, if it stands there twice.
    fn get(&self, quoted_name: &str) -> Option<RawValue<'a>> {
        let object = match self {
            Self::Few(object) => object,
            Self::Many(all) => return all.get(quoted_name).copied(),
        };
        let mut found = None;
        let mut members = object.members();
        while let Some((name, value)) = members.next_raw() {
            if name == quoted_name {
                found = Some(value);
            }
        }
        found
    }
}
