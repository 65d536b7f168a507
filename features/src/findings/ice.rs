//! ICE: whether a path was found, why not, and whether it held.

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;

use super::episodes::{Episodes, Piece, Terms};
use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number, text};
use crate::input;
use crate::limits;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&ICE_FAILED, &ICE_STALLED, &ICE_DISCONNECTED, &ICE_FLAPPING];

const CAUSES: &str = described(
    "create, setConfiguration: iceServers, iceTransportPolicy; onicecandidate, onicecandidateerror, addIceCandidate, setRemoteDescription; oniceconnectionstatechange",
);

static ICE_FAILED: Rule = Rule {
    id: "ice-failed",
    severity: Severity::Critical,
    title: "ICE failed",
    meaning: "There was no call, or it broke: no path for packets was found between the two sides.",
    advice: "Offer TURN over UDP, TCP and TLS at port 443, with credentials that are valid; see that candidates reach the other side. Restart ICE where a path broke.",
    sentence: "ICE failed {count:times}: {cause}[, {then}]",
    thresholds: &[],
    reads: CAUSES,
};

const STALLED: Threshold = Threshold {
    name: described("time of checking, or since both descriptions were set if it never came to that"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described(
        "reasoned: checks are paced by 50 ms and answered within a round trip; browsers give up after 15 to 30 s",
    ),
};

static ICE_STALLED: Rule = Rule {
    id: "ice-stalled",
    severity: Severity::Critical,
    title: "ICE found nothing until the end",
    meaning: "There was no call: both sides were still looking for a path when one of them gave up, or never began to.",
    advice: "As for ice-failed.",
    sentence: "ICE had not connected after {total}, when it ended: {cause}",
    thresholds: &[STALLED],
    reads: described(
        "create, setConfiguration: iceServers, iceTransportPolicy; onicecandidate, onicecandidateerror, addIceCandidate, setRemoteDescription; oniceconnectionstatechange; getStats, which may prove the contrary: transport.dtlsState, candidate-pair.state of the one in use, packets of streams",
    ),
};

const OUTAGE: Threshold = Threshold {
    name: described("time disconnected"),
    value: 1.0,
    unit: Unit::Seconds,
    reason: described(
        "libwebrtc says disconnected when nothing was received for 2.5 s (weak_connection_receive_timeout), so more than three seconds are gone then",
    ),
};

static ICE_DISCONNECTED: Rule = Rule {
    id: "ice-disconnected",
    severity: Severity::Warning,
    title: "ICE was disconnected",
    meaning: "Neither side heard or saw the other for some seconds: the path answered no more.",
    advice: "Look at the user's network at that moment: a change of Wi-Fi, a sleeping radio, a VPN. Restart ICE when it lasts.",
    sentence: "ICE was disconnected for {total}[, {then}]",
    thresholds: &[OUTAGE],
    reads: described("oniceconnectionstatechange"),
};

const FLAPS: Threshold = Threshold {
    name: described("disconnections no more than a minute apart"),
    value: 3.0,
    unit: Unit::Count,
    reason: described("reasoned: one or two are a change of network"),
};

static ICE_FLAPPING: Rule = Rule {
    id: "ice-flapping",
    severity: Severity::Warning,
    title: "ICE comes and goes",
    meaning: "The call was interrupted again and again: the path is at the edge of what works.",
    advice: "Look at Wi-Fi coverage and at NATs that forget a binding soon; a relay over TCP may hold.",
    sentence: "ICE was disconnected {count:times} in a row, for {total} in all",
    thresholds: &[FLAPS],
    reads: described("oniceconnectionstatechange"),
};

const OUTAGE_TERMS: Terms = Terms { least: OUTAGE.value, count: 0.0, join: 0.0 };
const FLAP_TERMS: Terms = Terms { least: 0.0, count: FLAPS.value, join: 60.0 };

/// A server cannot be reached (W3C webrtc, `RTCPeerConnectionIceErrorEvent.errorCode`).
const UNREACHABLE: i64 = 701;

/// Which servers the connection may use.
#[derive(Debug, Clone, Copy, Default)]
struct Servers {
    stun: bool,
    turn: bool,
}

/// Which candidates there are of this side.
#[derive(Debug, Clone, Copy, Default)]
struct Gathered {
    any: bool,
    srflx: bool,
    relay: bool,
}

/// Follows ICE through its events.
#[derive(Debug, Clone, Default)]
pub(super) struct Ice {
    servers: Option<Servers>,
    gathered: Gathered,
    /// Candidates of the other side.
    remote: bool,
    /// When descriptions of this side and of the other were first set (Unix ms).
    described: [Option<f64>; 2],
    /// When it was closed (Unix ms).
    closed: Option<f64>,
    refused: Option<String>,
    unreachable: bool,
    /// The newest state.
    state: State,
    /// When it began (Unix ms).
    since: f64,
    was_connected: bool,
    failures: Failures,
    outage: Option<f64>,
    outages: Episodes,
    flaps: Episodes,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unknown,
    New,
    Checking,
    Connected,
    Disconnected,
    Failed,
}

#[derive(Debug, Clone, Default)]
struct Failures {
    begin: f64,
    end: f64,
    count: u64,
    cause: String,
    /// When it was connected again.
    then: Option<f64>,
}

impl Ice {
    /// Whether packets can go; `None` if no event has told.
    pub(super) fn is_connected(&self) -> Option<bool> {
        (self.state != State::Unknown).then_some(self.state == State::Connected && self.closed.is_none())
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        match &*event.method {
            "create" | "setConfiguration" => self.configured(event),
            "onicecandidate" => self.gathered(event),
            "onicecandidateerror" => self.candidate_error(event),
            "addIceCandidate" => {
                let line = input::member(event, "candidate").and_then(RawValue::as_str);
                self.remote |= line.is_some_and(|line| !line.is_empty());
            }
            "setRemoteDescription" | "setRemoteDescriptionOnSuccess" => {
                self.remote |= input::description_sdp(event).is_some_and(|sdp| sdp.contains("a=candidate:"));
                let [_, remote] = &mut self.described;
                remote.get_or_insert(event.time);
            }
            "setLocalDescription" => {
                let [local, _] = &mut self.described;
                local.get_or_insert(event.time);
            }
            // Of a client that tells no states of ICE.
            "onconnectionstatechange" if input::word(event).as_deref() == Some("connected") => {
                self.was_connected = true
            }
            "oniceconnectionstatechange" => {
                let state = match input::word(event).as_deref() {
                    Some("new") => State::New,
                    Some("checking") => State::Checking,
                    Some("connected" | "completed") => State::Connected,
                    Some("disconnected") => State::Disconnected,
                    Some("failed") => State::Failed,
                    Some("closed") => return self.close(event.time),
                    _ => return,
                };
                self.state(state, event.time);
            }
            "close" => self.close(event.time),
            _ => {}
        }
    }

    fn configured(&mut self, event: &Event<'_>) {
        let Some(servers) = input::member(event, "iceServers") else { return };
        let known = self.servers.get_or_insert_default();
        let mut note = |url: &str| {
            known.stun |= url.starts_with("stun");
            known.turn |= url.starts_with("turn");
        };
        for server in servers.elements() {
            let Some(urls) = server.get("urls").or_else(|| server.get("url")) else { continue };
            match urls.as_str() {
                Some(url) => note(&url),
                None => urls.elements().filter_map(RawValue::as_str).for_each(|url| note(&url)),
            }
        }
    }

    fn gathered(&mut self, event: &Event<'_>) {
        let Some(line) = input::member(event, "candidate").and_then(RawValue::as_str) else { return };
        let is = |kind: &str| line.split(' ').skip_while(|word| *word != "typ").nth(1) == Some(kind);
        self.gathered.any |= !line.is_empty();
        self.gathered.srflx |= is("srflx");
        self.gathered.relay |= is("relay");
    }

    fn candidate_error(&mut self, event: &Event<'_>) {
        let Some(code) = input::member(event, "errorCode").and_then(input::integer) else { return };
        if code == UNREACHABLE {
            self.unreachable = true;
            return;
        }
        let is_of_relay =
            input::member(event, "url").and_then(RawValue::as_str).is_none_or(|url| url.starts_with("turn"));
        if is_of_relay && self.refused.is_none() {
            let error = input::member(event, "errorText").and_then(RawValue::as_str).unwrap_or_default();
            let error = format!("{code} {error}");
            self.refused = Some(input::bounded(error.trim_end(), limits::FINDING_TEXT));
        }
    }

    fn state(&mut self, state: State, time: f64) {
        if self.state == state {
            return;
        }
        match state {
            State::Connected => {
                self.was_connected = true;
                self.end_outage(time);
                if self.failures.count > 0 {
                    self.failures.then.get_or_insert(time);
                }
            }
            State::Disconnected if self.was_connected => {
                self.outage.get_or_insert(time);
            }
            State::Failed => {
                let cause = self.cause();
                let failures = &mut self.failures;
                if failures.count == 0 {
                    (failures.begin, failures.cause) = (time, cause);
                }
                (failures.end, failures.then) = (time, None);
                failures.count = failures.count.saturating_add(1);
            }
            _ => {}
        }
        (self.state, self.since) = (state, time);
    }

    fn close(&mut self, time: f64) {
        if self.closed.is_none() {
            self.closed = Some(time);
            self.end_outage(time);
        }
    }

    /// Since when it should have found a path, and did not.
    fn stalled_since(&self) -> Option<f64> {
        match (self.state, self.described) {
            (State::Checking, _) => Some(self.since),
            (State::Unknown | State::New, [Some(local), Some(remote)]) => Some(local.max(remote)),
            _ => None,
        }
    }

    fn end_outage(&mut self, time: f64) {
        if let Some(begin) = self.outage.take() {
            let seconds = (time - begin).max(0.0) / 1000.0;
            let piece = Piece { begin, end: time, seconds, count: 1.0, ..Piece::default() };
            self.outages.add(piece, OUTAGE_TERMS);
            self.flaps.add(piece, FLAP_TERMS);
        }
    }

    /// Why no path was found, as far as its events tell.
    fn cause(&self) -> String {
        let servers = self.servers.unwrap_or_default();
        if self.was_connected {
            return "the path that was in use broke".to_owned();
        }
        if !self.remote {
            return "no candidate of the other side was added".to_owned();
        }
        if !self.gathered.any {
            return "this side gathered no candidate".to_owned();
        }
        if self.gathered.relay {
            return "no pair of candidates answered, not even by a relay".to_owned();
        }
        let is_blocked = servers.stun && !self.gathered.srflx && self.unreachable;
        match (servers.turn, &self.refused) {
            (true, Some(refused)) => format!("the TURN server refused: {refused}"),
            (true, None) if self.unreachable => {
                "no TURN server could be reached: UDP is blocked, or the servers are down".to_owned()
            }
            (true, None) => "no TURN server gave a relay".to_owned(),
            (false, _) if is_blocked => {
                "UDP is blocked: no STUN server could be reached, and no relay is configured".to_owned()
            }
            (false, _) => "no pair of candidates answered, and no relay is configured".to_owned(),
        }
    }

    /// Whether the connection was told to be connected and ICE never was.
    fn is_up_without_ice(&self) -> bool {
        self.was_connected && matches!(self.state, State::Unknown | State::New)
    }

    /// `last`: the time of the connection's last event (Unix ms); `has_path`: whether reports prove that a path was found.
    pub(super) fn write(&self, last: f64, has_path: bool, sink: &mut Sink<'_>) {
        let failures = &self.failures;
        if failures.count > 0 {
            let mut values = vec![number("count", failures.count as f64, Unit::Count), text("cause", &failures.cause)];
            values.extend(failures.then.map(|then| {
                let seconds = (then - failures.end).max(0.0) / 1000.0;
                text(
                    "then",
                    &format!("and connected again after {}", super::sentence::quantity(seconds, Unit::Seconds)),
                )
            }));
            sink.found(&ICE_FAILED, None, (failures.begin, failures.end), values);
        }
        if let Some(begin) = self.stalled_since().filter(|_| !has_path && !self.is_up_without_ice()) {
            let end = self.closed.unwrap_or(last);
            let total = (end - begin) / 1000.0;
            if total >= STALLED.value {
                let values = vec![number("total", total, Unit::Seconds), text("cause", &self.cause())];
                sink.found(&ICE_STALLED, None, (begin, end), values);
            }
        }
        let mut all = self.clone();
        all.end_outage(last);
        sink.episodes(&ICE_DISCONNECTED, None, (&all.outages, OUTAGE_TERMS), &|episode| {
            let mut values = vec![number("total", episode.whole.seconds, Unit::Seconds)];
            if self.outage == Some(episode.whole.begin) {
                values.push(text("then", "and still was at the end"));
            }
            values
        });
        sink.episodes(&ICE_FLAPPING, None, (&all.flaps, FLAP_TERMS), &|episode| {
            vec![
                number("count", episode.whole.count, Unit::Count),
                number("total", episode.whole.seconds, Unit::Seconds),
            ]
        });
    }
}
