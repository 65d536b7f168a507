//! What failed, as Jitsi counts it, and whether the connection is one between two participants.

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;

use crate::input;
use crate::table::ConnectionFeatures;
use crate::value::UnixMillis;

/// Accumulates failures.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    dtls_errors: u64,
    dtls_failures: u64,
    sdp_create: u64,
    sdp_set: u64,
    last_ice_failure: Option<f64>,
    last_ice_disconnect: Option<f64>,
    connection_failed: bool,
    is_p2p: Option<bool>,
}

impl Failures {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        let failed = || input::word(event).as_deref() == Some("failed");
        let counter = match &*event.method {
            "ondtlserror" => &mut self.dtls_errors,
            "ondtlsstatechange" if failed() => &mut self.dtls_failures,
            "createOfferOnFailure" | "createAnswerOnFailure" => &mut self.sdp_create,
            "setLocalDescriptionOnFailure" | "setRemoteDescriptionOnFailure" => &mut self.sdp_set,
            "oniceconnectionstatechange" => {
                match input::word(event).as_deref() {
                    Some("failed") => self.last_ice_failure = Some(event.time),
                    Some("disconnected") => self.last_ice_disconnect = Some(event.time),
                    _ => {}
                }
                return;
            }
            "onconnectionstatechange" => {
                self.connection_failed |= failed();
                return;
            }
            "constraints" => {
                let constraints = input::member(event, "optional");
                let asked = constraints.and_then(|all| all.elements().find_map(|one| one.get("rtcStatsSFUP2P")));
                self.is_p2p = asked.and_then(RawValue::as_bool).or(self.is_p2p);
                return;
            }
            _ => return,
        };
        *counter = counter.saturating_add(1);
    }

    pub(crate) fn write(&self, features: &mut ConnectionFeatures) {
        features.dtls_errors = Some(self.dtls_errors);
        features.dtls_failures = Some(self.dtls_failures);
        features.sdp_create_failures = Some(self.sdp_create);
        features.sdp_set_failures = Some(self.sdp_set);
        features.last_ice_failure_time = self.last_ice_failure.and_then(input::millis).map(UnixMillis);
        features.last_ice_disconnect_time = self.last_ice_disconnect.and_then(input::millis).map(UnixMillis);
        features.connection_failed = Some(self.connection_failed);
        features.is_p2p = self.is_p2p;
    }
}
