//! What limits the quality of video that is sent: the processor, or bandwidth.

use rtctrace_protocol::json::RawValue;

use super::episodes::{Episodes, JOIN, Piece, Terms};
use super::finding::FindingTrack;
use super::looks::Window;
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number};
use super::watch::Around;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&CPU_LIMITED, &BANDWIDTH_LIMITED];

const LIMITED: Threshold = Threshold {
    name: described("share of the time between two looks that was limited"),
    value: 0.5,
    unit: Unit::Fraction,
    reason: described(
        "reasoned: libwebrtc looks at the processor every 5 s (kCheckForOveruseIntervalMs) and goes back and forth at the edge",
    ),
};

const LIMITED_TIME: Threshold = Threshold {
    name: described("limited time"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("reasoned: every start is limited for some seconds, until the bandwidth is known"),
};

static CPU_LIMITED: Rule = Rule {
    id: "cpu-limited",
    severity: Severity::Warning,
    title: "The processor limits the video",
    meaning: "The others saw this user smaller or slower: the machine is too slow, or busy.",
    advice: "Send a smaller size or fewer layers, prefer a codec that the machine encodes in hardware, take effects off.",
    sentence: "The processor limited the sent video for {total}[, down to {height} lines]",
    thresholds: &[LIMITED, LIMITED_TIME],
    reads: described(
        "getStats: outbound-rtp.qualityLimitationDurations.cpu, or qualityLimitationReason; of simulcast, of the first layer",
    ),
};

const BAD_LOSS: Threshold = Threshold {
    name: described("share of lost packets that bears it out"),
    value: 0.02,
    unit: Unit::Fraction,
    reason: described("libwebrtc's loss-based control stops raising the bit rate from 2% on"),
};

const BAD_ROUND_TRIP: Threshold = Threshold {
    name: described("round trip time that bears it out"),
    value: 0.3,
    unit: Unit::Seconds,
    reason: described("G.114 wants less than 150 ms one way for speech; a queue that is full adds as much"),
};

static BANDWIDTH_LIMITED: Rule = Rule {
    id: "bandwidth-limited",
    severity: Severity::Warning,
    title: "Bandwidth limits the video",
    meaning: "The others saw this user smaller, slower or less sharp: the network takes no more, as losses or round trip times bear out.",
    advice: "Look at the uplink and at Wi-Fi; something else may fill it. Lower what the page asks for, or send fewer layers.",
    sentence: "Bandwidth limited the sent video for {total}[, with {loss} of the packets lost][, with a round trip of {rtt}][, {path}]",
    thresholds: &[LIMITED, LIMITED_TIME, BAD_LOSS, BAD_ROUND_TRIP],
    reads: described(
        "getStats: outbound-rtp.qualityLimitationDurations.bandwidth, or qualityLimitationReason, of simulcast of the first layer; remote-inbound-rtp.packetsLost, roundTripTime; candidate-pair in use.currentRoundTripTime",
    ),
};

const LIMITED_TERMS: Terms = Terms { least: LIMITED_TIME.value, count: 0.0, join: JOIN };

/// What limits the quality now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Reason {
    #[default]
    Untold,
    None,
    Other,
    Bandwidth,
    Cpu,
}

impl Reason {
    fn of(told: Option<RawValue<'_>>) -> Self {
        match told.map(RawValue::text) {
            Some(r#""none""#) => Self::None,
            Some(r#""cpu""#) => Self::Cpu,
            Some(r#""bandwidth""#) => Self::Bandwidth,
            Some(_) => Self::Other,
            None => Self::Untold,
        }
    }

    /// Whether anything limits it, as far as is told.
    pub(super) fn is_any(self) -> bool {
        !matches!(self, Self::None | Self::Untold)
    }

    /// As it is told of an episode.
    pub(super) fn number(self) -> f64 {
        f64::from(self as u8)
    }

    /// What such a number says, if it says something.
    pub(super) fn name(number: f64) -> Option<&'static str> {
        let names = [(Self::Bandwidth, "bandwidth"), (Self::Cpu, "the processor")];
        names.into_iter().find(|(reason, _)| reason.number() == number).map(|(_, name)| name)
    }
}

/// Follows the limits of one stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Limits {
    reason: Reason,
    /// At the look before.
    reason_before: Reason,
    has_durations: bool,
    /// How long processor and bandwidth have limited it, until the newest look and the one before (s).
    durations: [Option<f64>; 2],
    before: [Option<f64>; 2],
    by_cpu: Episodes,
    by_bandwidth: Episodes,
}

impl Limits {
    pub(super) fn reason(&self) -> Reason {
        self.reason
    }

