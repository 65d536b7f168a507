//! The complete value of one event. Reports are kept as the differences they travel as, so the one that somebody looks
//! at is decoded again from the beginning of its connection, or from where the last look left off.

use rtctrace_protocol::event::{SessionDecoder, Value};
use rtctrace_protocol::line::Line;
use serde::Serialize;

use crate::recording::Recording;

/// Where the last look at a report left off.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    connection: usize,
    /// How many reports of the connection the decoder has seen.
    seen: usize,
    decoder: Option<SessionDecoder>,
}

#[derive(Serialize)]
struct EventValue {
    kind: &'static str,
    value: String,
    sdp: Option<String>,
    extra: Vec<String>,
    line: u32,
}

impl Recording {
    /// The value of an event as JSON of the viewer's `EventValue`; `None` if there is no such event.
    pub fn value(&mut self, event: u32) -> Option<String> {
        let index = event as usize;
        let text = self.lines.get(*self.spans.get(index)?);
        let line = Line::parse(text).ok()?;
        let number = self.line_numbers.get(index).copied().unwrap_or_default();
        let extra = line.extra().iter().map(|extra| extra.text().to_owned()).collect();
        let is_report = self.sizes.get(index).is_some_and(|size| *size > 0);
        let value = if is_report {
            let value = self.report(event)?;
            EventValue { kind: "report", value, sdp: None, extra, line: number }
        } else if let Some(sdp) = self.description(event) {
            let kind = line.value().get("type").map_or("null", |kind| kind.text());
            EventValue { kind: "description", value: kind.to_owned(), sdp: Some(sdp.clone()), extra, line: number }
        } else {
            EventValue { kind: "json", value: line.value().text().to_owned(), sdp: None, extra, line: number }
        };
        serde_json::to_string(&value).ok()
    }

    fn report(&mut self, event: u32) -> Option<String> {
        let connection = usize::try_from(*self.connection_of.get(event as usize)?).ok()?;
        let reports = &self.connections.get(connection)?.reports;
        let position = reports.binary_search(&event).ok()?;
        if self.replay.connection != connection || self.replay.seen > position || self.replay.decoder.is_none() {
            self.replay = Replay { connection, seen: 0, decoder: None };
        }
        let decoder = self.replay.decoder.get_or_insert_default();
        let mut json = None;
        for report in reports.get(self.replay.seen..=position)? {
            let text = self.lines.get(*self.spans.get(*report as usize)?);
            let decoded = decoder.decode(text);
            if report == &event
                && let Ok(decoded) = decoded
                && let Value::Report(_) = decoded.value
            {
                json = Some(decoded.value.to_json());
            }
        }
        // The decoder stands after this report; the same one again is decoded from the beginning, which the cache in
        // the page makes rare.
        self.replay.seen = position + 1;
        json
    }
}
