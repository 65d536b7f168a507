//! The lines of a spool text from a byte on: what was written since somebody read last.

use std::io::{self, BufRead as _, BufReader, Read as _, Take};
use std::path::Path;

use super::SpoolText;
use super::held::HEADER_LINES;

/// How much is read at once.
const BLOCK: u64 = 64 * 1024;

/// Reads lines in order.
#[derive(Debug)]
pub(crate) struct Tail {
    input: BufReader<Take<SpoolText>>,
    at: u64,
    length: u64,
    /// A line that does not stand in one block.
    long: Vec<u8>,
}

impl Tail {
    /// Opens the text, of which `length` bytes are whole lines, behind its first `at` bytes; the header is nobody's line.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn open(path: &Path, at: u64, length: u64) -> io::Result<Self> {
        let left = length.saturating_sub(at);
        let block = usize::try_from(left.min(BLOCK)).unwrap_or_default();
        let input = BufReader::with_capacity(block, SpoolText::open_at(path, at)?.take(left));
        let mut tail = Self { input, at, length, long: Vec::new() };
        if at == 0 {
            for _ in 0..HEADER_LINES {
                tail.at += tail.input.skip_until(b'\n')? as u64;
            }
        }
        Ok(tail)
    }

    /// Where the next line begins, in bytes from the beginning of the text.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Hands the next line to `take`, without its newline; false if there is none.
    ///
    /// # Errors
    /// If it cannot be read, or is not there any more.
    pub(crate) fn next(&mut self, take: impl FnOnce(&str)) -> io::Result<bool> {
        if self.at >= self.length {
            return Ok(false);
        }
        let block = self.input.fill_buf()?;
        if let Some(end) = memchr::memchr(b'\n', block) {
            take(text(block.get(..end).unwrap_or_default()));
            self.input.consume(end + 1);
            self.at += end as u64 + 1;
            return Ok(true);
        }
        self.long.clear();
        let length = self.input.read_until(b'\n', &mut self.long)?;
        if length == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "a spool text is shorter than what was written"));
        }
        take(text(self.long.strip_suffix(b"\n").unwrap_or(&self.long)));
        self.at += length as u64;
        Ok(true)
    }
}

/// What was written was text. If it is none any more, the line is no line, and is treated as such.
fn text(line: &[u8]) -> &str {
    std::str::from_utf8(line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_from_where_the_last_reader_stopped_through_all_parts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        let long = "x".repeat(100_000);
        let parts = [format!("magic\nheader\none\n{long}\n"), "three\n".to_owned(), "four\nfive\n".to_owned()];
        for (number, text) in parts.iter().enumerate() {
            let part = if number == 0 { path.clone() } else { dir.path().join(format!("a.jsonl.{number}")) };
            std::fs::write(part, text).unwrap();
        }
        let length = parts.iter().map(|part| part.len() as u64).sum();
        let whole = ["one", long.as_str(), "three", "four", "five"];
        let mut at = 0;
        for first in 0..=whole.len() {
            let mut tail = Tail::open(&path, at, length).unwrap();
            let mut read = Vec::new();
            let mut next_at = None;
            while tail.next(|line| read.push(line.to_owned())).unwrap() {
                next_at.get_or_insert(tail.at());
            }
            assert_eq!(read, whole[first..]);
            at = next_at.unwrap_or(at);
        }
        assert_eq!(at, length);
        std::fs::remove_file(dir.path().join("a.jsonl.2")).unwrap();
        let mut tail = Tail::open(&path, 0, length).unwrap();
        let error = loop {
            match tail.next(|_| {}) {
                Ok(is_there) => assert!(is_there),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
