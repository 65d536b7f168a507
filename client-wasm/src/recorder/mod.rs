//! One recording: events become lines, reports deltas, descriptions compressed; all go to the transport. No page object and
//! no call into JavaScript here: values arrive as JSON text and time as a number.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use rtctrace_protocol::description::{Description, DescriptionCodec};
use rtctrace_protocol::json::{RawValue, write_string};
use rtctrace_protocol::line::{tracking_id, write_line_start};
use rtctrace_protocol::report::ReportEncoder;

use crate::ids::{ConnectionId, UnixMillis};
use crate::transport::{BUFFER_LIMIT, Class, LINE_LIMIT, Transport};

/// Where a connection stands with its reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Polling {
    /// It was never connected.
    NotYet,
    /// It is polled at every tick.
    Idle,
    /// A report is on its way.
    Waiting,
    /// It is closed.
    Over,
}

#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    reports: ReportEncoder,
    descriptions: DescriptionCodec,
    polling: Polling,
    /// Why polling began; goes with the first report.
    reason: Option<&'static str>,
}

/// What the application may ask about.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) lines: u64,
    pub(crate) reports: u64,
}

#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) transport: Transport,
    pub(crate) session: String,
    pub(crate) counts: Counts,
    /// Those that the page still has.
    connections: Vec<Connection>,
    next_connection: u32,
    /// How often each method was called.
    calls: Vec<(&'static str, u32)>,
    pressure: Option<(UnixMillis, u8)>,
}

impl Recorder {
    pub(crate) fn new(session: String, seed: u32) -> Self {
        Self {
            transport: Transport::new(BUFFER_LIMIT, seed),
            session,
            counts: Counts::default(),
            connections: Vec::new(),
            next_connection: 0,
            calls: Vec::new(),
            pressure: None,
        }
    }

    /// The tracking id for the next call of `method`.
    pub(crate) fn track_call(&mut self, method: &'static str) -> String {
        let at = match self.calls.iter().position(|(name, _)| *name == method) {
            Some(at) => at,
            None => {
                self.calls.push((method, 0));
                self.calls.len() - 1
            }
        };
        let Some((_, count)) = self.calls.get_mut(at) else { return String::new() };
        *count += 1;
        tracking_id(method, *count - 1)
    }

