//! What goes into the transport and what comes out of it.

use alloc::string::String;

use crate::ids::UnixMillis;

/// Not authorized: the end, unless there may be another token.
pub(super) const UNAUTHORIZED: u16 = 1008;
/// Come back later.
pub(super) const OVERLOADED: u16 = 1013;
/// Close codes after which a reconnect cannot help: not JSON, not authorized, too large, already ended, limit reached, and
/// continued by a newer socket: two that share a session would take it from each other for ever.
pub(super) const FINAL_CODES: [u16; 6] = [1007, UNAUTHORIZED, 1009, 4000, 4001, 4002];

/// Stands for a close code when no socket may be opened. The face knows it, too.
pub(crate) const FORBIDDEN: u16 = 0;

/// What happened outside.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input<'a> {
    /// Begin.
    Start,
    /// A text frame came.
    Frame(&'a str),
    /// The socket is closed, or never opened (code 1006).
    Closed {
        /// The close code.
        code: u16,
    },
    /// The deadline came.
    Tick {
        /// Bytes that the socket has not put on the wire.
        buffered: usize,
    },
    /// The network is back.
    Online,
    /// The page is hidden and may be frozen at any time: send at once.
    Hidden,
    /// The page goes away. It may come back from the back-forward cache, so this is not the end: the collector finds that
    /// when nobody comes back.
    PageHide,
    /// The application ends the recording.
    Close,
    /// The page's security policy forbids the socket.
    Forbidden,
    /// The application wants everything sent now.
    Flush {
        /// Bytes that the socket has not put on the wire.
        buffered: usize,
    },
    /// The page is back from the back-forward cache.
    Shown,
    /// The browser had no room for the beacon that it was given last.
    BeaconRefused,
}

/// What the shell has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Open a socket that will carry lines from this number on.
    Connect { from: u64 },
    /// Send a text frame.
    Send(String),
    /// Close the socket and report nothing more about it.
    Disconnect { code: u16 },
    /// Hand lines to `sendBeacon`.
    Beacon { from: u64, body: String },
    /// The first lines were handed to the socket: so many ms after the recording began.
    FirstFlush { milliseconds: UnixMillis },
    /// The session is over. The close code when the collector ended it, [`FORBIDDEN`] when the browser did; and whether
    /// the collector holds all of it.
    Over { refused: Option<u16>, is_complete: bool },
}

/// The recorder's state, as the application sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The first connection is not up yet.
    Connecting,
    /// Lines are on their way.
    Open,
    /// The connection was lost and will be made again.
    Reconnecting,
    /// Nothing is recorded any more.
    Closed,
}
