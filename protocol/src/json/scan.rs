//! The validating scanner. It does not recurse, so no input can exhaust the stack.

use thiserror::Error;

#[cfg(feature = "std")]
use super::words::{digits_prefix, no_digits};
use super::words::{plain_prefix, skip_white_space};

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

/// Where a scanner is behind a name.
#[derive(PartialEq, Eq)]
enum At {
    /// In front of its value, and maybe of white space.
    Value,
    /// Behind a value.
    ValueEnd,
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

/// What is behind a name of one to three digits and its colon, if such a one starts the text.
#[cfg(feature = "std")]
#[inline(always)]
fn behind_numbered_name(bytes: &[u8]) -> Option<&[u8]> {
    /// Whether the word is `"`, so many digits, `":`, and anything.
    const fn is_name(word: u64, digits: u32) -> bool {
        let end = 8 * (digits + 1);
        let frame = 0xff | 0xffff << end;
        let inside = ((1 << end) - 1) & !0xff;
        word & frame == (b'"' as u64 | (b'"' as u64) << end | (b':' as u64) << (end + 8))
            && no_digits(word) & inside == 0
    }
    let word = u64::from_le_bytes(*bytes.first_chunk()?);
    match bytes {
        // Most have two.
        [_, _, _, _, _, rest @ ..] if is_name(word, 2) => Some(rest),
        [_, _, _, _, rest @ ..] if is_name(word, 1) => Some(rest),
        [_, _, _, _, _, _, rest @ ..] if is_name(word, 3) => Some(rest),
        _ => None,
    }
}

/// The length of the number that starts the text, and the comma or brace right behind it. `None` leaves it to the scanner
/// to say what is there: a rarer form of a number, another value or none.
#[cfg(feature = "std")]
#[inline(always)]
fn short_number(bytes: &[u8]) -> Option<(usize, u8)> {
    let word = u64::from_le_bytes(*bytes.first_chunk()?);
    let mut length = (no_digits(word).trailing_zeros() / 8) as usize;
    if length == 0 || (length > 1 && word & 0xff == u64::from(b'0')) {
        return None;
    }
    if length == 8 {
        length += digits_prefix(bytes.get(8..)?);
    }
    let mut end = *bytes.get(length)?;
    if end == b'.' {
        let digits = digits_prefix(bytes.get(length + 1..)?);
        if digits == 0 {
            return None;
        }
        length += 1 + digits;
        end = *bytes.get(length)?;
    }
    if end == b'e' {
        length += 1 + usize::from(matches!(bytes.get(length + 1), Some(b'-')));
        // Exponents are short.
        let digits = bytes.get(length..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        length += digits;
        end = *bytes.get(length)?;
    }
    matches!(end, b',' | b'}').then_some((length, end))
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
                } else if !object || self.name()? == At::Value {
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
                        if object && self.name()? == At::ValueEnd {
                            continue;
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

    /// Goes past the next name of an object. Members that are numbers under numbers, which a report's deltas consist of,
    /// are gone past at once: then a later name is behind us, or the last of these values.
    #[inline(always)]
    fn name(&mut self) -> Result<At, JsonError> {
        #[cfg(feature = "std")]
        {
            let mut rest = self.bytes.get(self.at..).unwrap_or_default();
            while let Some(value) = behind_numbered_name(rest) {
                let Some((length, end)) = short_number(value) else {
                    self.at = self.bytes.len() - value.len();
                    return Ok(At::Value);
                };
                if end != b',' {
                    self.at = self.bytes.len() - value.len() + length;
                    return Ok(At::ValueEnd);
                }
                rest = value.get(length + 1..).unwrap_or_default();
            }
            self.at = self.bytes.len() - rest.len();
        }
        self.white_space();
        self.key()?;
        Ok(At::Value)
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