    pub(crate) fn add_connection(&mut self) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        let connection = Connection {
            id,
            reports: ReportEncoder::new(),
            descriptions: DescriptionCodec::new(),
            polling: Polling::NotYet,
            reason: None,
        };
        self.connections.push(connection);
        id
    }

    /// The page can do nothing with the connection any more.
    pub(crate) fn forget_connection(&mut self, id: ConnectionId) {
        self.connections.retain(|connection| connection.id != id);
    }

    fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.iter_mut().find(|connection| connection.id == id)
    }

    /// Records an event. `value` and `extra` are JSON.
    pub(crate) fn record(
        &mut self,
        method: &str,
        connection: Option<ConnectionId>,
        value: &str,
        extra: &[&str],
        now: UnixMillis,
    ) {
        let class = if method.starts_with(':') { Class::Application } else { Class::Event };
        let need = method.len() + value.len() + extra.iter().map(|extra| extra.len() + 1).sum::<usize>() + 32;
        if self.has_room(need, class, connection, now) {
            self.push(class, method, connection, value, extra, now);
        }
    }

    /// Records an event of the negotiation. `value` is the description as JSON, or null.
    pub(crate) fn record_description(
        &mut self,
        method: &str,
        id: ConnectionId,
        value: &str,
        tracking: &str,
        now: UnixMillis,
    ) {
        // What the codec saw must be sent: ask first.
        let need = method.len() + value.len() + tracking.len() + 64;
        if !self.has_room(need, Class::Event, Some(id), now) {
            return;
        }
        let mut compressed = String::new();
        if let Some(connection) = self.connection(id) {
            let full = RawValue::parse(value).ok().and_then(Description::from_json);
            match connection.descriptions.compress(method, tracking, full.as_ref()) {
                Some(description) => description.write_json(&mut compressed),
                None => compressed.push_str("null"),
            }
        } else {
            compressed.push_str(value);
        }
        self.push(Class::Event, method, Some(id), &compressed, &[&quoted(tracking)], now);
    }

    /// The failure of a call that [`Self::record_description`] announced.
    pub(crate) fn record_description_failure(
        &mut self,
        method: &str,
        id: ConnectionId,
        error: &str,
        tracking: &str,
        now: UnixMillis,
    ) {
        if let Some(connection) = self.connection(id) {
            connection.descriptions.compress(method, tracking, None);
        }
        self.record(method, Some(id), error, &[&quoted(tracking)], now);
    }

    /// A connection's state changed. `Some` when it must be polled now.
    pub(crate) fn connection_state(&mut self, id: ConnectionId, state: &str) -> bool {
        let Some(connection) = self.connection(id) else { return false };
        if connection.polling != Polling::NotYet {
            return false;
        }
        connection.reason = match state {
            "\"connected\"" => Some("\"connected-0\""),
            "\"failed\"" => Some("\"failed-0\""),
            _ => return false,
        };
        connection.polling = Polling::Idle;
        true
    }

    /// A connection was closed and will never be polled again.
    pub(crate) fn connection_closed(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connection(id) {
            connection.polling = Polling::Over;
            connection.reports = ReportEncoder::new();
        }
    }

    /// Whether any connection is polled.
    pub(crate) fn has_polled(&self) -> bool {
        self.connections.iter().any(|connection| matches!(connection.polling, Polling::Idle | Polling::Waiting))
    }

    /// The connections whose report is due and not already on its way.
    pub(crate) fn due_polls(&self) -> Vec<ConnectionId> {
        let due = self.connections.iter().filter(|connection| connection.polling == Polling::Idle);
        due.map(|connection| connection.id).collect()
    }

    pub(crate) fn poll_started(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connection(id) {
            connection.polling = Polling::Waiting;
        }
    }

    /// A poll ended, with the report as JSON if it succeeded.
    pub(crate) fn poll_ended(&mut self, id: ConnectionId, report: Option<&str>, now: UnixMillis) {
        let Some(connection) = self.connection(id) else { return };
        if connection.polling != Polling::Waiting {
            return;
        }
        connection.polling = Polling::Idle;
        let Some(report) = report else { return };
        let report = self.with_pressure(report);

        // The delta is not longer than the report; what the encoder saw must be sent, so ask first.
        if !self.make_room(report.len(), Class::Report(id), now) {
            return;
        }
        let Some(connection) = self.connection(id) else { return };
        let mut delta = String::new();
        if connection.reports.encode(&report, &mut delta).is_err() {
            return;
        }
        if delta.len() > LINE_LIMIT {
            connection.reports.reset();
            self.refuse_oversized(Some(id), delta.len(), now);
            return;
        }
        let reason = connection.reason.take();
        self.counts.reports += 1;
        self.push(Class::Report(id), "getStats", Some(id), &delta, reason.as_slice(), now);
    }

    /// The newest record of the CPU's pressure, as the browser names it.
    pub(crate) fn set_pressure(&mut self, state: &str, now: UnixMillis) {
        let level = match state {
            "nominal" => 4,
            "fair" => 3,
            "serious" => 2,
            "critical" => 1,
            _ => return,
        };
        self.pressure = Some((now, level));
    }

    /// The report with the CPU's pressure as one more entry; where there is none, the report itself and no copy of it.
    fn with_pressure<'a>(&self, report: &'a str) -> Cow<'a, str> {
        let Some(((time, level), entries)) = self.pressure.zip(report.strip_suffix('}')) else {
            return Cow::Borrowed(report);
        };
        let mut report = entries.to_owned();
        if report.len() > 1 {
            report.push(',');
        }
        report.push_str("\"rtcStatsComputePressure\":{\"type\":\"compute-pressure\",\"timestamp\":");
        report.push_str(&time.to_string());
        report.push_str(",\"cpuState\":");
        report.push_str(&level.to_string());
        report.push_str("}}");
        Cow::Owned(report)
    }

    fn has_room(&mut self, need: usize, class: Class, connection: Option<ConnectionId>, now: UnixMillis) -> bool {
        if need > LINE_LIMIT {
            self.refuse_oversized(connection, need, now);
            return false;
        }
        self.make_room(need, class, now)
    }

    fn make_room(&mut self, need: usize, class: Class, now: UnixMillis) -> bool {
        let room = self.transport.make_room(need, class, now);
        for id in &room.reset {
            if let Some(connection) = self.connection(*id) {
                connection.reports.reset();
            }
        }
        room.granted
    }

    /// The dump says what is missing from it, and how large it was.
    fn refuse_oversized(&mut self, connection: Option<ConnectionId>, bytes: usize, now: UnixMillis) {
        let mut value = String::from("{\"lines\":1,\"bytes\":");
        value.push_str(&bytes.to_string());
        value.push('}');
        self.record(":rtctrace.dropped", connection, &value, &[], now);
    }

    fn push(
        &mut self,
        class: Class,
        method: &str,
        connection: Option<ConnectionId>,
        value: &str,
        extra: &[&str],
        now: UnixMillis,
    ) {
        let mut line = String::with_capacity(value.len() + 48);
        let name = connection.map(ConnectionId::name);
        write_line_start(&mut line, method, name.as_deref(), value, extra);
        self.counts.lines += 1;
        self.transport.push(class, line, now);
    }
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_string(&mut out, text);
    out
}
