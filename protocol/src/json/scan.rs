//! The validating scanner and the cheaper skipper for text that has been validated. Neither recurses, so no input can
//! exhaust the stack.

use thiserror::Error;

/// How many arrays and objects may stand inside each other. Real lines need five.
pub const MAX_DEPTH: usize = 128;

/// Why a text is not one JSON value, and at which byte that became certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not JSON at byte {offset}: {kind}")]
pub struct JsonError {
    /// Offset into the text, in bytes.
    pub offset: usize,
    /// What was found there.
    pub kind: JsonErrorKind,
}

/// What a [`JsonError`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JsonErrorKind {
    /// The text ends inside a value.
    #[error("the text ends too early")]
    End,
    /// A byte that no value can have at this place.
    #[error("unexpected character")]
    Unexpected,
    /// A string with an unknown escape or a bare control character.
    #[error("a string that is not well formed")]
    BadString,
    /// A number with a leading zero, a missing digit or the like.
    #[error("a number that is not well formed")]
    BadNumber,
    /// More than [`MAX_DEPTH`] levels.
    #[error("nested deeper than 128 levels")]
    TooDeep,
    /// Something follows the value.
    #[error("something follows the value")]
    Trailing,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Validates one value that starts at `start` (white space before it allowed); the offset behind it.
pub(crate) fn scan_value(bytes: &[u8], start: usize) -> Result<usize, JsonError> {
    let mut scanner = Scanner { bytes, at: start };
    scanner.value(MAX_DEPTH)?;
    Ok(scanner.at)
}

/// The same for an element of an array that stands by itself: one level is taken.
pub(crate) fn scan_element(bytes: &[u8], start: usize) -> Result<usize, JsonError> {
    let mut scanner = Scanner { bytes, at: start };
    scanner.value(MAX_DEPTH - 1)?;
    Ok(scanner.at)
}

/// Validates the string whose opening quote is at `start`; the offset behind it.
pub(crate) fn scan_string(bytes: &[u8], start: usize) -> Result<usize, JsonError> {
    let mut scanner = Scanner { bytes, at: start };
    scanner.expect(b'"')?;
    scanner.string_tail()?;
    Ok(scanner.at)
}

/// How many bytes of `a` from `a_at` on and of `b` from `b_at` on are equal. Eight at a time.
pub(crate) fn common_prefix(a: &[u8], a_at: usize, b: &[u8], b_at: usize) -> usize {
    let (Some(mut a), Some(mut b)) = (a.get(a_at..), b.get(b_at..)) else { return 0 };
    let mut length = 0;
    while let (Some((x, a_rest)), Some((y, b_rest))) = (a.split_first_chunk::<8>(), b.split_first_chunk::<8>()) {
        let difference = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if difference != 0 {
            return length + (difference.trailing_zeros() / 8) as usize;
        }
        length += 8;
        (a, b) = (a_rest, b_rest);
    }
    while let ([x, a_rest @ ..], [y, b_rest @ ..]) = (a, b) {
        if x != y {
            break;
        }
        length += 1;
        (a, b) = (a_rest, b_rest);
    }
    length
}

