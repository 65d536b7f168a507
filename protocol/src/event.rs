//! [`Event`]: a line with everything in it expanded, and [`SessionDecoder`], which makes events from a session's lines.

use std::borrow::Cow;
use std::collections::HashMap;

use thiserror::Error;

use crate::description::{self, Description, DescriptionCodec};
use crate::json::{RawValue, write_string};
use crate::line::{Line, LineError};
use crate::report::{Report, ReportDecoder, ReportError, ReportLimits};

/// One traced call or browser event.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// The full name of the method.
    pub method: Cow<'a, str>,
    /// The id of the connection, or `None` for an event of the page.
    pub connection: Option<Cow<'a, str>>,
    /// What was passed, returned or fired, decompressed.
    pub value: Value<'a>,
    /// What stands between value and time: tracking ids, track ids and the like.
    pub extra: Vec<RawValue<'a>>,
    /// When it happened, in ms since the Unix epoch.
    pub time: f64,
}

/// An event's value.
#[derive(Debug, Clone)]
pub enum Value<'a> {
    /// JSON as it was sent.
    Raw(RawValue<'a>),
    /// A session description, its SDP in full.
    Description {
        /// `offer`, `answer`, `pranswer` or `rollback`.
        kind: Option<Cow<'a, str>>,
        /// The SDP.
        sdp: Option<Cow<'a, str>>,
    },
    /// A complete report, after its delta was applied.
    Report(&'a Report),
}

impl<'a> Value<'a> {
    /// The value, if it is plain JSON.
    #[must_use]
    pub fn raw(&self) -> Option<RawValue<'a>> {
        match self {
            Value::Raw(raw) => Some(*raw),
            _ => None,
        }
    }

    /// The report, if it is one.
    #[must_use]
    pub fn report(&self) -> Option<&'a Report> {
        match self {
            Value::Report(report) => Some(report),
            _ => None,
        }
    }

    /// Appends the value as JSON.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Value::Raw(raw) => out.push_str(raw.text()),
            Value::Report(report) => report.write_json(out),
            Value::Description { kind, sdp } => {
                let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
                Description { kind: owned(kind), sdp: owned(sdp) }.write_json(out);
            }
        }
    }

    /// The value as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }
}

/// Why a line gave no event. The lines behind it are not affected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EventError {
    /// The text is no line.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The line is one of `getStats`, but its value is no delta, or too large a one.
    #[error("getStats of {connection}: {error}")]
    Report {
        /// The connection's id.
        connection: String,
        /// What is wrong.
        error: ReportError,
    },
    /// The session has too many connections to decode one more.
    #[error("the session has more than {0} connections; those beyond are not decoded")]
    TooManyConnections(usize),
    /// The decoded state of the session has outgrown its bound.
    #[error("the session would need more than {0} bytes to decode")]
    TooLarge(usize),
}

/// How much a session may make its decoder hold.
#[derive(Debug, Clone, Copy)]
pub struct DecoderLimits {
    /// Connections.
    pub connections: usize,
    /// Text of all reports and descriptions together, in bytes.
    pub bytes: usize,
    /// What one connection's report may hold.
    pub report: ReportLimits,
}

impl Default for DecoderLimits {
    fn default() -> Self {
        Self { connections: 1024, bytes: 64 << 20, report: ReportLimits::default() }
    }
}

#[derive(Debug)]
struct Connection {
    id: Box<str>,
    reports: ReportDecoder,
    descriptions: DescriptionCodec,
}

/// Makes events from the lines of one session, in their order. Its memory is bounded by its limits, not by the session's
/// length, and a bad line costs that line only.
#[derive(Debug, Default)]
pub struct SessionDecoder {
    limits: DecoderLimits,
    connections: Vec<Connection>,
    /// Where each is in `connections`.
    places: HashMap<Box<str>, usize>,
    /// Whose line was the newest: as a rule the next one is of the same.
    newest: usize,
    /// What the connections hold.
    bytes: usize,
    /// The same without what their reports have left behind.
    needed: usize,
    started: bool,
    time: f64,
}

