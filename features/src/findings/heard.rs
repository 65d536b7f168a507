//! What is heard of audio that is received: what had to be invented, and what was stretched.

use super::episodes::{Episodes, JOIN, Piece, Terms};
use super::finding::FindingTrack;
use super::received::{Gained, Member};
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number, text};
use super::watch::Around;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&AUDIO_CONCEALMENT, &AUDIO_CLOCK_DRIFT];

const CONCEALED: Threshold = Threshold {
    name: described("share of samples that were invented, without silence, between two looks"),
    value: 0.05,
    unit: Unit::Fraction,
    reason: described(
        "reasoned: NetEq conceals a lost packet of 20 ms without being heard; a twentieth of five seconds is a syllable",
    ),
};

const CONCEALED_TIME: Threshold = Threshold {
    name: described("time that was invented"),
    value: 0.25,
    unit: Unit::Seconds,
    reason: described("the same of five seconds: streams that begin and end, of which less is known, invent a little"),
};

static AUDIO_CONCEALMENT: Rule = Rule {
    id: "audio-concealment",
    severity: Severity::Warning,
    title: "Audio had gaps",
    meaning: "This user heard speech break up or sound robotic: samples were missing when they were to be played, and others were invented.",
    advice: "Look at losses and jitter of that moment. With neither, the receiving machine was too busy to play.",
    sentence: "Received audio had gaps: {seconds} were invented, {worst} at {at}[, {path}]",
    thresholds: &[CONCEALED, CONCEALED_TIME],
    reads: described("getStats: inbound-rtp.concealedSamples, silentConcealedSamples, totalSamplesReceived"),
};

const DRIFT: Threshold = Threshold {
    name: described("share of samples inserted more than removed, or the other way round, between two looks"),
    value: 0.02,
    unit: Unit::Fraction,
    reason: described(
        "reasoned: clocks of sound cards differ by 0.01%; a burst of jitter is made up for in both directions",
    ),
};

const DRIFT_TIME: Threshold = Threshold {
    name: described("time of it in one direction"),
    value: 30.0,
    unit: Unit::Seconds,
    reason: described("reasoned: no jitter buffer grows or shrinks for so long"),
};

static AUDIO_CLOCK_DRIFT: Rule = Rule {
    id: "audio-clock-drift",
    severity: Severity::Warning,
    title: "Audio comes at another speed than it is played",
    meaning: "This user heard speech stretched or hurried all the time, with a wobbling pitch: the clocks of microphone and loudspeaker differ.",
    advice: "Look for a wrong sample rate: a virtual or Bluetooth device of the sender, or a capturing machine that cannot keep up.",
    sentence: "Received audio was {way} by {worst} for {total}",
    thresholds: &[DRIFT, DRIFT_TIME],
    reads: described(
        "getStats: inbound-rtp.insertedSamplesForDeceleration, removedSamplesForAcceleration, totalSamplesReceived",
    ),
};

const CONCEALED_TERMS: Terms = Terms { least: CONCEALED_TIME.value, count: 0.0, join: JOIN };
const DRIFT_TERMS: Terms = Terms { least: DRIFT_TIME.value, count: 0.0, join: 5.0 };

/// The rules of one audio.
#[derive(Debug, Clone, Default)]
pub(super) struct Heard {
    concealed: Episodes,
    stretched: Episodes,
    hurried: Episodes,
}

impl Heard {
    pub(super) fn look(&mut self, gained: Gained<'_>, piece: Piece, around: &Around<'_>) {
        let Some(samples) = gained.of(Member::Samples).filter(|samples| *samples > 0.0) else { return };
        let of = |member| gained.of(member);
        if let Some(concealed) = of(Member::Concealed) {
            let share = (concealed - of(Member::SilentConcealed).unwrap_or(0.0)) / samples;
            if share >= CONCEALED.value {
                let share = share.min(1.0);
                let piece = Piece { seconds: share * piece.seconds, worst: share, path: around.path, ..piece };
                self.concealed.add(piece, CONCEALED_TERMS);
            }
        }
        if let (Some(inserted), Some(removed)) = (of(Member::Inserted), of(Member::Removed)) {
            let share = (inserted - removed) / samples;
            let piece = Piece { worst: share.abs().min(1.0), ..piece };
            if share >= DRIFT.value {
                self.stretched.add(piece, DRIFT_TERMS);
            } else if -share >= DRIFT.value {
                self.hurried.add(piece, DRIFT_TERMS);
            }
        }
    }

    pub(super) fn write(&self, track: &FindingTrack, sink: &mut Sink<'_>) {
        sink.episodes(&AUDIO_CONCEALMENT, Some(track), (&self.concealed, CONCEALED_TERMS), &|episode| {
            vec![
                number("seconds", episode.whole.seconds, Unit::Seconds),
                number("worst", episode.whole.worst, Unit::Fraction),
                number("at", episode.at, Unit::UnixMilliseconds),
            ]
        });
        for (episodes, way) in [(&self.stretched, "stretched"), (&self.hurried, "hurried")] {
            sink.episodes(&AUDIO_CLOCK_DRIFT, Some(track), (episodes, DRIFT_TERMS), &|episode| {
                vec![
                    text("way", way),
                    number("worst", episode.whole.worst, Unit::Fraction),
                    number("total", episode.whole.seconds, Unit::Seconds),
                ]
            });
        }
    }
}
