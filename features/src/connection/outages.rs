//! How often a connection that had been connected was not, and for how long.

use rtctrace_protocol::event::Event;

use crate::input;
use crate::table::ConnectionFeatures;

/// What one of the two states says.
#[derive(Debug, Default)]
struct Outage {
    /// When it was first connected.
    connected: Option<f64>,
    since: Option<f64>,
    millis: f64,
    reconnects: u64,
}

impl Outage {
    fn state(&mut self, state: &str, time: f64) {
        match state {
            "connected" | "completed" => {
                self.connected.get_or_insert(time);
                if self.end(time) {
                    self.reconnects = self.reconnects.saturating_add(1);
                }
            }
            "disconnected" | "failed" if self.connected.is_some() => {
                self.since.get_or_insert(time);
            }
            "closed" => {
                self.end(time);
            }
            _ => {}
        }
    }

    /// Whether there was one.
    fn end(&mut self, time: f64) -> bool {
        let since = self.since.take();
        self.millis += since.map_or(0.0, |since| (time - since).max(0.0));
        since.is_some()
    }
}

/// Accumulates outages. A browser that tells no state of the connection tells that of ICE.
#[derive(Debug, Default)]
pub(crate) struct Outages {
    connection: Option<Outage>,
    ice: Outage,
}

impl Outages {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        let time = event.time;
        match &*event.method {
            "onconnectionstatechange" => {
                let connection = self.connection.get_or_insert_default();
                connection.state(&input::word(event).unwrap_or_default(), time);
            }
            "oniceconnectionstatechange" => self.ice.state(&input::word(event).unwrap_or_default(), time),
            // After it, no state is told.
            "close" => {
                self.connection.iter_mut().for_each(|outage| outage.state("closed", time));
                self.ice.state("closed", time);
            }
            _ => {}
        }
    }

    /// `last`: the time of the connection's last event.
    pub(crate) fn write(&self, last: f64, features: &mut ConnectionFeatures) {
        let outage = self.connection.as_ref().unwrap_or(&self.ice);
        let Some(connected) = outage.connected else { return };
        let open = outage.since.map_or(0.0, |since| (last - since).max(0.0));
        features.reconnects = i64::try_from(outage.reconnects).ok();
        features.disconnected_time = input::millis(outage.millis + open);
        features.connected_duration = input::millis((last - connected).max(0.0));
    }
}
