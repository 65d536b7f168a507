//! Rows of an export as a file of one of several formats, streamed. What makes the rows knows none of the formats.

mod csv;
mod parquet;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Response, header};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use self::csv::Csv;
use self::parquet::Parquet;
use super::Format;
use crate::app::App;
use crate::problem::{Problem, Reason};
use crate::session::UnixMillis;

/// So many bytes are sent at a time.
const SLICE: usize = 128 * 1024;
/// When who was refused may come back, in seconds.
const RETRY_AFTER: u64 = 10;

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
            Self::Parquet(mut parquet) if !is_last && !parquet.is_full() => {
                let written = parquet.written()?;
                Ok((Self::Parquet(parquet), written.into()))
            }
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

/// A place for an export, which it has until its body is sent or given up.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
    /// Who reads nothing for so long has given it up.
    patience: Duration,
}

impl Place {
    /// One of those that `limits.exports` allows.
    pub(crate) fn take(app: &App) -> Result<Self, Problem> {
        let permit = Arc::clone(&app.exports).try_acquire_owned().map_err(|_| {
            let detail = "As many exports are under way as `limits.exports` allows; come back later.";
            let problem = Problem::new(Reason::TooManyExports, detail);
            problem.retry_after(RETRY_AFTER)
        })?;
        Ok(Self { _permit: permit, patience: app.config.limits.idle_time.0 })
    }
}

/// A part of a body, and whether it is the last.
type Sent = (std::io::Result<Bytes>, bool);

/// A file on its way.
struct Export<P> {
    parts: P,
    sheet: Sheet,
    /// Whether there may be more rows.
    has_more: bool,
    /// Whether the rows that the sheet has were taken from it.
    is_behind: bool,
}

impl<P: Parts> Export<P> {
    /// Sends it, as fast as it is read. A peer that keeps its connection and reads nothing takes no place for long: nobody asks a body
    /// whose peer does not read.
    async fn send(mut self, body: mpsc::Sender<Sent>, place: Place) {
        loop {
            let (part, is_last) = match self.next().await {
                Ok((rest, part, is_last)) => {
                    self = rest;
                    (part, is_last)
                }
                Err(error) => {
                    tracing::error!("an export broke off: {error}");
                    let _ = body.send_timeout((Err(std::io::Error::other(error)), true), place.patience).await;
                    return;
                }
            };
            if body.is_closed() || !send_part(part, is_last, &body, place.patience).await || is_last {
                return;
            }
        }
    }

    /// The next bytes that there are by now, perhaps none, and whether they are the last.
    async fn next(mut self) -> Result<(Self, Bytes, bool), Broken> {
        if self.is_behind {
            self.has_more = self.parts.next(&mut self.sheet).await?;
        }
        self.is_behind = true;
        let (sheet, bytes) = self.sheet.take(!self.has_more).await?;
        self.sheet = sheet;
        let is_last = !self.has_more;
        Ok((self, bytes, is_last))
    }
}

/// Sends a part by slices, so that who reads slowly reads some in time. False if nobody wants more.
async fn send_part(mut part: Bytes, is_last: bool, body: &mpsc::Sender<Sent>, patience: Duration) -> bool {
    loop {
        let slice = part.split_to(part.len().min(SLICE));
        let is_end = part.is_empty();
        if slice.is_empty() && !is_last {
            return true;
        }
        match body.send_timeout((Ok(slice), is_last && is_end), patience).await {
            Ok(()) if is_end => return true,
            Ok(()) => {}
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => {
                tracing::info!("an export is given up: nobody reads it");
                return false;
            }
            Err(mpsc::error::SendTimeoutError::Closed(_)) => return false,
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
    place: Place,
) -> Result<Response<Body>, Problem> {
    let mut sheet = Sheet::new(format, columns).map_err(Problem::internal)?;
    let has_more = parts.next(&mut sheet).await.map_err(Problem::of_query)?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(Export { parts, sheet, has_more, is_behind: false }.send(sender, place));
    let body = stream::unfold((receiver, false), |(mut receiver, is_over)| async move {
        if is_over {
            return None;
        }
        let given_up = || (Err(std::io::Error::other("nobody read it")), true);
        let (part, is_last) = receiver.recv().await.unwrap_or_else(given_up);
        Some((part, (receiver, is_last)))
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

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    const COLUMNS: [Column<'_>; 1] = [Column::required("n", Kind::Integer)];

    /// Rows up to a number, one a part.
    struct Numbers(i64);

    impl Parts for Numbers {
        async fn next(&mut self, sheet: &mut Sheet) -> sqlx::Result<bool> {
            self.0 -= 1;
            sheet.push(Some(Value::Integer(self.0)));
            sheet.end_row();
            Ok(self.0 > 0)
        }
    }

    fn export(format: Format, rows: i64) -> Export<Numbers> {
        Export { parts: Numbers(rows), sheet: Sheet::new(format, &COLUMNS).unwrap(), has_more: true, is_behind: false }
    }

    fn place(places: &Arc<Semaphore>) -> Place {
        Place { _permit: Arc::clone(places).try_acquire_owned().unwrap(), patience: Duration::from_secs(60) }
    }

    #[tokio::test(start_paused = true)]
    async fn an_export_that_nobody_reads_gives_its_place_back() {
        let places = Arc::new(Semaphore::new(1));
        let (sender, mut receiver) = mpsc::channel(1);
        let sending = tokio::spawn(export(Format::Csv, i64::MAX).send(sender, place(&places)));
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(50)).await;
            receiver.recv().await.unwrap().0.unwrap();
        }
        assert_eq!(places.available_permits(), 0, "who reads slowly has it still");
        tokio::time::sleep(Duration::from_secs(70)).await;
        sending.await.unwrap();
        assert_eq!(places.available_permits(), 1);
        let (part, is_last) = receiver.recv().await.unwrap();
        assert!(part.is_ok() && !is_last);
        assert!(receiver.recv().await.is_none(), "it ends without its end");
    }

    #[tokio::test]
    async fn the_first_bytes_wait_for_no_second_part() {
        for (format, first) in [(Format::Csv, "n\r\n"), (Format::Parquet, "PAR1")] {
            let (rest, bytes, is_last) = export(format, 2).next().await.unwrap();
            assert!(bytes == first && !is_last, "{bytes:?}");
            let (rest, ..) = rest.next().await.unwrap();
            let (_, bytes, is_last) = rest.next().await.unwrap();
            assert!(!bytes.is_empty() && is_last);
        }
    }
}
