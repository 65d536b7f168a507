//! Prints a dump of a long call, of so many MB: `cargo run --example long_call 50`. `scripts/bench-extract.sh` measures with it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // What it reads is a recording of ours.

use std::io::Write as _;

#[path = "../../tests/fixtures/long_call.rs"]
mod long_call;

const RECORDING: &str = include_str!("../../tests/fixtures/recordings/loopback-av-60s.jsonl");

fn main() {
    let megabytes: usize = std::env::args().nth(1).and_then(|megabytes| megabytes.parse().ok()).unwrap_or(50);
    let dump = long_call::long_call(RECORDING, megabytes * 1_000_000);
    std::io::stdout().write_all(dump.as_bytes()).unwrap();
}
