//! The tables as they are looked up, in both directions.

use super::rows::{METHODS, METHODS_READ_ONLY, PROPERTIES, PROPERTIES_READ_ONLY, STATS_TYPES};

/// A table by its tokens and by its names, made by the compiler: the names one after another in the order of their tokens,
/// where each ends, and a hash index over them. Small, because every page that records downloads it.
pub(super) struct Table {
    names: &'static str,
    /// By token: where its name ends, which begins where the one before ends. A token without a name has an empty one.
    ends: &'static [u16],
    /// Tokens; 0 for none. A power of two.
    slots: &'static [u8],
}

/// FNV-1a; short names are all it ever sees.
const fn hash(name: &[u8]) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    let mut rest = name;
    while let [byte, tail @ ..] = rest {
        hash = (hash ^ *byte as u32).wrapping_mul(0x0100_0193);
        rest = tail;
    }
    ((hash >> 16) ^ hash) as usize
}

/// The name of a token, or an empty one.
const fn name_of(rows: [&'static [(&'static str, u8)]; 2], token: usize) -> &'static str {
    let mut found = "";
    let [mut rest, mut others] = rows;
    while let [(name, number), tail @ ..] = rest {
        if *number as usize == token {
            assert!(found.is_empty(), "a token stands for one name");
            found = name;
        }
        rest = tail;
        if rest.is_empty() {
            (rest, others) = (others, &[]);
        }
    }
    found
}

#[allow(clippy::indexing_slicing)] // evaluated by the compiler, which refuses an index out of range
const fn ends<const TOKENS: usize>(rows: [&'static [(&'static str, u8)]; 2]) -> [u16; TOKENS] {
    let mut ends = [0; TOKENS];
    let mut token = 1;
    while token < TOKENS {
        ends[token] = ends[token - 1] + name_of(rows, token).len() as u16;
        token += 1;
    }
    ends
}

#[allow(clippy::indexing_slicing)]
const fn names<const LENGTH: usize>(rows: [&'static [(&'static str, u8)]; 2], tokens: usize) -> [u8; LENGTH] {
    let mut names = [0; LENGTH];
    let (mut token, mut at) = (1, 0);
    while token < tokens {
        let mut name = name_of(rows, token).as_bytes();
        while let [byte, tail @ ..] = name {
            names[at] = *byte;
            at += 1;
            name = tail;
        }
        token += 1;
    }
    names
}

#[allow(clippy::indexing_slicing)]
const fn slots<const SLOTS: usize>(rows: [&'static [(&'static str, u8)]; 2], tokens: usize) -> [u8; SLOTS] {
    assert!(SLOTS.is_power_of_two() && tokens <= 256);
    let mut slots = [0; SLOTS];
    let mut token = 1;
    while token < tokens {
        let name = name_of(rows, token);
        if !name.is_empty() {
            let mut slot = hash(name.as_bytes()) % SLOTS;
            while slots[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = token as u8;
        }
        token += 1;
    }
    slots
}

/// How many tokens there are, 0 included.
const fn tokens(rows: [&'static [(&'static str, u8)]; 2]) -> usize {
    let mut tokens = 256;
    while name_of(rows, tokens - 1).is_empty() {
        tokens -= 1;
    }
    tokens
}

macro_rules! table {
    ($written:expr, $read:expr, $slots:literal) => {{
        // A writer needs no name that it must not send.
        const ROWS: [&[(&str, u8)]; 2] = [$written, if cfg!(feature = "std") { $read } else { &[] }];
        const TOKENS: usize = tokens(ROWS);
        const ENDS: [u16; TOKENS] = ends(ROWS);
        const LENGTH: usize = match ENDS.last() {
            Some(end) => *end as usize,
            None => 0,
        };
        const NAMES: [u8; LENGTH] = names(ROWS, TOKENS);
        const TEXT: &str = match core::str::from_utf8(&NAMES) {
            Ok(text) => text,
            Err(_) => "",
        };
        Table { names: TEXT, ends: &ENDS, slots: &const { slots::<$slots>(ROWS, TOKENS) } }
    }};
}

pub(super) static METHOD_TABLE: Table = table!(METHODS, METHODS_READ_ONLY, 128);
pub(super) static TYPE_TABLE: Table = table!(STATS_TYPES, &[], 32);
pub(super) static PROPERTY_TABLE: Table = table!(PROPERTIES, PROPERTIES_READ_ONLY, 512);

/// What a reader of deltas must know of a property, by token: see [`mark`].
#[cfg(feature = "std")]
pub(super) static PROPERTY_MARKS: [u8; 256] = {
    let mut marks = [0; 256];
    let mut token = 1;
    #[allow(clippy::indexing_slicing)] // evaluated by the compiler
    while token < marks.len() {
        marks[token] = mark(name_of([PROPERTIES, PROPERTIES_READ_ONLY], token));
        token += 1;
    }
    marks
};

/// 0 if there is no such property, 1 if there is, 3 if its value names another entry or a track.
#[cfg(feature = "std")]
const fn mark(name: &str) -> u8 {
    match name.as_bytes() {
        [] => 0,
        [.., b'I', b'd'] | b"trackIdentifier" => 3,
        _ => 1,
    }
}

impl Table {
    /// The name behind a token.
    pub(super) fn name(&self, token: u8) -> Option<&'static str> {
        let start = *self.ends.get(usize::from(token).checked_sub(1)?)?;
        let end = *self.ends.get(usize::from(token))?;
        self.names.get(usize::from(start)..usize::from(end)).filter(|name| !name.is_empty())
    }

    /// The token of a name, one that is only read included.
    pub(super) fn token(&self, name: &str) -> Option<u8> {
        let mut slot = hash(name.as_bytes());
        loop {
            let token = *self.slots.get(slot % self.slots.len().max(1))?;
            if token == 0 {
                return None;
            }
            if self.name(token) == Some(name) {
                return Some(token);
            }
            slot += 1;
        }
    }
}
