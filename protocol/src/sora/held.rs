//! [`HeldStamps`]: which pushes and notices the lines of a session hold, for who is about to add others.

use std::collections::HashSet;
use std::hash::RandomState;

use super::notice::Notice;
use super::push::{Push, Subject};
use super::translate::Stamp;
use crate::line::Line;

/// The stamps of lines: eight bytes for each.
#[derive(Debug, Default)]
pub struct HeldStamps {
    stamps: HashSet<u64>,
    hasher: RandomState,
}

impl HeldStamps {
    /// Takes in a line.
    pub fn take_in(&mut self, line: &Line<'_>) {
        let stamp = Stamp::of(line, &line.method(), &self.hasher);
        self.stamps.extend(stamp.map(|stamp| stamp.hash));
    }

    /// Whether there is no push and no notice in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stamps.is_empty()
    }

    /// Whether a push is there.
    #[must_use]
    pub fn has_push(&self, push: &Push<'_>) -> bool {
        self.has(push.subject == Subject::Client, &push.sender)
    }

    /// Whether a notice is there.
    #[must_use]
    pub fn has_notice(&self, notice: &Notice<'_>) -> bool {
        self.has(false, &notice.sender)
    }

    fn has(&self, is_report: bool, sender: &super::Sender<'_>) -> bool {
        self.stamps.contains(&Stamp::of_sender(is_report, sender, &self.hasher).hash)
    }
}
