//! Dumps that Jitsi's server wrote: a line with what it knew of the connection, in older ones and backends' samples none, then
//! an array for each entry of a browser or an object for each message of a backend. They are read as the lines that a
//! collector of ours would have stored. So are dumps of rtcstats from before format 3, which Jitsi's come from: their first line is an object
//! about the client.

use std::collections::VecDeque;

use super::header::{Metadata, write_header};
use crate::jitsi::{Message, Translator};
use crate::json::{Kind, RawValue};

/// So many lines may come before the first one that has a time, and so many bytes of them.
const MAX_TIMELESS: usize = 1024;
const MAX_TIMELESS_BYTES: usize = 4 << 20;

/// Translates the lines of one dump.
pub(super) struct JitsiLines {
    translator: Translator,
    /// Lines that came before the first one with a time.
    timeless: Vec<String>,
    ready: VecDeque<String>,
    /// Where nothing else says when something was.
    time: f64,
}

impl JitsiLines {
    /// A reader behind the dump's first line, and our header's second line for it; `None` if it is no such dump.
    pub(super) fn open(first: &str, max_line: usize) -> Option<(Self, String)> {
        let value = RawValue::parse(first).ok()?;
        let is_entry = value.kind() == Kind::Array && value.at(0).is_some_and(|kind| kind.kind() == Kind::String);
        let is_client = !is_entry && Message::parse(first).is_err();
        if is_client && !is_rtcstats_client(value) {
            return None;
        }
        let translator = if is_client { Translator::of_rtcstats(max_line) } else { Translator::new(max_line) };
        let mut lines = Self { translator, timeless: Vec::new(), ready: VecDeque::new(), time: 0.0 };
        let is_info = value.at(0).and_then(RawValue::as_str).is_some_and(|kind| kind == "connectionInfo");
        let dialect = if is_client { "rtcstats" } else { "jitsi" };
        let mut metadata = Metadata { client_protocol: dialect.to_owned(), ..Metadata::default() };
        if is_info || is_client {
            let times = ["startTime", "time"].map(|name| value.get(name).and_then(RawValue::as_f64));
            let time =
                if is_client { times.into_iter().flatten().next() } else { value.at(3).and_then(RawValue::as_f64) };
            lines.time = time.unwrap_or(0.0);
            metadata.start_time = lines.time as i64;
            let info = if is_client { value } else { value.at(2).unwrap_or(RawValue::NULL) };
            // Older servers wrote it as a text.
            let text = info.as_str();
            let info = text.as_deref().and_then(|text| RawValue::parse(text).ok()).unwrap_or(info);
            let member = |name| info.get(name).and_then(RawValue::as_str).map(|text| text.into_owned());
            metadata.url = member("path").or_else(|| member("url")).unwrap_or_default();
            metadata.origin = member("origin");
            metadata.user_agent = member("userAgent");
            if let Some(protocol) = member("clientProtocol") {
                metadata.client_protocol = protocol;
            }
        } else {
            lines.push(first);
        }
        let mut header = String::new();
        write_header(&mut header, &metadata);
        Some((lines, header.lines().nth(1)?.to_owned()))
    }

    /// Takes in the next line of the file.
    pub(super) fn push(&mut self, line: &str) {
        if self.translator.time().is_none() && self.time == 0.0 {
            let time = RawValue::parse(line).ok().and_then(time_of);
            let held: usize = self.timeless.iter().map(String::len).sum();
            if time.is_none() && self.timeless.len() < MAX_TIMELESS && held + line.len() <= MAX_TIMELESS_BYTES {
                return self.timeless.push(line.to_owned());
            }
            self.time = time.unwrap_or(0.0);
            self.finish();
        }
        self.translate(line);
    }

    /// The file has no more lines.
    pub(super) fn finish(&mut self) {
        for line in std::mem::take(&mut self.timeless) {
            self.translate(&line);
        }
    }

