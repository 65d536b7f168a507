//! Whether the connection was secured, and how long it took until it was there.

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;

use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number, text};
use crate::input;
use crate::limits;
use crate::table::ConnectionFeatures;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] = &[&DTLS_FAILED, &SLOW_SETUP];

static DTLS_FAILED: Rule = Rule {
    id: "dtls-failed",
    severity: Severity::Critical,
    title: "DTLS failed",
    meaning: "There was no call though packets had a path: the two sides could not agree on keys.",
    advice: "Look for a fingerprint that is not the certificate's (an SDP that was changed, or of another connection), an expired certificate, and two sides with one role.",
    sentence: "DTLS failed: {cause}",
    thresholds: &[],
    reads: described(
        "ondtlsstatechange, ondtlserror; onconnectionstatechange while ICE is connected; getStats: transport.dtlsState",
    ),
};

const SLOW: Threshold = Threshold {
    name: described("time of ICE and DTLS"),
    value: 5.0,
    unit: Unit::Seconds,
    reason: described("reasoned: both take a few round trips; users take five seconds for a fault"),
};

const SLOW_ANSWER: Threshold = Threshold {
    name: described("time from an offer of the other side to the answer of this one"),
    value: 5.0,
    unit: Unit::Seconds,
    reason: described(
        "reasoned: the page answers by itself. How long an offer of its own waits for an answer says nothing: a person may be asked",
    ),
};

static SLOW_SETUP: Rule = Rule {
    id: "slow-setup",
    severity: Severity::Warning,
    title: "The set-up took long",
    meaning: "Users waited in silence before they heard or saw each other.",
    advice: "Of ICE: servers that do not answer, candidates that come late, TURN credentials that are fetched only then. Of DTLS: lost packets, which are sent again after a second. Of signaling: what the page does between offer and answer.",
    sentence: "The set-up took long: {took} for {step}",
    thresholds: &[SLOW, SLOW_ANSWER],
    reads: described(
        "createAnswer, setLocalDescription, setRemoteDescription, onsignalingstatechange, oniceconnectionstatechange, ondtlsstatechange, onconnectionstatechange",
    ),
};

/// Follows DTLS.
#[derive(Debug, Clone, Default)]
pub(super) struct Dtls {
    failed: Option<(f64, String)>,
    /// When the connection failed while ICE was connected; some browsers tell that ICE has failed only after it.
    with_ice: Option<f64>,
}

impl Dtls {
    /// `is_ice_connected`: whether packets have a path, if that is known.
    pub(super) fn event(&mut self, event: &Event<'_>, is_ice_connected: Option<bool>) {
        let failed = || input::word(event).as_deref() == Some("failed");
        let cause = match &*event.method {
            "ondtlserror" => {
                let error = input::failure(event).unwrap_or_else(|| "no reason was given".to_owned());
                // It says more than the state before it.
                self.failed = None;
                input::bounded(&error, limits::FINDING_TEXT)
            }
            "ondtlsstatechange" if failed() => "the handshake failed".to_owned(),
            "onconnectionstatechange" if failed() && is_ice_connected == Some(true) => {
                self.with_ice.get_or_insert(event.time);
                return;
            }
            "oniceconnectionstatechange" if failed() => {
                self.with_ice = None;
                return;
            }
            _ => return,
        };
        self.failed.get_or_insert((event.time, cause));
    }

    /// What a transport says that has changed.
    pub(super) fn look(&mut self, state: Option<RawValue<'_>>, time: f64) {
        if state.map(RawValue::text) == Some(r#""failed""#) {
            self.failed.get_or_insert((time, "the handshake failed".to_owned()));
        }
    }

    pub(super) fn write(&self, sink: &mut Sink<'_>) {
        let by_state = || Some((self.with_ice?, "the connection failed while ICE was connected"));
        let failed = self.failed.as_ref().map(|(time, cause)| (*time, cause.as_str()));
        if let Some((time, cause)) = failed.or_else(by_state) {
            sink.found(&DTLS_FAILED, None, (time, time), vec![text("cause", cause)]);
        }
    }
}

/// `features`: the times of the set-up; `begin`: of the connection (Unix ms).
pub(super) fn write(features: &ConnectionFeatures, is_answerer: bool, begin: f64, sink: &mut Sink<'_>) {
    let seconds = |millis: Option<i64>| millis.unwrap_or(0) as f64 / 1000.0;
    let (ice, dtls) = (seconds(features.setup_ice_time), seconds(features.setup_dtls_time));
    let signaling = seconds(features.setup_signaling_time);
    let (step, took) = if ice + dtls >= SLOW.value {
        if ice >= dtls { ("ICE", ice) } else { ("DTLS", dtls) }
    } else if is_answerer && signaling >= SLOW_ANSWER.value {
        ("signaling", signaling)
    } else {
        return;
    };
    let end = features.time_to_connected.map_or(begin, |millis| begin + millis as f64);
    let values = vec![
        number("took", took, Unit::Seconds),
        text("step", step),
        number("signaling", signaling, Unit::Seconds),
        number("ice", ice, Unit::Seconds),
        number("dtls", dtls, Unit::Seconds),
    ];
    sink.found(&SLOW_SETUP, None, (begin, end), values);
}
