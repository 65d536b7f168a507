//! [`ReportEncoder`]: from the text of `JSON.stringify` to a delta, by comparing tokens of text: equal text is an equal
//! value. The previous report is kept as text with the places of its members, so a report costs no allocation per member.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::Out;

use super::ReportError;
use super::delta::{EntryWriter, Vanished};
use super::lockstep::{Whole, take_apart};
use super::snapshot::{Entry, NONE, Role, Snapshot, span, value};

/// Turns the reports of one connection into deltas.
///
/// ```
/// use rtctrace_protocol::report::ReportEncoder;
/// let mut encoder = ReportEncoder::new();
/// let mut delta = String::new();
/// encoder.encode(r#"{"T01":{"id":"T01","timestamp":1000.5,"type":"transport","bytesSent":300000}}"#, &mut delta)?;
/// assert_eq!(delta, r#"{"0":{"type":5,"80":300000},"t":1000.5}"#);
/// # Ok::<(), rtctrace_protocol::report::ReportError>(())
/// ```
#[derive(Debug, Default)]
pub struct ReportEncoder {
    previous: Snapshot,
    current: Snapshot,
    next_short: u32,
    vanished: Vanished,
    full: bool,
    out: Out,
}

impl ReportEncoder {
    /// An encoder that has seen no report.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the next report go out in full, because reports that this encoder made were never sent. Whatever of them a
    /// reader saw, it then knows every entry as it is.
    pub fn reset(&mut self) {
        self.full = true;
    }

    /// The newest report in full, as it was encoded; empty before the first.
    #[cfg(feature = "std")]
    pub(crate) fn report(&self) -> &str {
        &self.previous.text
    }

    /// The entries of the newest report that travel: their short ids, and their own with quotes.
    #[cfg(feature = "std")]
    pub(crate) fn ids(&self) -> impl Iterator<Item = (u32, &str)> {
        self.previous.entries.iter().map(|entry| (entry.short, span(&self.previous.text, entry.id)))
    }

    /// Goes on where another encoder was, whose newest report this is and whose next new short id is given. `short` says
    /// what it called an entry, by the entry's id with quotes.
    ///
    /// # Errors
    /// [`ReportError`] if the text is no report.
    #[cfg(feature = "std")]
    pub(crate) fn resume(
        &mut self,
        report: &str,
        next_short: u32,
        short: impl Fn(&str) -> Option<u32>,
    ) -> Result<(), ReportError> {
        let mut current = Snapshot { text: report.to_owned(), ..Snapshot::default() };
        take_apart(&Snapshot::default(), &mut current, &mut 0)?;
        let Snapshot { text, entries, members } = &mut current;
        let mut next = next_short;
        for entry in entries.iter_mut() {
            entry.short = short(span(text, entry.id)).unwrap_or_else(|| {
                next += 1;
                next - 1
            });
        }
        for member in members.iter_mut().filter(|member| member.role == Role::Reference) {
            member.reference = short_of(text, entries, value(text, member));
        }
        *self = Self { previous: current, next_short: next, ..Self::default() };
        Ok(())
    }

    /// Appends the delta that leads from the previous report to `report`, the text of
    /// `JSON.stringify(Object.fromEntries(report))`. A `null` member counts as absent.
    ///
    /// # Errors
    /// [`ReportError`] if the text is no report; nothing is appended then and the state stays as it was.
    pub fn encode(&mut self, report: &str, out: &mut String) -> Result<(), ReportError> {
        self.encode_from(&mut report.to_owned(), out)
    }

    /// The same without a copy of the text: the encoder keeps the text's buffer and leaves an older one in its place.
    ///
    /// # Errors
    /// As [`ReportEncoder::encode`].
    pub fn encode_from(&mut self, report: &mut String, out: &mut String) -> Result<(), ReportError> {
        // Offsets are 32 bits wide, and the highest stands for none.
        if report.len() >= u32::MAX as usize {
            return Err(ReportError::TooLarge { what: "bytes", limit: u32::MAX as usize });
        }
        core::mem::swap(&mut self.current.text, report);
        let mut next_short = self.next_short;
        let whole = take_apart(&self.previous, &mut self.current, &mut next_short)?;
        self.write(whole, next_short == self.next_short);
        out.push_str(self.out.text());
        self.next_short = next_short;
        self.full = false;
        core::mem::swap(&mut self.previous, &mut self.current);
        Ok(())
    }

    /// Appends the newest report once more, in full: in place of its delta, where that would build on reports that were never
    /// sent.
    ///
    /// # Errors
    /// As [`ReportEncoder::encode`].
    pub fn encode_again(&mut self, out: &mut String) -> Result<(), ReportError> {
        self.reset();
        let mut newest = self.previous.text.clone();
        self.encode_from(&mut newest, out)
    }

    /// Writes the delta. `all_known`: no entry is new.
    fn write(&mut self, whole: Whole, all_known: bool) {
        let gone = self.gone_entries(whole.kept);
        let Self { previous, current, vanished, full, out, .. } = self;
        let Snapshot { text, entries, members } = current;
        let text = text.as_str();
        // While the same entries are there, a reference that has not changed stands for the same short id as before.
        let same_entries = all_known && gone.is_empty();
        out.clear();
        out.byte(b'{');
        for entry in entries.iter() {
            let before = previous.entry(entry.previous);
            let rewind = out.len();
            out.key(entry.short);
            out.byte(b'{');
            let body = out.len();
            let own = members.get_mut(entry.start as usize..entry.end as usize).unwrap_or_default();
            for member in own.iter_mut().filter(|member| member.role == Role::Reference) {
                if member.is_changed || !same_entries {
                    let reference = short_of(text, entries, value(text, member));
                    member.is_changed |= reference != member.reference;
                    member.reference = reference;
                }
            }
            let mut writer = EntryWriter { text, entry, members: own, previous, before, vanished, full: *full };
            writer.members(out);
            writer.time(whole.time, out);
            if out.len() == body && before.is_some() && !*full {
                out.rewind(rewind);
            } else {
                out.byte(b'}');
            }
        }
        vanished.entries.extend_from_slice(&gone);
        let nulls = if *full { vanished.entries.as_slice() } else { gone.as_slice() };
        for short in nulls {
            out.key(*short);
            out.text_of("null");
        }
        if whole.time.1 > 0 {
            out.raw_key("\"t\"");
            out.text_of(span(text, whole.time));
        }
        out.byte(b'}');
    }

    /// The short ids of entries that the previous report had and this one, which has `kept` of them, has not.
    fn gone_entries(&mut self, kept: usize) -> Vec<u32> {
        let Self { previous, current, vanished, .. } = self;
        let mut gone = Vec::new();
        if kept < previous.entries.len() {
            for (at, entry) in previous.entries.iter().enumerate() {
                if !current.entries.iter().any(|kept| kept.previous as usize == at) {
                    gone.push(entry.short);
                }
            }
            vanished.members.retain(|(short, ..)| !gone.contains(short));
        }
        gone
    }
}

/// The short id of the entry with that id, both with their quotes.
fn short_of(text: &str, entries: &[Entry], id: &str) -> u32 {
    let found = entries.iter().find(|entry| entry.id.1 as usize == id.len() && span(text, entry.id) == id);
    found.map_or(NONE, |entry| entry.short)
}
