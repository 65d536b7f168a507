//! JSON that is written in many small pieces: a buffer that is used again, filled eight bytes at a time. A call of the
//! copying function for each piece would take longer than the copying.

use alloc::vec::Vec;

#[derive(Debug, Default)]
pub(crate) struct Out {
    /// What is behind `length` is not written yet.
    bytes: Vec<u8>,
    length: usize,
}

impl Out {
    pub(crate) fn clear(&mut self) {
        self.length = 0;
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Takes back what was written behind `length`.
    pub(crate) fn rewind(&mut self, length: usize) {
        self.length = length;
    }

    pub(crate) fn text(&self) -> &str {
        // Whole tokens of text went in.
        self.bytes.get(..self.length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// Makes room for `more` bytes and a word.
    #[inline(always)]
    fn reserve(&mut self, more: usize) {
        if self.length + more + 8 > self.bytes.len() {
            self.grow(more);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, more: usize) {
        self.bytes.resize((self.length + more + 8) * 2, 0);
    }

    /// Appends a byte for which there is room.
    #[inline(always)]
    fn put(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.reserve(1);
        self.put(byte);
    }

    /// Appends the part of `whole` from `from` to `to`.
    pub(crate) fn part(&mut self, whole: &str, from: usize, to: usize) {
        let whole = whole.as_bytes();
        self.reserve(to - from);
        let end = self.length + (to - from);
        let mut at = from;
        // What the last word has too much is overwritten by what comes next.
        while let (Some(source), Some(target)) = (chunk(whole, at), chunk_mut(&mut self.bytes, self.length)) {
            *target = *source;
            at += 8;
            self.length += 8;
            if self.length >= end {
                self.length = end;
                return;
            }
        }
        // The end of the whole text.
        while self.length < end {
            self.put(whole.get(at).copied().unwrap_or(b' '));
            at += 1;
        }
    }

    pub(crate) fn text_of(&mut self, text: &str) {
        self.part(text, 0, text.len());
    }

    /// Appends a number. Tokens and short ids are small, and multiplying is faster than dividing.
    pub(crate) fn number(&mut self, number: u32) {
        self.reserve(4);
        let mut rest = number;
        if number >= 1_000 {
            self.number(number / 1_000);
            rest = number % 1_000;
            self.reserve(4);
        }
        let hundreds = (rest * 41) >> 12;
        if number >= 100 {
            self.put(b'0' + hundreds as u8);
            rest -= hundreds * 100;
        }
        let tens = (rest * 103) >> 10;
        if number >= 10 {
            self.put(b'0' + tens as u8);
            rest -= tens * 10;
        }
        self.put(b'0' + rest as u8);
    }

    pub(crate) fn quoted_number(&mut self, number: u32) {
        self.byte(b'"');
        self.number(number);
        self.byte(b'"');
    }

    /// A comma, where something stands before on the same level.
    fn comma(&mut self) {
        if !matches!(self.bytes.get(self.length.wrapping_sub(1)), None | Some(b'{')) {
            self.byte(b',');
        }
    }

    /// A comma where it is needed, and a number as key.
    pub(crate) fn key(&mut self, number: u32) {
        self.comma();
        self.quoted_number(number);
        self.byte(b':');
    }

    /// A comma where it is needed, and a key that has its quotes.
    pub(crate) fn raw_key(&mut self, quoted: &str) {
        self.comma();
        self.text_of(quoted);
        self.byte(b':');
    }

    /// Appends the JSON scalar from `from` to `to`, a fraction in fewer bytes where an exponent saves some: `0.00027` as
    /// `27e-5`. The decimal value is the same, so every reader gets the same double: nothing is rounded. Integers stay as
    /// they are, because there are readers that take an integer member in no other form.
    pub(crate) fn scalar(&mut self, whole: &str, from: usize, to: usize) {
        let bytes = whole.as_bytes();
        let digits_at = from + usize::from(matches!(bytes.get(from), Some(b'-')));
        if let (Some(b'0'), Some(b'.')) = (bytes.get(digits_at), bytes.get(digits_at + 1)) {
            let fraction = bytes.get(digits_at + 2..to).unwrap_or_default();
            let zeros = fraction.iter().take_while(|byte| **byte == b'0').count();
            // `0.` and the leading zeros go, `e-` and the exponent come. No double that JSON.stringify writes without an
            // exponent has a hundred digits.
            let exponent_length = if fraction.len() < 10 { 3 } else { 4 };
            let is_shorter = zeros + 2 > exponent_length && zeros < fraction.len() && fraction.len() < 100;
            if is_shorter && fraction.iter().all(u8::is_ascii_digit) {
                self.part(whole, from, digits_at);
                self.part(whole, digits_at + 2 + zeros, to);
                self.byte(b'e');
                self.byte(b'-');
                self.number(fraction.len() as u32);
                return;
            }
        }
        self.part(whole, from, to);
    }
}

#[inline(always)]
fn chunk(bytes: &[u8], at: usize) -> Option<&[u8; 8]> {
    bytes.get(at..)?.first_chunk()
}

#[inline(always)]
fn chunk_mut(bytes: &mut [u8], at: usize) -> Option<&mut [u8; 8]> {
    bytes.get_mut(at..)?.first_chunk_mut()
}
