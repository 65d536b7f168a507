//! What the outside may know of a session at any moment, without waiting for it.

use std::sync::Arc;

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
    pub(crate) browser: Option<Arc<Browser>>,
    /// The connections of the SFU Sora that it is about.
    pub(crate) sora_connections: Arc<[Box<str>]>,
    /// The close code of its last socket, once the session is over.
    pub(crate) close_code: Option<u16>,
}

impl Snapshot {
    /// When the session's last event was, by the collector's clock: a client that comes no more is waited for, and the
    /// wait is no part of its session. What a client says of its time cannot lead into the future.
    pub(crate) fn end_time(&self, start: UnixMillis) -> UnixMillis {
        UnixMillis(start.0.saturating_add(self.duration.max(0)).min(UnixMillis::now().0.max(start.0)))
    }
}
