//! What a block's text is split into, and how often each of it occurs.
//!
//! A token is two symbols, so that writing one takes no decision: a length and its distance, two literals, or a literal alone.
//! The processor could not foresee which of them comes next, and a wrong guess costs more than writing a token does.

use crate::change;

/// Where lengths begin among first symbols: 256 is a length of 3.
const LENGTHS: usize = 256;
pub(crate) const MIN_LENGTH: usize = 3;
pub(crate) const MAX_LENGTH: usize = 258;
/// Where the codes of distances begin among second symbols.
const DISTANCES: usize = 256;
/// RFC 1951, 3.2.5: how many codes of distances there are.
pub(crate) const DISTANCE_CODES: usize = 30;
/// The second symbol of a literal that stands alone: it takes no bits.
const NONE: usize = DISTANCES + DISTANCE_CODES;

/// The first symbol in 9 bits, the second in 9, the distance's extra bits in 13.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Token(u32);

impl Token {
    #[inline(always)]
    fn new(first: usize, second: usize, extra: usize) -> Self {
        Self((first | second << 9 | extra << 18) as u32)
    }

    #[inline(always)]
    pub(crate) fn first(self) -> usize {
        (self.0 & 511) as usize
    }

    #[inline(always)]
    pub(crate) fn second(self) -> usize {
        (self.0 >> 9 & 511) as usize
    }

    /// The extra bits of the distance.
    #[inline(always)]
    pub(crate) fn extra(self) -> u64 {
        u64::from(self.0 >> 18)
    }
}

/// How often which symbol occurs in a block's tokens.
#[derive(Debug)]
pub(crate) struct Histogram {
    first: [u32; 512],
    second: [u32; 512],
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { first: [0; 512], second: [0; 512] }
    }

    #[inline(always)]
    fn count(&mut self, token: Token) -> Token {
        change(&mut self.first, token.first(), |count| *count += 1);
        change(&mut self.second, token.second(), |count| *count += 1);
        token
    }

    #[inline(always)]
    pub(crate) fn literal(&mut self, literal: u8) -> Token {
        self.count(Token::new(usize::from(literal), NONE, 0))
    }

    #[inline(always)]
    pub(crate) fn literals(&mut self, one: u8, other: u8) -> Token {
        self.count(Token::new(usize::from(one), usize::from(other), 0))
    }

    /// `length` is within [`MIN_LENGTH`] and [`MAX_LENGTH`], `distance` from 1 to the size of the history.
    #[inline(always)]
    pub(crate) fn repeated(&mut self, length: usize, distance: usize) -> Token {
        let code = distance_code(distance);
        let extra = (distance.wrapping_sub(1)) & !(usize::MAX << distance_extra_bits(code));
        self.count(Token::new(length.wrapping_sub(MIN_LENGTH) + LENGTHS, code + DISTANCES, extra))
    }

    /// Of each literal.
    pub(crate) fn of_literals(&self) -> impl Iterator<Item = u32> {
        self.first.iter().zip(&self.second).take(LENGTHS).map(|(first, second)| first + second)
    }

    /// Of each length, beginning with [`MIN_LENGTH`].
    pub(crate) fn of_lengths(&self) -> impl Iterator<Item = u32> {
        self.first.iter().skip(LENGTHS).copied()
    }

    /// Of each code of a distance.
    pub(crate) fn of_distances(&self) -> impl Iterator<Item = u32> {
        self.second.iter().skip(DISTANCES).take(DISTANCE_CODES).copied()
    }
}

/// RFC 1951, 3.2.5: two codes for each power of two of the distance less one, and one for each of the first four.
#[inline(always)]
fn distance_code(distance: usize) -> usize {
    let less = distance.wrapping_sub(1);
    let power = (less | 2).ilog2() as usize;
    (2 * power + (less >> (power - 1) & 1)).wrapping_sub(2 * usize::from(less < 2))
}

/// RFC 1951, 3.2.5: how many extra bits follow the code of a distance.
#[inline(always)]
pub(crate) fn distance_extra_bits(code: usize) -> usize {
    (code >> 1).saturating_sub(1)
}

/// RFC 1951, 3.2.5: the lengths' codes from 257 on, each with the first length it stands for and its extra bits.
pub(crate) const LENGTH_CODES: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// For each length from [`MIN_LENGTH`] on the index of its code in [`LENGTH_CODES`].
#[allow(clippy::indexing_slicing)] // evaluated by the compiler, which refuses an index out of range
pub(crate) const LENGTH_CODE_OF: [u8; MAX_LENGTH - MIN_LENGTH + 1] = {
    let mut codes = [0; MAX_LENGTH - MIN_LENGTH + 1];
    let (mut length, mut code) = (0, 0);
    while length < codes.len() {
        if code + 1 < LENGTH_CODES.len() && LENGTH_CODES[code + 1].0 as usize <= length + MIN_LENGTH {
            code += 1;
        }
        codes[length] = code as u8;
        length += 1;
    }
    codes
};
