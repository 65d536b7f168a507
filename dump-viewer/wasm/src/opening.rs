//! The one pass over a dump that opening it takes.

use std::collections::HashMap;
use std::io::BufRead;

use rtctrace_features::FeatureExtractor;
use rtctrace_protocol::dump::{DumpError, DumpReader};
use rtctrace_protocol::event::{Event, SessionDecoder, Value};

use crate::calls::{Calls, call_of};
use crate::recording::{Connection, EventFlags, OpenError, Problem, Recording};
use crate::series::{ConnectionSeries, Numbers};
use crate::states::States;
use crate::tracks::Tracks;

/// Bytes of line text kept. The module has 4 GiB of address space, for this and for the numbers.
const TEXT_LIMIT: u64 = 1 << 30;
/// Bytes of decompressed session descriptions kept: small lines can stand for large descriptions.
const DESCRIPTION_LIMIT: usize = 256 << 20;
/// Numbers kept for graphs: 1 GiB.
const NUMBERS: Numbers = Numbers(1 << 27);
/// Skipped lines that are described; the others are counted.
const DESCRIBED_SKIPS: usize = 50;

/// Why a line gave no event.
enum Fault {
    /// It is that line's fault.
    Line(String),
    /// Nothing behind it can be had.
    End(String),
}

/// What only opening needs.
struct Opening {
    recording: Recording,
    methods: HashMap<String, u32>,
    connections: HashMap<String, usize>,
    calls: Calls,
    extractor: FeatureExtractor,
    numbers: Numbers,
    description_bytes: usize,
    text_limit: u64,
}

impl Recording {
    /// Reads a whole dump.
    ///
    /// # Errors
    /// If it is no dump. Lines that cannot be read are skipped and counted, and a dump that breaks off is shown as far
    /// as it goes.
    pub fn open<R: BufRead>(input: R) -> Result<Self, OpenError> {
        Self::open_within(input, TEXT_LIMIT)
    }

    fn open_within<R: BufRead>(input: R, text_limit: u64) -> Result<Self, OpenError> {
        let mut reader = DumpReader::open(input).map_err(|error| OpenError(error.to_string()))?;
        let mut opening = Opening::new(reader.metadata().text(), text_limit);
        let mut decoder = SessionDecoder::new();
        loop {
            let outcome = match reader.next_line() {
                None => break,
                Some(Ok(text)) => opening.line(text, &mut decoder),
                Some(Err(error)) => Err(fault(&error)),
            };
            let line = u32::try_from(reader.line_number()).unwrap_or(u32::MAX);
            match outcome {
                Ok(()) => opening.recording.line_numbers.push(line),
                Err(Fault::Line(reason)) => opening.skip(Problem { line, reason }),
                Err(Fault::End(reason)) => {
                    opening.recording.interrupted = Some(Problem { line, reason });
                    break;
                }
            }
        }
        Ok(opening.finish(&decoder))
    }
}

/// The reader's errors without the line number, which the viewer shows beside them.
fn fault(error: &DumpError) -> Fault {
    match error {
        DumpError::LineTooLong { limit, .. } => Fault::Line(format!("longer than {limit} bytes")),
        DumpError::NotUtf8 { .. } => Fault::Line("not UTF-8".to_owned()),
        DumpError::Read { error, .. } => Fault::End(error.to_string()),
        other => Fault::End(other.to_string()),
    }
}

impl Opening {
    fn new(metadata: &str, text_limit: u64) -> Self {
        Self {
            recording: Recording { metadata: metadata.to_owned(), ..Recording::default() },
            methods: HashMap::new(),
            connections: HashMap::new(),
            calls: Calls::default(),
            extractor: FeatureExtractor::new(),
            numbers: NUMBERS,
            description_bytes: 0,
            text_limit,
        }
    }

    fn line(&mut self, text: &str, decoder: &mut SessionDecoder) -> Result<(), Fault> {
        let number = u32::try_from(self.recording.times.len()).map_err(|_| Fault::End("too many events".to_owned()))?;
        let event = decoder.decode(text).map_err(|error| Fault::Line(error.to_string()))?;
        // The features are read from the decoder in the end: whatever it has decoded must have been taken in.
        self.extractor.event(&event);
        let span = self
            .recording
            .lines
            .push(text, self.text_limit)
            .ok_or_else(|| Fault::End(format!("the dump has more than {} bytes of lines", self.text_limit)))?;
        let flags = flags(&event);
        let method = self.method(&event.method);
        let connection = event.connection.as_deref().map(|id| self.connection(id, event.time));
        let mut size = 0;
        if let Value::Report(report) = &event.value {
            // An empty report is a report, too: 0 stands for other events.
            size = u32::try_from(report.len()).unwrap_or(u32::MAX).saturating_add(1);
        }
        if let Value::Description { sdp: Some(sdp), .. } = &event.value {
            self.description_bytes = self.description_bytes.saturating_add(sdp.len());
            if self.description_bytes <= DESCRIPTION_LIMIT {
                self.recording.descriptions.insert(number, sdp.clone().into_owned());
            }
        }
        if connection.is_none() {
            self.recording.tracks.event(&event);
        }
        if let Some(connection) = connection.and_then(|index| self.recording.connections.get_mut(index)) {
            connection.follow(&event, number, flags);
            if let Value::Report(report) = &event.value
                && self.recording.graphs_end.is_none()
                && !connection.series.report(report, event.time, &mut self.numbers)
            {
                self.recording.graphs_end = Some(event.time);
            }
        }
        let connection = connection.and_then(|index| i32::try_from(index).ok()).unwrap_or(-1);
        let partner = self.partner(&event, connection, method, number);
        let recording = &mut self.recording;
        recording.spans.push(span);
        recording.sizes.push(size);
        recording.times.push(event.time);
        recording.method_of.push(method);
        recording.connection_of.push(connection);
        recording.partner_of.push(partner);
        recording.flags.push(flags);
        Ok(())
    }

