//! The text that a decoder keeps: deltas one behind the other, of which the report's members are places. What was replaced stands there
//! until it outweighs the rest.

use super::decoder::ReportDecoder;
use super::limits::size_of_time;
use super::types::{OwnTime, Report, Span};

/// So much text that nobody refers to any more may stand between that of the report, for each byte of the latter and besides. More
/// saves time, less saves memory.
pub(super) const GARBAGE: (usize, usize) = (2, 16_384);

/// No report of a browser comes near it. A place in a text has 32 bits.
pub(super) const LONGEST_TEXT: usize = 1 << 30;

impl ReportDecoder {
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

    pub(super) fn forget_gone(&mut self) {
        if !self.report.gone.is_empty() {
            self.report.gone = Vec::new();
            self.gone = 0;
        }
    }

    /// Makes room for so much more text, and gives up what is needed no more.
    pub(super) fn make_room(&mut self, more: usize) {
        self.forget_gone();
        let length = self.report.text.len();
        if length > self.live && length + more > self.most_text() {
            self.compact(more);
        } else {
            reserve(&mut self.report.text, more);
        }
    }

    /// How long the text can become by this delta: its own text, of each value at most what it was and what it becomes, and times.
    pub(super) fn longest_text(&self, delta: &str) -> usize {
        (self.report.text.len() + self.live).saturating_add(delta.len().saturating_mul(5))
    }

    /// How long the text may become before it is compacted. An eighth of what is needed may stand beside it even where the limit is
    /// near: what arrives between one compaction and the next is in proportion to what the latter copies.
    pub(super) fn most_text(&self) -> usize {
        let slack = self.needed_bytes() / 8;
        let most = self.limits.bytes.saturating_sub(self.overhead).max(self.live) + slack;
        (self.live + self.live * GARBAGE.0 + GARBAGE.1).min(most)
    }

    /// Leaves behind what nobody refers to any more. `more`: what will be appended next.
    pub(super) fn compact(&mut self, more: usize) {
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
        self.report.newest = 0;
    }
}

/// By how much the room of such a text grows at least.
pub(super) fn step(length: usize) -> usize {
    length / 4 + 2048
}

/// Makes room for so much more: not much more than is asked for, so that what is counted is about what is held, and enough that
/// the text is seldom copied.
pub(super) fn reserve(text: &mut String, more: usize) {
    if text.capacity() < text.len() + more {
        text.reserve_exact(more.max(step(text.len())));
    }
}
