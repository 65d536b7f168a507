//! Splits a block into tokens: what came before in the window is said by length and distance, all else is literals.

use crate::token::{Histogram, MAX_LENGTH, Token};
use crate::window::{HISTORY, SIZE, Window};
use crate::{change, pick, zeroed};

/// How many bytes of a match are looked for. Shorter ones are seldom worth their distance: most literals are digits, of four
/// bits each.
const SOUGHT: u32 = 7;
/// The table's size. A larger one finds more and misses the nearest cache more often.
const TABLE_BITS: u32 = 12;
/// Which positions of a match are remembered besides those that were looked at. They cost less than what they find later saves.
const REMEMBERED: [usize; 3] = [2, 4, 6];
/// What no search is begun in: the last bytes of a block, so that no match has to be looked at for its end.
const TAIL: usize = 24;
/// After so many literals in a row ever more of them are taken without a search.
const PATIENCE: usize = 256;
const MOST_UNSOUGHT: usize = 64;

/// Remembers where in the window which bytes were last.
pub(crate) struct Matcher {
    /// By hash, the position modulo 2^16. What is older than that is at another distance than it seems, which is no harm: bytes
    /// are compared wherever it points to.
    table: Box<[u16; 1 << TABLE_BITS]>,
    tokens: Vec<Token>,
}

impl Matcher {
    pub(crate) fn new() -> Self {
        Self { table: zeroed(), tokens: Vec::with_capacity(SIZE / 2 + TAIL) }
    }

    /// The window was moved.
    pub(crate) fn slide(&mut self) {
        for position in self.table.iter_mut() {
            *position = position.wrapping_sub(Window::SLIDES_BY as u16);
        }
    }

    /// The tokens of the window's block.
    pub(crate) fn tokens(&mut self, window: &Window) -> (&[Token], Histogram) {
        let mut histogram = Histogram::new();
        self.tokens.clear();
        split(window, &mut self.table, &mut self.tokens, &mut histogram);
        (&self.tokens, histogram)
    }
}

/// Bytes that were there before.
#[derive(Clone, Copy)]
struct Candidate {
    at: usize,
    distance: usize,
    /// The eight bytes there against those here: what is equal is zero.
    difference: u64,
}

impl Candidate {
    /// Looks where `here`, the bytes at `at`, were last, and remembers that they are here.
    #[inline(always)]
    fn find(window: &Window, table: &mut [u16; 1 << TABLE_BITS], at: usize, here: u64) -> Self {
        let hash = hash(here);
        let distance = usize::from((at as u16).wrapping_sub(pick(table, hash)));
        change(table, hash, |position| *position = at as u16);
        Self { at, distance, difference: here ^ window.load(at.wrapping_sub(distance)) }
    }

    #[inline(always)]
    fn is_match(&self, farthest: usize) -> bool {
        self.difference << (64 - 8 * SOUGHT) == 0 && self.distance.wrapping_sub(1) < farthest
    }

    /// How many bytes match. The first sixteen are counted without a decision: it could not be foreseen.
    #[inline(always)]
    fn length(&self, window: &Window, end: usize) -> usize {
        let differs =
            |behind: usize| window.load(self.at + behind) ^ window.load((self.at + behind).wrapping_sub(self.distance));
        let difference = u128::from(self.difference) | u128::from(differs(8)) << 64;
        let mut length = (difference.trailing_zeros() / 8) as usize;
        if difference == 0 {
            let most = (end - self.at).min(MAX_LENGTH);
            while length < most {
                let difference = differs(length);
                length += (difference.trailing_zeros() / 8) as usize;
                if difference != 0 {
                    break;
                }
            }
            length = length.min(most);
        }
        length
    }
}

#[inline(always)]
fn hash(bytes: u64) -> usize {
    ((bytes << (64 - 8 * SOUGHT)).wrapping_mul(0x9e37_79b1_85eb_ca87) >> (64 - TABLE_BITS)) as usize
}

/// Writes tokens and counts them.
///
/// Two positions are looked at a time: both loads are then under way together, and literals mostly come in pairs.
fn split(window: &Window, table: &mut [u16; 1 << TABLE_BITS], tokens: &mut Vec<Token>, histogram: &mut Histogram) {
    let (mut at, end) = (window.begin(), window.end());
    let searched = end.saturating_sub(TAIL);
    let mut literals = 0usize;
    while at < searched {
        let farthest = at.min(HISTORY);
        let (here, next) = (window.load(at), window.load(at + 1));
        let mut found = Candidate::find(window, table, at, here);
        let second = Candidate::find(window, table, at + 1, next);
        if !found.is_match(farthest) {
            if !second.is_match(farthest) {
                tokens.push(histogram.literals(here as u8, next as u8));
                at += 2;
                literals += 2;
                if literals >= PATIENCE {
                    let until = searched.min(at + (literals / PATIENCE * 2).min(MOST_UNSOUGHT));
                    while at < until {
                        let here = window.load(at);
                        tokens.push(histogram.literals(here as u8, (here >> 8) as u8));
                        at += 2;
                    }
                }
                continue;
            }
            tokens.push(histogram.literal(here as u8));
            found = second;
        }
        literals = 0;
        for behind in REMEMBERED {
            change(table, hash(window.load(at + behind)), |position| *position = (at + behind) as u16);
        }
        let length = found.length(window, end);
        tokens.push(histogram.repeated(length, found.distance));
        at = found.at + length;
    }
    while at < end {
        tokens.push(histogram.literal(window.load(at) as u8));
        at += 1;
    }
}
