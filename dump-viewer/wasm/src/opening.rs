//! The one pass over a dump that opening it takes, and over the lines that come to it later.

use std::collections::HashMap;
use std::io::BufRead;

use rtctrace_features::FeatureExtractor;
use rtctrace_protocol::dump::{DumpError, DumpReader, MAX_LINE};
use rtctrace_protocol::event::{Event, EventError, SessionDecoder, Value};
use rtctrace_protocol::line::LineError;

use crate::calls::{Calls, call_of};
use crate::problems::Problems;
use crate::recording::{Connection, EventFlags, OpenError, Recording};
use crate::selected::Selected;
use crate::series::{ConnectionSeries, Numbers};
use crate::sora::SoraLines;
use crate::states::States;
use crate::tracks::Tracks;

/// Bytes of line text kept. The module has 4 GiB of address space, for this and for the numbers.
const TEXT_LIMIT: u64 = 1 << 30;
/// Bytes of decompressed session descriptions kept: small lines can stand for large descriptions.
const DESCRIPTION_LIMIT: usize = 256 << 20;
/// Numbers kept for graphs: 1 GiB.
const NUMBERS: Numbers = Numbers(1 << 27);

/// Why a line gave no event.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It is that line's fault.
    Line(String),
    /// So it is, and the line is no text or no JSON.
    Unreadable(String),
    /// Nothing behind it can be had.
    End(String),
    /// It is the first of another dump.
    SecondDump,
}

/// What only taking in lines needs.
#[derive(Debug)]
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

/// A dump to which lines may come.
#[derive(Debug)]
pub struct Growing {
    opening: Opening,
    decoder: SessionDecoder,
    /// Number of the last line.
    line: u32,
    /// What has come of the next line.
    begun: Vec<u8>,
    /// That one is too long, and the rest of it is not kept.
    is_too_long: bool,
}

impl Recording {
    /// Reads a whole dump.
    ///
    /// # Errors
    /// If it is no dump. Lines that cannot be read are skipped and counted, and a dump that breaks off is shown as far
    /// as it goes.
    pub fn open<R: BufRead>(input: R) -> Result<Self, OpenError> {
        Ok(Growing::open(input)?.opening.recording)
    }
}

impl Default for Growing {
    /// Nothing.
    fn default() -> Self {
        let mut growing = Self::new("");
        growing.conclude();
        growing
    }
}

impl Growing {
    /// Reads what there is of a dump.
    ///
    /// # Errors
    /// As those of [`Recording::open`].
    pub fn open<R: BufRead>(input: R) -> Result<Self, OpenError> {
        let (mut growing, mut reader) = Self::begin(input)?;
        while growing.take(&mut reader, usize::MAX) {}
        Ok(growing)
    }

    /// Reads the header of a dump, and gives what reads its lines.
    ///
    /// # Errors
    /// As those of [`Recording::open`].
    pub(crate) fn begin<R: BufRead>(input: R) -> Result<(Self, DumpReader<R>), OpenError> {
        let reader = DumpReader::open(input).map_err(|error| OpenError(error.to_string()))?;
        Ok((Self::new(reader.metadata().text()), reader))
    }

    /// Takes in lines of `reader`, of so many bytes or a little more. Behind the last of them it is false, and all lines are concluded.
    pub(crate) fn take<R: BufRead>(&mut self, reader: &mut DumpReader<R>, bytes: usize) -> bool {
        let mut taken = 0;
        let is_over = loop {
            if taken >= bytes {
                break false;
            }
            let outcome = match reader.next_line() {
                None => break true,
                Some(Ok(text)) => {
                    taken += text.len().saturating_add(1);
                    self.opening.line(text, &mut self.decoder)
                }
                Some(Err(error)) => Err(fault(&error)),
            };
            if self.opening.is_end(number(reader), outcome) {
                break true;
            }
        };
        self.line = number(reader);
        if is_over {
            if !reader.ends_with_newline() {
                self.opening.recording.problems.ended_within(self.line);
            }
            self.conclude();
        }
        !is_over
    }

