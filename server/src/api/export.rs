//! `GET /api/v1/export/features/{table}` and `GET /api/v1/export/findings`: the features or the findings of all sessions that a filter lets through, a
//! row for each client, connection, track or finding, behind what the list says of its session.

use std::collections::{HashMap, VecDeque};

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::{Response, Uri, request};
use rtctrace_features::{Feature, Kind as FeatureKind};
use utoipa::IntoParams;

use super::openapi::Binary;
use super::parameters::Parameters;
use super::sessions::{FILTERS, FilterParameters, filter};
use super::table::{self, Column, Kind, Parts, Sheet, Value};
use super::{Format, path_parameter, shorten};
use crate::app::App;
use crate::problem::{Problem, ProblemDocument, Reason, Refused, TooManyExports};
use crate::session::SessionId;
use crate::store::database::{Database, Part};
use crate::store::features::{FeatureRow, FeatureTable, Key, Stored, rows_of};
use crate::store::filter::{Filter, Outcome};
use crate::store::list::{self, ListCursor};
use crate::store::sessions::SessionRow;

/// Sessions that are listed at a time.
const SESSIONS: u32 = 200;
/// Sessions whose features are read at a time, unless they have more than a part may.
const BATCH: usize = 16;
/// What is read of features at a time: of tracks, a session may have thousands.
const PART: Part = Part { rows: 128, bytes: 1 << 20 };

/// What each row says of its session, before its features.
const SESSION_COLUMNS: [Column<'_>; 15] = [
    Column::required("session_id", Kind::Text),
    Column::required("session_start_time", Kind::Millis),
    Column::optional("session_end_time", Kind::Millis),
    Column::optional("session_duration", Kind::Integer),
    Column::required("session_state", Kind::Text),
    Column::required("source", Kind::Text),
    Column::required("dialect", Kind::Text),
    Column::optional("outcome", Kind::Text),
    Column::optional("browser_name", Kind::Text),
    Column::optional("browser_version", Kind::Text),
    Column::optional("browser_os", Kind::Text),
    Column::optional("user", Kind::Text),
    Column::optional("conference", Kind::Text),
    Column::optional("country", Kind::Text),
    Column::optional("city", Kind::Text),
];

/// What tells the rows of a session apart, where it may have several.
const KEY_COLUMNS: [Column<'_>; 2] =
    [Column::required("connection_id", Kind::Text), Column::required("position", Kind::Integer)];

/// How the format is documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // It is read by name.
pub(crate) struct FormatParameter {
    /// `csv`, or `parquet`: the same with types.
    format: Option<String>,
}

/// The features of many sessions as a file
///
/// With the filters of the list, newest sessions first. The first columns are the session's, then `connection_id` and `position` where the table has
/// them, then a column for each feature. Values are as they are stored: in CSV, a text that begins with `=` is a formula to a spreadsheet. In Parquet,
/// numbers, booleans and times (UTC, with milliseconds) are of their types, JSON is text, and what is absent is null.
#[utoipa::path(
    get,
    path = "/api/v1/export/features/{table}",
    tag = "features",
    params(
        ("table" = String, Path, description = "`client`, `connection` or `track`."),
        FormatParameter,
        FilterParameters,
    ),
    responses(
        (status = 200, description = "The rows; in CSV, behind one of names.", content(
            (String = "text/csv"),
            (Binary = "application/vnd.apache.parquet"),
        )),
        Refused,
        TooManyExports,
        (status = 404, description = "There is no such table.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn features(State(app): State<App>, table: FeatureTable, uri: Uri) -> Result<Response<Body>, Problem> {
    answer(&app, table, &format!("features-{}", table.name()), &uri).await
}

/// The findings of many sessions as a file
///
/// What was wrong, a row for each finding, with the filters of the list, newest sessions first and of each the worst first. The first columns are the
/// session's, then `position`. Formats are those of features.
#[utoipa::path(
    get,
    path = "/api/v1/export/findings",
    tag = "features",
    params(FormatParameter, FilterParameters),
    responses(
        (status = 200, description = "The rows; in CSV, behind one of names.", content(
            (String = "text/csv"),
            (Binary = "application/vnd.apache.parquet"),
        )),
        Refused,
        TooManyExports,
    )
)]
pub(crate) async fn findings(State(app): State<App>, uri: Uri) -> Result<Response<Body>, Problem> {
    answer(&app, FeatureTable::Finding, "findings", &uri).await
}

async fn answer(app: &App, table: FeatureTable, name: &str, uri: &Uri) -> Result<Response<Body>, Problem> {
    let parameters = Parameters::of(uri, &[FILTERS, &["format"]])?;
    let format = Format::of(&parameters, &[Format::Csv, Format::Parquet])?;
    let place = table::Place::take(app)?;
    let parts = Rows {
        database: app.stores.database.clone(),
        filter: filter(&parameters)?,
        table,
        cursor: None,
        is_listed: false,
        sessions: VecDeque::new(),
        batch: BATCH,
        behind: None,
    };
    table::answer(name, format, &columns(table), parts, place).await
}

