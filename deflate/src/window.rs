//! The text that is being compressed, and what came before it.

use std::io::{self, ErrorKind, Read};

use crate::zeroed;

/// RFC 1951, 2: how far back a match may lie.
pub(crate) const HISTORY: usize = 1 << 15;
/// What is in memory: history and a block. Twice as much no longer fits into the nearer caches, and takes a quarter more time;
/// with half of it the codes' own description weighs more.
pub(crate) const SIZE: usize = 1 << 17;
/// A load may begin at the last byte.
const BEHIND: usize = 8;

/// The text.
pub(crate) struct Window {
    text: Box<[u8; SIZE + BEHIND]>,
    begin: usize,
    end: usize,
}

impl Window {
    pub(crate) fn new() -> Self {
        Self { text: zeroed(), begin: 0, end: 0 }
    }

    /// Where the block begins: what is before it is history.
    pub(crate) fn begin(&self) -> usize {
        self.begin
    }

    /// Where the block ends.
    pub(crate) fn end(&self) -> usize {
        self.end
    }

    /// The text of the block.
    pub(crate) fn block(&self) -> &[u8] {
        self.text.get(self.begin..self.end).unwrap_or_default()
    }

    /// Eight bytes from `at` on, the first lowest. Behind the block's end they are any.
    #[inline(always)]
    pub(crate) fn load(&self, at: usize) -> u64 {
        let at = at & (SIZE - 1);
        self.text.get(at..at + 8).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// Reads until the block is full or the input ends, and says whether it ended.
    pub(crate) fn fill(&mut self, input: &mut impl Read) -> io::Result<bool> {
        while let Some(free) = self.text.get_mut(self.end..SIZE).filter(|free| !free.is_empty()) {
            match input.read(free) {
                Ok(0) => return Ok(true),
                Ok(read) => self.end += read.min(free.len()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Makes the end of a full block the history of the next: every position becomes less by [`Window::SLIDES_BY`].
    pub(crate) fn slide(&mut self) {
        self.text.copy_within(SIZE - HISTORY..SIZE, 0);
        self.begin = HISTORY;
        self.end = HISTORY;
    }

    pub(crate) const SLIDES_BY: usize = SIZE - HISTORY;
}
