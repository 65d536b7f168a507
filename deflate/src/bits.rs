//! Bits as they follow each other in a compressed text: RFC 1951, 3.1.1, the lowest of a byte first.

use crate::pick;
use crate::token::Token;

/// How a symbol is written, with all that is known of its extra bits: the bits, and above them how many they are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Written(u64);

impl Written {
    /// The first `count` of `bits`, of at most 32, and room for `extra` that follow them.
    pub(crate) fn new(bits: u32, count: u32, extra: u32) -> Self {
        Self(u64::from(bits) | u64::from(count) << 32 | u64::from(count + extra) << 40)
    }

    #[inline(always)]
    fn bits(self) -> u64 {
        u64::from(self.0 as u32)
    }

    #[inline(always)]
    fn count(self) -> u32 {
        (self.0 >> 32) as u32 & 63
    }

    #[inline(always)]
    fn with_extra(self) -> u32 {
        (self.0 >> 40) as u32
    }
}

/// How each symbol of a token is written.
pub(crate) struct Codes {
    pub(crate) first: [Written; 512],
    pub(crate) second: [Written; 512],
}

/// What was written and not handed on.
#[derive(Debug, Default)]
pub(crate) struct Bits {
    bytes: Vec<u8>,
    /// Those that make no whole byte yet: fewer than eight.
    rest: u64,
    count: u32,
}

impl Bits {
    /// The whole bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole bytes were handed on.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }

    /// The first `count` of `bits`, of at most 32; the others must be zero.
    pub(crate) fn put(&mut self, bits: u32, count: u32) {
        self.rest |= u64::from(bits) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.rest as u8);
            self.rest >>= 8;
            self.count -= 8;
        }
    }

    /// Fills up the last byte.
    pub(crate) fn align(&mut self) {
        self.put(0, (8 - self.count) % 8);
    }

    /// Whole bytes, at the begin of one.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Tokens, of which it is known that they take no more than `at_most` bits.
    ///
    /// Eight bytes are stored at a time, of which those are kept that are full. A token has at most 20 bits of a length and 28 of
    /// a distance, so with what was left it fits.
    pub(crate) fn tokens(&mut self, tokens: &[Token], codes: &Codes, at_most: usize) {
        let begin = self.bytes.len();
        self.bytes.resize(begin + at_most / 8 + 16, 0);
        let (mut rest, mut count, mut at) = (self.rest, self.count, begin);
        for token in tokens {
            let first = pick(&codes.first, token.first());
            let second = pick(&codes.second, token.second());
            let bits = first.bits() | (second.bits() | token.extra() << second.count()) << first.count();
            rest |= bits << count;
            count += first.count() + second.with_extra();
            if let Some(place) = self.bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
                *place = rest.to_le_bytes();
            }
            rest >>= count & !7;
            at += (count / 8) as usize;
            count &= 7;
        }
        self.bytes.truncate(at);
        (self.rest, self.count) = (rest, count);
    }
}
