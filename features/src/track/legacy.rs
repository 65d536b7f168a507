//! RTP streams as browsers told them before there was a standard, and Chromium until version 116 to those that asked for it: entries
//! of type `ssrc` for both directions, with numbers as text and with some members by other names.

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::Entry;

use super::Direction;

/// The type of such an entry.
pub(crate) const KIND: &str = "ssrc";

/// By the name of the standard: the name when the stream is received, and when it is sent.
const NAMES: &[(&str, &str, &str)] = &[
    ("kind", "mediaType", "mediaType"),
    ("frameWidth", "googFrameWidthReceived", "googFrameWidthSent"),
    ("frameHeight", "googFrameHeightReceived", "googFrameHeightSent"),
    ("nackCount", "googNacksSent", "googNacksReceived"),
    ("pliCount", "googPlisSent", "googPlisReceived"),
    ("firCount", "googFirsSent", "googFirsReceived"),
    ("decoderImplementation", "codecImplementationName", "decoderImplementation"),
    ("encoderImplementation", "encoderImplementation", "codecImplementationName"),
];

/// Which way the stream of such an entry goes.
pub(crate) fn direction(entry: Entry<'_>) -> Option<Direction> {
    let counts = |name| entry.member(name).is_some();
    match (counts("packetsReceived"), counts("packetsSent")) {
        (true, false) => Some(Direction::Inbound),
        (false, true) => Some(Direction::Outbound),
        _ => None,
    }
}

/// The names by which such entries have these members.
pub(crate) fn names<const N: usize>(names: [&'static str; N], direction: Direction) -> [&'static str; N] {
    names.map(|name| match NAMES.iter().find(|(standard, ..)| *standard == name) {
        Some((_, received, _)) if direction == Direction::Inbound => received,
        Some((.., sent)) => sent,
        None => name,
    })
}

/// The id of its track.
pub(super) fn track(entry: Entry<'_>) -> Option<RawValue<'_>> {
    entry.member("googTrackId")
}

/// A number, or what a string says as one.
pub(crate) fn number(value: RawValue<'_>) -> Option<f64> {
    match value.as_str() {
        Some(text) => RawValue::parse(&text).ok()?.as_f64(),
        None => value.as_f64(),
    }
}
