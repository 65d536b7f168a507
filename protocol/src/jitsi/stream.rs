//! [`ValueStream`]: JSON values out of a stream that holds one after the other. Messages of the socket mean nothing to it,
//! almost: where a value was torn, the next message that is whole by itself shows that nothing more of it will come.

use thiserror::Error;

use super::message::Message;

/// Why a part of the stream is no value. What follows it is not affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BadValue {
    /// The value is longer than the stream takes.
    #[error("a value is longer than {0} bytes")]
    TooLong(usize),
    /// The value ended in the middle, and another one began.
    #[error("a value was torn")]
    Torn,
    /// Between two values stands something that begins none.
    #[error("something that is no object or array stands between two values")]
    NotAValue,
    /// The value is not UTF-8.
    #[error("a value is not UTF-8")]
    NotUtf8,
}

/// Where the scanner is in the value at hand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

/// What a byte did.
enum Step {
    /// It stands between values.
    Between,
    /// It stands between values and should not.
    Garbage,
    /// It belongs to a value.
    Inside,
    /// It ends one.
    Ends,
}

impl Place {
    fn step(&mut self, byte: u8) -> Step {
        if self.escaped {
            self.escaped = false;
            return Step::Inside;
        }
        match byte {
            b'\\' if self.in_string => self.escaped = true,
            b'"' if self.depth > 0 => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth > 0 => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Step::Ends;
                }
            }
            b' ' | b'\t' | b'\n' | b'\r' if self.depth == 0 => return Step::Between,
            _ if self.depth == 0 => return Step::Garbage,
            _ => {}
        }
        Step::Inside
    }
}

/// Splits a stream into its values. It only counts brackets: whether a value is JSON is found out by who reads it. Holds no
/// more than the one value that has not ended yet.
#[derive(Debug)]
pub struct ValueStream {
    limit: usize,
    /// What is there of the value at hand, from the chunks before.
    pending: Vec<u8>,
    place: Place,
    /// The value at hand is too long: its end is awaited, nothing of it is kept.
    is_too_long: bool,
    /// Garbage is reported once, not for each of its bytes.
    in_garbage: bool,
}

impl ValueStream {
    /// A stream whose values may have `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, pending: Vec::new(), place: Place::default(), is_too_long: false, in_garbage: false }
    }

    /// Takes in what one message of the socket carries, and hands out what has ended with it, in order.
    pub fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(Result<&str, BadValue>)) {
        if self.place.depth > 0 && is_whole(chunk) {
            self.abandon();
            each(Err(BadValue::Torn));
        }
        let mut start = 0;
        for (at, byte) in chunk.iter().enumerate() {
            let is_first = self.place.depth == 0;
            match self.place.step(*byte) {
                Step::Between => self.in_garbage = false,
                Step::Garbage => {
                    if !std::mem::replace(&mut self.in_garbage, true) {
                        each(Err(BadValue::NotAValue));
                    }
                }
                Step::Inside if is_first => {
                    self.in_garbage = false;
                    start = at;
                }
                Step::Inside => {}
                Step::Ends => {
                    self.keep(chunk.get(start..=at).unwrap_or_default());
                    start = at + 1;
                    let result = match self.is_too_long {
                        true => Err(BadValue::TooLong(self.limit)),
                        false => str::from_utf8(&self.pending).map_err(|_| BadValue::NotUtf8),
                    };
                    each(result);
                    self.abandon();
                }
            }
        }
        if self.place.depth > 0 {
            self.keep(chunk.get(start..).unwrap_or_default());
        }
    }

    /// Whether a value has begun that has not ended.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.place.depth > 0
    }

    /// How many bytes it holds of a value that has not ended.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.pending.len()
    }

    fn keep(&mut self, part: &[u8]) {
        if self.is_too_long || self.pending.len() + part.len() > self.limit {
            self.is_too_long = true;
            self.pending = Vec::new();
        } else {
            self.pending.extend_from_slice(part);
        }
    }

    /// Forgets the value at hand. A large buffer goes with it: most sockets are idle.
    fn abandon(&mut self) {
        self.place = Place::default();
        self.is_too_long = false;
        self.pending.clear();
        if self.pending.capacity() > 16 * 1024 {
            self.pending = Vec::new();
        }
    }
}

/// Whether a chunk is one message of the dialect, neither the rest of a value nor a part of one: a part of a string that
/// looks so would have its quotes escaped.
fn is_whole(chunk: &[u8]) -> bool {
    str::from_utf8(chunk).is_ok_and(|text| text.trim_start().starts_with('{') && Message::parse(text).is_ok())
}
