//! [`Series`]: the values that one member of an entry had, one for each time it was sampled.

use super::limits::MAX_VALUES;
use super::time::{Moment, moment_of, sensible};
use crate::json::{Kind, RawValue, skip_value, skip_white_space};

/// Members that Chromium computes for its page are called so, and are no statistics: `[bytesSent_in_bits/s]`.
const COMPUTED: &str = "-[";

/// Strings that Chromium wrote as the numbers that they look like (W3C webrtc-stats).
const STRINGS: [&str; 7] = ["mid", "rid", "foundation", "usernameFragment", "label", "protocol", "trackIdentifier"];

/// One member's values.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: Box<str>,
    /// An array that has been validated, and where its next value is looked for.
    text: Box<str>,
    at: usize,
    is_string: bool,
    pub(super) count: usize,
    /// When the first and the last value were sampled, as far as that is told, in ms since the Unix epoch.
    pub(super) start: Option<f64>,
    pub(super) end: Option<f64>,
    /// The sample of its entry that the first value belongs to.
    pub(super) first: usize,
}

/// Whose series it is: the entry's id and the member's name. `None` for what Chromium computed. Ids may have hyphens, names
/// have none.
pub(super) fn names_of(key: &str) -> Option<(&str, &str)> {
    if key.ends_with(']') && key.contains(COMPUTED) {
        return None;
    }
    Some(key.rsplit_once('-').unwrap_or((key, "")))
}

impl Series {
    /// The series of a member of `stats`; `None` if it is none, or too long a one.
    pub(super) fn parse(name: &str, value: RawValue<'_>) -> Option<Self> {
        let values = value.get("values")?;
        let text = match values.as_str() {
            Some(text) => text.into_owned(),
            None => values.text().to_owned(),
        };
        let array = RawValue::parse(&text).ok().filter(|array| array.kind() == Kind::Array)?;
        let count = array.elements().take(MAX_VALUES + 1).count();
        if count == 0 || count > MAX_VALUES {
            return None;
        }
        let text: Box<str> = array.text().into();
        let time = |name| match moment_of(value.get(name)?)? {
            Moment::At(time) | Moment::Local(time) => Some(time),
        };
        let is_string = STRINGS.contains(&name);
        Some(Self {
            name: name.into(),
            text,
            at: 1,
            is_string,
            count,
            start: time("startTime"),
            end: time("endTime"),
            first: 0,
        })
    }

    /// The bytes of its values.
    pub(super) fn length(&self) -> usize {
        self.text.len()
    }

    /// The times that the values are; what can be none is as the one before it.
    pub(super) fn moments(&self) -> Vec<f64> {
        let Ok(array) = RawValue::parse(&self.text) else { return Vec::new() };
        let mut last = 0.0;
        let moment = |value: RawValue<'_>| {
            last = value.as_f64().and_then(sensible).unwrap_or(last);
            last
        };
        array.elements().map(moment).collect()
    }

    /// Appends the next value as JSON. False if there is none, or it is nothing.
    pub(super) fn write_next(&mut self, out: &mut String) -> bool {
        let bytes = self.text.as_bytes();
        let mut at = skip_white_space(bytes, self.at);
        if bytes.get(at) == Some(&b',') {
            at = skip_white_space(bytes, at + 1);
        }
        if matches!(bytes.get(at), None | Some(b']')) {
            return false;
        }
        let end = skip_value(bytes, at);
        let value = RawValue::slice(&self.text, at, end);
        self.at = end;
        if value.is_null() {
            return false;
        }
        let quote = if self.is_string && value.kind() == Kind::Number { "\"" } else { "" };
        for part in [quote, value.text(), quote] {
            out.push_str(part);
        }
        true
    }

    /// Finds out which of its entry's samples the values are of, from the times of these. A member that came late or went early
    /// has fewer values; where it must have been absent in between, the newest values are right.
    pub(super) fn align(&mut self, times: &[f64], tolerance: f64) {
        let samples = times.len();
        if self.count >= samples {
            // More values than times: of the first nobody knows when they were.
            for _ in samples..self.count {
                self.write_next(&mut String::new());
            }
            self.count = self.count.min(samples);
            return;
        }
        let from = self.start.map_or(0, |start| times.partition_point(|time| *time < start - tolerance));
        let end = self.end.map_or(samples, |end| times.partition_point(|time| *time <= end + tolerance));
        let is_told = from + self.count == end;
        self.first = if is_told { from } else { end.max(self.count).min(samples) - self.count };
    }
}
