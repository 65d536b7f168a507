//! Reading events the way JavaScript would, without ever failing: small helpers shared by the extractors.

use std::borrow::Cow;

use rtctrace_protocol::event::{Event, Value};
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Report};

use crate::limits;
use crate::selection::Selection;

/// The value of an event that carries plain JSON.
pub(crate) fn json<'e>(event: &'e Event<'_>) -> Option<RawValue<'e>> {
    event.value.raw()
}

/// The value of an event that is a bare string, such as a state.
pub(crate) fn word<'e>(event: &'e Event<'_>) -> Option<Cow<'e, str>> {
    json(event)?.as_str()
}

/// A member of an event's value.
pub(crate) fn member<'e>(event: &'e Event<'_>, name: &str) -> Option<RawValue<'e>> {
    json(event)?.get(name)
}

/// The `type` of an event's description.
pub(crate) fn description_type<'e>(event: &'e Event<'_>) -> Option<Cow<'e, str>> {
    match &event.value {
        Value::Description { kind, .. } => kind.as_deref().map(Cow::Borrowed),
        _ => member(event, "type")?.as_str(),
    }
}

/// The `sdp` of an event's description.
pub(crate) fn description_sdp<'e>(event: &'e Event<'_>) -> Option<Cow<'e, str>> {
    match &event.value {
        Value::Description { sdp, .. } => sdp.as_deref().map(Cow::Borrowed),
        _ => member(event, "sdp")?.as_str(),
    }
}

/// The text of an outcome, which is a string; the JSON of anything else but null.
pub(crate) fn failure(event: &Event<'_>) -> Option<String> {
    let value = json(event).filter(|value| !value.is_null())?;
    match value.as_str() {
        Some(text) => Some(bounded(&text, limits::TEXT)),
        None => Some(bounded(value.text(), limits::TEXT)),
    }
}

/// The string that `value` is, if it is one.
pub(crate) fn text(value: RawValue<'_>) -> Option<String> {
    value.as_str().map(|text| bounded(&text, limits::TEXT))
}

/// The string that a member of an entry is, if it is one.
pub(crate) fn entry_text(entry: Entry<'_>, name: &str) -> Option<String> {
    text(entry.member(name)?)
}

/// The same, if it is short enough to be kept as a name.
pub(crate) fn entry_name(entry: Entry<'_>, name: &str) -> Option<String> {
    entry.member(name)?.as_str().filter(|text| text.len() <= limits::IDENTIFIER).map(Cow::into_owned)
}

/// The number that a member of an entry is, if it is one.
pub(crate) fn entry_number(entry: Entry<'_>, name: &str) -> Option<f64> {
    entry.member(name)?.as_f64()
}

/// The beginning of `text` that fits into `limit` bytes.
pub(crate) fn bounded(text: &str, limit: usize) -> String {
    let end = text.floor_char_boundary(limit);
    text.get(..end).unwrap_or_default().to_owned()
}

/// `text`, if it is short enough to be kept for comparisons.
pub(crate) fn identifier(text: &str) -> Option<Box<str>> {
    (text.len() <= limits::IDENTIFIER).then(|| text.into())
}

/// Milliseconds as an integer, rounded like `Math.round`; `None` if they are not finite.
pub(crate) fn millis(value: f64) -> Option<i64> {
    value.is_finite().then(|| (value + 0.5).floor() as i64)
}

/// Milliseconds as an integer, rounded down; `None` if they are not finite.
pub(crate) fn floor_millis(value: f64) -> Option<i64> {
    value.is_finite().then(|| value.floor() as i64)
}

/// The integer that `value` is, if it is a number without a fraction.
pub(crate) fn integer(value: RawValue<'_>) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().filter(|number| number.fract() == 0.0).map(|number| number as i64))
}

/// What ties a call to its outcome. Older clients have none; then the next outcome is the call's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TrackingId {
    Absent,
    Id(Box<str>),
    TooLong,
}

impl TrackingId {
    pub(crate) fn of(event: &Event<'_>) -> Self {
        match event.extra.first() {
            None => Self::Absent,
            Some(id) => identifier(id.text()).map_or(Self::TooLong, Self::Id),
        }
    }

    pub(crate) fn ties(&self, other: &Self) -> bool {
        *self != Self::TooLong && self == other
    }
}

/// From the first time of one thing to the first later time of another.
#[derive(Debug, Default)]
pub(crate) struct Interval {
    start: Option<f64>,
    end: Option<f64>,
}

impl Interval {
    pub(crate) fn begin(&mut self, time: f64) {
        self.start.get_or_insert(time);
    }

    pub(crate) fn finish(&mut self, time: f64) {
        if self.start.is_some() {
            self.end.get_or_insert(time);
        }
    }

    pub(crate) fn end(&self) -> Option<f64> {
        self.end
    }

    pub(crate) fn millis(&self) -> Option<i64> {
        millis(self.end? - self.start?)
    }
}

/// Where the entries are in a report that are looked at every time. They stay there until the report is reshaped.
#[derive(Debug, Default)]
pub(crate) struct Landmarks {
    transports: Vec<usize>,
    connection: Option<usize>,
    selection: Selection,
}

impl Landmarks {
    /// `is_reshaped`: since the report before.
    pub(crate) fn report(&mut self, report: &Report, is_reshaped: bool) {
        self.selection.report(report);
        if is_reshaped {
            let places = |kind: &'static str| {
                let all = report.entries().enumerate().filter(move |(_, entry)| entry.kind() == kind);
                all.map(|(place, _)| place)
            };
            self.transports = places("transport").collect();
            self.connection = places("peer-connection").next();
        }
    }

    /// The transports.
    pub(crate) fn transports<'r>(&self, report: &'r Report) -> impl Iterator<Item = Entry<'r>> {
        self.transports.iter().filter_map(|place| report.at(*place))
    }

    /// The place of the pair that is in use.
    pub(crate) fn in_use(&self) -> Option<usize> {
        self.selection.pair()
    }

    /// The first entry of the peer connection itself.
    pub(crate) fn connection<'r>(&self, report: &'r Report) -> Option<Entry<'r>> {
        report.at(self.connection?)
    }
}

/// The candidate pair that a report's transport uses.
pub(crate) struct SelectedPair<'r> {
    pub(crate) transport: Entry<'r>,
    pub(crate) pair: Entry<'r>,
}

impl<'r> SelectedPair<'r> {
    /// The pair that the first transport with a selected pair names, if the report has that pair.
    pub(crate) fn of(report: &'r Report, landmarks: &Landmarks) -> Option<Self> {
        let (transport, pair) = landmarks.selection.named()?;
        Some(Self { transport: report.at(transport)?, pair: report.at(pair)? })
    }

    /// The pair's local or remote candidate; `None` if the report lacks it.
    pub(crate) fn candidate(&self, report: &'r Report, reference: &str) -> Option<Entry<'r>> {
        report.get(&self.pair.member(reference)?.as_str()?)
    }
}
