//! Packets that were lost, in either direction.

use std::sync::LazyLock;

use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Places, Wanted};

use super::episodes::{Episodes, JOIN, Piece, Terms};
use super::finding::FindingTrack;
use super::looks::Window;
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number, text};
use super::watch::Around;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&PACKET_LOSS];

const SHARE: Threshold = Threshold {
    name: described("share of lost packets between two looks"),
    value: 0.05,
    unit: Unit::Fraction,
    reason: described(
        "libwebrtc's loss-based control lowers the bit rate from 10% on and raises it below 2%; from 5% on speech with Opus is heard to suffer in spite of FEC",
    ),
};

const PACKETS: Threshold = Threshold {
    name: described("packets between two looks, at least"),
    value: 20.0,
    unit: Unit::Count,
    reason: described("one of fewer is 5% already"),
};

static PACKET_LOSS: Rule = Rule {
    id: "packet-loss",
    severity: Severity::Warning,
    title: "Packets were lost",
    meaning: "Speech broke up or was distorted, and video froze or lost its sharpness.",
    advice: "Look at the network of the side that lost them: Wi-Fi, a busy uplink, a relay far away. Losses on relay over TCP or TLS are those of a path that is stalled.",
    sentence: "Packet loss of {way} {kind} reached {worst} at {at}, {lost:packet} in all[, {path}]",
    thresholds: &[SHARE, PACKETS],
    reads: described(
        "getStats: inbound-rtp.packetsReceived, packetsLost; outbound-rtp.packetsSent with remote-inbound-rtp.packetsLost",
    ),
};

const LOSSY: Terms = Terms { least: 0.0, count: 0.0, join: JOIN };

/// A counter of losses may wrap around below 0.
const WRAPPED: f64 = 2_147_483_648.0;

/// By how much a counter of losses has grown, unless it has wrapped around. What was given up may come after all.
pub(super) fn unwrapped(grown: f64) -> Option<f64> {
    (grown.abs() < WRAPPED).then_some(grown.max(0.0))
}

static COUNTERS: LazyLock<Wanted<2>> = LazyLock::new(|| Wanted::new(["packetsReceived", "packetsLost"]));

/// The losses of one stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Losses {
    episodes: Episodes,
    /// Where its entry counts packets, and what it counted last: received, lost.
    places: Places<2>,
    counted: Option<(f64, f64)>,
    /// What reports since the look before have told.
    told: Told,
    /// What the newest look found, if that was few, and all of the few since too many were lost.
    few: Option<Piece>,
    few_in_all: f64,
    /// Whether the newest look found too many, and until when that was so last (Unix ms).
    was_bad: bool,
    until: Option<f64>,
}

/// Losses from report to report, as graphs show them.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    /// The worst share, and when (Unix ms).
    worst: Option<(f64, f64)>,
    /// From the report before the first loss to the last one (Unix ms).
    span: Option<(f64, f64)>,
}

impl Losses {
    /// Its entry is gone.
    pub(super) fn gone(&mut self) {
        (self.places, self.counted) = (Places::default(), None);
    }

    /// A report between two looks. `before`: when the report before came.
    pub(super) fn glance(&mut self, entry: Entry<'_>, before: f64, time: f64) {
        self.places.find(&COUNTERS, entry);
        let value = |at| self.places.value(entry, at).and_then(RawValue::as_f64).filter(|value| value.is_finite());
        let now = value(0).zip(value(1));
        let last = std::mem::replace(&mut self.counted, now);
        let (Some((received, lost)), Some((received_before, lost_before))) = (now, last) else { return };
        let received = received - received_before;
        let Some(lost) = unwrapped(lost - lost_before) else { return };
        if lost <= 0.0 || received < 0.0 {
            return;
        }
        let share = lost / (received + lost);
        if received + lost >= PACKETS.value && self.told.worst.is_none_or(|(worst, _)| share > worst) {
            self.told.worst = Some((share, time));
        }
        self.told.span = Some((self.told.span.map_or(before, |(begin, _)| begin), time));
    }

    /// `packets`: how many there should have been.
    pub(super) fn look(&mut self, packets: f64, lost: f64, window: Window, around: &Around<'_>) {
        let Told { worst, span } = std::mem::take(&mut self.told);
        let share = (lost / packets).min(1.0);
        let is_bad = packets >= PACKETS.value && share >= SHARE.value;
        let was_bad = std::mem::take(&mut self.was_bad);
        if lost.is_nan() || lost <= 0.0 {
            self.few = None;
            return;
        }
        let (begin, end) = span.unwrap_or((window.begin, window.end));
        let (worst, at) = worst.unwrap_or((share, window.end));
        let piece = Piece { count: lost, worst, at: Some(at), path: around.path, ..Piece::of(window) };
        let piece = Piece { begin: begin.max(window.begin), end: end.min(window.end), ..piece };
        match (is_bad, was_bad) {
            (true, _) => self.add(piece),
            // The rest of what was bad.
            (false, true) => self.episodes.add(piece, LOSSY),
            (false, false) => {
                self.few_in_all += lost;
                self.few = Some(piece);
            }
        }
        self.was_bad = is_bad;
    }

    /// The few just before belong to it, and all since an episode that it goes on.
    fn add(&mut self, mut piece: Piece) {
        let (few, all) = (self.few.take(), std::mem::take(&mut self.few_in_all));
        if self.until.is_some_and(|until| piece.begin - until <= LOSSY.join * 1000.0) {
            piece.count += all;
        } else if let Some(few) = few {
            self.episodes.add(few, LOSSY);
        }
        self.until = Some(piece.end);
        self.episodes.add(piece, LOSSY);
    }

    /// `way`: `sent` or `received`.
    pub(super) fn write(&self, way: &str, track: &FindingTrack, sink: &mut Sink<'_>) {
        sink.episodes(&PACKET_LOSS, Some(track), (&self.episodes, LOSSY), &|episode| {
            vec![
                text("way", way),
                number("worst", episode.whole.worst, Unit::Fraction),
                number("at", episode.at, Unit::UnixMilliseconds),
                number("lost", episode.whole.count, Unit::Count),
            ]
        });
    }
}
