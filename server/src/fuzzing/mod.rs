//! What hammers on the collector from inside: one entry per kind of input, which takes any bytes, hands them to the code that
//! takes them from the network, and looks at what became of them. A broken rule is a panic. `fuzz/` drives the entries by
//! coverage for as long as it is told to, `tests.rs` with some thousand mutations of the same seeds; nothing else has them.
//!
//! Bytes go in where the listener has accepted a connection, so all that is behind it takes part: HTTP, the handshake,
//! WebSocket frames, dialects, journal, spool, stores. The files are real ones, in a folder of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod client;
mod rules;
mod script;
mod seeds;
mod sockets;
mod sora;
#[cfg(test)]
mod tests;
mod tokens;
mod uploads;
mod world;

use std::path::Path;

/// Sockets of our client: `script.rs` says what the bytes mean.
pub fn v1(input: &[u8]) {
    sockets::run(sockets::Kind::V1, input);
}

/// Sockets of upstream's client.
pub fn rtcstats(input: &[u8]) {
    sockets::run(sockets::Kind::Rtcstats, input);
}

/// Sockets of Jitsi's client and backends; the first byte says which of them.
pub fn jitsi(input: &[u8]) {
    sockets::run(sockets::Kind::Jitsi, input);
}

/// What the SFU Sora sends: pushes and notices, one after the other; `sora.rs` says what the bytes mean.
pub fn sora(input: &[u8]) {
    sora::run(input);
}

/// An upload of dumps; the first byte says how it travels.
pub fn upload(input: &[u8]) {
    uploads::run(input);
}

/// A client's token; the first byte says how it travels.
pub fn token(input: &[u8]) {
    tokens::run(input);
}

/// What a search of the entry of that name begins with.
#[must_use]
pub fn seeds(entry: &str) -> Vec<Vec<u8>> {
    match entry {
        "v1" => seeds::v1(),
        "rtcstats" => seeds::rtcstats(),
        "jitsi" => seeds::jitsi(),
        "sora" => sora::seeds(),
        "upload" => uploads::seeds(),
        "token" => tokens::seeds(),
        _ => panic!("no entry is called {entry}"),
    }
}

/// Writes the seeds into the folder that `RTCTRACE_FUZZ_SEEDS` names, and ends the process; without it, nothing happens.
pub fn write_seeds(entry: &str) {
    let Some(folder) = std::env::var_os("RTCTRACE_FUZZ_SEEDS") else { return };
    std::fs::create_dir_all(&folder).unwrap();
    for (number, seed) in seeds(entry).into_iter().enumerate() {
        std::fs::write(Path::new(&folder).join(format!("seed-{number}")), seed).unwrap();
    }
    std::process::exit(0);
}
