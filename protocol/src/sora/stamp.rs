//! [`Stamp`]: by what a push or a notice is known again. It stands as the last extra of a line, `{"id":..,"timestamp":..}` as the body has them. A
//! body without an id is told from others of its time by what it says: `crc32` is that of the line's value, in full. A line with entries that
//! were left out of a push's line before it has `part`, which is the same of theirs.

use std::hash::{BuildHasher as _, RandomState};

use super::push::Sender;
use super::time::micros;
use super::translate::{EVENT, STATS};
use crate::checksum::Checksum;
use crate::json::{RawValue, write_string};
use crate::line::Line;
use crate::privacy::obfuscate_text;

/// What tells a body, or a line of it, from all others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    /// In microseconds since the Unix epoch.
    pub(super) time: i64,
    /// The same for a repetition, and for nothing else.
    pub(super) hash: u64,
    /// The same for all lines of one push: of a client without ids, for those of one time.
    pub(super) push: u64,
    /// Whether it is of entries that another line lacks.
    pub(super) is_part: bool,
}

impl Stamp {
    /// That of a body whose line has this method and, in full, this value; and its text.
    pub(super) fn of_body(
        method: &str,
        sender: &Sender<'_>,
        value: &str,
        is_part: bool,
        hasher: &RandomState,
    ) -> (Self, String) {
        let content = (sender.id.is_none() && !is_part).then(|| checksum(value));
        let part = is_part.then(|| checksum(value));
        let mut text = String::from("{");
        if let Some(id) = &sender.id {
            text.push_str("\"id\":");
            write_string(&mut text, id);
            text.push(',');
        }
        text.push_str("\"timestamp\":");
        write_string(&mut text, &sender.timestamp_text);
        for (name, sum) in [("crc32", content), ("part", part)] {
            if let Some(sum) = sum {
                text.push_str(&format!(",\"{name}\":{sum}"));
            }
        }
        text.push('}');
        let id = sender.id.as_deref().unwrap_or_default();
        (Self::new(method, sender.timestamp, id, (content, part), hasher), text)
    }

    /// That of a line, if it has one.
    pub(super) fn of(line: &Line<'_>, method: &str, hasher: &RandomState) -> Option<Self> {
        let stamp = line.extra().last().filter(|_| matches!(method, "getStats" | STATS | EVENT))?;
        let time = micros(&stamp.get("timestamp")?.as_str()?)?;
        let id = stamp.get("id").and_then(RawValue::as_str).unwrap_or_default();
        let sum = |name| u32::try_from(stamp.get(name)?.as_u64()?).ok();
        Some(Self::new(method, time, &id, (sum("crc32"), sum("part")), hasher))
    }

    fn new(method: &str, time: i64, id: &str, sums: (Option<u32>, Option<u32>), hasher: &RandomState) -> Self {
        Self {
            time,
            hash: hasher.hash_one((method, time, id, sums)),
            push: hasher.hash_one((method, time, id)),
            is_part: sums.1.is_some(),
        }
    }
}

/// The same in every process and version: it is stored. Beside a text that has lost its addresses, it may not tell what they were.
fn checksum(text: &str) -> u32 {
    let mut checksum = Checksum::default();
    checksum.add(obfuscate_text(text).as_bytes());
    checksum.value()
}
