//! Blocks: RFC 1951, 3.2.3.

use crate::bits::{Bits, Codes, Written};
use crate::huffman::{self, LONGEST};
use crate::token::{DISTANCE_CODES, Histogram, LENGTH_CODE_OF, LENGTH_CODES, MIN_LENGTH, Token, distance_extra_bits};

/// RFC 1951, 3.2.5: the symbol that ends a block. Those of lengths follow it.
const END: usize = 256;
const SYMBOLS: usize = END + 1 + LENGTH_CODES.len();
/// RFC 1951, 3.2.4: the most bytes of a block that is stored as it is.
const LONGEST_STORED: usize = 0xffff;
/// What each of these takes besides: three bits, those that fill up the byte, its length twice.
const STORED_HEAD_BITS: usize = 40;

/// RFC 1951, 3.2.7: the codes of lengths of codes have lengths, too, which stand in this order.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LONGEST_OF_LENGTHS: usize = 7;

/// Writes a block whose text is `text`: as `tokens` with codes of its own, or as it is where that takes fewer bits.
pub(crate) fn write(text: &[u8], tokens: &[Token], histogram: &Histogram, is_last: bool, bits: &mut Bits) {
    let block = Dynamic::new(histogram);
    let stored = text.len() * 8 + text.len().div_ceil(LONGEST_STORED).max(1) * STORED_HEAD_BITS;
    if stored <= block.bits(histogram) {
        store(text, is_last, bits)
    } else {
        block.write(tokens, histogram, is_last, bits)
    }
}

/// RFC 1951, 3.2.4.
fn store(text: &[u8], is_last: bool, bits: &mut Bits) {
    let mut rest = text;
    loop {
        let (now, later) = rest.split_at(rest.len().min(LONGEST_STORED));
        bits.put(u32::from(is_last && later.is_empty()), 3);
        bits.align();
        let length = now.len() as u16;
        bits.extend(&length.to_le_bytes());
        bits.extend(&(!length).to_le_bytes());
        bits.extend(now);
        if later.is_empty() {
            break;
        }
        rest = later;
    }
}

/// RFC 1951, 3.2.7: a block that begins with its own codes.
struct Dynamic {
    symbols: [u8; SYMBOLS],
    distances: [u8; DISTANCE_CODES],
    /// How many of both are described.
    described: (usize, usize),
    /// Their description, and the codes it is written with.
    description: Vec<Run>,
    run_lengths: [u8; ORDER.len()],
}

impl Dynamic {
    fn new(histogram: &Histogram) -> Self {
        let symbols = huffman::lengths(&symbol_counts(histogram), LONGEST);
        let mut counts = [0; DISTANCE_CODES];
        for (place, count) in counts.iter_mut().zip(histogram.of_distances()) {
            *place = count;
        }
        let distances = huffman::lengths(&counts, LONGEST);
        let until_last = |lengths: &[u8]| lengths.iter().rposition(|length| *length > 0).map_or(0, |last| last + 1);
        let described = (until_last(&symbols).max(END + 1), until_last(&distances).max(1));
        let lengths = symbols.iter().take(described.0).chain(distances.iter().take(described.1)).copied();
        let description = runs(lengths);
        let mut counts = [0; ORDER.len()];
        for run in &description {
            if let Some(count) = counts.get_mut(usize::from(run.symbol)) {
                *count += 1;
            }
        }
        let run_lengths = huffman::lengths(&counts, LONGEST_OF_LENGTHS);
        Self { symbols, distances, described, description, run_lengths }
    }

    /// How many lengths of the description's own codes are said.
    fn run_lengths_described(&self) -> usize {
        let is_used = |symbol: &usize| self.run_lengths.get(*symbol).is_some_and(|length| *length > 0);
        ORDER.iter().rposition(is_used).map_or(0, |last| last + 1).max(4)
    }

    /// How many bits it takes.
    fn bits(&self, histogram: &Histogram) -> usize {
        let head = 3 + 5 + 5 + 4 + 3 * self.run_lengths_described();
        let run = |run: &Run| usize::from(self.run_lengths.get(usize::from(run.symbol)).copied().unwrap_or_default());
        let description: usize = self.description.iter().map(|it| run(it) + it.extra_bits as usize).sum();
        let sum = |counts: &[u32], lengths: &[u8]| -> usize {
            counts.iter().zip(lengths).map(|(count, length)| *count as usize * usize::from(*length)).sum()
        };
        let symbols = sum(&symbol_counts(histogram), &self.symbols);
        let extra_of = |index: &u8| LENGTH_CODES.get(usize::from(*index)).map_or(0, |(_, extra)| usize::from(*extra));
        let extra: usize =
            histogram.of_lengths().zip(&LENGTH_CODE_OF).map(|(count, code)| count as usize * extra_of(code)).sum();
        let distances: usize = histogram
            .of_distances()
            .zip(&self.distances)
            .enumerate()
            .map(|(code, (count, length))| count as usize * (usize::from(*length) + distance_extra_bits(code)))
            .sum();
        head + description + symbols + extra + distances
    }

