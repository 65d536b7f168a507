//! What the rules see of the page: events without a connection.

use rtctrace_protocol::event::Event;

use super::devices::Devices;
use super::presence::Presence;
use super::sink::Sink;

/// The rules of the page, and what those of its connections need to know of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    pub(super) devices: Devices,
    presence: Presence,
}

impl Page {
    /// Takes in an event of no connection.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        self.devices.event(event);
        self.presence.event(event);
    }

    /// Whether nobody can see it now.
    pub(super) fn is_hidden(&self) -> bool {
        self.presence.is_hidden()
    }

    /// Until when nobody could see it, or it did not run (Unix ms); infinite if that is so now.
    pub(super) fn away_until(&self) -> f64 {
        self.presence.away_until()
    }

    /// Hands over what was found. `end`: the newest time of an event (Unix ms).
    pub(crate) fn write(&self, end: f64, sink: &mut Sink<'_>) {
        self.devices.write(end, sink);
        self.presence.write(end, sink);
    }
}
