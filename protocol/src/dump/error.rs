//! [`DumpError`]: why there is nothing to read.

use std::io;

use thiserror::Error;

use crate::json::JsonError;

/// Why a file is no dump, or why one of its lines cannot be had.
#[derive(Debug, Error)]
pub enum DumpError {
    /// The first line is another one.
    #[error("this is no dump: its first line should be RTCStatsDump, but it begins with {0:?}")]
    NotADump(String),
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
    /// The source failed or its compression is broken; nothing more can be read.
    #[error("the dump cannot be read beyond line {line}: {error}")]
    Read {
        /// The last line that could be read.
        line: u64,
        /// What happened.
        error: io::Error,
    },
}

impl DumpError {
    /// How much of a wrong text an error shows.
    pub(super) const EXCERPT: usize = 40;

    pub(super) fn not_a_dump(text: &[u8]) -> Self {
        let start = text.get(..Self::EXCERPT).unwrap_or(text);
        Self::NotADump(String::from_utf8_lossy(start).into_owned())
    }
}
