//! The way that packets take: by which relay, how often it changes, and how long it is.

use super::episodes::{Episodes, JOIN, Piece, Terms};
use super::looks::Window;
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number};
use super::watch::Around;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&ROUND_TRIP_HIGH, &RELAY_OVER_TCP, &PATH_CHANGED];

const LONG: Threshold = Threshold {
    name: described("round trip time"),
    value: 0.4,
    unit: Unit::Seconds,
    reason: described(
        "G.114: with buffers at both ends it comes to 300 ms one way and more, at which people talk into each other",
    ),
};

const LONG_TIME: Threshold = Threshold {
    name: described("time of so long a one"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("reasoned: two looks; single checks may be late"),
};

static ROUND_TRIP_HIGH: Rule = Rule {
    id: "round-trip-high",
    severity: Severity::Warning,
    title: "The way is long",
    meaning: "Answers came late, and people talked into each other.",
    advice: "A relay or SFU far away, or a queue that is full: if it comes and goes with the bit rate, send less.",
    sentence: "The round trip took up to {worst}, for {total}[, {path}]",
    thresholds: &[LONG, LONG_TIME],
    reads: described("getStats: candidate-pair in use.currentRoundTripTime"),
};

const RELAYED: Threshold = Threshold {
    name: described("time on such a path"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("reasoned: two looks; a better pair is found within seconds"),
};

static RELAY_OVER_TCP: Rule = Rule {
    id: "relay-over-tcp",
    severity: Severity::Notice,
    title: "Media goes over TCP",
    meaning: "UDP did not get through, as a rule because of a firewall. A packet that is lost holds up all behind it, so calls stutter sooner.",
    advice: "Open UDP to the TURN server, at port 443 if nothing else.",
    sentence: "Media was {path} for {total}",
    thresholds: &[RELAYED],
    reads: described("getStats: local-candidate of the pair in use: candidateType, relayProtocol"),
};

const SETTLED: Threshold = Threshold {
    name: described("time after the first report"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described("reasoned: ICE tries pairs, and changes to better ones, for some seconds"),
};

static PATH_CHANGED: Rule = Rule {
    id: "path-changed",
    severity: Severity::Notice,
    title: "The path changed",
    meaning: "Packets took another way from then on, after some that were lost as a rule: the user changed networks, or the old path broke.",
    advice: "It explains a freeze or losses at that moment.",
    sentence: "The path changed {count:times}[, now {path}]",
    thresholds: &[SETTLED],
    reads: described(
        "getStats: transport.selectedCandidatePairChanges, else local-candidate of the pair in use: candidateType, relayProtocol",
    ),
};

const LONG_TERMS: Terms = Terms { least: LONG_TIME.value, count: 0.0, join: JOIN };
const RELAYED_TERMS: Terms = Terms { least: RELAYED.value, count: 0.0, join: JOIN };
const CHANGED_TERMS: Terms = Terms { least: 0.0, count: 1.0, join: f64::INFINITY };

/// Follows the way from look to look.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    begin: Option<f64>,
    path: Option<&'static str>,
    was_long: bool,
    /// How often another pair was selected.
    changes: Option<f64>,
    long: Episodes,
    over_tcp: Episodes,
    changed: Episodes,
}

impl Way {
    /// `changes`: how often another pair was selected, if that is told.
    pub(super) fn look(&mut self, changes: Option<f64>, window: Option<Window>, around: &Around<'_>) {
        let before = (std::mem::replace(&mut self.path, around.path), std::mem::replace(&mut self.changes, changes));
        let long = around.round_trip_time.filter(|time| *time >= LONG.value);
        let was_long = std::mem::replace(&mut self.was_long, long.is_some());
        let Some(window) = window else { return };
        let begin = *self.begin.get_or_insert(window.begin);
        let piece = Piece { path: around.path, ..Piece::of(window) };
        if let Some(round_trip) = long.filter(|_| window.holds(was_long)) {
            self.long.add(Piece { worst: round_trip, ..piece }, LONG_TERMS);
        }
        let is_tcp = |path| matches!(path, Some("on relay over TCP" | "on relay over TLS"));
        if is_tcp(around.path) && window.holds(is_tcp(before.0)) {
            self.over_tcp.add(piece, RELAYED_TERMS);
        }
        let changes = match (before, changes) {
            ((_, Some(before)), Some(now)) => now - before,
            ((Some(before), _), None) => f64::from(around.path.is_some_and(|now| now != before)),
            _ => 0.0,
        };
        if changes >= 1.0 && window.begin - begin >= SETTLED.value * 1000.0 {
            // The newest is the one that is told.
            self.changed.add(Piece { count: changes, worst: window.end, ..piece }, CHANGED_TERMS);
        }
    }

    pub(super) fn write(&self, sink: &mut Sink<'_>) {
        let total = |seconds: f64| number("total", seconds, Unit::Seconds);
        sink.episodes(&ROUND_TRIP_HIGH, None, (&self.long, LONG_TERMS), &|episode| {
            vec![number("worst", episode.whole.worst, Unit::Seconds), total(episode.whole.seconds)]
        });
        sink.episodes(&RELAY_OVER_TCP, None, (&self.over_tcp, RELAYED_TERMS), &|episode| {
            vec![total(episode.whole.seconds)]
        });
        sink.episodes(&PATH_CHANGED, None, (&self.changed, CHANGED_TERMS), &|episode| {
            vec![number("count", episode.whole.count, Unit::Count)]
        });
    }
}
