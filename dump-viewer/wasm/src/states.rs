//! The states of a connection over time, for the timeline.

use serde::Serialize;

/// A state and the time (Unix ms) from which on it held.
pub(crate) type Change = (f64, String);

/// One list of changes for each state of an `RTCPeerConnection`.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct States {
    connection: Vec<Change>,
    ice_connection: Vec<Change>,
    ice_gathering: Vec<Change>,
    signaling: Vec<Change>,
}

impl States {
    /// Follows one event of the connection; `value` is given if it is a string.
    pub(crate) fn event(&mut self, method: &str, value: Option<&str>, time: f64) {
        match (method, value) {
            ("create", _) => {
                // Initial states by https://www.w3.org/TR/webrtc/#dfn-create-an-rtcpeerconnection; no event tells them.
                for lane in [&mut self.connection, &mut self.ice_connection, &mut self.ice_gathering] {
                    push(lane, time, "new");
                }
                push(&mut self.signaling, time, "stable");
            }
            ("close", _) => {
                // close() sets these without firing events: https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-close
                for lane in [&mut self.connection, &mut self.ice_connection, &mut self.signaling] {
                    push(lane, time, "closed");
                }
            }
            ("onconnectionstatechange", Some(state)) => push(&mut self.connection, time, state),
            ("oniceconnectionstatechange", Some(state)) => push(&mut self.ice_connection, time, state),
            ("onicegatheringstatechange", Some(state)) => push(&mut self.ice_gathering, time, state),
            ("onsignalingstatechange", Some(state)) => push(&mut self.signaling, time, state),
            _ => {}
        }
    }
}

fn push(lane: &mut Vec<Change>, time: f64, state: &str) {
    if lane.last().is_none_or(|(_, last)| last != state) {
        lane.push((time, state.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_begins_new_and_ends_closed() {
        let mut states = States::default();
        states.event("create", None, 1.0);
        states.event("onsignalingstatechange", Some("have-local-offer"), 2.0);
        states.event("onconnectionstatechange", Some("connecting"), 3.0);
        states.event("onconnectionstatechange", Some("connecting"), 4.0);
        states.event("close", None, 5.0);
        let names = |lane: &[Change]| lane.iter().map(|(time, state)| format!("{time} {state}")).collect::<Vec<_>>();
        assert_eq!(names(&states.connection), ["1 new", "3 connecting", "5 closed"]);
        assert_eq!(names(&states.signaling), ["1 stable", "2 have-local-offer", "5 closed"]);
        assert_eq!(names(&states.ice_gathering), ["1 new"]);
    }
}