    /// The next line in our form.
    pub(super) fn next(&mut self) -> Option<String> {
        self.ready.pop_front()
    }

    fn translate(&mut self, line: &str) {
        let mut out = String::new();
        let now = self.translator.time().unwrap_or(self.time);
        match RawValue::parse(line).map(|value| (value.kind(), value)) {
            Ok((Kind::Array, value)) => {
                self.translator.entry(value, now, &mut out);
            }
            Ok((Kind::Object, value)) if let Ok(message) = Message::parse(line) => {
                let written = value.get("timestamp").and_then(RawValue::as_f64);
                self.translator.message(&message, written.unwrap_or(now), &mut out);
            }
            // It is reported by who decodes it.
            _ => out.push_str(line),
        }
        self.ready.extend(out.lines().map(str::to_owned));
    }
}

/// Whether an object is what a server of rtcstats wrote of its client.
fn is_rtcstats_client(value: RawValue<'_>) -> bool {
    let is_text = |name| value.get(name).is_some_and(|member| member.kind() == Kind::String);
    value.get("PeerConnections").is_none() && is_text("userAgent") && (is_text("path") || is_text("url"))
}

/// The time that a line of the file says.
fn time_of(line: RawValue<'_>) -> Option<f64> {
    if line.kind() == Kind::Array {
        return line.at(3)?.as_f64();
    }
    let written = line.get("timestamp").and_then(RawValue::as_f64);
    written.or_else(|| {
        let data = line.get("data")?.as_str()?;
        let data = RawValue::parse(&data).ok()?;
        if data.kind() == Kind::Array { data.at(3)?.as_f64() } else { data.get("timestamp")?.as_f64() }
    })
}

#[cfg(test)]
mod tests {
    use super::super::DumpReader;
    use crate::event::{SessionDecoder, Value};

    /// A delta names what has changed; times may be texts.
    #[test]
    fn older_dumps_of_rtcstats_are_read_as_ours() {
        let text = [
            r#"{"path":"/call","origin":"https://a.example","userAgent":"x","time":1700000000000,"fileFormat":2}"#,
            r#"["create","PC_0",{"iceServers":[]},1700000000000]"#,
            r#"["getstats","PC_0",{"A":{"type":"transport","bytesSent":1,"timestamp":0},"B":{"type":"codec","mimeType":"audio/opus"},"timestamp":1700000001000},1700000001001]"#,
            r#"["getstats","PC_0",{"A":{"bytesSent":5},"timestamp":"2023-11-14T22:13:22.000Z"},1700000002001]"#,
            r#"["getStats","PC_0",{"A":{"type":"transport","bytesSent":7,"timestamp":1700000003000}},1700000003001]"#,
        ]
        .join("\n");
        let mut reader = DumpReader::open(text.as_bytes()).unwrap();
        assert_eq!(reader.metadata().get("clientProtocol").unwrap().as_str().unwrap(), "rtcstats");
        assert_eq!(reader.metadata().get("startTime").unwrap().as_i64(), Some(1_700_000_000_000));
        let (mut decoder, mut reports) = (SessionDecoder::new(), Vec::new());
        while let Some(line) = reader.next_line() {
            let event = decoder.decode(line.unwrap()).unwrap();
            if let Value::Report(report) = &event.value {
                let sent = report.entries().find_map(|entry| entry.member("bytesSent")?.as_i64());
                reports.push((event.time, report.len(), sent.unwrap()));
            }
        }
        let expected = [(1_700_000_001_001.0, 2, 1), (1_700_000_002_001.0, 2, 5), (1_700_000_003_001.0, 1, 7)];
        assert_eq!(reports, expected);
        for other in [r#"{"log":{}}"#, r#"{"userAgent":"x"}"#, r#"{"path":1,"userAgent":"x"}"#] {
            assert!(DumpReader::open(other.as_bytes()).is_err(), "{other}");
        }
    }
}
