//! Packets that were lost, in either direction.

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

/// The losses of one stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Losses {
    episodes: Episodes,
}

impl Losses {
    /// `packets`: how many there should have been.
    pub(super) fn look(&mut self, packets: f64, lost: f64, window: Window, around: &Around<'_>) {
        let share = (lost / packets).min(1.0);
        if packets < PACKETS.value || share.is_nan() || share < SHARE.value {
            return;
        }
        let piece = Piece { count: lost, worst: share, path: around.path, ..Piece::of(window) };
        self.episodes.add(piece, LOSSY);
    }

    /// `way`: `sent` or `received`.
    pub(super) fn write(&self, way: &str, track: &FindingTrack, sink: &mut Sink<'_>) {
        sink.episodes(&PACKET_LOSS, Some(track), (&self.episodes, LOSSY), |episode| {
            vec![
                text("way", way),
                number("worst", episode.whole.worst, Unit::Fraction),
                number("at", episode.at, Unit::UnixMilliseconds),
                number("lost", episode.whole.count, Unit::Count),
            ]
        });
    }
}