    pub(super) fn gone(&mut self) {
        self.durations = [None; 2];
    }

    /// What an entry says that has changed.
    pub(super) fn told(&mut self, reason: Option<RawValue<'_>>, durations: Option<RawValue<'_>>) {
        let reason_before = std::mem::replace(&mut self.reason, Reason::of(reason));
        // As a rule nothing limits it, and then durations need not be read.
        let is_limited = self.reason != Reason::None || reason_before != Reason::None;
        self.has_durations = durations.is_some();
        let durations = durations.filter(|_| is_limited);
        let durations = [r#""cpu":"#, r#""bandwidth":"#].map(|name| member(durations?.text(), name));
        self.before = std::mem::replace(&mut self.durations, durations);
    }

    /// A look. `is_changed`: whether anything was told anew; `height`: of its frames; `lost` and `round_trip`: the share of its packets
    /// that were lost, and how long a packet and its answer take (s).
    pub(super) fn look(
        &mut self,
        is_changed: bool,
        height: Option<f64>,
        (lost, round_trip): (f64, f64),
        window: Window,
        around: &Around<'_>,
    ) {
        let Window { begin, end, seconds } = window;
        let limited = |at: usize, reason: Reason| {
            let (now, before) = (self.durations.get(at)?, self.before.get(at)?);
            match (now, before) {
                (Some(_), Some(_)) if !is_changed => None,
                (Some(now), Some(before)) => Some((now - before).clamp(0.0, seconds)),
                (None, _) if !self.has_durations && self.reason == reason => {
                    window.holds(self.reason_before == reason).then_some(seconds)
                }
                _ => None,
            }
            .filter(|limited| *limited >= LIMITED.value * seconds)
        };
        let (cpu, bandwidth) = (limited(0, Reason::Cpu), limited(1, Reason::Bandwidth));
        self.reason_before = self.reason;
        let piece = Piece { begin, end, path: around.path, ..Piece::default() };
        if let Some(seconds) = cpu {
            let height = height.unwrap_or(f64::NAN);
            let worst = if height.is_nan() { 0.0 } else { -height };
            self.by_cpu.add(Piece { seconds, worst, with: [height, 0.0], path: None, ..piece }, LIMITED_TERMS);
        }
        if let Some(seconds) = bandwidth {
            let is_borne_out = lost >= BAD_LOSS.value || round_trip >= BAD_ROUND_TRIP.value;
            let (worst, with) = (lost / BAD_LOSS.value + round_trip / BAD_ROUND_TRIP.value, [lost, round_trip]);
            self.by_bandwidth.add(
                Piece { seconds, count: f64::from(is_borne_out), worst, with, ..piece },
                Terms { count: 1.0, ..LIMITED_TERMS },
            );
        }
    }

    pub(super) fn write(&self, track: &FindingTrack, sink: &mut Sink<'_>) {
        let total = |seconds: f64| number("total", seconds, Unit::Seconds);
        sink.episodes(&CPU_LIMITED, Some(track), (&self.by_cpu, LIMITED_TERMS), &|episode| {
            let [height, _] = episode.whole.with;
            vec![total(episode.whole.seconds), number("height", height, Unit::Pixels)]
        });
        let borne_out = Terms { count: 1.0, ..LIMITED_TERMS };
        sink.episodes(&BANDWIDTH_LIMITED, Some(track), (&self.by_bandwidth, borne_out), &|episode| {
            let [lost, round_trip] = episode.whole.with;
            let mut values = vec![total(episode.whole.seconds)];
            if lost >= BAD_LOSS.value {
                values.push(number("loss", lost.min(1.0), Unit::Fraction));
            }
            if round_trip >= BAD_ROUND_TRIP.value {
                values.push(number("rtt", round_trip, Unit::Seconds));
            }
            values
        });
    }
}

/// The number behind that name in a JSON object of numbers that is written without white space, as reports are. To take the object apart
/// would cost more than all else that is read of an entry.
fn member(object: &str, name: &str) -> Option<f64> {
    let (_, rest) = object.split_once(name)?;
    let end = rest.find([',', '}'])?;
    RawValue::parse(rest.get(..end)?).ok()?.as_f64()
}