impl SessionDecoder {
    /// A decoder for a session's first line, with the usual limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with limits of one's own.
    #[must_use]
    pub fn with_limits(limits: DecoderLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The time of the newest line, in ms since the Unix epoch; 0 before the first.
    #[must_use]
    pub fn time(&self) -> f64 {
        self.time
    }

    /// The newest report of a connection; `None` if nothing was decoded of it.
    #[must_use]
    pub fn report(&self, connection: &str) -> Option<&Report> {
        Some(self.connections.get(*self.places.get(connection)?)?.reports.report())
    }

    /// Makes the event of the next line.
    ///
    /// # Errors
    /// [`EventError`] if the text is no line or its report cannot be decoded. A line's time counts even then, as long as
    /// it is a line.
    pub fn decode<'a>(&'a mut self, line: &'a str) -> Result<Event<'a>, EventError> {
        let line = Line::parse(line)?;
        self.decode_line(&line)
    }

    /// The same for a line that has been parsed already.
    ///
    /// # Errors
    /// As [`SessionDecoder::decode`].
    pub fn decode_line<'a>(&'a mut self, line: &Line<'a>) -> Result<Event<'a>, EventError> {
        self.time = if self.started { self.time + line.delta() } else { line.delta() };
        self.started = true;
        let time = self.time;
        let method = line.method();
        let connection = line.connection();
        let mut value = Value::Raw(line.value());
        if let Some(id) = connection.as_deref() {
            if method == "getStats" {
                value = Value::Report(self.apply_delta(id, line.value())?);
            } else if follows_descriptions(&method) {
                value = self.description(id, &method, line)?;
            }
        }
        Ok(Event { method, connection, value, extra: line.extra().to_vec(), time })
    }

    fn apply_delta(&mut self, id: &str, delta: RawValue<'_>) -> Result<&Report, EventError> {
        let at = self.place(id)?;
        let none = EventError::TooManyConnections(self.limits.connections);
        let needed = self.connections.get(at).map_or(0, |connection| connection.reports.needed_bytes());
        self.fits(delta.text().len().saturating_sub(needed))?;
        let Some(Connection { reports, .. }) = self.connections.get_mut(at) else { return Err(none) };
        let before = (reports.bytes(), reports.needed_bytes());
        let failure = reports.decode(delta).err();
        self.bytes = (self.bytes + reports.bytes()).saturating_sub(before.0);
        self.needed = (self.needed + reports.needed_bytes()).saturating_sub(before.1);
        if let Some(error) = failure {
            return Err(EventError::Report { connection: id.chars().take(80).collect(), error });
        }
        Ok(reports.report())
    }

    /// Whether so much more is within the limit. What reports have left behind is given up once it is beyond it by an eighth, so that
    /// it arrives in proportion to what is copied then.
    fn fits(&mut self, more: usize) -> Result<(), EventError> {
        let limit = self.limits.bytes;
        if self.needed + more > limit {
            return Err(EventError::TooLarge(limit));
        }
        if self.bytes + more > limit + limit / 8 {
            self.bytes = 0;
            for Connection { reports, descriptions, .. } in &mut self.connections {
                reports.give_up_garbage();
                self.bytes += reports.bytes() + descriptions.bytes();
            }
        }
        Ok(())
    }

    fn description<'a>(&mut self, id: &str, method: &str, line: &Line<'a>) -> Result<Value<'a>, EventError> {
        let at = self.place(id)?;
        self.fits(line.text().len())?;
        let Some(Connection { descriptions: codec, .. }) = self.connections.get_mut(at) else {
            return Err(EventError::TooManyConnections(self.limits.connections));
        };
        let before = codec.bytes();
        let tracking_id = line.extra().first().and_then(|extra| extra.as_str()).unwrap_or_default();
        let sent = if description::carries_description(method) { Description::from_json(line.value()) } else { None };
        let full = codec.expand(method, &tracking_id, sent.as_ref());
        let after = codec.bytes();
        self.bytes = (self.bytes + after).saturating_sub(before);
        self.needed = (self.needed + after).saturating_sub(before);
        Ok(match full {
            Some(Description { kind, sdp }) => {
                Value::Description { kind: kind.map(Cow::Owned), sdp: sdp.map(Cow::Owned) }
            }
            None => Value::Raw(line.value()),
        })
    }

    /// Where the connection is, which is new if it was not seen before.
    fn place(&mut self, id: &str) -> Result<usize, EventError> {
        if self.connections.get(self.newest).is_some_and(|newest| *newest.id == *id) {
            return Ok(self.newest);
        }
        if let Some(at) = self.places.get(id) {
            self.newest = *at;
            return Ok(*at);
        }
        if self.connections.len() >= self.limits.connections {
            return Err(EventError::TooManyConnections(self.limits.connections));
        }
        let reports = ReportDecoder::with_limits(self.limits.report);
        self.newest = self.connections.len();
        self.connections.push(Connection { id: id.into(), reports, descriptions: DescriptionCodec::new() });
        self.places.insert(id.into(), self.newest);
        Ok(self.newest)
    }
}

