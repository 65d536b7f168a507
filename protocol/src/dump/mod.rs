//! Dumps: all lines of a session behind a header, in one file.
//!
//! Format 3 of `RTCStatsDump`: the first line names the format, the second is a JSON object about the session with at least
//! `fileFormat`, then comes one JSON array per line. Dumps that Jitsi's server wrote are read as if they were such ones, and
//! so are those of rtcstats from before this format, and both dumps of `chrome://webrtc-internals`.

mod error;
mod foreign;
mod gunzip;
mod header;
mod jitsi;
mod lines;
mod reader;

pub use error::{DumpError, read_error};
pub use header::{FILE_FORMAT, MAGIC, Metadata, write_header};
pub use lines::{GZIP_MAGIC, TextLines};
pub use reader::{DumpReader, MAX_LINE};
