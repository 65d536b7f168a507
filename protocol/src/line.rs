//! A line: one event as it travels and is stored, `[method, connection | null, value, ...extra, delta]`.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use thiserror::Error;

use crate::json::{JsonError, Kind, RawValue, write_i64, write_string};
use crate::tables::{self, MethodToken};

/// The longest id of a connection, in bytes. A client names its connections `PC_0`, `PC_1`; what is kept of a connection,
/// and every row about it, repeats the name.
pub const MAX_CONNECTION_ID: usize = 256;

/// The largest time of a line, in ms: 30,000 years. Sums of such times stay numbers that JSON has.
pub(crate) const MAX_DELTA: f64 = 1e15;

/// Why a text is not a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LineError {
    /// The text is not JSON at all.
    #[error("the line is {0}")]
    Json(#[from] JsonError),
    /// It is JSON, but another value than an array.
    #[error("the line is not a JSON array but a JSON {0}")]
    NotAnArray(&'static str),
    /// The array is too short to hold method, connection, value and time.
    #[error("the line has {0} elements; method, connection, value and time are 4")]
    TooShort(usize),
    /// The first element is neither a name nor a token.
    #[error("the line's first element, the method, is neither a string nor a number")]
    BadMethod,
    /// The second element is neither a connection's id nor `null`.
    #[error("the line's second element, the connection, is neither a string nor null")]
    BadConnection,
    /// The second element is longer than [`MAX_CONNECTION_ID`].
    #[error("the line's second element, the connection, has {0} bytes; it may have 256")]
    LongConnection(usize),
    /// The last element is no time.
    #[error("the line's last element, the time in ms, is not a number between -1e15 and 1e15")]
    BadDelta,
}

/// A parsed line, borrowing its text. The value and the extras stay raw until they are asked for.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    text: &'a str,
    method: RawValue<'a>,
    connection: RawValue<'a>,
    value: RawValue<'a>,
    extra: Vec<RawValue<'a>>,
    delta: RawValue<'a>,
}

impl<'a> Line<'a> {
    /// Validates and splits one line; white space around it is ignored.
    ///
    /// # Errors
    /// [`LineError`] says what the text is instead.
    pub fn parse(text: &'a str) -> Result<Self, LineError> {
        Self::of_elements(text, |element| RawValue::parse_array(text, element))
    }

    /// Splits a line that [`Line::parse`] has accepted before, as one that is read back from where it was stored. It is only
    /// skipped over, which costs a fraction of what validating it does. Any other text is not always refused, but does no more
    /// harm than that what comes of it makes no sense.
    ///
    /// # Errors
    /// As [`Line::parse`], if the text cannot be split.
    pub fn of_valid(text: &'a str) -> Result<Self, LineError> {
        Self::of_elements(text, |element| RawValue::split_array(text, element))
    }

