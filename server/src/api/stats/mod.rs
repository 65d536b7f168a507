//! `GET /api/v1/sessions/{id}/stats/{kind}`: what a session's reports said, or what the SFU Sora counted of it, as series of numbers to draw, or as rows.

mod rows;
mod series;

use std::collections::{BTreeMap, HashMap};

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

pub(crate) use self::series::Series;
use self::series::{Cut, Growing};
use super::openapi::Binary;
use super::parameters::{Parameters, bad, nearest};
use super::{Format, path_parameter, sessions, shorten};
use crate::app::App;
use crate::problem::{Problem, ProblemDocument, Reason, Refused, TooManyExports};
use crate::session::SessionId;
use crate::store::database::Part;
use crate::store::stats::{Cell, Column, EntrySpan, Kind, Selection, StoredRow, Table, kinds};

/// Points of a series, unless the client asks for another number.
const POINTS: u32 = 500;
/// The most that a client may ask for.
const MOST_POINTS: u32 = 5000;
/// Members that a client may name.
const MOST_MEMBERS: usize = 200;
/// Series of an answer.
const MOST_SERIES: usize = 2000;
/// Points of all series of an answer: about ten megabytes.
const MOST_VALUES: usize = 500_000;
/// Rows that are read for an answer.
const MOST_ROWS: u64 = 200_000;
/// Entries that are looked at for an answer.
const MOST_ENTRIES: u32 = 2000;
/// What is read of rows at a time. A browser's have two kilobytes, and none has more than 64.
const CHUNK: Part = Part { rows: 128, bytes: 1 << 20 };

pub(super) const NAMES: &[&str] = &["connection", "entry", "member", "from", "to", "points", "format"];

/// How the parameters are documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // They are read by name.
pub(crate) struct StatsParameters {
    /// Only of this connection: `PC_0`. Of an Erlang machine, the node.
    connection: Option<String>,
    /// Only of the entry with this id.
    entry: Option<String>,
    /// Only these members, named as W3C or Sora does: separated by commas, or the parameter repeated. Else all that have numbers. A member that
    /// has no column is looked for among those that have none. One inside of objects is named by its path: `rtp.total_sent_rtp`. Not in files.
    member: Option<Vec<String>>,
    /// From this time on, by the client's clock: RFC 3339, or milliseconds since 1970.
    from: Option<String>,
    /// Before this time.
    to: Option<String>,
    /// The most points of a series, from 2 to 5000; 500 if it is not given. Longer series keep the smallest and the largest value of each of
    /// `points / 2` equal parts of the entry's time, where they were. Not in files.
    #[param(minimum = 2, maximum = 5000, default = 500)]
    points: Option<u32>,
    /// `json`, or a file of every row with all its columns: `csv`, or `parquet`, which has their types.
    #[param(inline, value_type = Option<Format>)]
    format: Option<String>,
}

/// A kind of entry, as a path names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryKind {
    name: &'static str,
    table: &'static Table,
}

impl<S: Send + Sync> FromRequestParts<S> for EntryKind {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let wrong = path_parameter(parts, "kind").await.unwrap_or_default();
        match kinds().find(|(name, _)| *name == wrong) {
            Some((name, table)) => Ok(Self { name, table }),
            None => {
                let known: Vec<&str> = kinds().map(|(name, _)| name).collect();
                let detail = format!(
                    "There is no kind of stats `{}`; did you mean `{}`? There are {}.",
                    shorten(&wrong),
                    nearest(&wrong, known.iter().copied()),
                    known.join(", ")
                );
                Err(Problem::new(Reason::UnknownKind, detail))
            }
        }
    }
}

/// Series of a kind of entry.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stats {
    /// The kind.
    #[schema(example = "inbound-rtp")]
    kind: &'static str,
    /// By connection, entry and member.
    series: Vec<Series>,
}