    /// The call whose outcome an event is, or -1; the call then learns of its outcome.
    fn partner(&mut self, event: &Event<'_>, connection: i32, method: u32, number: u32) -> i32 {
        let Some(call) = call_of(&event.method) else {
            if !matches!(event.value, Value::Report(_)) {
                self.calls.called(event, connection, method, number);
            }
            return -1;
        };
        let call = self.methods.get(call).and_then(|method| self.calls.answered(event, connection, *method));
        let place = call.and_then(|call| self.recording.partner_of.get_mut(call as usize));
        if let (Some(place), Ok(number)) = (place, i32::try_from(number)) {
            *place = number;
        }
        call.and_then(|call| i32::try_from(call).ok()).unwrap_or(-1)
    }

    fn method(&mut self, name: &str) -> u32 {
        if let Some(index) = self.methods.get(name) {
            return *index;
        }
        let index = u32::try_from(self.recording.methods.len()).unwrap_or(u32::MAX);
        self.methods.insert(name.to_owned(), index);
        self.recording.methods.push(name.to_owned());
        index
    }

    fn connection(&mut self, id: &str, time: f64) -> usize {
        if let Some(index) = self.connections.get(id) {
            return *index;
        }
        let index = self.recording.connections.len();
        self.connections.insert(id.to_owned(), index);
        self.recording.connections.push(Connection {
            id: id.to_owned(),
            start: time,
            end: time,
            events: 0,
            failures: 0,
            reports: Vec::new(),
            states: States::default(),
            tracks: Tracks::default(),
            series: ConnectionSeries::default(),
        });
        index
    }

    fn skip(&mut self, problem: Problem) {
        self.recording.skipped_count += 1;
        if self.recording.skipped.len() < DESCRIBED_SKIPS {
            self.recording.skipped.push(problem);
        }
    }

    fn finish(mut self, decoder: &SessionDecoder) -> Recording {
        self.recording.features = serde_json::to_string(&self.extractor.features(decoder)).ok();
        self.recording.findings = self.extractor.findings(decoder);
        self.recording
    }
}

impl Connection {
    fn follow(&mut self, event: &Event<'_>, number: u32, flags: u8) {
        self.start = self.start.min(event.time);
        self.end = self.end.max(event.time);
        self.events += 1;
        if flags & EventFlags::FAILURE != 0 {
            self.failures += 1;
        }
        if matches!(event.value, Value::Report(_)) {
            self.reports.push(number);
        }
        self.states.event(&event.method, word(event).as_deref(), event.time);
        self.tracks.event(event);
    }
}

/// The value of an event if it is a string, such as a state.
fn word<'e>(event: &'e Event<'_>) -> Option<std::borrow::Cow<'e, str>> {
    event.value.raw()?.as_str()
}

fn flags(event: &Event<'_>) -> u8 {
    let state = || word(event);
    match &*event.method {
        "onconnectionstatechange"
        | "oniceconnectionstatechange"
        | "ondtlsstatechange"
        | "RTCIceTransport.onstatechange" => match state().as_deref() {
            Some("failed") => EventFlags::FAILURE,
            Some("disconnected") => EventFlags::WARNING,
            _ => 0,
        },
        // Servers that cannot be reached are common and often harmless.
        "onicecandidateerror" | ":rtctrace.dropped" | ":rtctrace.suspended" | "window.onoffline" | "longtask" => {
            EventFlags::WARNING
        }
        "ondtlserror" | "RTCDataChannel.onerror" => EventFlags::FAILURE,
        method if method.ends_with("OnFailure") => EventFlags::FAILURE,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The line that does not fit makes another entry of the stream's place.
    #[test]
    fn features_are_those_of_what_was_taken_in_where_lines_end_for_want_of_room() {
        let lines = [
            r#"["addTrack","PC_0",["audio","T"],1]"#,
            r#"["getStats","PC_0",{"0":{"type":"outbound-rtp","mediaSourceId":"1","nackCount":7},"1":{"trackIdentifier":"T"}},1]"#,
            r#"["getStats","PC_0",{"0":{"type":"codec","nackCount":9}},1000]"#,
        ];
        let text = format!("RTCStatsDump\n{{\"fileFormat\":3}}\n{}\n", lines.join("\n"));
        let limit = lines.iter().take(2).map(|line| line.len() as u64).sum();
        let recording = Recording::open_within(text.as_bytes(), limit).unwrap();
        assert_eq!(recording.times.len(), 2);
        assert!(recording.interrupted.is_some());
        let features = recording.features.unwrap();
        assert!(features.contains("\"nackCount\":7"), "{features}");
    }
}
