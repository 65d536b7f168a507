//! What the loudspeakers get: `media-playout` entries.

use std::sync::LazyLock;

use rtctrace_protocol::report::{Entry, Wanted};

use super::episodes::{Episodes, JOIN, Piece, Terms};
use super::growth::Growth;
use super::looks::Window;
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number};
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&SYNTHESIZED_PLAYOUT];

const SHARE: Threshold = Threshold {
    name: described("share of synthesized samples between two looks"),
    value: 0.02,
    unit: Unit::Fraction,
    reason: described(
        "reasoned: a device that starts misses some milliseconds; a tenth of a second in five is heard as crackling",
    ),
};

static SYNTHESIZED_PLAYOUT: Rule = Rule {
    id: "synthesized-playout",
    severity: Severity::Warning,
    title: "Playout had glitches",
    meaning: "This user heard crackling or gaps, whatever came: the machine was too late to give samples to the loudspeaker.",
    advice: "Look for a busy processor, many tabs, virtual audio devices and Bluetooth.",
    sentence: "The loudspeaker got {seconds} of made-up samples, {worst} at {at}",
    thresholds: &[SHARE],
    reads: described("getStats: media-playout.synthesizedSamplesDuration, totalSamplesDuration"),
};

const TERMS: Terms = Terms { least: 0.0, count: 0.0, join: JOIN };

static WANTED: LazyLock<Wanted<2>> =
    LazyLock::new(|| Wanted::new(["synthesizedSamplesDuration", "totalSamplesDuration"]));

/// The rules of one playout path.
#[derive(Debug, Clone, Default)]
pub(super) struct Playout {
    counters: Growth<2>,
    glitches: Episodes,
}

impl Playout {
    pub(super) fn gone(&mut self) {
        self.counters.forget();
    }

    pub(super) fn look(&mut self, entry: Entry<'_>, since: u64, window: Option<Window>) {
        self.counters.look(&WANTED, entry, entry.is_changed_since(since));
        let (Some(window), Some(made_up), Some(all)) = (window, self.counters.grown(0), self.counters.grown(1)) else {
            return;
        };
        let share = (made_up / all).min(1.0);
        if all > 0.0 && share >= SHARE.value {
            self.glitches.add(Piece { sum: made_up, worst: share, ..Piece::of(window) }, TERMS);
        }
    }

    pub(super) fn write(&self, sink: &mut Sink<'_>) {
        sink.episodes(&SYNTHESIZED_PLAYOUT, None, (&self.glitches, TERMS), &|episode| {
            vec![
                number("seconds", episode.whole.sum, Unit::Seconds),
                number("worst", episode.whole.worst, Unit::Fraction),
                number("at", episode.at, Unit::UnixMilliseconds),
            ]
        });
    }
}
