//! Full reports as deltas in lines that say which short ids mean what. A line tells a short id when it first uses it, as an extra:
//! `{"ids":{"<short id>":"<id>"},"omitted":["<id of an entry that does not travel>"]}`. So the state of who writes follows from the
//! lines alone, and after a crash the next delta fits behind them.

use std::collections::HashMap;

use super::limits::ENTRY_OVERHEAD;
use super::members::MEMBER_OVERHEAD;
use super::{ReportDecoder, ReportEncoder, ReportLimits};
use crate::json::{RawValue, write_string};

/// The longest report, in full, in bytes.
pub(crate) const MAX_REPORT: usize = 4 << 20;

/// A shorter one is within all limits, as long as each of its entries has an id, a type and a time.
const SMALL: usize = 256 * 1024;

/// What a report takes where it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Its entries.
    pub entries: usize,
    /// Its text, and what its entries and their members take besides.
    pub bytes: usize,
}

impl Room {
    /// As much as a reader has for a report of which all may have changed since the one before.
    pub fn most() -> Self {
        let ReportLimits { entries, bytes } = ReportLimits::default();
        Self { entries, bytes: bytes / 2 }
    }
}

/// Whether readers of lines hold a report of this text, even where all of it has changed: if they do not, how much it takes.
pub(crate) fn is_readable(report: &str) -> Result<(), Room> {
    if report.len() <= SMALL {
        return Ok(());
    }
    let mut room = Room { entries: 0, bytes: report.len() };
    for (_, entry) in RawValue::parse(report).into_iter().flat_map(RawValue::members) {
        room.entries += 1;
        room.bytes += ENTRY_OVERHEAD + MEMBER_OVERHEAD * entry.members().count();
    }
    let most = Room::most();
    let fits = report.len() <= MAX_REPORT && room.entries <= most.entries && room.bytes <= most.bytes;
    if fits { Ok(()) } else { Err(room) }
}

/// A delta, ready for a line.
#[derive(Debug, Default)]
pub(crate) struct NamedDelta {
    pub(crate) value: String,
    /// What the new short ids mean; empty if there is none.
    pub(crate) names: String,
}

/// The reports of one connection.
#[derive(Debug)]
pub(crate) enum NamedReports {
    /// Written here.
    Live(Box<NamedEncoder>),
    /// Known from lines only.
    Replayed(Box<NamedDecoder>),
    /// Too large to be compared.
    Refused,
}

/// Writes deltas.
#[derive(Debug, Default)]
pub(crate) struct NamedEncoder {
    encoder: ReportEncoder,
    /// Short ids below it have been told.
    told: u32,
}

/// Reads them again.
#[derive(Debug, Default)]
pub(crate) struct NamedDecoder {
    decoder: ReportDecoder,
    /// The ids behind the short ones, with their quotes.
    ids: HashMap<String, String>,
    omitted: Vec<String>,
    next_short: u32,
}

impl Default for NamedReports {
    fn default() -> Self {
        Self::Live(Box::default())
    }
}

impl NamedReports {
    /// Of a connection of which lines are there.
    pub(crate) fn replayed() -> Self {
        Self::Replayed(Box::default())
    }

    /// What writes the next delta; `None` if there is none to build upon, and never will be.
    pub(crate) fn live(&mut self) -> Option<&mut NamedEncoder> {
        if let Self::Replayed(replayed) = self {
            *self = replayed.encoder().map_or(Self::Refused, |live| Self::Live(Box::new(live)));
        }
        match self {
            Self::Live(live) => Some(live),
            Self::Replayed(_) | Self::Refused => None,
        }
    }

    /// Takes in what a line says that was written before.
    pub(crate) fn replay(&mut self, delta: RawValue<'_>, names: Option<RawValue<'_>>) {
        if let Self::Replayed(replayed) = self
            && replayed.take(delta, names).is_none()
        {
            *self = Self::Refused;
        }
    }

    /// The newest delta was not written. The next one does not build on it.
    pub(crate) fn not_written(&mut self) {
        if let Self::Live(live) = self {
            live.not_written();
        }
    }
}

impl NamedEncoder {
    /// The newest report in full; empty before the first.
    pub(crate) fn report(&self) -> &str {
        self.encoder.report()
    }

