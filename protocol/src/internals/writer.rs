//! [`Draft`]: an event on its way to a line, and what makes it one.

use std::borrow::Cow;

use crate::dump::MAX_LINE;
use crate::line::{MAX_DELTA, write_line_end, write_line_start};

/// The line in place of one that would have been too long: as in our clients, `{"lines":1,"bytes":..}`.
pub(super) const DROPPED: &str = ":rtctrace.dropped";

/// An event of the dump in our words; its time comes from where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) method: Cow<'static, str>,
    pub(super) connection: Option<String>,
    /// JSON.
    pub(super) value: String,
    /// JSON each.
    pub(super) extra: Vec<String>,
}

impl Draft {
    pub(super) fn new(method: impl Into<Cow<'static, str>>, connection: Option<&str>, value: String) -> Self {
        Self { method: method.into(), connection: connection.map(str::to_owned), value, extra: Vec::new() }
    }

    /// What stands in place of an event that would have so many bytes.
    pub(super) fn dropped(connection: Option<&str>, bytes: usize) -> Self {
        Self::new(DROPPED, connection, format!("{{\"lines\":1,\"bytes\":{bytes}}}"))
    }

    /// The line, with its last element as it is to stand there.
    pub(super) fn line(&self, delta: &str) -> String {
        let mut line = self.start();
        if line.len() + delta.len() >= MAX_LINE {
            line = Self::dropped(self.connection.as_deref(), line.len() + delta.len() + 1).start();
        }
        line.push_str(delta);
        line.push(']');
        // A line break can only be white space in JSON, and a line has none.
        if line.contains(['\n', '\r']) { line.replace(['\n', '\r'], " ") } else { line }
    }

    fn start(&self) -> String {
        let mut line = String::with_capacity(self.value.len() + 64);
        let extra: Vec<&str> = self.extra.iter().map(String::as_str).collect();
        write_line_start(&mut line, &self.method, self.connection.as_deref(), &self.value, &extra);
        line
    }
}

/// A time difference in ms as it stands in a line, which has none that is larger than [`MAX_DELTA`].
pub(super) fn delta_text(delta: f64) -> String {
    let delta = if delta.is_nan() { 0.0 } else { delta.clamp(-MAX_DELTA, MAX_DELTA) };
    if delta as i64 as f64 == delta {
        let mut text = String::new();
        write_line_end(&mut text, delta as i64);
        text.pop();
        return text;
    }
    // Times of a browser have microseconds; what is behind them is the difference of two doubles.
    let mut text = format!("{delta:.6}");
    text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    text
}