    /// The line whose elements `split` hands out.
    #[inline(always)]
    fn of_elements(
        text: &'a str,
        split: impl FnOnce(&mut dyn FnMut(RawValue<'a>)) -> Option<RawValue<'a>>,
    ) -> Result<Self, LineError> {
        let mut first = [RawValue::NULL; 4];
        let (mut count, mut extra) = (0_usize, Vec::new());
        let array = split(&mut |element| {
            match first.get_mut(count) {
                Some(place) => *place = element,
                None => extra.push(element),
            }
            count += 1;
        });
        let Some(array) = array else { return Err(Self::what_it_is(text)) };
        if count < 4 {
            return Err(LineError::TooShort(count));
        }
        let [method, connection, value, mut delta] = first;
        if let Some(last) = extra.pop() {
            extra.insert(0, core::mem::replace(&mut delta, last));
        }
        if !matches!(method.kind(), Kind::String | Kind::Number) {
            return Err(LineError::BadMethod);
        }
        if !matches!(connection.kind(), Kind::String | Kind::Null) {
            return Err(LineError::BadConnection);
        }
        // Escapes make a text longer, never shorter.
        if connection.text().len() > MAX_CONNECTION_ID
            && let Some(length) = connection.as_str().map(|id| id.len()).filter(|length| *length > MAX_CONNECTION_ID)
        {
            return Err(LineError::LongConnection(length));
        }
        if delta.as_f64().is_none_or(|delta| delta.abs() > MAX_DELTA) {
            return Err(LineError::BadDelta);
        }
        Ok(Self { text: array.text(), method, connection, value, extra, delta })
    }

    /// The error of a text that is no array.
    fn what_it_is(text: &str) -> LineError {
        match RawValue::parse(text).map(RawValue::kind) {
            Err(error) => LineError::Json(error),
            Ok(kind) => LineError::NotAnArray(match kind {
                Kind::Null => "null",
                Kind::Bool => "boolean",
                Kind::Number => "number",
                Kind::String => "string",
                Kind::Array | Kind::Object => "object",
            }),
        }
    }

    /// The line's own text, without white space around it.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The full name of the method. A number that no table knows is its own name.
    #[must_use]
    pub fn method(&self) -> Cow<'a, str> {
        // Most lines are reports, and nobody writes their letter with an escape.
        let bare = self.method.text().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        if let Some(name) = bare.and_then(tables::method_of_letter) {
            return Cow::Borrowed(name);
        }
        match self.method.as_str() {
            Some(name) => tables::method_of_letter(&name).map_or(name, Cow::Borrowed),
            None => Cow::Borrowed(tables::method_of_number(self.method).unwrap_or(self.method.text())),
        }
    }

    /// The id of the connection, if the event belongs to one.
    #[must_use]
    pub fn connection(&self) -> Option<Cow<'a, str>> {
        self.connection.as_str()
    }

    /// The value, compressed as it came.
    #[must_use]
    pub fn value(&self) -> RawValue<'a> {
        self.value
    }

    /// What stands between value and time.
    #[must_use]
    pub fn extra(&self) -> &[RawValue<'a>] {
        &self.extra
    }

    /// The time: ms since the line before, or the Unix time in ms for a session's (upstream: a socket's) first line.
    #[must_use]
    pub fn delta(&self) -> f64 {
        self.delta.as_f64().unwrap_or(0.0)
    }

    /// The time as it is written.
    #[must_use]
    pub fn delta_text(&self) -> &'a str {
        self.delta.text()
    }
}

/// Appends a line without its newline. `method` is the full name and is written as its token; `value` and `extra` are JSON.
pub fn write_line(
    out: &mut String,
    method: &str,
    connection: Option<&str>,
    value: &str,
    extra: &[&str],
    delta_ms: f64,
) {
    write_line_start(out, method, connection, value, extra);
    if delta_ms as i64 as f64 == delta_ms && delta_ms.abs() < 9e15 {
        write_line_end(out, delta_ms as i64);
    } else {
        out.push_str(&delta_ms.to_string());
        out.push(']');
    }
}

/// Appends what stands for a method in a line: its token, or its name where it has none.
pub fn write_method(out: &mut String, method: &str) {
    match tables::method_token(method) {
        MethodToken::Letter(letter) => write_string(out, letter),
        MethodToken::Number(number) => write_i64(out, i64::from(number)),
        MethodToken::Name => write_string(out, method),
    }
}

/// Appends all of a line but its time: a client knows that only when it sends the line. [`write_line_end`] completes it.
pub fn write_line_start(out: &mut String, method: &str, connection: Option<&str>, value: &str, extra: &[&str]) {
    out.push('[');
    write_method(out, method);
    out.push(',');
    match connection {
        Some(connection) => write_string(out, connection),
        None => out.push_str("null"),
    }
    out.push(',');
    out.push_str(value);
    for extra in extra {
        out.push(',');
        out.push_str(extra);
    }
    out.push(',');
}