/// Whether the codec of descriptions must see lines of this method.
fn follows_descriptions(method: &str) -> bool {
    description::carries_description(method)
        || matches!(method, "setLocalDescriptionOnFailure" | "setRemoteDescriptionOnFailure")
}

impl Event<'_> {
    /// Appends the event as a line whose value is not compressed: `[method, connection, value, ...extra, time]`, with the
    /// absolute time.
    pub fn write_json(&self, out: &mut String) {
        out.push('[');
        write_string(out, &self.method);
        out.push(',');
        match &self.connection {
            Some(connection) => write_string(out, connection),
            None => out.push_str("null"),
        }
        out.push(',');
        self.value.write_json(out);
        for extra in &self.extra {
            out.push(',');
            out.push_str(extra.text());
        }
        out.push(',');
        out.push_str(&self.time.to_string());
        out.push(']');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::privacy::Obfuscator;

    fn decode(decoder: &mut SessionDecoder, line: &str) -> Result<String, String> {
        let mut out = String::new();
        decoder.decode(line).map(|event| event.write_json(&mut out)).map_err(|error| error.to_string())?;
        Ok(out)
    }

    #[test]
    fn a_session_becomes_events_with_absolute_times() {
        let mut decoder = SessionDecoder::new();
        for (line, expected) in [
            (r#"[39,null,{"deviceMemory":8},1795000000000]"#, r#"["create",null,{"deviceMemory":8},1795000000000]"#),
            (
                r#"[6,"PC_0",{"type":"offer","sdp":"v=0\r\nm=a\r\n"},"6-0",5]"#,
                r#"["setLocalDescription","PC_0",{"type":"offer","sdp":"v=0\r\nm=a\r\n"},"6-0",1795000000005]"#,
            ),
            (r#"[7,"PC_0",null,"6-0",1]"#, r#"["setLocalDescriptionOnSuccess","PC_0",null,"6-0",1795000000006]"#),
            (
                r#"[3,"PC_0",{"type":"offer","sdp":"v=\r\nm=\r\nm=b\r\n"},"2-0",1]"#,
                r#"["createOfferOnSuccess","PC_0",{"type":"offer","sdp":"v=0\r\nm=a\r\nm=b\r\n"},"2-0",1795000000007]"#,
            ),
            (
                r#"["g","PC_0",{"0":{"type":5,"80":1},"t":1.5},"connected-0",1]"#,
                r#"["getStats","PC_0",{"0":{"id":"0","timestamp":1.5,"type":"transport","bytesSent":1}},"connected-0",1795000000008]"#,
            ),
            (
                r#"["g","PC_0",{"t":2.5},1.25]"#,
                r#"["getStats","PC_0",{"0":{"id":"0","timestamp":2.5,"type":"transport","bytesSent":1}},1795000000009.25]"#,
            ),
        ] {
            assert_eq!(decode(&mut decoder, line).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn a_bad_line_costs_itself_and_not_the_time() {
        let mut decoder = SessionDecoder::new();
        decode(&mut decoder, "[39,null,{},1000]").unwrap();
        assert!(decode(&mut decoder, "[39,null,{").is_err());
        assert_eq!(
            decode(&mut decoder, r#"["g","PC_0",7,10]"#).unwrap_err(),
            "getStats of PC_0: the report is not a JSON object"
        );
        assert_eq!(
            decode(&mut decoder, "[27,\"PC_0\",null,5]").unwrap(),
            r#"["onnegotiationneeded","PC_0",null,1015]"#
        );
    }

    #[test]
    fn a_session_cannot_make_its_decoder_grow_without_bound() {
        let limits = DecoderLimits { connections: 3, bytes: 4_000, ..DecoderLimits::default() };
        let mut decoder = SessionDecoder::with_limits(limits);
        let sdp = "v".repeat(1_000);
        for number in 0..100 {
            let connection = number % 10;
            let _ = decode(&mut decoder, &format!(r#"["g","PC_{connection}",{{"{number}":{{"x":{number}}}}},1]"#));
            let _ = decode(
                &mut decoder,
                &format!(r#"[6,"PC_{connection}",{{"type":"offer","sdp":"{sdp}"}},"6-{number}",1]"#),
            );
        }
        assert_eq!(decoder.connections.len(), 3);
        assert!(decoder.bytes <= 4_000 + 1_100, "{}", decoder.bytes);
        assert!(decode(&mut decoder, r#"["g","PC_9",{},1]"#).unwrap_err().contains("more than 3 connections"));
        assert!(decode(&mut decoder, r#"[":note","PC_9",1,1]"#).is_ok(), "what needs no state is still decoded");
    }

    #[test]
    fn what_many_quiet_connections_have_left_behind_is_given_up_before_a_line_is_refused() {
        let limit = 16 << 20;
        let mut decoder = SessionDecoder::with_limits(DecoderLimits { bytes: limit, ..DecoderLimits::default() });
        let text = "x".repeat(20_000);
        let mut most = 0;
        for connection in 0..300 {
            decode(&mut decoder, &format!(r#"["g","PC_{connection}",{{"0":{{"x":"{text}"}}}},1]"#)).unwrap();
            for number in 0..100 {
                let filler = "y".repeat(500);
                decode(&mut decoder, &format!(r#"["g","PC_{connection}",{{"0":{{"y":"{filler}{number}"}}}},1]"#))
                    .unwrap();
                most = most.max(decoder.bytes);
            }
        }
        for number in 0..20_000 {
            let connection = number * 7 % 300;
            decode(&mut decoder, &format!(r#"["g","PC_{connection}",{{"0":{{"80":{number}}}}},1]"#)).unwrap();
            most = most.max(decoder.bytes);
        }
        assert!((limit..limit + limit / 8 + 1_000).contains(&most), "{most}");
        let held = decoder.connections.iter().map(|connection| connection.reports.bytes()).sum::<usize>();
        assert_eq!(decoder.bytes, held);
        let needed = decoder.connections.iter().map(|connection| connection.reports.needed_bytes()).sum::<usize>();
        assert_eq!(decoder.needed, needed);
        // What is needed is what is refused.
        let large = "x".repeat(13 << 20);
        let refused = decode(&mut decoder, &format!(r#"["g","PC_0",{{"0":{{"x":"{large}"}}}},1]"#)).unwrap_err();
        assert_eq!(refused, EventError::TooLarge(limit).to_string());
    }

    fn line() -> impl Strategy<Value = String> {
        let method = prop::sample::select(vec![
            "\"g\"", "1", "3", "6", "7", "8", "9", "14", "20", "21", "39", "\":x\"", "null", "77",
        ]);
        let connection = prop::sample::select(vec!["\"A\"", "\"B\"", "null", "7"]);
        let value = prop::sample::select(vec![
            "null",
            "{}",
            "[]",
            "\"text\"",
            r#"{"type":"offer","sdp":"v=\r\nm=\r\nc=IN IP4 192.0.2.7\r\n"}"#,
            r#"{"type":"answer","sdp":"v=0\r\na=candidate:1 1 UDP 2 fd00::2 5 typ relay raddr 192.0.2.7\r\nm=\r\n"}"#,
            r#"{"type":7,"sdp":null}"#,
            r#"{"0":{"type":7,"134":"192.0.2.7","136":"relay"},"t":5}"#,
            r#"{"0":{"134":"192.0.2.8","96":{"a":1}},"1":null}"#,
            r#"{"0":null,"1":{"t":3,"96":{"b":2,"a":null}},"t":1e3}"#,
            r#"{"candidate":"candidate:1 1 UDP 2 192.0.2.7 5 typ host","address":"192.0.2.7"}"#,
        ]);
        let extra = prop::sample::select(vec!["", "\"6-0\",", "\"6-1\",{},", "7,"]);
        prop_oneof![
            9 => (method, connection, value, extra, -5..2000_i32).prop_map(|(method, connection, value, extra, delta)| {
                format!("[{method},{connection},{value},{extra}{delta}]")
            }),
            1 => ".{0,60}",
        ]
    }

    proptest! {
        #[test]
        fn any_lines_give_events_or_errors(lines in prop::collection::vec(line(), 0..24)) {
            let mut decoder = SessionDecoder::with_limits(DecoderLimits { connections: 2, bytes: 2_000, ..DecoderLimits::default() });
            for line in lines {
                if let Ok(event) = decode(&mut decoder, &line) {
                    prop_assert!(Line::parse(&event).is_ok(), "{}", event);
                }
                prop_assert!(decoder.bytes <= 2_400);
            }
        }

        #[test]
        fn any_lines_stay_lines_when_obfuscated_and_lose_their_addresses(lines in prop::collection::vec(line(), 0..24)) {
            let (mut first, mut second) = (Obfuscator::new(), Obfuscator::new());
            for text in lines {
                let Ok(line) = Line::parse(&text) else { continue };
                let (mut once, mut twice) = (String::new(), String::new());
                first.line(&line, &mut once);
                let again = Line::parse(&once).unwrap();
                prop_assert_eq!(again.method(), line.method());
                prop_assert_eq!(again.delta_text(), line.delta_text());
                second.line(&again, &mut twice);
                prop_assert_eq!(twice, once);
            }
        }
    }
}
