//! [`HeldStamps`]: which pushes and notices the lines of sessions hold, for who is about to add others. Of a push, which of its entries: a log may
//! end between two of them.

use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use super::notice::{Member, Notice};
use super::push::{Push, Subject};
use super::stamp::Stamp;
use super::translate::{EVENT, announces};
use crate::json::{RawValue, write_string};
use crate::line::Line;
use crate::report::{NamedDecoder, is_dropped_type};

/// So many ids are held in all, each by eight bytes. Most reports of a connection have the same. Of pushes beyond it all entries count as held.
const MAX_IDS: usize = 1 << 20;

/// What lines hold: of each some tens of bytes.
#[derive(Debug)]
pub struct HeldStamps {
    stamps: HashSet<u64>,
    /// Of a push, which of `sets` its entries are.
    entries: HashMap<u64, u32>,
    sets: Sets,
    is_announced: bool,
    /// The session whose lines come; none if one of its reports could not be had.
    reports: Option<NamedDecoder>,
    hasher: RandomState,
}

impl Default for HeldStamps {
    fn default() -> Self {
        Self {
            stamps: HashSet::new(),
            entries: HashMap::new(),
            sets: Sets::default(),
            is_announced: false,
            reports: Some(NamedDecoder::default()),
            hasher: RandomState::new(),
        }
    }
}

/// What lines lack of a push.
#[derive(Debug)]
pub enum Missing<'a> {
    /// All of it.
    All,
    /// These of its entries.
    These(Vec<RawValue<'a>>),
    /// Nothing.
    Nothing,
}

/// Ids of entries, each set of them once.
#[derive(Debug, Default)]
struct Sets {
    sets: Vec<Box<[u64]>>,
    known: HashMap<u64, u32>,
    ids: usize,
}

impl HeldStamps {
    /// The lines that follow are of another session.
    pub fn begin_session(&mut self) {
        self.is_announced = false;
        self.reports = Some(NamedDecoder::default());
    }

    /// Takes in a line.
    pub fn take_in(&mut self, line: &Line<'_>) {
        let method = line.method();
        let stamp = Stamp::of(line, &method, &self.hasher);
        self.stamps.extend(stamp.map(|stamp| stamp.hash));
        self.is_announced |= method == EVENT && announces(line.value());
        if method != "getStats" {
            return;
        }
        let Some(reports) = &mut self.reports else { return };
        if reports.take(line.value(), line.extra().first().copied()).is_none() {
            self.reports = None;
            return;
        }
        let Some(push) = stamp.map(|stamp| stamp.push) else { return };
        let mut ids: Vec<u64> = reports.entry_ids().map(|id| self.hasher.hash_one(id)).collect();
        if let Some(before) = self.entries.get(&push) {
            ids.extend_from_slice(self.sets.get(*before));
        }
        match self.sets.of(ids, &self.hasher) {
            Some(set) => self.entries.insert(push, set),
            None => self.entries.remove(&push),
        };
    }

    /// Whether it is told in the newest session when that of the channel began.
    #[must_use]
    pub fn is_announced(&self) -> bool {
        self.is_announced
    }

    /// Whether there is no push and no notice in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stamps.is_empty()
    }

    /// What lines lack of a push. That of a client is the one of its id and its time; if it has no id, the one of its time that says the same, or, if
    /// its entries are told one by one, any of its time.
    #[must_use]
    pub fn missing<'a>(&self, push: &Push<'a>) -> Missing<'a> {
        let mut value = String::new();
        if push.sender.id.is_none() {
            push.write_value(&mut value);
        }
        let (stamp, _) = Stamp::of_body(push.method(), &push.sender, &value, false, &self.hasher);
        let is_told_by_time = push.sender.id.is_some() || push.is_logged();
        let held = self.entries.get(&stamp.push).filter(|_| push.subject == Subject::Client && is_told_by_time);
        let Some(held) = held.map(|set| self.sets.get(*set)) else {
            return if self.stamps.contains(&stamp.hash) { Missing::Nothing } else { Missing::All };
        };
        let is_missing = |entry: &&RawValue<'a>| {
            let mut id = String::new();
            write_string(&mut id, &entry.get("id").and_then(RawValue::as_str).unwrap_or_default());
            let is_carried = entry.get("type").and_then(RawValue::as_str).is_none_or(|kind| !is_dropped_type(&kind));
            is_carried && held.binary_search(&self.hasher.hash_one(&*id)).is_err()
        };
        let missing: Vec<_> = push.stats.iter().filter(is_missing).copied().collect();
        if missing.is_empty() { Missing::Nothing } else { Missing::These(missing) }
    }

    /// Whether a notice is there, with what it says of `member`.
    #[must_use]
    pub fn has_notice(&self, notice: &Notice<'_>, member: Option<&Member<'_>>) -> bool {
        let mut value = String::new();
        if notice.sender.id.is_none() {
            notice.write_value(member, &mut value);
        }
        self.stamps.contains(&Stamp::of_body(EVENT, &notice.sender, &value, false, &self.hasher).0.hash)
    }
}

impl Sets {
    fn get(&self, set: u32) -> &[u64] {
        self.sets.get(set as usize).map_or(&[], |ids| ids)
    }

    /// The set of these ids; none if there is no room for it.
    fn of(&mut self, mut ids: Vec<u64>, hasher: &RandomState) -> Option<u32> {
        ids.sort_unstable();
        ids.dedup();
        let hash = hasher.hash_one(&*ids);
        if let Some(known) = self.known.get(&hash) {
            return Some(*known);
        }
        self.ids += ids.len();
        let set = u32::try_from(self.sets.len()).ok().filter(|_| self.ids <= MAX_IDS)?;
        self.sets.push(ids.into_boxed_slice());
        self.known.insert(hash, set);
        Some(set)
    }
}
