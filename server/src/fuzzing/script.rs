//! What the bytes of an input mean where sockets take them: steps, one after the other, each with a letter in front and a
//! record separator (0x1e) behind, so that text stays text.

use super::client::frame;

/// Between steps.
pub(super) const NEXT: u8 = 0x1e;

/// One thing that a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// A text frame; also what no other letter is in front of.
    Text(&'a [u8]),
    /// A text message in frames of seven bytes, a ping in its middle.
    Pieces(&'a [u8]),
    /// A frame of another kind.
    Frame(u8, &'a [u8]),
    /// Bytes that are no frame, or one of the input's own making.
    Raw(&'a [u8]),
    /// The socket goes, and a new one comes, which says that it goes on at this line.
    Again(&'a [u8]),
    /// The process is killed, and a new one started; then as `Again`.
    Crash(&'a [u8]),
    /// A beacon while the socket is open.
    Beacon(&'a [u8]),
}

/// The steps of an input, as many as are worth their time.
pub(super) fn steps(input: &[u8]) -> impl Iterator<Item = Step<'_>> {
    input.split(|byte| *byte == NEXT).take(32).map(|step| match step {
        [b't', rest @ ..] => Step::Text(rest),
        [b'f', rest @ ..] => Step::Pieces(rest),
        [b'b', rest @ ..] => Step::Frame(0x82, rest),
        [b'p', rest @ ..] => Step::Frame(0x89, rest),
        [b'o', rest @ ..] => Step::Frame(0x8a, rest),
        [b'c', rest @ ..] => Step::Frame(0x88, rest),
        [b'w', rest @ ..] => Step::Raw(rest),
        [b'r', rest @ ..] => Step::Again(rest),
        [b'k', rest @ ..] => Step::Crash(rest),
        [b'+', rest @ ..] => Step::Beacon(rest),
        text => Step::Text(text),
    })
}

/// Appends the bytes of what goes through the socket; false if the step is of another kind.
pub(super) fn write(step: Step<'_>, out: &mut Vec<u8>) -> bool {
    match step {
        Step::Text(text) => frame(0x81, text, out),
        Step::Pieces(text) => {
            let mut pieces = text.chunks(7);
            frame(0x01, pieces.next().unwrap_or_default(), out);
            frame(0x89, b"here?", out);
            for piece in pieces {
                frame(0x00, piece, out);
            }
            frame(0x80, b"", out);
        }
        Step::Frame(first, payload) => frame(first, payload, out),
        Step::Raw(bytes) => out.extend_from_slice(bytes),
        Step::Again(_) | Step::Crash(_) | Step::Beacon(_) => return false,
    }
    true
}
