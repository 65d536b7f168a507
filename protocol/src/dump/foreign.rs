//! [`Foreign`]: what makes our lines of a dump that others wrote.

use std::collections::VecDeque;

use super::jitsi::JitsiLines;
use crate::internals::{DocumentLines, RtcstatsLines};

/// Takes in the lines of a file and gives ours.
pub(super) enum Foreign {
    Jitsi(Box<JitsiLines>),
    /// Chromium's rtcstats dump; some lines of it are ours.
    Rtcstats(Box<RtcstatsLines>, VecDeque<String>),
    /// The webrtc-internals dump, which was taken in whole.
    Document(Box<DocumentLines>),
}

impl Foreign {
    /// Takes in the next line of the file.
    pub(super) fn push(&mut self, line: &str) {
        match self {
            Self::Jitsi(lines) => lines.push(line),
            Self::Rtcstats(lines, ready) => lines.push(line, ready),
            Self::Document(_) => {}
        }
    }

    /// The file has no more lines.
    pub(super) fn finish(&mut self) {
        match self {
            Self::Jitsi(lines) => lines.finish(),
            Self::Rtcstats(lines, ready) => lines.finish(ready),
            Self::Document(_) => {}
        }
    }

    /// The next line in our form.
    pub(super) fn next(&mut self) -> Option<String> {
        match self {
            Self::Jitsi(lines) => lines.next(),
            Self::Rtcstats(_, ready) => ready.pop_front(),
            Self::Document(lines) => lines.next(),
        }
    }

    /// Whether its lines are counted as they are given, for want of any in the file.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self, Self::Document(_))
    }
}
