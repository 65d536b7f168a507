//! [`ReportDecoder`]: from deltas back to complete reports.

use std::collections::HashMap;

use crate::json::{Kind, RawValue};
use crate::tables;

use super::ReportError;
use super::members::{Key, MEMBER_OVERHEAD, Search as MemberSearch};
use super::merge::merge;
use super::take::{Cursor, Taken, TakenEntry, TakenMember, TakenName, unquoted};
use super::types::{EntryKind, Held, OwnTime, Report, Span, numbered, position};

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

/// The longest text of a time. JavaScript writes numbers with 25 bytes at most.
const LONGEST_TIME: usize = 32;

/// Bytes of an entry's type. A longer one keeps its beginning.
const LONGEST_TYPE: usize = 64;

/// What an entry costs besides its id and its members.
const ENTRY_OVERHEAD: usize = size_of::<Held>() + LONGEST_TIME + LONGEST_TYPE;

/// So much text that nobody refers to any more may stand between that of the report, for each byte of the latter and besides. More
/// saves time, less saves memory.
pub(super) const GARBAGE: (usize, usize) = (2, 16_384);

/// No report of a browser comes near it. A place in a text has 32 bits.
const LONGEST_TEXT: usize = 1 << 30;

/// Restores the reports of one connection from their deltas. Values are kept as text, in the deltas that brought them.
#[derive(Debug, Default)]
pub struct ReportDecoder {
    report: Report,
    limits: ReportLimits,
    /// What the entries take, their text apart.
    overhead: usize,
    /// The same of those that have just gone.
    gone: usize,
    /// Bytes of the report's text that something refers to.
    live: usize,
    /// How long the text has ever been.
    #[cfg(test)]
    pub(super) longest: usize,
    /// How much was copied by compaction.
    #[cfg(test)]
    pub(super) copied: usize,
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

