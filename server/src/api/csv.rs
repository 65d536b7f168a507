//! Comma-separated values (RFC 4180), streamed. Values are written as they are: a text that a spreadsheet takes for a formula
//! (`=1+1`) stays that text, because whoever reads a file by program must find what was stored. An absent value is an empty field, an
//! empty text is `""`.

use std::fmt::{Display, Write as _};

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use futures_util::{StreamExt as _, stream};

use crate::problem::Problem;

/// Rows, as text.
#[derive(Debug, Default)]
pub(crate) struct Csv {
    text: String,
    in_row: bool,
}

impl Csv {
    /// With a first row of names.
    pub(crate) fn with_header<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut csv = Self::default();
        for name in names {
            csv.text(Some(name));
        }
        csv.end_row();
        csv
    }

    /// A field that needs no quotes: a number, a boolean, a time.
    pub(crate) fn plain(&mut self, value: Option<impl Display>) {
        self.separate();
        if let Some(value) = value {
            let _ = write!(self.text, "{value}");
        }
    }

    /// A field of text.
    pub(crate) fn text(&mut self, value: Option<&str>) {
        self.separate();
        let Some(value) = value else { return };
        if !value.is_empty() && !value.contains([',', '"', '\r', '\n']) {
            return self.text.push_str(value);
        }
        self.text.push('"');
        self.text.push_str(&value.replace('"', "\"\""));
        self.text.push('"');
    }

    /// A field of JSON, written as all databases would have it: one keeps a client's own spelling, another does not.
    pub(crate) fn json(&mut self, value: Option<&str>) {
        let read = value.map(|value| (value, serde_json::from_str::<serde_json::Value>(value)));
        match read {
            Some((_, Ok(json))) => self.text(Some(&json.to_string())),
            Some((text, Err(_))) => self.text(Some(text)),
            None => self.text(None),
        }
    }

    /// The row is complete.
    pub(crate) fn end_row(&mut self) {
        self.text.push_str("\r\n");
        self.in_row = false;
    }

    fn separate(&mut self) {
        if self.in_row {
            self.text.push(',');
        }
        self.in_row = true;
    }

    /// The text; there is nothing here afterwards.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}

/// Makes the parts of a file, one after the other.
pub(crate) trait Parts: Send + 'static {
    /// Appends the next rows; says whether there may be more. A part may have none.
    fn next(&mut self, csv: &mut Csv) -> impl Future<Output = sqlx::Result<bool>> + Send;
}

/// The answer: a file of that name. What goes wrong before its first row is a problem document; later, the body ends without its end.
pub(crate) async fn answer(name: &str, mut csv: Csv, mut parts: impl Parts) -> Result<Response<Body>, Problem> {
    let has_more = parts.next(&mut csv).await.map_err(Problem::internal)?;
    let first = stream::iter([Ok::<_, std::io::Error>(csv.take())]);
    let rest = stream::try_unfold((parts, has_more), |(mut parts, has_more)| async move {
        if !has_more {
            return Ok(None);
        }
        let mut csv = Csv::default();
        let has_more = parts.next(&mut csv).await.map_err(|error| {
            tracing::error!("an export broke off: {error}");
            std::io::Error::other(error)
        })?;
        Ok(Some((csv.take(), (parts, has_more))))
    });
    let mut response = Response::new(Body::from_stream(first.chain(rest)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_be_misread_is_quoted() {
        let mut csv = Csv::with_header(["a", "b"]);
        for text in ["x y", "=1+1", "a,b", "say \"x\"", "two\r\nlines", ""] {
            csv.text(Some(text));
        }
        csv.text(None);
        csv.plain(Some(1.5));
        csv.plain(None::<i64>);
        csv.end_row();
        assert_eq!(csv.take(), "a,b\r\nx y,=1+1,\"a,b\",\"say \"\"x\"\"\",\"two\r\nlines\",\"\",,1.5,\r\n");
    }
}