/// What a session's entries of a kind said, as series of numbers
///
/// A row is stored where an entry changed, so a series may have gaps in which it did not. An answer has at most 2000 series and 500,000 points, and
/// is made of at most 200,000 rows; a larger one is a problem of status 413, to be narrowed by `entry`, `member`, `from`, `to` or `points`.
/// With `format=csv` or `format=parquet`, every row and all columns, of any number; in Parquet, times have microseconds in UTC, JSON is text, and
/// what an entry does not have is null.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/stats/{kind}",
    tag = "stats",
    params(
        ("id" = String, Path, description = "The session, a UUID."),
        ("kind" = String, Path, description = "The `type` of entries, as W3C has it: `inbound-rtp`, `candidate-pair`; `other` are those it has not. `sora-connection` and `erlang-vm` are what the SFU Sora counts of a connection and of a node."),
        StatsParameters,
    ),
    responses(
        (status = 200, description = "The series, or the rows.", content(
            (Stats = "application/json"),
            (String = "text/csv"),
            (Binary = "application/vnd.apache.parquet"),
        )),
        Refused,
        TooManyExports,
        (status = 404, description = "There is no such session or kind.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The answer would be too large.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn stats(
    State(app): State<App>,
    kind: EntryKind,
    id: SessionId,
    uri: Uri,
) -> Result<Response, Problem> {
    let parameters = Parameters::of(&uri, &[NAMES])?;
    let selection = Selection {
        session: id,
        table: kind.table,
        kind: kind.name,
        connection: parameters.string("connection")?,
        entry: parameters.string("entry")?,
        from: parameters.time("from")?,
        to: parameters.time("to")?,
    };
    sessions::known(&app, id).await?;
    match Format::of(&parameters, &[Format::Json, Format::Csv, Format::Parquet])? {
        Format::Json => {
            let points = parameters.number("points", 2, MOST_POINTS)?.unwrap_or(POINTS);
            let wanted = Wanted::of(&parameters, kind.table)?;
            let series = read(&app, &selection, &wanted, points).await?;
            Ok(Json(Stats { kind: kind.name, series }).into_response())
        }
        format => Ok(rows::file(&app, selection, format).await?.into_response()),
    }
}

/// What is asked of each row.
#[derive(Debug)]
struct Wanted {
    columns: Vec<&'static Column>,
    /// Members without a column by name; all of them, if none is named.
    others: Option<Vec<String>>,
}

impl Wanted {
    fn of(parameters: &Parameters, table: &'static Table) -> Result<Self, Problem> {
        let given = parameters.all("member", MOST_MEMBERS)?;
        let names: Vec<&str> = given.flat_map(|names| names.split(',')).take(MOST_MEMBERS + 1).collect();
        if names.len() > MOST_MEMBERS {
            return Err(bad(format!("member names more than {MOST_MEMBERS}.")));
        }
        let is_number = |column: &&Column| matches!(column.kind, Kind::Integer | Kind::Real);
        if names.is_empty() {
            return Ok(Self { columns: table.columns.iter().filter(is_number).collect(), others: None });
        }
        let (mut columns, mut others) = (Vec::new(), Vec::new());
        for column in table.columns.iter().filter(|column| names.contains(&column.member)) {
            if !is_number(&column) && column.kind != Kind::Bool {
                let detail = format!("{} is no number; files (`format=csv`) have it.", column.member);
                return Err(bad(detail));
            }
            columns.push(column);
        }
        for name in names {
            if table.position(name).is_none() {
                others.push(name.to_owned());
            }
        }
        Ok(Self { columns, others: Some(others) })
    }

    fn needs_others(&self) -> bool {
        self.others.as_ref().is_none_or(|names| !names.is_empty())
    }
}

fn too_large(what: &str) -> Problem {
    let detail = format!("The answer would take more than {what}; narrow it by entry, member, from, to or points.");
    Problem::new(Reason::TooLarge, detail)
}

async fn read(app: &App, selection: &Selection, wanted: &Wanted, points: u32) -> Result<Vec<Series>, Problem> {
    let database = &app.stores.database;
    let spans = selection.spans(database, MOST_ENTRIES + 1).await.map_err(Problem::of_query)?;
    if spans.len() > MOST_ENTRIES as usize {
        return Err(too_large(&format!("{MOST_ENTRIES} entries")));
    }
    if spans.iter().map(|span| span.rows).sum::<u64>() > MOST_ROWS {
        return Err(too_large(&format!("{MOST_ROWS} rows")));
    }
    let mut spans: HashMap<(String, String), EntrySpan> =
        spans.into_iter().map(|span| ((span.connection.clone(), span.entry.clone()), span)).collect();
    let mut reading = Reading::new(wanted, points);
    let mut after: Option<StoredRow> = None;
    loop {
        let (rows, has_more) = selection
            .rows(database, &wanted.columns, wanted.needs_others(), after.as_ref(), CHUNK)
            .await
            .map_err(Problem::of_query)?;
        for row in &rows {
            if !reading.is_of(row) {
                // An entry that has come up since is left out: the next request has it.
                let Some(span) = spans.remove(&(row.connection.clone(), row.entry.clone())) else { continue };
                reading.begin(span);
            }
            reading.take(row)?;
        }
        tokio::task::yield_now().await;
        after = rows.into_iter().last();
        if !has_more {
            return reading.finish();
        }
    }
}

/// Series on their way, entry by entry.
#[derive(Debug)]
struct Reading<'w> {
    wanted: &'w Wanted,
    points: u32,
    span: Option<EntrySpan>,
    cut: Option<Cut>,
    columns: Vec<Growing>,
    others: BTreeMap<String, Growing>,
    finished: Vec<Series>,
    values: usize,
}

