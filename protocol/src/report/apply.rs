//! What a delta makes of a report.

use std::collections::HashMap;

use crate::json::RawValue;
use crate::tables;

use super::decoder::ReportDecoder;
use super::limits::{ENTRY_OVERHEAD, LONGEST_TIME, LONGEST_TYPE, MOST_MEMBERS, size_of_entry, size_of_time};
use super::members::{Key, Search as MemberSearch};
use super::merge::merge;
use super::search::Search;
use super::take::{Taken, TakenMember, TakenName, unquoted};
use super::text::reserve;
use super::types::{EntryKind, Held, OwnTime, Report, Span};

impl ReportDecoder {
    pub(super) fn apply(&mut self, delta: &str, base: usize, taken: &Taken) {
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
        let (mut is_any_gone, mut is_other) = (false, false);
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
                    is_other |= held.kind != kind;
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
            is_other |= before.length != place.length || before.of(self.text) != place.of(self.text);
            *self.live = (*self.live + place.length as usize).saturating_sub(before.length as usize);
        }
        if is_other {
            held.changed = self.generation;
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
