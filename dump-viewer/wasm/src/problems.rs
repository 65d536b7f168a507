//! What of a file could not be read.

use crate::opening::Fault;

/// Skipped lines that are described; the others are counted.
const DESCRIBED_SKIPS: usize = 50;

/// A line that could not be read.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) line: u32,
    pub(crate) reason: String,
}

/// Lines that were skipped, and the one behind which nothing could be had.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problems {
    pub(crate) count: u32,
    /// The first few.
    pub(crate) skipped: Vec<Problem>,
    pub(crate) interrupted: Option<Problem>,
    /// Where another dump begins, which is not read.
    pub(crate) second_dump: Option<u32>,
    /// The line that was last skipped for being no text or no JSON, as one is that was cut.
    unreadable: Option<u32>,
}

impl Problems {
    pub(crate) fn skip(&mut self, line: u32, reason: String) {
        self.count += 1;
        if self.skipped.len() < DESCRIBED_SKIPS {
            self.skipped.push(Problem { line, reason });
        }
    }

    /// Notes a fault, and says whether it is the end.
    pub(crate) fn is_end(&mut self, line: u32, fault: Fault) -> bool {
        match fault {
            Fault::Line(reason) => self.skip(line, reason),
            Fault::Unreadable(reason) => {
                self.skip(line, reason);
                self.unreadable = Some(line);
            }
            Fault::End(reason) => self.interrupted = Some(Problem { line, reason }),
            Fault::SecondDump => self.second_dump = Some(line),
        }
        self.is_over()
    }

    /// Whether nothing more is read.
    pub(crate) fn is_over(&self) -> bool {
        self.interrupted.is_some() || self.second_dump.is_some()
    }

    /// The file ends with `line`, and not by a newline: if that line is no JSON, it was cut.
    pub(crate) fn ended_within(&mut self, line: u32) {
        if self.is_over() || self.unreadable != Some(line) {
            return;
        }
        self.count -= 1;
        let described = self.skipped.pop_if(|last| last.line == line);
        let why = described.map(|problem| format!(": {}", problem.reason)).unwrap_or_default();
        let reason = format!("the file ends within line {line}{why}");
        self.interrupted = Some(Problem { line: line.saturating_sub(1), reason });
    }
}
