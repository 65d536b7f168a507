//! What the outside may know of a session at any moment, without waiting for it.

use super::{Browser, UnixMillis};

/// The state of a session after its last frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Snapshot {
    /// Lines in the spool.
    pub(crate) lines: u64,
    /// Bytes in the spool; none before the first line.
    pub(crate) spool_bytes: u64,
    /// Connections seen.
    pub(crate) connections: u64,
    /// Milliseconds from the first event to the last.
    pub(crate) duration: i64,
    /// The browser, once its client told.
    pub(crate) browser: Option<Browser>,
    /// How the session ended, once it has.
    pub(crate) end: Option<End>,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    /// When the collector knew.
    pub(crate) time: UnixMillis,
    /// The close code of its last socket.
    pub(crate) code: u16,
}