    /// About how much memory the report takes, in bytes: what it says, what the newest delta removed, and the text that it has left
    /// behind, which is at most twice its own and 16 KiB. [`ReportDecoder::give_up_garbage`] leaves only the first.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.overhead + self.gone + self.report.text.len()
    }

    /// The same without what it has left behind.
    #[must_use]
    pub fn needed_bytes(&self) -> usize {
        self.overhead + self.live
    }

    /// Gives up what nobody can ask for, and what the newest delta removed. It takes the time of copying the report, if there is any.
    pub fn give_up_garbage(&mut self) {
        self.forget_gone();
        if self.report.text.len() > self.live {
            self.compact(0);
        }
    }

    /// Applies a delta and hands out the complete report.
    ///
    /// # Errors
    /// [`ReportError`] if the value is no delta or would exceed a limit; the report then stays as it was.
    pub fn decode(&mut self, delta: RawValue<'_>) -> Result<&Report, ReportError> {
        let taken = self.take(delta)?;
        if self.longest_text(delta.text()) > LONGEST_TEXT {
            self.compact(0);
            if self.longest_text(delta.text()) > LONGEST_TEXT {
                return Err(ReportError::TooLarge { what: "bytes", limit: self.limits.bytes.min(LONGEST_TEXT) });
            }
        }
        self.make_room(if taken.members.is_empty() { 0 } else { delta.text().len() });
        let base = self.report.text.len();
        if !taken.members.is_empty() {
            self.report.text.push_str(delta.text());
        }
        self.report.generation += 1;
        self.apply(delta.text(), base, &taken);
        #[cfg(test)]
        {
            self.longest = self.longest.max(self.report.text.len());
        }
        if let Some((text, time)) = taken.time {
            self.report.time.clear();
            self.report.time.push_str(text.of(delta.text()).unwrap_or_default());
            self.report.timestamp = time;
        }
        taken.leave_room();
        if self.report.text.len() > self.most_text() {
            self.compact(step(self.live));
        }
        Ok(&self.report)
    }

    fn apply(&mut self, delta: &str, base: usize, taken: &Taken) {
        let generation = self.report.generation;
        let timed_before = self.report.timed;
        if taken.time.is_some() {
            self.report.timed = generation;
        }
        let mut members = taken.members.as_slice();
        let mut search = Search::over(&self.report);
        let mut again = None;
        let (mut is_any_gone, mut is_reshaped) = (false, taken.has_references);
        for entry in &taken.entries {
            let found = search.find(&self.report.entries, delta, entry);
            let Some(count) = entry.members else {
                if let Some(held) = found.and_then(|at| self.report.entries.get_mut(at)) {
                    self.overhead = self.overhead.saturating_sub(size_of_entry(held));
                    self.gone += held.members.bytes();
                    held.is_gone = true;
                    is_any_gone = true;
                }
                continue;
            };
            let count = count as usize;
            let (own, rest) = members.split_at_checked(count).unwrap_or((members, &[]));
            members = rest;
            let at = found.unwrap_or_else(|| {
                let id = unquoted(entry.id.of(delta).unwrap_or_default());
                let at = self.report.entries.len();
                self.overhead += id.len() + ENTRY_OVERHEAD;
                search.added(&id, at);
                self.report.entries.push(Held::new(&id, count.min(MOST_MEMBERS), generation));
                at
            });
            search.guess = at + 1;
            let Report { entries, gone, text, time, .. } = &mut self.report;
            let Some(held) = entries.get_mut(at) else { continue };
            let before = held.members.bytes();
            let (had_own_time, carried_time) = (held.has_own_time(timed_before), held.carries_time);
            let is_again = found.is_some() && held.touched == generation;
            if taken.has_types && held.touched < generation && has_other_type(held, delta, own) {
                self.gone += size_of_entry(held);
                gone.push(held.clone());
            }
            held.touched = generation;
            let mut change =
                Change { delta, base, generation, text, live: &mut self.live, is_reshaped: &mut is_reshaped };
            if is_again {
                again.get_or_insert_with(Again::default).apply(at, held, &mut change, own);
            } else if change.apply(held, own, &mut MemberSearch::default()) {
                held.forget_gone();
            }
            self.overhead = (self.overhead + held.members.bytes()).saturating_sub(before);
            // Its own time, where the delta does not give one.
            if held.own_time.since == generation {
                continue;
            }
            let new_text = taken.time.and_then(|(text, _)| text.of(delta));
            let (frozen, since) = match (held.born == generation, new_text) {
                (true, None) => (None, generation),
                (true, Some(new_time)) if held.carries_time => (Some(new_time), generation),
                (true, Some(_)) => continue,
                (false, _) if held.carries_time && !carried_time && !had_own_time => {
                    (Some(time.as_str()), generation.saturating_sub(1))
                }
                (false, None) if carried_time && !held.carries_time && had_own_time => {
                    held.own_time.since = generation;
                    continue;
                }
                _ => continue,
            };
            let span = match frozen {
                Some(time) => {
                    let start = text.len();
                    text.push_str(time);
                    self.live += time.len();
                    Span::between(start, text.len())
                }
                None => Span::NULL,
            };
            self.live = self.live.saturating_sub(size_of_time(held));
            held.own_time = OwnTime { text: span, since };
        }
        if let Some(again) = again {
            let (less, less_gone) = again.forget_gone(&mut self.report.entries);
            (self.overhead, self.gone) = (self.overhead.saturating_sub(less), self.gone.saturating_sub(less_gone));
        }
        let is_any_new = !search.added.is_empty();
        if is_any_gone || is_any_new || is_reshaped {
            self.reshape(is_any_gone, is_any_new);
        }
    }

    /// Entries came, went, became of another type, or refer to others than before.
    fn reshape(&mut self, is_any_gone: bool, is_any_new: bool) {
        let Report { entries, gone, generation, reshaped, .. } = &mut self.report;
        *reshaped = *generation;
        if is_any_gone {
            // What is there already stays an entry, of another type: its text is needed.
            let others = gone.len();
            gone.extend(entries.extract_if(.., |held| held.is_gone));
            for held in gone.iter().skip(others) {
                let values = held.members.values().iter().map(|value| value.length as usize);
                self.live = self.live.saturating_sub(values.sum::<usize>() + size_of_time(held));
            }
        }
        if is_any_new {
            self.report.sort();
        }
    }

    fn forget_gone(&mut self) {
        if !self.report.gone.is_empty() {
            self.report.gone = Vec::new();
            self.gone = 0;
        }
    }

    /// Makes room for so much more text, and gives up what is needed no more.
    fn make_room(&mut self, more: usize) {
        self.forget_gone();
        let length = self.report.text.len();
        if length > self.live && length + more > self.most_text() {
            self.compact(more);
        } else {
            reserve(&mut self.report.text, more);
        }
    }

    /// How long the text can become by this delta: its own text, of each value at most what it was and what it becomes, and times.
    fn longest_text(&self, delta: &str) -> usize {
        (self.report.text.len() + self.live).saturating_add(delta.len().saturating_mul(5))
    }

    /// How long the text may become before it is compacted. An eighth of what is needed may stand beside it even where the limit is
    /// near: what arrives between one compaction and the next is in proportion to what the latter copies.
    fn most_text(&self) -> usize {
        let slack = self.needed_bytes() / 8;
        let most = self.limits.bytes.saturating_sub(self.overhead).max(self.live) + slack;
        (self.live + self.live * GARBAGE.0 + GARBAGE.1).min(most)
    }

    /// Leaves behind what nobody refers to any more. `more`: what will be appended next.
    fn compact(&mut self, more: usize) {
        #[cfg(test)]
        {
            self.copied += self.live;
        }
        let mut text = String::with_capacity((self.live + more).min(LONGEST_TEXT));
        let Report { entries, gone, text: old, timed, .. } = &mut self.report;
        let mut moved = |span: &mut Span| {
            let start = text.len();
            if *span != Span::NULL {
                text.push_str(span.of(old).unwrap_or("null"));
                *span = Span::between(start, text.len());
            }
        };
        let mut gone_bytes = 0;
        for (held, is_gone) in
            entries.iter_mut().map(|held| (held, false)).chain(gone.iter_mut().map(|held| (held, true)))
        {
            if !held.has_own_time(*timed) {
                held.own_time = OwnTime::default();
            }
            if !held.own_time.text.is_empty() {
                moved(&mut held.own_time.text);
            }
            held.members.values_mut().iter_mut().for_each(&mut moved);
            if is_gone {
                gone_bytes += held.members.values().iter().map(|value| value.length as usize).sum::<usize>();
                gone_bytes += size_of_time(held);
            }
        }
        self.live = text.len().saturating_sub(gone_bytes);
        self.report.text = text;
    }

    /// Looks at the whole delta before anything is applied, and takes it apart.
    fn take(&self, delta: RawValue<'_>) -> Result<Taken, ReportError> {
        let text = delta.text();
        if delta.kind() != Kind::Object {
            return Err(ReportError::NotAnObject);
        }
        if text.len() > LONGEST_TEXT {
            return Err(ReportError::TooLarge { what: "bytes", limit: self.limits.bytes.min(LONGEST_TEXT) });
        }
        let (mut count, mut bytes) = (self.report.entries.len(), self.overhead + self.live);
        let mut taken = Taken::with_room();
        let mut all = Cursor::inside(text);
        while let Some((id, number)) = all.next_id() {
            let is_time = number.is_none() && unquoted(all.part(id)) == "t";
            if !is_time && all.first() == b'{' {
                let (before, start) = (taken.members.len(), all.at());
                all.take_members(&mut taken);
                let members = taken.members.len() - before;
                count += 1;
                bytes += id.length as usize + all.at() - start + ENTRY_OVERHEAD + MEMBER_OVERHEAD * members;
                taken.entries.push(TakenEntry { id, number, members: Some(members as u32) });
                if bytes > self.limits.bytes {
                    return Err(ReportError::TooLarge { what: "bytes", limit: self.limits.bytes });
                }
                continue;
            }
            let span = all.next_value();
            let value = all.value(span);
            if is_time {
                let Some(time) = time_of(value) else {
                    return Err(ReportError::BadTime(value.text().chars().take(40).collect()));
                };
                taken.time = Some((span, time));
            } else if value.is_null() {
                taken.entries.push(TakenEntry { id, number, members: None });
            } else {
                let id = unquoted(all.part(id));
                return Err(ReportError::EntryNotAnObject(id.chars().take(80).collect()));
            }
        }
        // A real delta names an entry once.
        if taken.entries.len() > self.limits.entries.saturating_mul(2) {
            return Err(ReportError::TooLarge { what: "entries", limit: self.limits.entries });
        }
        // An estimate, and hardly ever near a limit: only then is it worth the time to count.
        if count > self.limits.entries {
            let mut search = Search::over(&self.report);
            let is_new = |entry: &&TakenEntry| {
                entry.members.is_some() && search.find(&self.report.entries, text, entry).is_none()
            };
            if self.report.entries.len() + taken.entries.iter().filter(is_new).count() > self.limits.entries {
                return Err(ReportError::TooLarge { what: "entries", limit: self.limits.entries });
            }
        }
        Ok(taken)
    }
}

