//! Comma-separated values (RFC 4180). Values are written as they are: a text that a spreadsheet takes for a formula (`=1+1`) stays that
//! text, because whoever reads a file by program must find what was stored. An absent value is an empty field, an empty text is `""`.

use std::fmt::{Display, Write as _};

use super::Value;
use crate::api::exact_rfc3339;

/// Rows, as text.
#[derive(Debug, Default)]
pub(crate) struct Csv {
    text: String,
    in_row: bool,
}

impl Csv {
    /// With a first row of names.
    pub(super) fn with_header<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut csv = Self::default();
        for name in names {
            csv.push(Some(Value::Text(name)));
        }
        csv.end_row();
        csv
    }

    /// The next field.
    pub(super) fn push(&mut self, value: Option<Value<'_>>) {
        if self.in_row {
            self.text.push(',');
        }
        self.in_row = true;
        match value {
            None => {}
            Some(Value::Text(text)) => self.text(text),
            Some(Value::Json(text)) => self.text(&plain_json(text)),
            Some(Value::Integer(value)) => self.plain(value),
            Some(Value::Real(value)) => self.plain(value),
            Some(Value::Bool(value)) => self.plain(value),
            Some(Value::Millis(time)) => self.plain(time.rfc3339()),
            Some(Value::Micros(time)) => self.plain(exact_rfc3339(time)),
        }
    }

    /// What needs no quotes.
    fn plain(&mut self, value: impl Display) {
        let _ = write!(self.text, "{value}");
    }

    fn text(&mut self, value: &str) {
        if !value.is_empty() && !value.contains([',', '"', '\r', '\n']) {
            return self.text.push_str(value);
        }
        self.text.push('"');
        self.text.push_str(&value.replace('"', "\"\""));
        self.text.push('"');
    }

    /// The row is complete.
    pub(super) fn end_row(&mut self) {
        self.text.push_str("\r\n");
        self.in_row = false;
    }

    /// The text; there is nothing here afterwards.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}

/// JSON, written as all databases would have it: one keeps a client's own spelling, another does not.
pub(super) fn plain_json(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text).map_or_else(|_| text.to_owned(), |json| json.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::UnixMillis;

    #[test]
    fn only_what_would_be_misread_is_quoted() {
        let mut csv = Csv::with_header(["a", "b"]);
        for text in ["x y", "=1+1", "a,b", "say \"x\"", "two\r\nlines", ""] {
            csv.push(Some(Value::Text(text)));
        }
        csv.push(None);
        csv.push(Some(Value::Real(1.5)));
        csv.push(None);
        csv.end_row();
        csv.push(Some(Value::Json("{ \"b\": 1,\"a\":[]}")));
        csv.push(Some(Value::Millis(UnixMillis(1))));
        csv.push(Some(Value::Micros(1)));
        csv.end_row();
        assert_eq!(
            csv.take(),
            "a,b\r\nx y,=1+1,\"a,b\",\"say \"\"x\"\"\",\"two\r\nlines\",\"\",,1.5,\r\n\
             \"{\"\"a\"\":[],\"\"b\"\":1}\",1970-01-01T00:00:00.001Z,1970-01-01T00:00:00.000001Z\r\n"
        );
    }
}
