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

/// How many times as long a description may be that is compressed against another: its sections end alike then.
const MOST_GROWTH: usize = 4;

/// No connection has that many before it.
const NOBODY: ConnectionId = ConnectionId(u32::MAX);

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
        if !self.make_room_for(method.len() + value.len() + extra.len(), class, connection, now) {
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
        // Compressed, a description may be a hundredth; but what the codec saw must be sent, or it has not seen it.
        let longest = method.len() + MOST_GROWTH * value.len() + tracking.len() + LINE_FRAME;
        let before = match self.codecs.of(id) {
            Some(codec) if !self.transport.has_room(longest) => Some(codec.descriptions.clone()),
            _ => None,
        };
        let value = self.codecs.description(id, method, value, tracking);
        if self.make_room_for(method.len() + value.len() + tracking.len(), Class::Event, Some(id), now) {
            let mut extra = String::new();
            write_string(&mut extra, tracking);
            self.push(Class::Event, line_of(method, Some(id), &value, &extra), now);
        } else if let (Some(before), Some(codec)) = (before, self.codecs.of(id)) {
            codec.descriptions = before;
        }
    }

    /// Records a report, and says whether it was kept. Its buffer is exchanged for an old one.
    pub(crate) fn report(&mut self, id: ConnectionId, report: &mut String, extra: &str, now: UnixMillis) -> bool {
        let now = self.clock.at(now);
        let class = Class::Report(id);
        let length = report.len();
        let Some(codec) = self.codecs.of(id).filter(|_| self.transport.is_recording()) else { return false };
        let mut delta = String::new();
        let mut encoded = codec.reports.encode_from(report, &mut delta);
        loop {
            if encoded.is_err() {
                self.transport.refuse(class, Some(id), length, now);
                return false;
            }
            // Only now is it known how much it takes; a whole report would take many times that.
            let need = delta.len() + extra.len() + LINE_FRAME;
            let is_too_long = need > LINE_LIMIT;
            if is_too_long {
                self.transport.refuse(class, Some(id), delta.len(), now);
            }
            let has_room = !is_too_long && self.transport.make_room(need, class, now);
            let builds_on_dropped = self.reset_codecs(id);
            let Some(codec) = self.codecs.of(id) else { return false };
            if !has_room {
                codec.reports.reset();
                return false;
            }
            if !builds_on_dropped {
                break;
            }
            delta.clear();
            encoded = codec.reports.encode_again(&mut delta);
        }
        self.reports += 1;
        self.push(class, line_of("getStats", Some(id), &delta, extra), now);
        true
    }

    /// Nothing will come of this connection any more.
    pub(crate) fn gone(&mut self, id: ConnectionId) {
        self.codecs.gone(id);
    }

    fn make_room_for(&mut self, need: usize, class: Class, connection: Option<ConnectionId>, now: UnixMillis) -> bool {
        let need = need + LINE_FRAME;
        if need > LINE_LIMIT {
            self.transport.refuse(class, connection, need, now);
            return false;
        }
        let is_granted = self.transport.make_room(need, class, now);
        self.reset_codecs(NOBODY);
        is_granted
    }

    /// Lets the next reports of connections that lost some be whole; whether `id` is one of them.
    fn reset_codecs(&mut self, id: ConnectionId) -> bool {
        let mut is_among = false;
        while let Some(other) = self.transport.take_reset() {
            is_among |= other == id;
            if let Some(codec) = self.codecs.of(other) {
                codec.reports.reset();
            }
        }
        is_among
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
