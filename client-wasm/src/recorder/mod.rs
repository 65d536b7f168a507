//! One recording: events become lines, reports deltas, descriptions compressed; all go to the transport.

#[cfg(test)]
mod lossless;
#[cfg(test)]
mod tests;

use alloc::string::String;

use rtctrace_protocol::json::{RawValue, write_string};
use rtctrace_protocol::line::write_line_start;

use crate::codecs::Codecs;
use crate::ids::{ConnectionId, UnixMillis};
use crate::transport::{Class, Input, LINE_LIMIT, Transport};

/// What a line holds beside method, value and extras, at most: brackets, commas, a connection's name, a time.
const LINE_FRAME: usize = 48;

/// The transport's time, which never falls. When the page's clock is set back, this one goes on from where it was, so that
/// no timer waits for the clock to come round.
#[derive(Debug)]
struct Clock {
    newest: UnixMillis,
    /// By how much this time is ahead of the page's.
    ahead: UnixMillis,
}

impl Clock {
    /// So far back, time only stands still until the page's has caught up.
    const SMALL_STEP: UnixMillis = 1_000;

    fn advance(&mut self, now: UnixMillis) -> UnixMillis {
        let back = self.newest - self.at(now);
        if back > Self::SMALL_STEP {
            self.ahead += back;
        }
        self.newest = self.newest.max(self.at(now));
        self.newest
    }

    /// The time of an event, which may have happened before the recording began.
    fn at(&self, time: UnixMillis) -> UnixMillis {
        time + self.ahead
    }
}

#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) transport: Transport,
    clock: Clock,
    codecs: Codecs,
    lines: u64,
    reports: u64,
}

impl Recorder {
    pub(crate) fn new(limit: usize, seed: u32, renewable: bool, now: UnixMillis) -> Self {
        Self {
            transport: Transport::new(limit, seed, renewable, now),
            clock: Clock { newest: now, ahead: 0 },
            codecs: Codecs::new(),
            lines: 0,
            reports: 0,
        }
    }

    pub(crate) fn handle(&mut self, input: Input<'_>, now: UnixMillis) {
        let now = self.clock.advance(now);
        self.transport.handle(input, now);
    }

    /// When the transport's next tick is due, by the page's clock.
    pub(crate) fn deadline(&self) -> Option<UnixMillis> {
        self.transport.deadline().map(|deadline| deadline - self.clock.ahead)
    }

    /// What the application may ask about, in the order of the export `counter`.
    pub(crate) fn counter(&self, index: u32) -> u64 {
        match index {
            0 => self.lines,
            1 => self.reports,
            2 => self.transport.acknowledged(),
            3 => self.transport.buffered_bytes() as u64,
            4 => self.transport.dropped().reports,
            5 => self.transport.dropped().events,
            6 => u64::from(self.transport.reconnects()),
            _ => 0,
        }
    }

    /// Records an event. `value` is JSON, `extra` JSON values with commas between them.
    pub(crate) fn record(
        &mut self,
        method: &str,
        connection: Option<ConnectionId>,
        value: &str,
        extra: &str,
        now: UnixMillis,
    ) {
        let now = self.clock.at(now);
        let class = if method.starts_with(':') { Class::Application } else { Class::Event };
        if !self.has_room(method.len() + value.len() + extra.len(), class, connection, now) {
            return;
        }
        let mut line = line_of(method, connection, value, extra);
        // The collector ends a recording with a line that it cannot read, such as one that is nested too deep.
        let length = line.len();
        line.push_str("0]");
        let is_readable = RawValue::parse(&line).is_ok();
        line.truncate(length);
        if is_readable {
            self.push(class, line, now);
        } else {
            self.transport.refuse(class, connection, length, now);
        }
    }

    /// Records an event of the negotiation. `value` is the description as JSON, null, or the error of a failure.
    pub(crate) fn describe(&mut self, method: &str, id: ConnectionId, value: &str, tracking: &str, now: UnixMillis) {
        let now = self.clock.at(now);
        // What the codec saw must be sent: ask first.
        if !self.has_room(method.len() + value.len() + tracking.len(), Class::Event, Some(id), now) {
            return;
        }
        let value = self.codecs.description(id, method, value, tracking);
        let mut extra = String::new();
        write_string(&mut extra, tracking);
        self.push(Class::Event, line_of(method, Some(id), &value, &extra), now);
    }

    /// Records a report. Its buffer is exchanged for an old one.
    pub(crate) fn report(&mut self, id: ConnectionId, report: &mut String, extra: &str, now: UnixMillis) {
        let now = self.clock.at(now);
        // The delta is not longer than the report; what the encoder saw must be sent, so ask first.
        let length = report.len();
        if !self.make_room(length + extra.len() + LINE_FRAME, Class::Report(id), now) {
            return;
        }
        let Some(codec) = self.codecs.of(id) else { return };
        let mut delta = String::new();
        if codec.reports.encode_from(report, &mut delta).is_err() {
            self.transport.refuse(Class::Report(id), Some(id), length, now);
        } else if delta.len() + extra.len() + LINE_FRAME > LINE_LIMIT {
            codec.reports.reset();
            self.transport.refuse(Class::Report(id), Some(id), delta.len(), now);
        } else {
            self.reports += 1;
            self.push(Class::Report(id), line_of("getStats", Some(id), &delta, extra), now);
        }
    }

    /// Nothing will come of this connection any more.
    pub(crate) fn gone(&mut self, id: ConnectionId) {
        self.codecs.gone(id);
    }

    fn has_room(&mut self, need: usize, class: Class, connection: Option<ConnectionId>, now: UnixMillis) -> bool {
        let need = need + LINE_FRAME;
        if need > LINE_LIMIT {
            self.transport.refuse(class, connection, need, now);
            return false;
        }
        self.make_room(need, class, now)
    }

    fn make_room(&mut self, need: usize, class: Class, now: UnixMillis) -> bool {
        let is_granted = self.transport.make_room(need, class, now);
        while let Some(id) = self.transport.take_reset() {
            if let Some(codec) = self.codecs.of(id) {
                codec.reports.reset();
            }
        }
        is_granted
    }

    fn push(&mut self, class: Class, line: String, now: UnixMillis) {
        self.lines += 1;
        self.transport.push(class, line, now);
    }
}

/// A line that lacks its time.
fn line_of(method: &str, connection: Option<ConnectionId>, value: &str, extra: &str) -> String {
    let mut line = String::with_capacity(value.len() + extra.len() + LINE_FRAME);
    let name = connection.map(ConnectionId::name);
    let extra = Some(extra).filter(|extra| !extra.is_empty());
    write_line_start(&mut line, method, name.as_deref(), value, extra.as_slice());
    line
}