/// The table that a path names.
impl<S: Send + Sync> FromRequestParts<S> for FeatureTable {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, Problem> {
        let name = path_parameter(parts, "table").await.unwrap_or_default();
        Self::OF_FEATURES.into_iter().find(|table| table.name() == name).ok_or_else(|| {
            let known = "there are client, connection and track";
            let detail = format!("There is no table of features `{}`; {known}.", shorten(&name));
            Problem::new(Reason::UnknownKind, detail)
        })
    }
}

fn columns(table: FeatureTable) -> Vec<Column<'static>> {
    let keys = KEY_COLUMNS.iter().filter(|column| table.key_columns().contains(&column.name));
    let features = table.features().iter().map(|feature| Column::optional(feature.column, kind(feature)));
    SESSION_COLUMNS.into_iter().chain(keys.copied()).chain(features).collect()
}

fn kind(feature: &Feature) -> Kind {
    match feature.kind {
        FeatureKind::Bool => Kind::Bool,
        FeatureKind::Integer => Kind::Integer,
        FeatureKind::Double => Kind::Real,
        FeatureKind::Time => Kind::Millis,
        FeatureKind::Text => Kind::Text,
        FeatureKind::Json => Kind::Json,
    }
}

struct Rows {
    database: Database,
    filter: Filter,
    table: FeatureTable,
    cursor: Option<ListCursor>,
    is_listed: bool,
    /// Sessions that are listed, and whose features have not been read to their end.
    sessions: VecDeque<SessionRow>,
    /// So many of them are read at a time.
    batch: usize,
    /// The first of them has more rows than a part, and was read as far as this.
    behind: Option<Key>,
}

impl Parts for Rows {
    async fn next(&mut self, sheet: &mut Sheet) -> sqlx::Result<bool> {
        if self.sessions.is_empty() && !self.is_listed {
            let page = list::list(&self.database, &self.filter, SESSIONS, self.cursor).await?;
            (self.cursor, self.is_listed) = (page.next, page.next.is_none());
            self.sessions = page.rows.into();
        }
        let batch = if self.behind.is_some() { 1 } else { self.batch };
        let ids: Vec<SessionId> = self.sessions.iter().map(|session| session.id).take(batch).collect();
        let (rows, has_more) = rows_of(&self.database, self.table, &ids, self.behind.as_ref(), PART).await?;
        if has_more && ids.len() > 1 {
            // They come by id and are listed by time, so a part of them is of no use.
            self.batch = ids.len() / 2;
            return Ok(true);
        }
        self.batch = (self.batch + 1).min(BATCH);
        self.behind = if has_more { rows.last().and_then(|row| row.key.clone()) } else { None };
        let mut of_session: HashMap<SessionId, Vec<FeatureRow>> = HashMap::new();
        for row in rows {
            of_session.entry(row.session).or_default().push(row);
        }
        for session in self.sessions.iter().take(ids.len()) {
            // One that was over and goes on has those of its last end until the next.
            let features = of_session.remove(&session.id).filter(|_| session.ended);
            for row in features.unwrap_or_default() {
                write(sheet, session, &row);
            }
        }
        if self.behind.is_none() {
            self.sessions.drain(..ids.len());
        }
        Ok(!(self.sessions.is_empty() && self.is_listed))
    }
}

fn write(sheet: &mut Sheet, session: &SessionRow, row: &FeatureRow) {
    let browser = session.browser.as_ref();
    sheet.push(Some(Value::Text(&session.id.to_string())));
    sheet.push(Some(Value::Millis(session.start_time)));
    sheet.push(session.end_time.map(Value::Millis));
    sheet.push(session.duration.map(Value::Integer));
    let texts = [
        Some(if session.ended { "ended" } else { "live" }),
        Some(session.source.as_str()),
        Some(session.dialect.as_str()),
        session.outcome.map(Outcome::name),
        browser.map(|browser| browser.name.as_str()),
        browser.map(|browser| browser.version.as_str()),
        browser.map(|browser| browser.os.as_str()),
        session.user.as_deref(),
        session.conference.as_deref(),
        session.location.country.as_deref(),
        session.location.city.as_deref(),
    ];
    for text in texts {
        sheet.push(text.map(Value::Text));
    }
    if let Some((connection, position)) = &row.key {
        if let Some(connection) = connection {
            sheet.push(Some(Value::Text(connection)));
        }
        sheet.push(Some(Value::Integer(*position)));
    }
    for value in &row.values {
        sheet.push(value.as_ref().map(|value| match value {
            Stored::Bool(value) => Value::Bool(*value),
            Stored::Integer(value) => Value::Integer(*value),
            Stored::Real(value) => Value::Real(*value),
            Stored::Time(value) => Value::Millis(*value),
            Stored::Text(value) => Value::Text(value),
            Stored::Json(value) => Value::Json(value),
        }));
    }
    sheet.end_row();
}
