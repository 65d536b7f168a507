//! [`DumpError`]: why there is nothing to read.

use std::borrow::Cow;
use std::fmt;
use std::io;

use thiserror::Error;

use crate::json::{JsonError, write_string};

/// Why a file is no dump, or why one of its lines cannot be had.
#[derive(Debug, Error)]
pub enum DumpError {
    /// The first line is another one.
    #[error("this is no dump: its first line should be RTCStatsDump, but it begins with {0}")]
    NotADump(String),
    /// It is no text.
    #[error("this is no dump: its first line should be RTCStatsDump, but it is binary{0}")]
    Binary(&'static str),
    /// It is a text that is written in another way.
    #[error("the first line is {0}, and dumps are UTF-8: have the file saved in that encoding")]
    Encoding(&'static str),
    /// The file has no byte.
    #[error("this is no dump: the file is empty")]
    Empty,
    /// The second line cannot be read.
    #[error("the dump's second line, about the session, is {0}")]
    BadMetadata(#[from] JsonError),
    /// The second line is missing, or no object.
    #[error("the dump's second line should be a JSON object about the session")]
    NoMetadata,
    /// The dump is of a format that nobody has described.
    #[error("the dump is of format {0}; this reader knows format 3")]
    UnknownFormat(String),
    /// The file begins as a webrtc-internals dump, and is none.
    #[error("the webrtc-internals dump is {0}")]
    BadInternals(JsonError),
    /// A webrtc-internals dump, which is held whole, is longer than can be held.
    #[error("the webrtc-internals dump is longer than {limit} bytes")]
    InternalsTooLong {
        /// The limit.
        limit: usize,
    },
    /// A line is longer than [`MAX_LINE`](super::MAX_LINE); it was skipped.
    #[error("line {line} is longer than {limit} bytes and was skipped")]
    LineTooLong {
        /// Counted from 1, header included.
        line: u64,
        /// The limit.
        limit: usize,
    },
    /// The text is longer than it may be; nothing more can be read.
    #[error("the dump is longer than {limit} bytes of text")]
    TooLong {
        /// The limit.
        limit: u64,
    },
    /// A line is not UTF-8; it was skipped.
    #[error("line {line} is not UTF-8 and was skipped")]
    NotUtf8 {
        /// Counted from 1, header included.
        line: u64,
    },
    /// Another dump begins where a line should be; it is not read.
    #[error("a second dump begins at line {line}, and is not read")]
    SecondDump {
        /// Counted from 1, header included.
        line: u64,
    },
    /// The source failed or its compression is broken; nothing more can be read.
    #[error("the dump cannot be read beyond line {line}: {error}")]
    Read {
        /// The last line that could be read.
        line: u64,
        /// What happened.
        error: io::Error,
    },
}

/// An error of reading that says `what` happened.
///
/// Of a text alone, [`io::Error`] would make an error that can show its characters for debugging: 4 KB that the viewer downloads.
pub fn read_error(kind: io::ErrorKind, what: impl Into<Cow<'static, str>>) -> io::Error {
    io::Error::new(kind, Fault(what.into()))
}

#[derive(Error)]
#[error("{0}")]
struct Fault(Cow<'static, str>);

impl fmt::Debug for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How files begin that somebody may take for a dump.
const BINARY: [(&[u8], &str); 6] = [
    (b"\x89PNG", ": a PNG image"),
    (b"PK\x03\x04", ": a ZIP archive, which has to be unpacked"),
    (b"%PDF", ": a PDF document"),
    (b"\x28\xb5\x2f\xfd", ": compressed by zstd, where gzip can be read"),
    (b"\xd4\xc3\xb2\xa1", ": packets that were captured"),
    (b"\x0a\x0d\x0d\x0a", ": packets that were captured"),
];

impl DumpError {
    /// How much of a wrong text an error shows.
    pub(super) const EXCERPT: usize = 40;

    pub(super) fn not_a_dump(text: &[u8]) -> Self {
        if let Some((_, kind)) = BINARY.iter().find(|(start, _)| text.starts_with(start)) {
            return Self::Binary(kind);
        }
        let start = text.get(..Self::EXCERPT).unwrap_or(text);
        let is_wide = |pair: &&[u8]| matches!(pair, [0, letter] | [letter, 0] if letter.is_ascii() && *letter >= b'\t');
        let (pairs, wide) = (start.len() / 2, start.chunks_exact(2).filter(is_wide).count());
        if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) || (pairs > 2 && wide * 4 > pairs * 3) {
            return Self::Encoding("UTF-16");
        }
        if start.contains(&0) {
            return Self::Binary("");
        }
        let mut excerpt = String::new();
        write_string(&mut excerpt, &String::from_utf8_lossy(start));
        Self::NotADump(excerpt)
    }
}
