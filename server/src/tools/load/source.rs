//! The lines that are sent: those of a recording, as frames that are ready for any number of sockets.
//!
//! A session begins with what the recording has before its first reports, and these; then the other reports follow each
//! other, round and round. Each is a delta that the one before prepared, or, where the round begins anew, one that sets the
//! same members: so all of them decode, and the load is that of a call that goes on.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, ensure};
use bytes::Bytes;
use rtctrace_protocol::dump::DumpReader;
use rtctrace_protocol::line::{Line, write_line};

use super::super::wire::text_frame;
use crate::session::UnixMillis;

/// A minute of a call in Chromium with a few videos each way, as the client encodes it: 2.3 KB a report.
const RECORDING: &[u8] = include_bytes!("recording.jsonl.gz");

/// What every session sends.
#[derive(Debug)]
pub(super) struct Source {
    /// The frames of a session's first lines.
    pub(super) first: Bytes,
    /// How many lines these are.
    pub(super) first_lines: u64,
    /// The frames of a round.
    round: Bytes,
    /// Where each of them ends.
    ends: Vec<usize>,
    /// The frame of the line that ends a session.
    pub(super) last: Bytes,
}

impl Source {
    /// From a dump, or from the recording that the program carries. `interval`: milliseconds between two reports.
    pub(super) fn open(file: Option<&Path>, interval: u64) -> anyhow::Result<Self> {
        match file {
            Some(path) => {
                let input = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
                Self::read(BufReader::new(input), interval).with_context(|| path.display().to_string())
            }
            None => Self::read(RECORDING, interval),
        }
    }

    fn read(input: impl BufRead, interval: u64) -> anyhow::Result<Self> {
        let mut dump = DumpReader::open(input)?;
        let (mut first, mut round, mut last) = (Vec::new(), Vec::new(), Vec::new());
        let (mut first_lines, mut ends) = (0, Vec::new());
        let mut reported: HashSet<String> = HashSet::new();
        while let Some(text) = dump.next_line() {
            let text = text?;
            let Ok(line) = Line::parse(text) else { continue };
            let is_report = line.method() == "getStats";
            let connection = line.connection().unwrap_or_default();
            if is_report && reported.contains(&*connection) {
                text_frame(&mut round, &with_delta(line.text(), interval))?;
                ends.push(round.len());
            } else if is_report || reported.is_empty() {
                let begins = if first_lines == 0 { UnixMillis::now().0.unsigned_abs() } else { interval.min(10) };
                text_frame(&mut first, &with_delta(line.text(), begins))?;
                first_lines += 1;
                if is_report {
                    reported.insert(connection.into_owned());
                }
            }
        }
        ensure!(!ends.is_empty(), "the recording has too few reports: a load is made of them");
        let mut close = String::new();
        write_line(&mut close, "close", None, "null", &[], 1.0);
        text_frame(&mut last, &close)?;
        Ok(Self { first: first.into(), first_lines, round: round.into(), ends, last: last.into() })
    }

    /// The frames from number `from` of the endless round on, at most `count` and not beyond the round's end, and how many
    /// they are.
    pub(super) fn reports(&self, from: u64, count: u64) -> (Bytes, u64) {
        let at = usize::try_from(from % self.ends.len() as u64).unwrap_or_default();
        let until = at.saturating_add(usize::try_from(count).unwrap_or(usize::MAX)).min(self.ends.len());
        let end_of = |number: usize| number.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0);
        (self.round.slice(end_of(at)..end_of(until)), (until - at) as u64)
    }
}

/// The same line at another time: that is what stands behind its last comma.
fn with_delta(line: &str, delta: u64) -> String {
    let rest = line.rfind(',').and_then(|comma| line.get(..=comma)).unwrap_or_default();
    format!("{rest}{delta}]")
}

#[cfg(test)]
mod tests {
    use rtctrace_protocol::event::SessionDecoder;
    use rtctrace_protocol::json::RawValue;

    use super::*;

    /// The texts of masked frames.
    fn texts(mut frames: &[u8]) -> Vec<String> {
        let mut texts = Vec::new();
        while let [_, short, rest @ ..] = frames {
            let (length, rest) = match short & 0x7f {
                126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
                short => (usize::from(short), rest),
            };
            let (mask, rest) = rest.split_at(4);
            let text = rest[..length].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
            texts.push(String::from_utf8(text).unwrap());
            frames = &rest[length..];
        }
        texts
    }

    #[test]
    fn every_line_of_the_endless_call_decodes_and_its_reports_have_the_size_of_real_ones() {
        let source = Source::open(None, 1000).unwrap();
        let mut lines = texts(&source.first);
        assert_eq!(lines.len() as u64, source.first_lines);
        let (mut next, mut bytes) = (0, 0);
        while next < 200 {
            let (frames, count) = source.reports(next, 7);
            let reports = texts(&frames);
            assert_eq!(reports.len() as u64, count);
            bytes += reports.iter().map(String::len).sum::<usize>();
            lines.extend(reports);
            next += count;
        }
        assert!((2_200..2_500).contains(&(bytes as u64 / next)), "{}", bytes as u64 / next);
        lines.extend(texts(&source.last));
        let mut decoder = SessionDecoder::new();
        for line in &lines {
            let event = decoder.decode(line).unwrap();
            assert!(RawValue::parse(&event.value.to_json()).is_ok());
        }
        assert_eq!(lines.last().unwrap(), "[36,null,null,1]");
    }
}