    /// The lines of a session of Sora's.
    pub(crate) fn of_lines(SoraLines { metadata, lines }: &SoraLines, problems: Problems) -> Self {
        let mut growing = Self::new(metadata);
        growing.opening.recording.problems = problems;
        for (number, line) in lines {
            growing.line = *number;
            let outcome = growing.opening.line(line, &mut growing.decoder);
            if growing.opening.is_end(*number, outcome) {
                break;
            }
        }
        growing.conclude();
        growing
    }

    fn new(metadata: &str) -> Self {
        let opening = Opening::new(metadata, TEXT_LIMIT);
        Self { opening, decoder: SessionDecoder::new(), line: 0, begun: Vec::new(), is_too_long: false }
    }

    /// What all lines so far amount to.
    fn conclude(&mut self) {
        self.opening.conclude(&self.decoder);
    }

    /// What was read so far.
    #[must_use]
    pub fn recording(&self) -> &Recording {
        &self.opening.recording
    }

    /// The same, to look at a value.
    pub fn recording_mut(&mut self) -> &mut Recording {
        &mut self.opening.recording
    }

    /// Reads on: further text of format 3, cut anywhere. A line counts from its end on. Behind what interrupted a dump nothing is read.
    pub fn append(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.begun.len() + part.len() > MAX_LINE {
                self.is_too_long = true;
                self.begun.clear();
            }
            if !self.is_too_long {
                self.begun.extend_from_slice(part);
            }
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.begun);
                self.line(&line);
                self.begun = line;
                self.begun.clear();
                self.is_too_long = false;
            }
        }
        self.conclude();
    }

    fn line(&mut self, bytes: &[u8]) {
        self.line = self.line.saturating_add(1);
        if self.opening.recording.problems.is_over() {
            return;
        }
        let outcome = match std::str::from_utf8(bytes.trim_ascii_end()) {
            _ if self.is_too_long => Err(Fault::Line(format!("longer than {MAX_LINE} bytes"))),
            Ok("") => return,
            Ok(text) => self.opening.line(text, &mut self.decoder),
            Err(_) => Err(Fault::Unreadable("not UTF-8".to_owned())),
        };
        self.opening.is_end(self.line, outcome);
    }
}

fn number<R: BufRead>(reader: &DumpReader<R>) -> u32 {
    u32::try_from(reader.line_number()).unwrap_or(u32::MAX)
}

/// The reader's errors without the line number, which the viewer shows beside them.
pub(crate) fn fault(error: &DumpError) -> Fault {
    match error {
        DumpError::LineTooLong { limit, .. } => Fault::Line(format!("longer than {limit} bytes")),
        DumpError::NotUtf8 { .. } => Fault::Unreadable("not UTF-8".to_owned()),
        DumpError::SecondDump { .. } => Fault::SecondDump,
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
        let event = decoder.decode(text).map_err(|error| match error {
            EventError::Line(LineError::Json(_)) => Fault::Unreadable(error.to_string()),
            _ => Fault::Line(error.to_string()),
        })?;
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
                self.recording.descriptions.push((number, sdp.clone().into_owned()));
            }
        }
        if event.method == ":rtctrace.suspended" && self.recording.woken.last().is_none_or(|last| *last <= event.time) {
            self.recording.woken.push(event.time);
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
            selected: Selected::default(),
        });
        index
    }

    /// Notes where a line that was taken in stands, or why it was not, and says whether there is no more.
    fn is_end(&mut self, line: u32, outcome: Result<(), Fault>) -> bool {
        match outcome {
            Ok(()) => {
                self.recording.line_numbers.push(line);
                false
            }
            Err(fault) => self.recording.problems.is_end(line, fault),
        }
    }

    /// What all lines so far amount to.
    fn conclude(&mut self, decoder: &SessionDecoder) {
        self.recording.features = self.extractor.features(decoder).to_json();
        self.recording.findings = self.extractor.findings(decoder);
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
        if let Value::Report(report) = &event.value {
            self.reports.push(number);
            self.selected.report(report, event.time);
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
        let (mut growing, mut reader) = Growing::begin(text.as_bytes()).unwrap();
        growing.opening.text_limit = limit;
        while growing.take(&mut reader, 1) {}
        let recording = growing.opening.recording;
        assert_eq!(recording.times.len(), 2);
        assert!(recording.problems.interrupted.is_some());
        let features = recording.features;
        assert!(features.contains("\"nackCount\":7"), "{features}");
    }
}
