//! Offers and answers that fail or are never answered, and candidates that come at the wrong time.

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;

use super::rule::{Rule, Severity, Threshold};
use super::sink::{Sink, number, text};
use crate::input;
use crate::limits;
use crate::value::{Unit, described};

/// The rules of this file.
pub(super) const RULES: &[&Rule] =
    &[&NEGOTIATION_FAILED, &NEGOTIATION_UNFINISHED, &CANDIDATE_TOO_EARLY, &CANDIDATE_REFUSED];

static NEGOTIATION_FAILED: Rule = Rule {
    id: "negotiation-failed",
    severity: Severity::Warning,
    title: "A description was refused",
    meaning: "The two sides could not agree on something: a track that was added was not heard or seen, or there was no call.",
    advice: "The error says what the browser did not like. As a rule two offers crossed (perfect negotiation helps), or the SDP was changed on its way.",
    sentence: "{method} failed {count:times}: {error}",
    thresholds: &[],
    reads: described(
        "createOfferOnFailure, createAnswerOnFailure, setLocalDescriptionOnFailure, setRemoteDescriptionOnFailure",
    ),
};

const UNFINISHED: Threshold = Threshold {
    name: described("time without an answer"),
    value: 10.0,
    unit: Unit::Seconds,
    reason: described(
        "reasoned: a server answers within a second, and who waits for a person rings for longer; less may be a user who leaves",
    ),
};

static NEGOTIATION_UNFINISHED: Rule = Rule {
    id: "negotiation-unfinished",
    severity: Severity::Warning,
    title: "A negotiation was never finished",
    meaning: "An offer got no answer: nobody took the call, the signaling lost it, or what was added later never came about.",
    advice: "Look at the signaling of that moment, and at the other side's recording.",
    sentence: "The negotiation stayed in {state} for {total} and was never finished",
    thresholds: &[UNFINISHED],
    reads: described("onsignalingstatechange, close"),
};

static CANDIDATE_TOO_EARLY: Rule = Rule {
    id: "candidate-too-early",
    severity: Severity::Warning,
    title: "Candidates came before the description",
    meaning: "Candidates of the other side were lost, so it may take longer to connect, or fail.",
    advice: "Keep candidates until setRemoteDescription was called.",
    sentence: "addIceCandidate was called {count:times} before setRemoteDescription",
    thresholds: &[],
    reads: described("addIceCandidate, setRemoteDescription"),
};

static CANDIDATE_REFUSED: Rule = Rule {
    id: "candidate-refused",
    severity: Severity::Notice,
    title: "Candidates were refused",
    meaning: "The browser could do nothing with some candidates of the other side. Others may have done.",
    advice: "As a rule they belong to another media section or to an ICE generation that is over.",
    sentence: "addIceCandidate failed {count:times}: {error}",
    thresholds: &[],
    reads: described("addIceCandidateOnFailure"),
};

/// The calls whose failures are told, and by which rule.
const CALLS: [(&str, &str, &Rule); 5] = [
    ("createOfferOnFailure", "createOffer", &NEGOTIATION_FAILED),
    ("createAnswerOnFailure", "createAnswer", &NEGOTIATION_FAILED),
    ("setLocalDescriptionOnFailure", "setLocalDescription", &NEGOTIATION_FAILED),
    ("setRemoteDescriptionOnFailure", "setRemoteDescription", &NEGOTIATION_FAILED),
    ("addIceCandidateOnFailure", "addIceCandidate", &CANDIDATE_REFUSED),
];

/// Calls of one method that went wrong.
#[derive(Debug, Clone, Default)]
struct Wrong {
    begin: f64,
    end: f64,
    count: u64,
    error: String,
}

impl Wrong {
    fn once(&mut self, time: f64, error: impl FnOnce() -> String) {
        if self.count == 0 {
            (self.begin, self.error) = (time, error());
        }
        self.count = self.count.saturating_add(1);
        self.end = time;
    }
}

/// Follows the negotiation.
#[derive(Debug, Clone, Default)]
pub(super) struct Negotiation {
    failures: [Wrong; CALLS.len()],
    too_early: Wrong,
    has_remote: bool,
    /// Whether the first description was the other side's.
    is_answerer: Option<bool>,
    /// Since when it has been in a state that waits (Unix ms).
    pending: Option<(f64, &'static str)>,
    closed: Option<f64>,
}

impl Negotiation {
    /// Whether the other side made the first offer.
    pub(super) fn is_answerer(&self) -> bool {
        self.is_answerer == Some(true)
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        let time = event.time;
        match &*event.method {
            "setLocalDescription" => {
                self.is_answerer.get_or_insert(false);
            }
            "setRemoteDescription" | "setRemoteDescriptionOnSuccess" => {
                self.is_answerer.get_or_insert(true);
                self.has_remote = true;
            }
            "addIceCandidate" => {
                let line = input::member(event, "candidate").and_then(RawValue::as_str);
                if !self.has_remote && line.is_some_and(|line| !line.is_empty()) {
                    self.too_early.once(time, String::new);
                }
            }
            "onsignalingstatechange" => {
                let state = match input::word(event).as_deref() {
                    Some("have-local-offer") => "have-local-offer",
                    Some("have-remote-offer") => "have-remote-offer",
                    Some("have-local-pranswer") => "have-local-pranswer",
                    Some("have-remote-pranswer") => "have-remote-pranswer",
                    Some("stable") => return self.pending = None,
                    Some("closed") => {
                        self.closed.get_or_insert(time);
                        return;
                    }
                    _ => return,
                };
                self.pending = Some((time, state));
            }
            "close" => {
                self.closed.get_or_insert(time);
            }
            method => {
                let failure = CALLS.iter().zip(&mut self.failures).find(|((name, ..), _)| *name == method);
                if let Some((_, failure)) = failure {
                    failure.once(time, || {
                        let error = input::failure(event).unwrap_or_else(|| "no reason was given".to_owned());
                        input::bounded(&error, limits::FINDING_TEXT)
                    });
                }
            }
        }
    }

    /// `last`: the time of the connection's last event (Unix ms).
    pub(super) fn write(&self, last: f64, sink: &mut Sink<'_>) {
        for ((_, method, rule), failure) in CALLS.iter().zip(&self.failures).filter(|(_, failure)| failure.count > 0) {
            let values = vec![
                text("method", method),
                number("count", failure.count as f64, Unit::Count),
                text("error", &failure.error),
            ];
            sink.found(rule, None, (failure.begin, failure.end), values);
        }
        let early = &self.too_early;
        if early.count > 0 {
            let values = vec![number("count", early.count as f64, Unit::Count)];
            sink.found(&CANDIDATE_TOO_EARLY, None, (early.begin, early.end), values);
        }
        if let Some((begin, state)) = self.pending {
            let end = self.closed.unwrap_or(last);
            let total = (end - begin) / 1000.0;
            if total >= UNFINISHED.value {
                let values = vec![text("state", state), number("total", total, Unit::Seconds)];
                sink.found(&NEGOTIATION_UNFINISHED, None, (begin, end), values);
            }
        }
    }
}
