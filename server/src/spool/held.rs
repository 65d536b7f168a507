//! The lines that the spool holds of a session from a given number on: what a client's repeated lines are compared with.

use std::io::{self, BufRead as _, BufReader, Read as _, Take};
use std::path::Path;

use super::SpoolText;

/// Lines of a header, before line 0.
pub(super) const HEADER_LINES: u64 = 2;

/// Reads lines `from..to` of a session in order, one at a time.
#[derive(Debug)]
pub(crate) struct HeldLines {
    input: BufReader<Take<SpoolText>>,
    left: u64,
}

impl HeldLines {
    /// Opens the text, of which `length` bytes are whole lines, at line `from`.
    pub(crate) fn open(path: &Path, length: u64, from: u64, to: u64) -> io::Result<Self> {
        let mut input = BufReader::new(SpoolText::open(path)?.take(length));
        for _ in 0..from + HEADER_LINES {
            input.skip_until(b'\n')?;
        }
        Ok(Self { input, left: to.saturating_sub(from) })
    }

    /// How many lines are left.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The next line without its newline.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        if self.left == 0 || self.input.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        self.left -= 1;
        line.truncate(line.trim_end_matches('\n').len());
        Ok(Some(line))
    }
}
