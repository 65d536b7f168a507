//! [`DumpReader`]: a dump's header and lines from any source of bytes, plain or gzip-compressed, told apart by content.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use crate::internals::{self, Document, DocumentLines, MAX_DOCUMENT};
use crate::json::{JsonError, JsonErrorKind, Kind, RawValue};

use super::error::{DumpError, read_error};
use super::foreign::Foreign;
use super::header::{FILE_FORMAT, MAGIC};
use super::jitsi::JitsiLines;
use super::lines::TextLines;

/// The longest line that a reader takes, in bytes. A first report of a call with hundreds of participants has one or two
/// million.
pub const MAX_LINE: usize = 16 << 20;

/// Reads a dump line by line, in memory that its longest line bounds. Only a webrtc-internals dump is held whole, up to 32 MiB
/// of text, with what is made of it.
pub struct DumpReader<R: BufRead> {
    lines: TextLines<R>,
    metadata: String,
    /// Of a dump whose lines are not ours.
    foreign: Option<Foreign>,
    translated: String,
    /// Why the text has no more, where that is known before its lines are given.
    torn: Option<DumpError>,
}

impl<R: BufRead> DumpReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`DumpError`] says what the file is instead of a dump.
    pub fn open(input: R) -> Result<Self, DumpError> {
        Self::with_limits(input, MAX_LINE, u64::MAX)
    }

    /// The same for at most so many bytes of text: a small file may unpack to any size, and none of it need be a line.
    ///
    /// # Errors
    /// As [`DumpReader::open`].
    pub fn within(input: R, max_bytes: u64) -> Result<Self, DumpError> {
        Self::with_limits(input, MAX_LINE, max_bytes)
    }

    fn with_limits(input: R, max_line: usize, max_bytes: u64) -> Result<Self, DumpError> {
        let lines = TextLines::open(input, max_line, max_bytes).map_err(|error| DumpError::Read { line: 0, error })?;
        let mut reader = Self { lines, metadata: String::new(), foreign: None, translated: String::new(), torn: None };
        match reader.first_line() {
            None => return Err(DumpError::Empty),
            Some(Ok(())) if reader.lines.buffer == MAGIC.as_bytes() => {}
            Some(Err(
                error @ (DumpError::Read { .. } | DumpError::TooLong { .. } | DumpError::InternalsTooLong { .. }),
            )) => {
                return Err(error);
            }
            Some(Ok(()))
                if reader.lines.buffer.len() <= max_line
                    && let Ok(first) = str::from_utf8(&reader.lines.buffer)
                    && let Some((lines, metadata)) = JitsiLines::open(first, max_line) =>
            {
                reader.foreign = Some(Foreign::Jitsi(Box::new(lines)));
                reader.metadata = metadata;
                return Ok(reader);
            }
            Some(Ok(())) if str::from_utf8(&reader.lines.buffer).is_ok_and(internals::is_document) => {
                reader.read_document()?;
                return Ok(reader);
            }
            Some(_) => {
                return Err(DumpError::not_a_dump(&reader.lines.buffer));
            }
        }
        match reader.next_line() {
            Some(Ok(metadata)) => reader.metadata = metadata.to_owned(),
            Some(Err(error)) => return Err(error),
            None => return Err(DumpError::NoMetadata),
        }
        let metadata = RawValue::parse(&reader.metadata)?;
        if metadata.kind() != Kind::Object {
            return Err(DumpError::NoMetadata);
        }
        match metadata.get("fileFormat") {
            Some(format) if format.as_u64() == Some(FILE_FORMAT) => {
                if internals::may_be_chromiums(metadata) {
                    reader.foreign = Some(Foreign::Rtcstats(Box::default(), VecDeque::new()));
                }
            }
            other => {
                let format = other.map_or("(none)", RawValue::text);
                return Err(DumpError::UnknownFormat(format.chars().take(DumpError::EXCERPT).collect()));
            }
        }
        Ok(reader)
    }

    /// What the collector wrote about the session.
    #[must_use]
    pub fn metadata(&self) -> RawValue<'_> {
        let text = self.metadata.trim();
        RawValue::slice(text, 0, text.len())
    }

    /// The number of the line that was read last, counted from 1, header included.
    #[must_use]
    pub fn line_number(&self) -> u64 {
        self.lines.line
    }

    /// Whether the last line that was read ends with a newline: at its end, a file that was not cut has one, as a rule.
    #[must_use]
    pub fn ends_with_newline(&self) -> bool {
        self.lines.has_newline
    }

    /// The next line, without its newline; `None` at the end. Empty lines are passed over. After an error about one line
    /// the next can be read; after [`DumpError::Read`] and [`DumpError::SecondDump`] there is none.
    pub fn next_line(&mut self) -> Option<Result<&str, DumpError>> {
        if self.foreign.is_some() {
            return self.next_translated();
        }
        self.next_own()
    }

    /// The next line of what a dump that others wrote comes to.
    fn next_translated(&mut self) -> Option<Result<&str, DumpError>> {
        let mut lines = self.foreign.take()?;
        let result = loop {
            if let Some(line) = lines.next() {
                self.translated = line;
                break Some(Ok(()));
            }
            let is_over = match self.next_own() {
                Some(Ok(line)) => {
                    lines.push(line);
                    false
                }
                Some(Err(error)) => break Some(Err(error)),
                None => true,
            };
            if is_over {
                lines.finish();
                match lines.next() {
                    Some(line) => self.translated = line,
                    None => break self.torn.take().map(Err),
                }
                break Some(Ok(()));
            }
        };
        self.lines.line += u64::from(lines.is_whole() && result.is_some());
        self.foreign = Some(lines);
        result.map(|result| result.map(|()| self.translated.as_str()))
    }

    fn next_own(&mut self) -> Option<Result<&str, DumpError>> {
        loop {
            match self.lines.read_line()? {
                Ok(()) if self.lines.buffer.is_empty() => {}
                Ok(()) if self.lines.buffer == MAGIC.as_bytes() && !self.metadata.is_empty() => {
                    self.lines.ended = true;
                    return Some(Err(DumpError::SecondDump { line: self.lines.line }));
                }
                Ok(()) => break,
                Err(error) => return Some(Err(error)),
            }
        }
        Some(str::from_utf8(&self.lines.buffer).map_err(|_| DumpError::NotUtf8 { line: self.lines.line }))
    }

    /// The first line. One that may be the beginning of a webrtc-internals dump may be as long as that.
    fn first_line(&mut self) -> Option<Result<(), DumpError>> {
        let is_object = self.lines.begins_with(b"{");
        if !is_object {
            return self.lines.read_line();
        }
        let max_line = std::mem::replace(&mut self.lines.max_line, MAX_DOCUMENT);
        let result = self.lines.read_line();
        self.lines.max_line = max_line;
        match result {
            Some(Err(DumpError::LineTooLong { limit, .. })) => Some(Err(DumpError::InternalsTooLong { limit })),
            result => result,
        }
    }

    /// Reads the rest of a webrtc-internals dump, whose first line is in the buffer.
    fn read_document(&mut self) -> Result<(), DumpError> {
        let rest = self.lines.take_rest(MAX_DOCUMENT)?;
        let (mut bytes, mut fault) = rest.ok_or(DumpError::InternalsTooLong { limit: MAX_DOCUMENT })?;
        if fault.is_some()
            && let Err(error) = str::from_utf8(&bytes)
        {
            bytes.truncate(error.valid_up_to());
        }
        let mut text = String::from_utf8(bytes).map_err(|_| DumpError::NotUtf8 { line: self.lines.line })?;
        let excerpt = DumpError::not_a_dump(text.as_bytes());
        let says_so = text.contains("\"PeerConnections\"");
        let line = text.lines().count() as u64;
        if says_so && let Err(JsonError { kind: JsonErrorKind::End, .. }) = RawValue::parse(&text) {
            fault.get_or_insert_with(|| read_error(io::ErrorKind::UnexpectedEof, "the file is truncated"));
            text = internals::closed(text);
        }
        self.torn = fault.map(|error| DumpError::Read { line, error });
        match Document::parse(text) {
            Ok(Some(document)) => {
                self.metadata = document.metadata();
                self.foreign = Some(Foreign::Document(Box::new(DocumentLines::new(document))));
                Ok(())
            }
            Err(error) if says_so => Err(DumpError::BadInternals(error)),
            _ => Err(self.torn.take().unwrap_or(excerpt)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;
    use crate::dump::{Metadata, write_header};

    fn dump(lines: &str) -> String {
        let mut text = String::new();
        let metadata =
            Metadata { url: "/v1/ws".to_owned(), client_protocol: "rtctrace.v1".to_owned(), ..Metadata::default() };
        write_header(&mut text, &metadata);
        text + lines
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Vec<Result<String, String>> {
        let mut reader = DumpReader::with_limits(bytes, 400, u64::MAX).unwrap();
        let mut lines = Vec::new();
        while let Some(line) = reader.next_line() {
            lines.push(line.map(str::to_owned).map_err(|error| error.to_string()));
        }
        lines
    }

    #[test]
    fn plain_and_gzip_give_the_same_lines() {
        let text = dump("[1,null,2,3]\r\n\n[4,null,5,6]");
        let expected = vec![Ok("[1,null,2,3]".to_owned()), Ok("[4,null,5,6]".to_owned())];
        assert_eq!(read(text.as_bytes()), expected);
        assert_eq!(read(&gzip(text.as_bytes())), expected);
        let reader = DumpReader::open(text.as_bytes()).unwrap();
        assert_eq!(reader.metadata().get("clientProtocol").unwrap().as_str().unwrap(), "rtctrace.v1");
    }

    #[test]
    fn a_byte_order_mark_says_nothing() {
        let text = format!("\u{feff}{}", dump("[1,null,2,3]\n"));
        assert_eq!(read(text.as_bytes()), [Ok("[1,null,2,3]".to_owned())]);
        assert_eq!(read(&gzip(text.as_bytes())), [Ok("[1,null,2,3]".to_owned())]);
    }

    #[test]
    fn a_bad_line_costs_that_line() {
        let mut bytes = dump(&format!("{}\n[1,null,2,3]\n", "x".repeat(500))).into_bytes();
        bytes.extend_from_slice(b"\xff\xfe\n[4,null,5,6]\n");
        assert_eq!(
            read(&bytes),
            [
                Err("line 3 is longer than 400 bytes and was skipped".to_owned()),
                Ok("[1,null,2,3]".to_owned()),
                Err("line 5 is not UTF-8 and was skipped".to_owned()),
                Ok("[4,null,5,6]".to_owned()),
            ]
        );
    }

    #[test]
    fn of_two_dumps_in_one_file_the_first_is_read() {
        let two = dump("[1,null,2,3]\n") + &dump("[4,null,5,6]\n");
        let second = Err("a second dump begins at line 4, and is not read".to_owned());
        assert_eq!(read(two.as_bytes()), [Ok("[1,null,2,3]".to_owned()), second]);
    }

    #[test]
    fn whether_a_file_ends_with_a_newline_is_known() {
        for (lines, expected) in
            [("[1,null,2,3]\n", true), ("[1,null,2,3]\n\n", true), ("[1,null,2,3]", false), ("", true)]
        {
            let text = dump(lines);
            let mut reader = DumpReader::open(text.as_bytes()).unwrap();
            while reader.next_line().is_some() {}
            assert_eq!(reader.ends_with_newline(), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_not_read_to_its_end_whatever_it_holds() {
        for filling in ["\n", "x", "[1,null,2,3]\n", "\r\n"] {
            let bomb = gzip(dump(&filling.repeat(3_000_000)).as_bytes());
            let mut reader = DumpReader::within(bomb.as_slice(), 50_000).unwrap();
            let mut last = String::new();
            while let Some(line) = reader.next_line() {
                last = line.map_or_else(|error| error.to_string(), str::to_owned);
            }
            assert_eq!(last, "the dump is longer than 50000 bytes of text", "{filling:?}");
            assert_eq!(reader.lines.bytes, 50_001);
        }
        let text = dump("[1,null,2,3]\n");
        let mut reader = DumpReader::within(text.as_bytes(), text.len() as u64).unwrap();
        assert!(reader.next_line().unwrap().is_ok() && reader.next_line().is_none());
        assert!(matches!(DumpReader::within(&[b'R'; 9][..], 2), Err(DumpError::TooLong { .. })));
    }

    #[test]
    fn a_truncated_file_gives_what_it_has() {
        let lines: String = (0..2000).map(|number| format!("[{number},null,\"{}\",1]\n", number * 7919)).collect();
        let mut bytes = gzip(dump(&lines).as_bytes());
        bytes.truncate(bytes.len() / 2);
        let read = read(&bytes);
        assert!(read.len() > 100);
        let (last, good) = read.split_last().unwrap();
        assert!(good.iter().all(Result::is_ok));
        assert!(last.as_ref().unwrap_err().starts_with("the dump cannot be read beyond line "));
    }

    #[test]
    fn what_is_no_dump_is_named() {
        let error = |bytes: &[u8]| DumpReader::open(bytes).err().unwrap().to_string();
        assert_eq!(error(b""), "this is no dump: the file is empty");
        assert!(error(b"\x89PNG\r\n").ends_with("but it is binary: a PNG image"));
        assert!(error(b"\x01\x00\x02\x03\x04").ends_with("but it is binary"));
        assert!(error(b"\xff\xfeR\0T\0C\0").starts_with("the first line is UTF-16"));
        assert!(error(b"R\0T\0C\0\n\0").starts_with("the first line is UTF-16"));
        assert!(error(b"\xe9t\xe9").contains("but it begins with \"\u{fffd}t\u{fffd}\""));
        assert!(error(&gzip(b"hello")).contains("but it begins with \"hello\""));
        assert_eq!(error(b"RTCStatsDump\n"), "the dump's second line should be a JSON object about the session");
        assert_eq!(error(b"RTCStatsDump\n[]\n"), "the dump's second line should be a JSON object about the session");
        assert!(error(b"RTCStatsDump\n{\n").starts_with("the dump's second line, about the session, is not JSON"));
        let unknown = "the dump is of format 9; this reader knows format 3";
        assert_eq!(error(b"RTCStatsDump\n{\"fileFormat\":9}\n"), unknown);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_dump_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200), lines in ".{0,200}", compress: bool) {
            let _ = DumpReader::open(bytes.as_slice()).map(|mut reader| while reader.next_line().is_some() {});
            let mut text = dump(&lines).into_bytes();
            text.extend_from_slice(&bytes);
            if compress {
                text = gzip(&text);
                let cut = bytes.len().min(text.len());
                text.truncate(text.len() - cut / 8);
            }
            let opened = DumpReader::open(text.as_slice()).map(|mut reader| while reader.next_line().is_some() {});
            prop_assert!(compress || opened.is_ok());
        }
    }
}
