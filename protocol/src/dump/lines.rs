//! [`TextLines`]: lines of bytes from any source, plain or gzip-compressed, told apart by content.

use std::io::{self, BufRead, Read};

use super::error::DumpError;
use super::gunzip::Gunzip;

/// How a gzip file begins.
pub const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Bytes, and why there are no more.
pub(super) type Rest = (Vec<u8>, Option<io::Error>);

enum Input<R: BufRead> {
    Plain(R),
    Gzip(Box<Gunzip<R>>),
}

impl<R: BufRead> Input<R> {
    fn reader(&mut self) -> &mut dyn BufRead {
        match self {
            Input::Plain(reader) => reader,
            Input::Gzip(reader) => reader,
        }
    }
}

/// Reads line by line, in memory that the longest line bounds.
pub struct TextLines<R: BufRead> {
    input: Input<R>,
    pub(super) buffer: Vec<u8>,
    pub(super) line: u64,
    pub(super) max_line: usize,
    /// Bytes of text so far, what was skipped included, and how many there may be.
    pub(super) bytes: u64,
    pub(super) max_bytes: u64,
    pub(super) ended: bool,
    /// Whether the line that was read last ends with a newline.
    pub(super) has_newline: bool,
}

impl<R: BufRead> TextLines<R> {
    /// Lines of at most `max_line` bytes, from a text of at most `max_bytes`.
    ///
    /// # Errors
    /// If the source fails.
    pub fn open(mut input: R, max_line: usize, max_bytes: u64) -> io::Result<Self> {
        let is_gzip = input.fill_buf()?.starts_with(&GZIP_MAGIC);
        let input = if is_gzip { Input::Gzip(Box::new(Gunzip::new(input))) } else { Input::Plain(input) };
        let mut lines = Self {
            input,
            buffer: Vec::new(),
            line: 0,
            max_line,
            bytes: 0,
            max_bytes,
            ended: false,
            has_newline: false,
        };
        // What some editors put in front says nothing.
        if lines.begins_with(BYTE_ORDER_MARK) {
            lines.input.reader().consume(BYTE_ORDER_MARK.len());
        }
        Ok(lines)
    }

    /// The number of the line that was read last, counted from 1.
    #[must_use]
    pub fn line_number(&self) -> u64 {
        self.line
    }

    /// How many bytes of text were read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next line, without its line ending; `None` at the end. After an error about one line the next can be read; after
    /// [`DumpError::Read`] and [`DumpError::TooLong`] there is none.
    pub fn next_line(&mut self) -> Option<Result<&[u8], DumpError>> {
        let read = self.read_line()?;
        Some(read.map(|()| self.buffer.as_slice()))
    }

    /// Whether nothing was read yet and the text begins so.
    pub(super) fn begins_with(&mut self, start: &[u8]) -> bool {
        self.input.reader().fill_buf().is_ok_and(|text| text.starts_with(start))
    }

    /// The line that was read last with all that follows it, and why there is no more, if that is the source's fault; nothing, if it has more
    /// than `most` bytes.
    pub(super) fn take_rest(&mut self, most: usize) -> Result<Option<Rest>, DumpError> {
        self.buffer.push(b'\n');
        let room = most.saturating_sub(self.buffer.len()) as u64;
        let left = self.max_bytes.saturating_sub(self.bytes).min(room);
        let start = self.buffer.len();
        let fault = self.input.reader().take(left.saturating_add(1)).read_to_end(&mut self.buffer).err();
        let read = (self.buffer.len() - start) as u64;
        self.ended = true;
        self.bytes += read;
        if self.bytes > self.max_bytes {
            return Err(DumpError::TooLong { limit: self.max_bytes });
        }
        // It was read into twice the room that it had.
        self.buffer.shrink_to_fit();
        Ok((read <= left).then(|| (std::mem::take(&mut self.buffer), fault)))
    }

    /// Reads a line into the buffer, without its line ending.
    pub(super) fn read_line(&mut self) -> Option<Result<(), DumpError>> {
        if self.ended {
            return None;
        }
        self.buffer.clear();
        let input = self.input.reader();
        let left = self.max_bytes.saturating_sub(self.bytes).saturating_add(1);
        let limit = left.min(self.max_line as u64 + 1);
        match input.take(limit).read_until(b'\n', &mut self.buffer) {
            Ok(0) => {
                self.ended = true;
                return None;
            }
            Ok(read) => {
                self.line += 1;
                self.bytes += read as u64;
            }
            Err(error) => {
                self.ended = true;
                // What came before the fault is the start of a line that nobody can complete.
                return Some(Err(DumpError::Read { line: self.line, error }));
            }
        }
        self.has_newline = self.buffer.last() == Some(&b'\n');
        if self.has_newline {
            self.buffer.pop();
            if self.buffer.last() == Some(&b'\r') {
                self.buffer.pop();
            }
        } else if self.buffer.len() > self.max_line {
            let left = self.max_bytes.saturating_sub(self.bytes).saturating_add(1);
            match self.input.reader().take(left).skip_until(b'\n') {
                Ok(skipped) => self.bytes = self.bytes.saturating_add(skipped as u64),
                Err(error) => {
                    self.ended = true;
                    return Some(Err(DumpError::Read { line: self.line, error }));
                }
            }
            if self.bytes <= self.max_bytes {
                return Some(Err(DumpError::LineTooLong { line: self.line, limit: self.max_line }));
            }
        }
        if self.bytes > self.max_bytes {
            self.ended = true;
            return Some(Err(DumpError::TooLong { limit: self.max_bytes }));
        }
        Some(Ok(()))
    }
}
