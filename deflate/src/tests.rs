use std::io::{self, Read};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::window::{HISTORY, SIZE};

/// Gives at most so many bytes at a time, round and round, and is interrupted now and then.
struct Chunked<'a> {
    text: &'a [u8],
    sizes: &'a [usize],
    reads: usize,
}

impl Read for Chunked<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads.is_multiple_of(7) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let size = self.sizes[self.reads % self.sizes.len()].min(into.len()).min(self.text.len());
        let (now, later) = self.text.split_at(size);
        into[..size].copy_from_slice(now);
        self.text = later;
        Ok(size)
    }
}

/// Compresses, holds what comes out against the text, and answers how long it is.
fn compressed(text: &[u8], sizes: &[usize]) -> usize {
    let mut output = Vec::new();
    gzip(Chunked { text, sizes, reads: 0 }, &mut output).unwrap();
    let mut decoded = Vec::new();
    let mut decoder = flate2::bufread::GzDecoder::new(output.as_slice());
    decoder.read_to_end(&mut decoded).unwrap();
    assert!(decoder.into_inner().is_empty(), "more than one member");
    let differs = decoded.iter().zip(text).position(|(decoded, byte)| decoded != byte);
    assert_eq!((decoded.len(), differs), (text.len(), None));
    output.len()
}

/// The most that a text may grow by: header and trailer, and what stored blocks have besides.
fn most(length: usize) -> usize {
    length + 18 + 5 * (length.div_ceil(SIZE - HISTORY) + length.div_ceil(0xffff) + 1)
}

/// Numbers that look like chance and are the same every time.
fn noise(mut seed: u64) -> impl FnMut() -> u64 {
    move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed ^ seed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 16
    }
}

fn lines(count: u64) -> Vec<u8> {
    let mut noise = noise(count);
    let mut text = String::new();
    for line in 0..count {
        let (packets, bytes, jitter) = (noise() % 10_000, noise() % 10_000_000, noise() % 1_000);
        text += &format!(
            "[\"g\",\"PC_0\",{{\"4\":{{\"41\":{bytes},\"80\":{packets}}},\"24\":{{\"16\":0.{jitter}}}}},{line}]\n"
        );
    }
    text.into_bytes()
}

#[test]
fn what_is_short_comes_out_again() {
    for length in 0..70 {
        compressed(&vec![b'a'; length], &[1]);
        compressed(&lines(2)[..length], &[3, 50]);
    }
    assert_eq!(compressed(b"", &[1]), 10 + 5 + 8);
    assert_eq!(compressed(b"a", &[1]), 10 + 6 + 8);
}

#[test]
fn lines_become_much_less() {
    let text = lines(20_000);
    let length = compressed(&text, &[1 << 16, 100]);
    assert!(length * 5 < text.len() * 2, "{} of {}", length, text.len());
}

#[test]
fn noise_grows_by_no_more_than_stored_blocks_do() {
    let mut noise = noise(7);
    let text: Vec<u8> = (0..700_000).map(|_| noise() as u8).collect();
    for length in [1, 100, 65_535, 65_536, SIZE - 1, SIZE, SIZE + 1, 700_000] {
        assert!(compressed(&text[..length], &[1 << 20]) <= most(length), "{length}");
    }
}

#[test]
fn runs_of_any_length_and_period() {
    for period in [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 257, 258, 259, 1000] {
        let mut noise = noise(period as u64);
        let unit: Vec<u8> = (0..period).map(|_| noise() as u8).collect();
        for length in [258, 259, 600, 40_000, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE + 77] {
            let text: Vec<u8> = unit.iter().copied().cycle().take(length).collect();
            assert!(compressed(&text, &[1 << 20]) < 400 + period + length / 50, "{period} {length}");
        }
    }
}

#[test]
fn what_is_farther_away_than_the_history_is_not_referred_to() {
    let mut noise = noise(3);
    let unit: Vec<u8> = (0..HISTORY + 9).map(|_| noise() as u8).collect();
    for period in HISTORY - 9..HISTORY + 9 {
        let text: Vec<u8> = unit[..period].iter().copied().cycle().take(4 * period).collect();
        let length = compressed(&text, &[5000]);
        assert_eq!(length < text.len() / 2, period <= HISTORY, "{period}");
    }
    // The same at a distance that positions modulo 2^16 cannot tell from a near one.
    let far: Vec<u8> = unit.iter().chain(&vec![0; (1 << 16) - unit.len() + 20]).chain(&unit).copied().collect();
    compressed(&far, &[1 << 20]);
}

#[test]
fn blocks_of_other_kinds_follow_each_other() {
    let mut noise = noise(5);
    let mut text = Vec::new();
    for round in 0..6 {
        text.extend(lines(1500));
        text.extend((0..120_000).map(|_| noise() as u8));
        text.extend(vec![round; 90_000]);
    }
    compressed(&text, &[4096, 1, 70_000]);
}

#[test]
fn every_length_and_distance_is_said_right() {
    let mut noise = noise(11);
    let mut text: Vec<u8> = (0..HISTORY).map(|_| noise() as u8).collect();
    for round in 0..4000 {
        let length = 3 + round % 270;
        let distance = (1 + noise() as usize % (1 << (1 + round % 15))).max(1);
        for _ in 0..length {
            text.push(text[text.len() - distance]);
        }
        text.push(noise() as u8);
    }
    compressed(&text, &[1 << 20]);
}

#[test]
fn codes_are_no_longer_than_they_may_be() {
    // Fibonacci's numbers make the longest codes there are.
    let mut counts = [0; 40];
    let (mut one, mut other) = (1, 1);
    for count in &mut counts {
        *count = one;
        (one, other) = (other, one + other);
    }
    for limit in [6, 7, 9, 15] {
        let lengths = huffman::lengths(&counts, limit);
        assert!(lengths.iter().all(|length| (1..=limit).contains(&usize::from(*length))));
        let taken: u32 = lengths.iter().map(|length| 1 << (limit - usize::from(*length))).sum();
        assert_eq!(taken, 1 << limit);
    }
    assert_eq!(huffman::lengths(&[0; 5], 7), [1, 1, 0, 0, 0]);
    assert_eq!(huffman::lengths(&[0, 9, 0], 7), [1, 1, 0]);
    assert_eq!(huffman::lengths(&[9, 0, 0], 7), [1, 1, 0]);
}

#[test]
fn what_fails_is_told() {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    assert_eq!(gzip(Fails, Vec::new()).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert!(gzip(lines(9000).as_slice(), [0u8; 20].as_mut_slice()).is_err());
}

/// Pieces of text that come again, among those that do not.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = vec(vec(any::<u8>(), 1..60), 1..6);
    let picks = vec((any::<prop::sample::Index>(), 0usize..400, vec(any::<u8>(), 0..6)), 0..300);
    (words, picks).prop_map(|(words, picks)| {
        let mut text = Vec::new();
        for (word, times, between) in picks {
            let word = word.get(&words);
            text.extend(word.iter().cycle().take(times));
            text.extend(between);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_come_out_again(text in vec(any::<u8>(), 0..3000), sizes in vec(1usize..500, 1..5)) {
        prop_assert!(compressed(&text, &sizes) <= most(text.len()));
    }

    #[test]
    fn any_few_bytes_come_out_again(text in vec(0u8..3, 0..200_000), sizes in vec(1usize..90_000, 1..5)) {
        compressed(&text, &sizes);
    }

    #[test]
    fn anything_that_repeats_comes_out_again(text in pieces(), sizes in vec(1usize..9000, 1..5)) {
        prop_assert!(compressed(&text, &sizes) <= most(text.len()));
    }
}