/// The offset of the first byte at or after `at` that is not white space.
pub(crate) fn skip_white_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Goes past a byte if it is there.
    fn takes(&mut self, byte: u8) -> bool {
        let is_there = matches!(self.bytes.get(self.at), Some(found) if *found == byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn fail<T>(&self, kind: JsonErrorKind) -> Result<T, JsonError> {
        let kind = if self.at >= self.bytes.len() { JsonErrorKind::End } else { kind };
        Err(JsonError { offset: self.at, kind })
    }

    fn white_space(&mut self) {
        self.at = skip_white_space(self.bytes, self.at);
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.takes(byte) { Ok(()) } else { self.fail(JsonErrorKind::Unexpected) }
    }

    fn value(&mut self, max_depth: usize) -> Result<(), JsonError> {
        // One bit for each open container: set for an object.
        let mut objects: u128 = 0;
        let mut depth = 0_usize;
        loop {
            self.white_space();
            let opened = match self.peek() {
                Some(b'{') => Some(true),
                Some(b'[') => Some(false),
                _ => None,
            };
            if let Some(object) = opened {
                self.at += 1;
                if depth == max_depth {
                    return Err(JsonError { offset: self.at - 1, kind: JsonErrorKind::TooDeep });
                }
                objects = (objects << 1) | u128::from(object);
                depth += 1;
                self.white_space();
                if self.takes(if object { b'}' } else { b']' }) {
                    objects >>= 1;
                    depth -= 1;
                } else {
                    if object {
                        self.key()?;
                    }
                    continue;
                }
            } else {
                self.scalar()?;
            }
            // A value has just ended: close what ends with it, or go on to the next one.
            loop {
                if depth == 0 {
                    return Ok(());
                }
                self.white_space();
                let object = objects & 1 == 1;
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if object {
                            self.white_space();
                            self.key()?;
                        }
                        break;
                    }
                    Some(b'}') if object => {}
                    Some(b']') if !object => {}
                    _ => return self.fail(JsonErrorKind::Unexpected),
                }
                self.at += 1;
                objects >>= 1;
                depth -= 1;
            }
        }
    }

    fn key(&mut self) -> Result<(), JsonError> {
        self.expect(b'"')?;
        self.string_tail()?;
        self.white_space();
        self.expect(b':')
    }

    fn scalar(&mut self) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                self.string_tail()
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.fail(JsonErrorKind::Unexpected),
        }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), JsonError> {
        for byte in word {
            self.expect(*byte)?;
        }
        Ok(())
    }

    /// The rest of a string behind its opening quote.
    fn string_tail(&mut self) -> Result<(), JsonError> {
        loop {
            self.at += plain_prefix(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                        Some(b'u') => {
                            self.at += 1;
                            for _ in 0..4 {
                                if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                                    return self.fail(JsonErrorKind::BadString);
                                }
                                self.at += 1;
                            }
                        }
                        _ => return self.fail(JsonErrorKind::BadString),
                    }
                }
                _ => return self.fail(JsonErrorKind::BadString),
            }
        }
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { self.fail(JsonErrorKind::BadNumber) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), JsonError> {
        self.takes(b'-');
        if self.takes(b'0') {
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return self.fail(JsonErrorKind::BadNumber);
            }
        } else {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of every byte of `word` that equals `byte` (bytes above the first such one may be marked wrongly).
const fn equals(word: u64, byte: u8) -> u64 {
    let difference = word ^ (ONES * byte as u64);
    difference.wrapping_sub(ONES) & !difference & HIGHS
}

/// How many bytes at the start need no attention: neither quote, nor backslash, nor control character. Eight at a time:
/// strings are most of a session description.
fn plain_prefix(bytes: &[u8]) -> usize {
    let mut length = 0;
    let (words, tail) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let special = control | equals(word, b'"') | equals(word, b'\\');
        if special != 0 {
            return length + (special.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    length + tail.iter().take_while(|byte| **byte >= 0x20 && **byte != b'"' && **byte != b'\\').count()
}

/// The offset behind the string whose opening quote is at `at`. The text must have been validated; if it has not, the
/// result is some offset within it.
pub(crate) fn skip_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    loop {
        at += plain_prefix(bytes.get(at..).unwrap_or_default());
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at + 1,
            Some(_) => at += 1,
            None => return bytes.len(),
        }
    }
}

/// The offset behind the value that starts at `at`, in validated text without white space before it.
#[inline]
pub(crate) fn skip_value(bytes: &[u8], mut at: usize) -> usize {
    match bytes.get(at) {
        Some(b'"') => skip_string(bytes, at),
        Some(b'{' | b'[') => skip_container(bytes, at),
        // A number or a word, which are most values.
        _ => {
            while bytes.get(at).is_some_and(|byte| !ends_scalar(*byte)) {
                at += 1;
            }
            at
        }
    }
}

/// Whether a byte cannot be a part of a number or a word.
const fn ends_scalar(byte: u8) -> bool {
    matches!(byte, b',' | b':' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'[' | b'{')
}

fn skip_container(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at) {
            Some(b'"') => at = skip_string(bytes, at),
            Some(b'{' | b'[') => {
                depth += 1;
                at += 1;
            }
            Some(b'}' | b']') => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            Some(b',' | b':' | b' ' | b'\t' | b'\n' | b'\r') => at += 1,
            Some(_) => at = skip_value(bytes, at),
            None => return bytes.len(),
        }
        if depth == 0 {
            return at;
        }
    }
}
