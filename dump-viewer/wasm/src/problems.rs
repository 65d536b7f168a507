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
            Fault::End(reason) => self.interrupted = Some(Problem { line, reason }),
        }
        self.interrupted.is_some()
    }

    /// The file ends with `line`: if that one was skipped, it is taken for one that was cut.
    pub(crate) fn ended(&mut self, line: u32) {
        if self.interrupted.is_none() && self.skipped.last().is_some_and(|last| last.line == line) {
            self.count -= 1;
            self.interrupted = self
                .skipped
                .pop()
                .map(|Problem { line, reason }| Problem { line, reason: format!("the file ends within it: {reason}") });
        }
    }
}
