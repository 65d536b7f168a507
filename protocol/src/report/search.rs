//! Where the entries that a delta names are in the report.

use std::collections::HashMap;

use super::take::{TakenEntry, unquoted};
use super::types::{Held, Report, numbered, position};

/// Where the entries of a report are. Deltas name them in the order in which they are kept, so the next one is almost always the
/// one sought. Entries that are new wait behind the others until the end, when all are put in order at once.
pub(super) struct Search {
    pub(super) guess: usize,
    sorted: usize,
    pub(super) added: HashMap<Box<str>, usize>,
    misses: usize,
    index: Option<HashMap<Box<str>, usize>>,
}

impl Search {
    /// So many searches through all entries are cheaper than an index.
    const MISSES: usize = 64;

    pub(super) fn over(report: &Report) -> Self {
        Self { guess: 0, sorted: report.entries.len(), added: HashMap::new(), misses: 0, index: None }
    }

    /// `delta`: the text that names the entry.
    pub(super) fn find(&mut self, entries: &[Held], delta: &str, entry: &TakenEntry) -> Option<usize> {
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
    pub(super) fn added(&mut self, id: &str, at: usize) {
        self.added.insert(id.into(), at);
    }
}