    /// The delta to `full`, whose text is `JSON.stringify`'s; `omitted` are new entries of it that never travel. `None` if it is no
    /// report: the state is then what it was.
    pub(crate) fn encode(&mut self, full: &mut String, omitted: &[String]) -> Option<NamedDelta> {
        let mut delta = NamedDelta::default();
        self.encoder.encode_from(full, &mut delta.value).ok()?;
        let mut next = self.told;
        for (short, id) in self.encoder.ids().filter(|(short, _)| *short >= self.told) {
            delta.names.push_str(if delta.names.is_empty() { "{\"ids\":{" } else { "," });
            delta.names.push_str(&format!("\"{short}\":{id}"));
            next = next.max(short + 1);
        }
        self.told = next;
        if !delta.names.is_empty() {
            delta.names.push('}');
        }
        if !omitted.is_empty() {
            let start = if delta.names.is_empty() { "{" } else { "," };
            delta.names.push_str(&format!("{start}\"omitted\":[{}]", omitted.join(",")));
        }
        if !delta.names.is_empty() {
            delta.names.push('}');
        }
        Some(delta)
    }

    /// The newest delta was not written. The next one does not build on it.
    pub(crate) fn not_written(&mut self) {
        self.encoder.reset();
        self.told = 0;
    }
}

impl NamedDecoder {
    /// Takes in a delta; `None` if it is none, or too large a one.
    pub(crate) fn take(&mut self, delta: RawValue<'_>, names: Option<RawValue<'_>>) -> Option<()> {
        for (short, id) in names.and_then(|names| names.get("ids")).into_iter().flat_map(RawValue::members) {
            self.next_short = self.next_short.max(short.parse::<u32>().ok()?.checked_add(1)?);
            self.ids.insert(short.into_owned(), id.text().to_owned());
        }
        for id in names.and_then(|names| names.get("omitted")).into_iter().flat_map(RawValue::elements) {
            self.omitted.push(id.text().to_owned());
        }
        let report = self.decoder.decode(delta).ok()?;
        if self.ids.len() > 2 * report.len() + 64 {
            let ids = &mut self.ids;
            ids.retain(|short, _| report.get(short).is_some());
        }
        Some(())
    }

    /// The ids of the newest report's entries, each as JSON.
    pub(crate) fn entry_ids(&self) -> impl Iterator<Item = &str> {
        self.decoder.report().entries().filter_map(|entry| self.ids.get(entry.id()).map(String::as_str))
    }

    /// Appends the newest report in full, without those of its entries that do not travel; `None` if that is too long.
    pub(crate) fn write_report(&self, out: &mut String) -> Option<()> {
        let start = out.len();
        out.push('{');
        for entry in self.decoder.report().entries() {
            if out.len() > start + 1 {
                out.push(',');
            }
            out.push_str(self.ids.get(entry.id())?);
            out.push_str(":{\"timestamp\":");
            out.push_str(&entry.timestamp().to_string());
            if !entry.kind().is_empty() {
                out.push_str(",\"type\":");
                write_string(out, entry.kind());
            }
            for (name, value) in entry.members() {
                out.push(',');
                write_string(out, name);
                out.push(':');
                let named = value.as_str().filter(|_| name.ends_with("Id")).and_then(|short| self.ids.get(&*short));
                out.push_str(named.map_or(value.text(), String::as_str));
                // Names are told once and stand for as many members as a dump likes.
                if out.len() - start > MAX_REPORT {
                    return None;
                }
            }
            out.push('}');
        }
        out.push('}');
        Some(())
    }

    /// What goes on behind the newest report.
    fn encoder(&self) -> Option<NamedEncoder> {
        let mut text = String::new();
        self.write_report(&mut text)?;
        text.pop();
        // Of those that are there: an entry that went and came again has two short ids.
        let entries = self.decoder.report().entries();
        let shorts: HashMap<&str, u32> =
            entries.filter_map(|entry| Some((self.ids.get(entry.id())?.as_str(), entry.id().parse().ok()?))).collect();
        for id in self.omitted.iter().filter(|id| !shorts.contains_key(id.as_str())) {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(id);
            text.push_str(":{\"type\":\"certificate\"}");
        }
        text.push('}');
        let mut encoder = ReportEncoder::new();
        encoder.resume(&text, self.next_short, |id| shorts.get(id).copied()).ok()?;
        Some(NamedEncoder { encoder, told: self.next_short })
    }
}
