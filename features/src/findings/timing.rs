//! Times of reports: gaps between them, and clocks that jump.

use super::episodes::{Episodes, Piece, Terms};
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number};
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&REPORTS_GAP, &CLOCK_JUMP];

const GAP: Threshold = Threshold {
    name: described("time without a report"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("reasoned: clients poll each second, and hidden pages of Chromium still do"),
};

const TIMES: Threshold = Threshold {
    name: described("times the usual time between reports"),
    value: 4.0,
    unit: Unit::Count,
    reason: described("reasoned: who polls each ten seconds may miss one or two"),
};

static REPORTS_GAP: Rule = Rule {
    id: "reports-gap",
    severity: Severity::Notice,
    title: "No reports for some time",
    meaning: "Nothing is known of that time. The page stood still, its machine slept, or what it sent was lost.",
    advice: "Look at the events around: hidden, frozen, suspended, offline, dropped lines.",
    sentence: "No report came for {longest}[, the longest of {count:gap}]",
    thresholds: &[GAP, TIMES],
    reads: described("getStats: the times of its events"),
};

const JUMP: Threshold = Threshold {
    name: described("difference between the two clocks from one report to the next"),
    value: 2.0,
    unit: Unit::Seconds,
    reason: described(
        "reasoned: a page that is busy for a second reads its report late; clocks that are set by the network in small steps do not matter",
    ),
};

static CLOCK_JUMP: Rule = Rule {
    id: "clock-jump",
    severity: Severity::Notice,
    title: "The clock jumped",
    meaning: "Times before and after it do not fit together: the machine's clock was set, or it slept.",
    advice: "Mind it when times of this session are compared with those of others.",
    sentence: "The clock jumped by {worst}[, the most of {count:jump}]",
    thresholds: &[JUMP],
    reads: described(
        "getStats: timestamp, and the times of its events, of connections that have other events, too: the SFU Sora's times are its own clock's",
    ),
};

const GAP_TERMS: Terms = Terms { least: 0.0, count: 1.0, join: f64::INFINITY };
const JUMP_TERMS: Terms = GAP_TERMS;

/// So many reports tell what is usual.
const USUAL: u32 = 3;

/// Follows the times of reports.
#[derive(Debug, Clone, Default)]
pub(super) struct Timing {
    /// When the newest came, and its own time (Unix ms).
    last: Option<(f64, Option<f64>)>,
    /// How far apart they are, as a rule (ms), by so many.
    usual: f64,
    reports: u32,
    gaps: Episodes,
    jumps: Episodes,
}

impl Timing {
    /// `own`: the report's own time, if it has one.
    pub(super) fn report(&mut self, own: Option<f64>, time: f64) {
        let Some((before, own_before)) = self.last.replace((time, own)) else { return };
        let elapsed = time - before;
        let (begin, end) = (before.min(time), before.max(time));
        if let (Some(own), Some(own_before)) = (own, own_before) {
            let jump = (elapsed - (own - own_before)).abs() / 1000.0;
            if jump >= JUMP.value {
                let piece = Piece { begin, end, seconds: jump, count: 1.0, worst: jump, ..Piece::default() };
                return self.jumps.add(piece, JUMP_TERMS);
            }
        }
        if self.reports >= USUAL && elapsed >= (GAP.value * 1000.0).max(TIMES.value * self.usual) {
            let seconds = elapsed / 1000.0;
            let piece = Piece { begin, end, seconds, count: 1.0, worst: seconds, ..Piece::default() };
            return self.gaps.add(piece, GAP_TERMS);
        }
        if elapsed > 0.0 {
            self.reports = self.reports.saturating_add(1);
            self.usual += (elapsed - self.usual) / f64::from(self.reports.min(16));
        }
    }

    /// How far apart reports are, as a rule (ms); 0 if that is not known yet.
    pub(super) fn usual(&self) -> f64 {
        self.usual
    }

    pub(super) fn write(&self, sink: &mut Sink<'_>) {
        for (rule, name, episodes, terms) in
            [(&REPORTS_GAP, "longest", &self.gaps, GAP_TERMS), (&CLOCK_JUMP, "worst", &self.jumps, JUMP_TERMS)]
        {
            sink.episodes(rule, None, (episodes, terms), &|episode| {
                let whole = &episode.whole;
                let mut values =
                    vec![number(name, whole.worst, Unit::Seconds), number("at", episode.at, Unit::UnixMilliseconds)];
                if whole.count > 1.0 {
                    values.push(number("count", whole.count, Unit::Count));
                }
                values
            });
        }
    }
}
