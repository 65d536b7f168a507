//! The candidate pair that the connection used first.

use rtctrace_protocol::event::Event;
use rtctrace_protocol::report::{Entry, Report};
use rtctrace_protocol::sora::CONNECTION as SORA_CONNECTION;

use crate::input::{self, SelectedPair};
use crate::table::ConnectionFeatures;

/// Takes the features of the first pair selected while, or after, the connection was connected.
#[derive(Debug, Default)]
pub(crate) struct FirstPair {
    connected: bool,
    pair: Option<Box<Pair>>,
}

#[derive(Debug, Default)]
struct Pair {
    local_address: Option<String>,
    local_network_type: Option<String>,
    local_protocol: Option<String>,
    local_relay_protocol: Option<String>,
    local_relay_url: Option<String>,
    local_type: Option<String>,
    local_type_preference: Option<i64>,
    remote_address: Option<String>,
    remote_type: Option<String>,
}

impl FirstPair {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        self.connected = self.connected
            || event.method == SORA_CONNECTION
            || event.method == "onconnectionstatechange" && input::word(event).as_deref() == Some("connected");
    }

    /// A candidate that the report lacks costs only its own features; upstream throws. `is_connected`: whether a pair that is selected is
    /// all that tells of a connection.
    pub(crate) fn report(&mut self, report: &Report, selected: Option<&SelectedPair<'_>>, is_connected: bool) {
        let is_connected = self.connected || is_connected;
        let Some(selected) = selected.filter(|_| is_connected && self.pair.is_none()) else { return };
        let mut pair = Pair::default();
        if let Some(local) = selected.candidate(report, "localCandidateId") {
            pair.local_address = input::entry_text(local, "address");
            pair.local_network_type = input::entry_text(local, "networkType");
            pair.local_protocol = input::entry_text(local, "protocol");
            pair.local_relay_protocol = input::entry_text(local, "relayProtocol");
            pair.local_relay_url = input::entry_text(local, "url");
            pair.local_type = input::entry_text(local, "candidateType");
            pair.local_type_preference = Some(type_preference(local));
        }
        if let Some(remote) = selected.candidate(report, "remoteCandidateId") {
            pair.remote_address = input::entry_text(remote, "address");
            pair.remote_type = input::entry_text(remote, "candidateType");
        }
        self.pair = Some(Box::new(pair));
    }

    pub(crate) fn write(&self, features: &mut ConnectionFeatures) {
        let Some(pair) = &self.pair else { return };
        features.first_candidate_pair_local_address = pair.local_address.clone();
        features.first_candidate_pair_local_network_type = pair.local_network_type.clone();
        features.first_candidate_pair_local_protocol = pair.local_protocol.clone();
        features.first_candidate_pair_local_relay_protocol = pair.local_relay_protocol.clone();
        features.first_candidate_pair_local_relay_url = pair.local_relay_url.clone();
        features.first_candidate_pair_local_type = pair.local_type.clone();
        features.first_candidate_pair_local_type_preference = pair.local_type_preference;
        features.first_candidate_pair_remote_address = pair.remote_address.clone();
        features.first_candidate_pair_remote_type = pair.remote_type.clone();
    }
}

/// The upper byte of the priority (RFC 8445, section 5.1.2.1) as JavaScript's `priority >> 24` gives it: signed, and 0
/// for a missing priority.
fn type_preference(candidate: Entry<'_>) -> i64 {
    let priority = input::entry_number(candidate, "priority").filter(|priority| priority.is_finite()).unwrap_or(0.0);
    // ToInt32 of ECMAScript: the integer part, modulo 2^32, as a signed number.
    let low_bits = priority.trunc().rem_euclid(4_294_967_296.0) as u32;
    i64::from(low_bits.cast_signed() >> 24)
}
