//! How long the transport waits for what.

use crate::ids::UnixMillis;

/// Frames are at least so far apart, unless there is enough for a whole one.
pub(super) const FLUSH_INTERVAL: UnixMillis = 100;
/// A report waits for company while the last frame is younger than this: to wake the socket costs a page as much as all else
/// that a report does. At one report a second, every second one sends both.
pub(super) const REPORTS_INTERVAL: UnixMillis = 1_500;
/// When nothing comes that takes a report along.
pub(super) const REPORTS_TIMEOUT: UnixMillis = 2 * REPORTS_INTERVAL;
/// From the start of a connection to the collector's welcome.
pub(super) const WELCOME_TIMEOUT: UnixMillis = 15_000;
/// A collector acknowledges within half a second; a socket that is silent for so long is dead.
pub(super) const ACK_TIMEOUT: UnixMillis = 20_000;
/// How long `close` waits for the last acknowledgement.
pub(super) const CLOSE_TIMEOUT: UnixMillis = 5_000;
/// A timer that is so late was throttled or frozen with the page, or the computer slept: what it guarded may have arrived
/// meanwhile, and gets so much time to be taken.
pub(super) const LATE_TIMER: UnixMillis = 2_000;
/// When the network comes back, a socket of before must prove within so much time that it lives.
pub(super) const PROOF: UnixMillis = 5_000;

/// Whether something has waited too long.
#[derive(Clone, Copy)]
pub(super) enum Due {
    Later,
    Now,
    /// Long ago, and nobody looked.
    Late,
}

pub(super) fn is_due(since: UnixMillis, timeout: UnixMillis, now: UnixMillis) -> Due {
    let late = now - since - timeout;
    if late < 0 {
        Due::Later
    } else if late > LATE_TIMER {
        Due::Late
    } else {
        Due::Now
    }
}

pub(super) fn earlier(a: Option<UnixMillis>, b: Option<UnixMillis>) -> Option<UnixMillis> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
