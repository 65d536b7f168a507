//! Rows of an export as a file of one of several formats, streamed. What makes the rows knows none of the formats.

mod csv;
mod parquet;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;

use self::csv::Csv;
use self::parquet::Parquet;
use super::Format;
use crate::app::App;
use crate::problem::{Problem, Reason};
use crate::session::UnixMillis;

/// When who was refused may come back, in seconds.
const RETRY_AFTER: &str = "10";

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text.
    Text,
    /// JSON as text.
    Json,
    /// A number without a fraction.
    Integer,
    /// A number.
    Real,
    /// True or false.
    Bool,
    /// A time with milliseconds.
    Millis,
    /// A time with microseconds.
    Micros,
}

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column<'n> {
    /// Its name.
    pub(crate) name: &'n str,
    /// Its type.
    pub(crate) kind: Kind,
    /// Whether every row has a value.
    pub(crate) is_required: bool,
}

impl<'n> Column<'n> {
    /// One that has a value in every row.
    pub(crate) const fn required(name: &'n str, kind: Kind) -> Self {
        Self { name, kind, is_required: true }
    }

    /// One that may have none.
    pub(crate) const fn optional(name: &'n str, kind: Kind) -> Self {
        Self { name, kind, is_required: false }
    }
}

/// A value, of its column's type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'v> {
    /// Text.
    Text(&'v str),
    /// JSON as text.
    Json(&'v str),
    /// A number without a fraction.
    Integer(i64),
    /// A number.
    Real(f64),
    /// True or false.
    Bool(bool),
    /// A time with milliseconds.
    Millis(UnixMillis),
    /// A time with microseconds, since 1970.
    Micros(i64),
}

/// What is written of a file and not sent yet.
#[derive(Debug)]
pub(crate) enum Sheet {
    /// As comma-separated values.
    Csv(Csv),
    /// By columns.
    Parquet(Box<Parquet>),
}

impl Sheet {
    /// With no row yet.
    fn new(format: Format, columns: &[Column<'_>]) -> Result<Self, Broken> {
        Ok(match format {
            Format::Parquet => Self::Parquet(Box::new(Parquet::new(columns)?)),
            Format::Json | Format::Csv => Self::Csv(Csv::with_header(columns.iter().map(|column| column.name))),
        })
    }

    /// The next value of the row.
    pub(crate) fn push(&mut self, value: Option<Value<'_>>) {
        match self {
            Self::Csv(csv) => csv.push(value),
            Self::Parquet(parquet) => parquet.push(value),
        }
    }

    /// The row is complete.
    pub(crate) fn end_row(&mut self) {
        match self {
            Self::Csv(csv) => csv.end_row(),
            Self::Parquet(parquet) => parquet.end_row(),
        }
    }

    /// What of the file can be sent by now; with the last rows, all that is left of it.
    async fn take(self, is_last: bool) -> Result<(Self, Bytes), Broken> {
        match self {
            Self::Csv(mut csv) => {
                let text = csv.take();
                Ok((Self::Csv(csv), text.into()))
            }
            Self::Parquet(parquet) if !is_last && !parquet.is_full() => Ok((Self::Parquet(parquet), Bytes::new())),
            // To encode and compress what a group has keeps a core busy for longer than others should wait.
            Self::Parquet(mut parquet) => {
                let writing = tokio::task::spawn_blocking(move || {
                    let bytes = if is_last { parquet.finish() } else { parquet.write_group() }?;
                    Ok((Self::Parquet(parquet), bytes.into()))
                });
                writing.await?
            }
        }
    }
}

/// Makes the parts of a file, one after the other.
pub(crate) trait Parts: Send + 'static {
    /// Appends the next rows; says whether there may be more. A part may have none.
    fn next(&mut self, sheet: &mut Sheet) -> impl Future<Output = sqlx::Result<bool>> + Send;
}

/// An export that cannot go on.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("its rows cannot be read: {0}")]
    Database(#[from] sqlx::Error),
    #[error("its rows cannot be written: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
    #[error("its rows cannot be written: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// A file on its way.
struct Export<P> {
    parts: P,
    sheet: Sheet,
    /// Whether there may be more rows.
    has_more: bool,
    _place: OwnedSemaphorePermit,
}

/// A place for an export, which it has until its body is sent or given up.
pub(crate) fn place(app: &App) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(&app.exports).try_acquire_owned().map_err(|_| {
        let detail = "As many exports are under way as `limits.exports` allows; come back later.";
        let problem = Problem::new(Reason::TooManyExports, detail);
        problem.with_header(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER))
    })
}

impl<P: Parts> Export<P> {
    /// The next bytes, and what comes behind them; nothing is left of the last ones.
    async fn next(mut self) -> Result<(Bytes, Option<Self>), Broken> {
        loop {
            let (sheet, bytes) = self.sheet.take(!self.has_more).await?;
            self.sheet = sheet;
            if !self.has_more {
                return Ok((bytes, None));
            }
            self.has_more = self.parts.next(&mut self.sheet).await?;
            if !bytes.is_empty() {
                return Ok((bytes, Some(self)));
            }
        }
    }
}

/// The answer: a file of that name, with the format's ending. What goes wrong with its first rows is a problem document; later, the body ends
/// without its end.
pub(crate) async fn answer(
    name: &str,
    format: Format,
    columns: &[Column<'_>],
    mut parts: impl Parts,
    place: OwnedSemaphorePermit,
) -> Result<Response<Body>, Problem> {
    let mut sheet = Sheet::new(format, columns).map_err(Problem::internal)?;
    let has_more = parts.next(&mut sheet).await.map_err(Problem::of_query)?;
    let body = stream::try_unfold(Some(Export { parts, sheet, has_more, _place: place }), |export| async {
        let Some(export) = export else { return Ok(None) };
        export.next().await.map(Some).map_err(|error| {
            tracing::error!("an export broke off: {error}");
            std::io::Error::other(error)
        })
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{}\"", format.name())) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}