/// A time in ms that is written as it may be kept.
fn time_of(value: RawValue<'_>) -> Option<f64> {
    if value.text().len() <= LONGEST_TIME { value.as_f64() } else { None }
}

/// Where the entries of a report are. Deltas name them in the order in which they are kept, so the next one is almost always the
/// one sought. Entries that are new wait behind the others until the end, when all are put in order at once.
struct Search {
    guess: usize,
    sorted: usize,
    added: HashMap<Box<str>, usize>,
    misses: usize,
    index: Option<HashMap<Box<str>, usize>>,
}

impl Search {
    /// So many searches through all entries are cheaper than an index.
    const MISSES: usize = 64;

    fn over(report: &Report) -> Self {
        Self { guess: 0, sorted: report.entries.len(), added: HashMap::new(), misses: 0, index: None }
    }

    /// `delta`: the text that names the entry.
    fn find(&mut self, entries: &[Held], delta: &str, entry: &TakenEntry) -> Option<usize> {
        let stays = |at: &usize| entries.get(*at).is_some_and(|held| !held.is_gone);
        let sorted = entries.get(..self.sorted).unwrap_or_default();
        if self.added.is_empty()
            && let Some(number) = entry.number
        {
            return numbered(sorted, number).filter(stays);
        }
        let id = unquoted(entry.id.of(delta).unwrap_or_default());
        if let Some(at) = self.added.get(&*id) {
            return Some(*at).filter(stays);
        }
        if let Some(number) = entry.number {
            return numbered(sorted, number).filter(stays);
        }
        if sorted.get(self.guess).is_some_and(|held| *held.id == *id) {
            return Some(self.guess).filter(stays);
        }
        if let Some(index) = &self.index {
            return index.get(&*id).copied().filter(stays);
        }
        self.misses += 1;
        if self.misses > Self::MISSES {
            let ids = sorted.iter().enumerate().map(|(at, held)| (held.id.clone(), at));
            return self.index.insert(ids.collect()).get(&*id).copied().filter(stays);
        }
        position(sorted, &id).filter(stays)
    }