/// Completes what [`write_line_start`] began.
pub fn write_line_end(out: &mut String, delta_ms: i64) {
    write_i64(out, delta_ms);
    out.push(']');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All that a line says of itself.
    fn parts<'a>(line: &Line<'a>) -> (&'a str, [RawValue<'a>; 4], Vec<RawValue<'a>>) {
        (line.text(), [line.method, line.connection, line.value, line.delta], line.extra().to_vec())
    }

    proptest! {
        #[test]
        fn a_valid_line_is_split_as_it_was_parsed(
            value in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", "\"", "\\\"", "\\\\", "12", ",", ":", " ", "\"34\":", "\u{e9}", "a long string without anything in it",
            ]), 0..40),
            is_string: bool,
            extra in prop::sample::select(vec!["", ",\"6-0\"", ",{\"a\":[1]} ", ", []", ",null,1e3"]),
        ) {
            // As a string any of it is valid; else only what happens to be.
            let value = value.concat();
            let value = if is_string { serde_json::to_string(&value).unwrap() } else { format!("{{\"5\":{{\"14\":[{value}]}}}}") };
            let text = format!("[\"g\",\"PC_0\", [{value},{{\"7\":{value}}}]{extra},1000] ");
            let split = Line::of_valid(&text);
            if let Ok(line) = Line::parse(&text) {
                prop_assert_eq!(parts(&line), parts(&split.unwrap()));
            }
        }

        #[test]
        fn a_text_that_is_no_line_is_split_without_harm(text in "\\[?[\\[\\]{},:\"\\\\ 0-9a\u{e9}]{0,80}\\]?") {
            for text in [text.clone(), format!("[1,null,{text},5]"), format!("[1,null,{{{text}")] {
                if let Ok(line) = Line::of_valid(&text) {
                    let _ = (line.method(), line.connection(), line.delta(), line.value().members().count());
                }
            }
        }
    }

    #[test]
    fn a_line_is_split_and_its_token_expanded() {
        let line = Line::parse(r#"[61,null,[["audio","id","label"]],"60-0",122]"#).unwrap();
        assert_eq!(line.method(), "navigator.mediaDevices.getUserMediaOnSuccess");
        assert_eq!(line.connection(), None);
        assert_eq!(line.value().text(), r#"[["audio","id","label"]]"#);
        assert_eq!(line.extra(), [RawValue::parse(r#""60-0""#).unwrap()]);
        assert_eq!(line.delta(), 122.0);
        assert_eq!(Line::parse(r#"["g","PC_0",{},1.5]"#).unwrap().method(), "getStats");
        assert_eq!(Line::parse(r#"["\u0067","PC_0",{},1.5]"#).unwrap().method(), "getStats");
        assert_eq!(Line::parse(r#"[1,"PC_0",{},1.5]"#).unwrap().method(), "getStats");
        assert_eq!(Line::parse(r#"[243,"PC_0",{},1]"#).unwrap().method(), "243");
    }

    #[test]
    fn what_is_no_line_is_named() {
        let error = |text| Line::parse(text).unwrap_err();
        assert_eq!(error("{}"), LineError::NotAnArray("object"));
        assert_eq!(error("[1,null,3]"), LineError::TooShort(3));
        assert_eq!(error("[null,null,3,4]"), LineError::BadMethod);
        assert_eq!(error("[1,2,3,4]"), LineError::BadConnection);
        assert_eq!(error(r#"[1,null,3,"4"]"#), LineError::BadDelta);
        let long = format!("[1,\"{}\",3,4]", "x".repeat(257));
        assert_eq!(Line::parse(&long).unwrap_err(), LineError::LongConnection(257));
        assert!(Line::parse(&format!("[1,\"{}\",3,4]", "\\u0078".repeat(256))).is_ok());
        assert_eq!(error("[1,null,3,1e999]"), LineError::BadDelta);
        assert_eq!(error("[1,null,3,-1.7e308]"), LineError::BadDelta);
        assert!(matches!(error("[1,null,"), LineError::Json(_)));
        assert!(matches!(error("[1,null,3,4] 5"), LineError::Json(_)));
        assert_eq!(error("hello").to_string(), "the line is not JSON at byte 0: unexpected character");
    }

    #[test]
    fn a_line_is_written_with_its_token() {
        let mut out = String::new();
        write_line(&mut out, "setLocalDescriptionOnSuccess", Some("PC_0"), "null", &["\"6-0\""], 12.0);
        assert_eq!(out, r#"[7,"PC_0",null,"6-0",12]"#);
        out.clear();
        write_line(&mut out, ":custom", None, "1", &[], 0.5);
        assert_eq!(out, r#"[":custom",null,1,0.5]"#);
        out.clear();
        write_line(&mut out, "getStats", Some("PC_0"), "{}", &[], 1000.0);
        assert_eq!(out, r#"["g","PC_0",{},1000]"#);
    }
}
