//! The ICE connection: its state, restarts, and whether the peer is lite.

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;

use crate::input::{self, Interval};
use crate::table::ConnectionFeatures;

/// How far the exchange that an ICE restart needs has come.
#[derive(Debug, Default, Clone, Copy, PartialEq, PartialOrd)]
enum Restart {
    #[default]
    None,
    OfferCreated,
    OfferSet,
    Answered,
}

/// Accumulates the features of ICE.
#[derive(Debug, Default)]
pub(crate) struct Ice {
    connected: bool,
    connection: Interval,
    restart: Restart,
    lite: bool,
}

impl Ice {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        match &*event.method {
            "oniceconnectionstatechange" => match input::word(event).as_deref() {
                Some("checking") => self.connection.begin(event.time),
                Some("connected") => {
                    self.connected = true;
                    self.connection.finish(event.time);
                }
                _ => {}
            },
            "createOffer" => {
                let asked = input::member(event, "iceRestart").and_then(RawValue::as_bool) == Some(true);
                if asked && self.restart == Restart::None {
                    self.restart = Restart::OfferCreated;
                }
            }
            "setLocalDescription" => self.advance(event, Restart::OfferCreated, "offer", Restart::OfferSet),
            "setRemoteDescription" | "setRemoteDescriptionOnSuccess" => {
                self.advance(event, Restart::OfferSet, "answer", Restart::Answered);
                self.lite = self.lite
                    || input::description_sdp(event)
                        .is_some_and(|sdp| sdp.split('\n').any(|line| line.trim() == "a=ice-lite"));
            }
            _ => {}
        }
    }

    fn advance(&mut self, event: &Event<'_>, from: Restart, description: &str, to: Restart) {
        if self.restart == from && input::description_type(event).as_deref() == Some(description) {
            self.restart = to;
        }
    }

    pub(crate) fn write(&self, features: &mut ConnectionFeatures) {
        features.ice_connected = Some(self.connected);
        features.ice_connection_time = self.connection.millis();
        features.ice_restart = Some(self.restart > Restart::None);
        features.ice_restart_followed_by_set_remote_description = Some(self.restart == Restart::Answered);
        features.using_ice_lite = Some(self.lite);
    }
}