    /// An entry is new.
    fn added(&mut self, id: &str, at: usize) {
        self.added.insert(id.into(), at);
    }
}

/// Entries that a delta names again, as none of a browser does: what would be done once for each entry is not done each time.
#[derive(Default)]
struct Again {
    /// By the place of an entry: where its members are, and whether some are gone.
    entries: HashMap<usize, (MemberSearch, bool)>,
}

impl Again {
    #[cold]
    fn apply(&mut self, at: usize, held: &mut Held, change: &mut Change<'_>, own: &[TakenMember]) {
        let (search, is_any_gone) = self.entries.entry(at).or_default();
        *is_any_gone |= change.apply(held, own, search);
    }

    /// Gives up the members without a value. How much less the entries take then, and those that are gone.
    fn forget_gone(self, entries: &mut [Held]) -> (usize, usize) {
        let (mut less, mut less_gone) = (0, 0);
        for (at, (_, is_any_gone)) in self.entries {
            let Some(held) = entries.get_mut(at).filter(|_| is_any_gone) else { continue };
            let before = held.members.bytes();
            held.forget_gone();
            let saved = before.saturating_sub(held.members.bytes());
            *if held.is_gone { &mut less_gone } else { &mut less } += saved;
        }
        (less, less_gone)
    }
}

/// By how much the room of such a text grows at least.
fn step(length: usize) -> usize {
    length / 4 + 2048
}

/// Makes room for so much more: not much more than is asked for, so that what is counted is about what is held, and enough that
/// the text is seldom copied.
fn reserve(text: &mut String, more: usize) {
    if text.capacity() < text.len() + more {
        text.reserve_exact(more.max(step(text.len())));
    }
}

fn size_of_entry(held: &Held) -> usize {
    held.id.len() + ENTRY_OVERHEAD + held.members.bytes()
}

fn size_of_time(held: &Held) -> usize {
    if held.own_time.text == Span::NULL { 0 } else { held.own_time.text.length as usize }
}

