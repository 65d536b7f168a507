//! The short search that every test run has: all seeds, then some thousand inputs made of them by chance, the same every time.

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once, PoisonError};

/// Panics of any thread: tokio catches those of its tasks.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// What formats are made of.
const WORDS: [&str; 24] = [
    "[",
    "]",
    "{",
    "}",
    "\"",
    "\\u0000",
    "\\ud800",
    "null",
    "1e999",
    "-0.0",
    "18446744073709551615",
    "0",
    "\n",
    "\u{1e}",
    "close",
    "getStats",
    "\"timestamp\":0",
    "statsSessionId",
    "\u{1e}k",
    "\u{1e}r1\u{1e}t",
    "\r\n--x\r\n",
    "--x--",
    "\u{1f}\u{8b}",
    "..",
];

/// Chance with a memory: xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let (a, b) = (self.below(length + 1), self.below(length + 1));
        // Short ones mostly: what is left should still mean something.
        let longest = if self.below(4) == 0 { length } else { 16 };
        a.min(b)..a.max(b).min(a.min(b) + longest)
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let range = self.range(input.len());
        match self.below(8) {
            0 => {
                let at = self.below(input.len());
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << self.below(8);
                }
            }
            1 => drop(input.drain(range)),
            2 => {
                let copy = input[range.clone()].to_vec();
                let times = 1 + self.below(3);
                input.splice(range.start..range.start, copy.repeat(times));
            }
            3 | 4 => drop(input.splice(range, WORDS[self.below(WORDS.len())].bytes())),
            5 => {
                let other = &seeds[self.below(seeds.len())];
                let part = other[self.range(other.len())].to_vec();
                input.splice(range, part);
            }
            6 => {
                let other = &seeds[self.below(seeds.len())];
                let (keep, from) = (self.below(input.len()), self.below(other.len()));
                input.truncate(keep);
                input.extend_from_slice(&other[from..]);
            }
            _ => drop(input.splice(range.clone(), range.map(|at| b'0' + (at % 10) as u8))),
        }
    }
}

fn search(name: &str, entry: fn(&[u8]), inputs: usize) {
    static WATCH: Once = Once::new();
    // One after the other: a panic is whose turn it is.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    WATCH.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |what| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            before(what);
        }));
    });
    let seeds = super::seeds(name);
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for number in 0..seeds.len() + inputs {
        let mut input = seeds[number % seeds.len()].clone();
        if number >= seeds.len() {
            for _ in 0..=chance.below(5) {
                chance.change(&mut input, &seeds);
            }
        }
        let before = PANICS.load(Ordering::Relaxed);
        let outcome = panic::catch_unwind(|| entry(&input));
        if outcome.is_err() || PANICS.load(Ordering::Relaxed) != before {
            let file = std::env::temp_dir().join(format!("rtctrace-{name}-{number}"));
            std::fs::write(&file, &input).unwrap();
            panic!("input {number} of `{name}` broke a rule; it is in {}", file.display());
        }
    }
}

#[test]
fn sockets_of_our_client_take_anything() {
    search("v1", super::v1, 400);
}

#[test]
fn sockets_of_upstreams_client_take_anything() {
    search("rtcstats", super::rtcstats, 400);
}

#[test]
fn sockets_of_jitsis_clients_take_anything() {
    search("jitsi", super::jitsi, 400);
}

#[test]
fn what_sora_sends_may_be_anything() {
    search("sora", super::sora, 400);
}

#[test]
fn uploads_take_anything() {
    search("upload", super::upload, 400);
}

#[test]
fn no_token_that_is_not_signed_lets_anybody_in() {
    search("token", super::token, 4_000);
}
