//! Which reports rules look at.

use rtctrace_protocol::report::Report;

/// Rules look at a report this long (ms) after the one that they looked at before: of half a second a share says little, and the
/// collector pays for every look. Reports that come each second are looked at every five, with room for timers that come late.
const LOOK: f64 = 4500.0;

/// What lies between two reports that are further apart (ms) is nothing that a rate could be made of: the page slept. Where reports come as
/// rarely as that, which they do of the SFU Sora's clients, it may be [`OF_USUAL`] times as long as is usual, and [`LONGEST_OF_RARE`] at most:
/// one of them may be missing.
const LONGEST: f64 = 60_000.0;
const OF_USUAL: f64 = 2.5;
const LONGEST_OF_RARE: f64 = 150_000.0;

/// What a report tells as it is, such as a round trip time, holds for all of so long a time (s) before it; of a longer one both ends have
/// to say it.
const SHORT: f64 = 15.0;

/// The last report is looked at when findings are asked for, if it is so much later (ms) than the one before.
const SHORTEST: f64 = 1000.0;

/// A report's time that is further (ms) from the time at which it came is no time.
const FURTHEST: f64 = 86_400_000.0;

/// What lies between two looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// From when (Unix ms).
    pub(super) begin: f64,
    /// Until when (Unix ms).
    pub(super) end: f64,
    /// How long by the reports' own clock.
    pub(super) seconds: f64,
}

impl Window {
    /// Whether what its end tells as it is holds for all of it, if its begin has told the same or not.
    pub(super) fn holds(self, begin_tells: bool) -> bool {
        self.seconds <= SHORT || begin_tells
    }
}

/// Decides which reports are looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Looks {
    /// When the newest one came, and its own time.
    last: Option<(f64, f64)>,
    /// Its number.
    pub(super) generation: u64,
}

impl Looks {
    /// The report's own time, if it has one.
    pub(super) fn own(report: &Report, time: f64) -> Option<f64> {
        Some(report.timestamp()).filter(|own| *own > 0.0 && (own - time).abs() < FURTHEST)
    }

    fn now(report: &Report, time: f64) -> f64 {
        Self::own(report, time).unwrap_or(time)
    }

    /// Since the newest one (ms).
    fn elapsed(&self, report: &Report, time: f64) -> Option<f64> {
        self.last.map(|(_, own)| Self::now(report, time) - own)
    }

    pub(super) fn is_due(&self, report: &Report, time: f64) -> bool {
        self.elapsed(report, time).is_none_or(|elapsed| !(0.0..LOOK).contains(&elapsed))
    }

    /// `usual`: how far apart reports come as a rule (ms).
    pub(super) fn window(&self, report: &Report, time: f64, usual: f64) -> Option<Window> {
        let longest = (OF_USUAL * usual).clamp(LONGEST, LONGEST_OF_RARE);
        let elapsed = self.elapsed(report, time).filter(|elapsed| (SHORTEST..=longest).contains(elapsed))?;
        let (begin, _) = self.last?;
        Some(Window { begin: begin.min(time), end: time, seconds: elapsed / 1000.0 })
    }

    pub(super) fn done(&mut self, report: &Report, time: f64) {
        self.last = Some((time, Self::now(report, time)));
        self.generation = report.generation();
    }
}