/// What a delta makes of one of its entries.
struct Change<'c> {
    delta: &'c str,
    /// Where the delta's text begins in `text`.
    base: usize,
    generation: u64,
    text: &'c mut String,
    live: &'c mut usize,
    /// See [`Report::reshaped`].
    is_reshaped: &'c mut bool,
}

impl Change<'_> {
    /// Whether some members have no value any more.
    #[inline(always)]
    fn apply(&mut self, held: &mut Held, changes: &[TakenMember], search: &mut MemberSearch) -> bool {
        let mut is_any_gone = false;
        for change in changes {
            let is_null = change.value.is_empty() || change.first == b'n';
            let at = match change.name {
                TakenName::Known(property) => match search.known(&held.members, property) {
                    Some(at) => Some(at),
                    None if is_null => None,
                    None => held.append(&Key::Known(property), search),
                },
                TakenName::Other(name) => {
                    let key = Key::Other(unquoted(name.of(self.delta).unwrap_or_default()));
                    match search.find(&held.members, &key) {
                        Some(at) => Some(at),
                        None if is_null => None,
                        None => held.append(&key, search),
                    }
                }
                TakenName::Kind => {
                    let kind = kind_of(change.value.value(self.delta));
                    *self.is_reshaped |= held.kind != kind;
                    held.set_kind(kind);
                    continue;
                }
                TakenName::Time => {
                    self.own_time(held, change.value);
                    continue;
                }
            };
            let Some(place) = at.and_then(|at| held.members.values_mut().get_mut(at)) else { continue };
            let before = *place;
            *place = if is_null {
                is_any_gone = true;
                Span::default()
            } else if change.first == b'{' {
                self.merged(before, change.value)
            } else {
                self.moved(change.value)
            };
            *self.live = (*self.live + place.length as usize).saturating_sub(before.length as usize);
        }
        is_any_gone
    }

    /// Where a part of the delta stands in the report's text.
    fn moved(&self, value: Span) -> Span {
        Span { start: (self.base as u32).wrapping_add(value.start), length: value.length }
    }

    /// What this delta has set already is replaced: of a name that an object has twice the last value counts. To merge it each time
    /// would take the time and the memory of the whole value for each of a delta's few bytes.
    fn merged(&mut self, before: Span, value: Span) -> Span {
        let is_again = before.start as usize >= self.base;
        let before = if is_again { Span::default() } else { before };
        if before.is_empty() {
            // As it is, unless there is a key to leave out, or white space.
            let text = value.of(self.delta).unwrap_or_default();
            if !text.contains("null") && text.bytes().all(|byte| byte > b' ') {
                return self.moved(value);
            }
        }
        let mut merged = String::with_capacity((before.length + value.length) as usize);
        let old = if before.is_empty() { "" } else { before.of(self.text).unwrap_or_default() };
        merge(old, value.value(self.delta), &mut merged);
        let start = self.text.len();
        reserve(self.text, merged.len());
        self.text.push_str(&merged);
        Span::between(start, self.text.len())
    }

    fn own_time(&mut self, held: &mut Held, value: Span) {
        if (1..=LONGEST_TIME).contains(&(value.length as usize)) {
            *self.live = (*self.live + value.length as usize).saturating_sub(size_of_time(held));
            held.own_time = OwnTime { text: self.moved(value), since: self.generation };
        }
    }
}

/// Whether these changes make an entry that has a type one of another type. Of one with more members than a browser's has, nobody
/// is told what it was: to copy it would cost too much for a delta's few bytes.
fn has_other_type(held: &Held, delta: &str, changes: &[TakenMember]) -> bool {
    if held.members.values().len() > MOST_MEMBERS {
        return false;
    }
    let kind = changes.iter().rev().find(|change| matches!(change.name, TakenName::Kind));
    held.kind != EntryKind::None && kind.is_some_and(|change| held.kind != kind_of(change.value.value(delta)))
}

/// The type that the value of `type` says: a token, or a name.
fn kind_of(value: RawValue<'_>) -> EntryKind {
    match tables::type_of_token(value) {
        Some(name) => EntryKind::of_name(name),
        None => {
            let name = value.as_str().unwrap_or_default();
            EntryKind::of_name(name.get(..name.floor_char_boundary(LONGEST_TYPE)).unwrap_or_default())
        }
    }
}