    fn write(&self, tokens: &[Token], histogram: &Histogram, is_last: bool, bits: &mut Bits) {
        bits.put(u32::from(is_last) | 0b10 << 1, 3);
        bits.put((self.described.0 - (END + 1)) as u32, 5);
        bits.put((self.described.1 - 1) as u32, 5);
        let run_lengths_described = self.run_lengths_described();
        bits.put((run_lengths_described - 4) as u32, 4);
        for symbol in ORDER.iter().take(run_lengths_described) {
            bits.put(self.run_lengths.get(*symbol).copied().unwrap_or_default().into(), 3);
        }
        let run_codes = huffman::codes(&self.run_lengths);
        for run in &self.description {
            let (code, length) = run_codes.get(usize::from(run.symbol)).copied().unwrap_or_default();
            bits.put(code.into(), length.into());
            bits.put(run.extra, run.extra_bits);
        }
        let symbols = huffman::codes(&self.symbols);
        bits.tokens(tokens, &self.codes(&symbols), self.bits(histogram));
        let (code, length) = symbols.get(END).copied().unwrap_or_default();
        bits.put(code.into(), length.into());
    }

    /// How the symbols of tokens are written.
    fn codes(&self, symbols: &[(u16, u8); SYMBOLS]) -> Codes {
        let mut codes = Codes { first: [Written::default(); 512], second: [Written::default(); 512] };
        let written = |(code, length): (u16, u8), extra| Written::new(code.into(), length.into(), extra);
        let (first_literals, first_lengths) = codes.first.split_at_mut(END);
        let (second_literals, second_distances) = codes.second.split_at_mut(END);
        for ((first, second), code) in first_literals.iter_mut().zip(second_literals).zip(symbols) {
            *first = written(*code, 0);
            *second = written(*code, 0);
        }
        for ((place, index), length) in first_lengths.iter_mut().zip(LENGTH_CODE_OF).zip(MIN_LENGTH as u32..) {
            let (from, extra_bits) = LENGTH_CODES.get(usize::from(index)).copied().unwrap_or_default();
            let (code, bits) = symbols.get(END + 1 + usize::from(index)).copied().unwrap_or_default();
            let extra = length - u32::from(from);
            *place = Written::new(u32::from(code) | extra << bits, u32::from(bits) + u32::from(extra_bits), 0);
        }
        let distances = huffman::codes(&self.distances);
        for ((place, code), number) in second_distances.iter_mut().zip(distances).zip(0..) {
            *place = written(code, distance_extra_bits(number) as u32);
        }
        codes
    }
}

/// How often each symbol of the first code occurs.
fn symbol_counts(histogram: &Histogram) -> [u32; SYMBOLS] {
    let mut counts = [0; SYMBOLS];
    let (literals, others) = counts.split_at_mut(END);
    for (place, count) in literals.iter_mut().zip(histogram.of_literals()) {
        *place = count;
    }
    if let [end, lengths @ ..] = others {
        *end = 1;
        for (count, code) in histogram.of_lengths().zip(LENGTH_CODE_OF) {
            if let Some(place) = lengths.get_mut(usize::from(code)) {
                *place += count;
            }
        }
    }
    counts
}

/// A piece of the description of codes: a length, or that one is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    symbol: u8,
    extra: u32,
    extra_bits: u32,
}

/// RFC 1951, 3.2.7: 16 repeats the last length 3 to 6 times, 17 and 18 are 3 to 10 and 11 to 138 zeros.
fn runs(lengths: impl Iterator<Item = u8>) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut lengths = lengths.peekable();
    while let Some(length) = lengths.next() {
        let mut count = 1;
        while lengths.next_if_eq(&length).is_some() {
            count += 1;
        }
        let itself = Run { symbol: length, extra: 0, extra_bits: 0 };
        if length > 0 {
            runs.push(itself);
            count -= 1;
        }
        while count > 0 {
            let (repeated, run) = match (length, count) {
                (0, 11..) => {
                    let repeated = count.min(138);
                    (repeated, Run { symbol: 18, extra: repeated - 11, extra_bits: 7 })
                }
                (0, 3..) => (count, Run { symbol: 17, extra: count - 3, extra_bits: 3 }),
                (_, 3..) => {
                    let repeated = count.min(6);
                    (repeated, Run { symbol: 16, extra: repeated - 3, extra_bits: 2 })
                }
                _ => (1, itself),
            };
            runs.push(run);
            count -= repeated;
        }
    }
    runs
}