impl<'w> Reading<'w> {
    fn new(wanted: &'w Wanted, points: u32) -> Self {
        let (columns, others) = (Vec::new(), BTreeMap::new());
        Self { wanted, points, span: None, cut: None, columns, others, finished: Vec::new(), values: 0 }
    }

    fn is_of(&self, row: &StoredRow) -> bool {
        self.span.as_ref().is_some_and(|span| span.connection == row.connection && span.entry == row.entry)
    }

    fn begin(&mut self, span: EntrySpan) {
        self.end();
        self.cut = (span.rows > u64::from(self.points)).then(|| Cut::of(span.first, span.last, self.points));
        self.columns = self.wanted.columns.iter().map(|_| Growing::default()).collect();
        self.span = Some(span);
    }

    /// The series of an entry are complete.
    fn end(&mut self) {
        let (columns, others) = (std::mem::take(&mut self.columns), std::mem::take(&mut self.others));
        let Some(span) = self.span.take() else { return };
        let finish = |growing: Growing, member: &str, unit| growing.finish(&span.connection, &span.entry, member, unit);
        let columns = self.wanted.columns.iter().zip(columns);
        let columns = columns.map(|(column, growing)| finish(growing, column.member, column.unit()));
        let others = others.into_iter().map(|(member, growing)| finish(growing, &member, ""));
        let series = columns.chain(others);
        self.finished.extend(series.filter(|series| !series.times.is_empty()));
    }

    fn take(&mut self, row: &StoredRow) -> Result<(), Problem> {
        for (cell, growing) in row.cells.iter().zip(&mut self.columns) {
            let value = match cell {
                Cell::Integer(value) => *value as f64,
                Cell::Real(value) if value.is_finite() => *value,
                _ => continue,
            };
            self.values += growing.push((row.time, value), self.cut);
        }
        if let Some(Value::Object(members)) = row.extra.as_deref().and_then(|extra| serde_json::from_str(extra).ok()) {
            for (name, value) in members {
                let value = match (&value, &self.wanted.others) {
                    (_, Some(names)) if !names.contains(&name) => continue,
                    (Value::Bool(value), Some(_)) => f64::from(u8::from(*value)),
                    (value, _) => match value.as_f64().filter(|value| value.is_finite()) {
                        Some(value) => value,
                        None => continue,
                    },
                };
                self.values += self.others.entry(name).or_default().push((row.time, value), self.cut);
            }
        }
        if self.finished.len() + self.columns.len() + self.others.len() > MOST_SERIES {
            return Err(too_large(&format!("{MOST_SERIES} series")));
        }
        let names: usize = self.others.keys().map(|name| name.len() / size_of::<(f64, f64)>()).sum();
        if self.values + names > MOST_VALUES {
            return Err(too_large(&format!("{MOST_VALUES} points")));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Series>, Problem> {
        self.end();
        Ok(self.finished)
    }
}
