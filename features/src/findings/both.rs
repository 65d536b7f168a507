//! What all streams of a connection together tell: that nothing comes at all, or audio goes but one way.

use super::episodes::{Episodes, JOIN, Piece, Terms};
use super::finding::Finding;
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number, text};
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&NEVER_RECEIVED, &ONE_WAY_AUDIO];

const NEVER: Threshold = Threshold {
    name: described("time without any packet from the beginning on"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("two looks; the first packets follow the handshake at once"),
};

static NEVER_RECEIVED: Rule = Rule {
    id: "never-received",
    severity: Severity::Warning,
    title: "Nothing was ever received",
    meaning: "This user heard and saw nobody: streams were agreed on and not one packet of them came. Everybody may have been muted. A session that receives by another connection is not meant. Where this side has something to send and sends nothing either, the connection is taken for one that waits.",
    advice: "Look at the other side's recording, and at the SFU: its subscriptions, and its ports.",
    sentence: "Not one packet of {count:stream} arrived in {total}",
    thresholds: &[NEVER],
    reads: described(
        "getStats: inbound-rtp.packetsReceived, outbound-rtp.packetsSent; oniceconnectionstatechange, else transport.dtlsState",
    ),
};

const ONE_WAY: Threshold = Threshold {
    name: described("time of audio in one direction alone, from the beginning on"),
    value: 15.0,
    unit: Unit::Seconds,
    reason: described("reasoned: three looks; who joins may be let in, or unmute, a moment later"),
};

static ONE_WAY_AUDIO: Rule = Rule {
    id: "one-way-audio",
    severity: Severity::Warning,
    title: "Audio goes one way",
    meaning: "One side heard the other and was not heard: audio was agreed on in both directions and came in one. Who is muted by the SFU looks the same.",
    advice: "Look at the other side's recording: whether it sends, by which direction of its transceiver, and where its packets end.",
    sentence: "Audio was {way} for {total} and never {other}",
    thresholds: &[ONE_WAY],
    reads: described(
        "getStats: outbound-rtp.packetsSent, inbound-rtp.packetsReceived of audio; media-source.totalSamplesDuration of what should be sent",
    ),
};

const NEVER_TERMS: Terms = Terms { least: NEVER.value, count: 0.0, join: JOIN };
const ONE_WAY_TERMS: Terms = Terms { least: ONE_WAY.value, count: 0.0, join: JOIN };

/// Whether it says that nothing came by a connection.
pub(super) fn is_never_received(finding: &Finding) -> bool {
    finding.rule.id == NEVER_RECEIVED.id
}

/// What the streams of a connection did between two looks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flow {
    /// Streams that are received and tell how many packets.
    pub(super) inbound: u32,
    /// Whether anything ever came.
    pub(super) has_come: bool,
    /// Whether there is something to be sent, and whether any of it was sent now.
    pub(super) outbound: Option<bool>,
    /// Whether there is audio to be received, whether some came now, and whether ever.
    pub(super) audio_in: Option<(bool, bool)>,
    /// The same of audio that should be sent.
    pub(super) audio_out: Option<(bool, bool)>,
}

/// Follows them from look to look.
#[derive(Debug, Clone, Default)]
pub(super) struct Both {
    never: Episodes,
    unheard: Episodes,
    unsent: Episodes,
    has_come: bool,
    has_heard: bool,
    has_spoken: bool,
}

impl Both {
    pub(super) fn look(&mut self, flow: Flow, piece: Piece, is_connected: bool) {
        self.has_come |= flow.has_come;
        self.has_heard |= flow.audio_in.is_some_and(|(_, ever)| ever);
        self.has_spoken |= flow.audio_out.is_some_and(|(_, ever)| ever);
        if !is_connected {
            return;
        }
        if flow.inbound > 0 && !self.has_come && flow.outbound != Some(false) {
            self.never.add(Piece { worst: f64::from(flow.inbound), ..piece }, NEVER_TERMS);
        }
        if let (Some((hears, _)), Some((speaks, _))) = (flow.audio_in, flow.audio_out) {
            if speaks && !self.has_heard {
                self.unheard.add(piece, ONE_WAY_TERMS);
            }
            if hears && !self.has_spoken {
                self.unsent.add(piece, ONE_WAY_TERMS);
            }
        }
    }

    pub(super) fn write(&self, sink: &mut Sink<'_>) {
        let total = |seconds: f64| number("total", seconds, Unit::Seconds);
        if !self.has_come {
            sink.episodes(&NEVER_RECEIVED, None, (&self.never, NEVER_TERMS), &|episode| {
                vec![number("count", episode.whole.worst, Unit::Count), total(episode.whole.seconds)]
            });
        }
        for (episodes, is_over, way, other) in
            [(&self.unheard, self.has_heard, "sent", "received"), (&self.unsent, self.has_spoken, "received", "sent")]
        {
            if !is_over {
                sink.episodes(&ONE_WAY_AUDIO, None, (episodes, ONE_WAY_TERMS), &|episode| {
                    vec![text("way", way), text("other", other), total(episode.whole.seconds)]
                });
            }
        }
    }
}
