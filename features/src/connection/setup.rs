//! How long it took until media came, and what of it took how long.

use rtctrace_protocol::event::Event;

use crate::input::{self, Interval};
use crate::table::ConnectionFeatures;
use crate::track::FirstMedia;

/// Accumulates the times of the set-up. Each part is that of the first time.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    signaling: Interval,
    is_answered: bool,
    ice: Interval,
    dtls: Interval,
    connected: Option<f64>,
}

impl Setup {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        let time = event.time;
        match &*event.method {
            "createOffer" | "createAnswer" | "setLocalDescription" => self.signaling.begin(time),
            "setRemoteDescription" => {
                self.signaling.begin(time);
                self.is_answered = input::description_type(event).as_deref() == Some("answer");
            }
            "setRemoteDescriptionOnFailure" => self.is_answered = false,
            // Of clients that tell no signaling states.
            "setRemoteDescriptionOnSuccess" if self.is_answered => self.signaling.finish(time),
            "onsignalingstatechange" if input::word(event).as_deref() == Some("stable") => self.signaling.finish(time),
            "oniceconnectionstatechange" => match input::word(event).as_deref() {
                Some("checking") => self.ice.begin(time),
                Some("connected" | "completed") => self.ice.finish(time),
                _ => {}
            },
            "ondtlsstatechange" => match input::word(event).as_deref() {
                Some("connecting") => self.dtls.begin(time),
                Some("connected") => self.dtls.finish(time),
                _ => {}
            },
            "onconnectionstatechange" if input::word(event).as_deref() == Some("connected") => {
                self.connected.get_or_insert(time);
            }
            _ => {}
        }
    }

    /// `start`: of the connection, if that is told; `first`: its first media.
    pub(crate) fn write(&self, start: Option<f64>, first: &FirstMedia, features: &mut ConnectionFeatures) {
        let since = |start: Option<f64>, end: Option<f64>| input::millis((end? - start?).max(0.0));
        features.time_to_connected = since(start, self.connected);
        features.time_to_first_audio_packet = since(start, first.audio_packet);
        features.time_to_first_video_packet = since(start, first.video_packet);
        features.time_to_first_video_frame = since(start, first.video_frame);
        // A clock may go back.
        let took = |part: &Interval| part.millis().map(|millis| millis.max(0));
        features.setup_signaling_time = took(&self.signaling);
        features.setup_ice_time = took(&self.ice);
        // A browser without these events: the handshake is what is left between ICE and the connection.
        features.setup_dtls_time = took(&self.dtls).or_else(|| since(self.ice.end(), self.connected));
        features.setup_media_time = since(self.connected, first.any_packet());
    }
}
