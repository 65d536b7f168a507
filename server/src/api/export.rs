//! `GET /api/v1/export/features/{table}`: the features of all sessions that a filter lets through, a row for each client, connection or
//! track, behind what the list says of its session.

use std::collections::VecDeque;

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::{Response, Uri, request};
use utoipa::IntoParams;

use super::csv::{self, Csv, Parts};
use super::parameters::Parameters;
use super::sessions::{FILTERS, FilterParameters, filter};
use super::{Format, path_parameter, shorten};
use crate::app::App;
use crate::problem::{Problem, ProblemDocument, Reason, Refused};
use crate::session::UnixMillis;
use crate::store::database::Database;
use crate::store::features::{FeatureRow, FeatureTable, Stored, rows_of};
use crate::store::filter::{Filter, Outcome};
use crate::store::list::{self, ListCursor};
use crate::store::sessions::SessionRow;

/// Sessions that are listed at a time.
const SESSIONS: u32 = 200;
/// Sessions whose features are read at a time: of tracks, one may have thousands.
const BATCH: usize = 4;

/// What each row says of its session, before its features.
const SESSION_COLUMNS: [&str; 15] = [
    "session_id",
    "session_start_time",
    "session_end_time",
    "session_duration",
    "session_state",
    "source",
    "dialect",
    "outcome",
    "browser_name",
    "browser_version",
    "browser_os",
    "user",
    "conference",
    "country",
    "city",
];

/// How the format is documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // It is read by name.
pub(crate) struct FormatParameter {
    /// `csv`.
    format: Option<String>,
}

/// The features of many sessions as a file
///
/// With the filters of the list, newest sessions first. The first columns are the session's, then `connection_id` and `position` where the table has
/// them, then a column for each feature. Values are as they are stored: a text that begins with `=` is a formula to a spreadsheet.
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
        (status = 200, description = "A header row of names, and the rows.", body = String, content_type = "text/csv"),
        Refused,
        (status = 404, description = "There is no such table.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn features(State(app): State<App>, table: FeatureTable, uri: Uri) -> Result<Response<Body>, Problem> {
    let parameters = Parameters::of(&uri, &[FILTERS, &["format"]])?;
    Format::of(&parameters, &[Format::Csv])?;
    let names = SESSION_COLUMNS.into_iter().chain(table.key_columns().iter().copied());
    let csv = Csv::with_header(names.chain(table.features().iter().map(|feature| feature.column)));
    let parts = Rows {
        database: app.stores.database.clone(),
        filter: filter(&parameters)?,
        table,
        cursor: None,
        is_listed: false,
        sessions: VecDeque::new(),
    };
    csv::answer(&format!("features-{}.csv", table.name()), csv, parts).await
}

/// The table that a path names.
impl<S: Send + Sync> FromRequestParts<S> for FeatureTable {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, Problem> {
        let name = path_parameter(parts, "table").await.unwrap_or_default();
        Self::ALL.into_iter().find(|table| table.name() == name).ok_or_else(|| {
            let known = "there are client, connection and track";
            let detail = format!("There is no table of features `{}`; {known}.", shorten(&name));
            Problem::new(Reason::UnknownKind, detail)
        })
    }
}

struct Rows {
    database: Database,
    filter: Filter,
    table: FeatureTable,
    cursor: Option<ListCursor>,
    is_listed: bool,
    sessions: VecDeque<SessionRow>,
}

impl Parts for Rows {
    async fn next(&mut self, csv: &mut Csv) -> sqlx::Result<bool> {
        if self.sessions.is_empty() && !self.is_listed {
            let page = list::list(&self.database, &self.filter, SESSIONS, self.cursor).await?;
            (self.cursor, self.is_listed) = (page.next, page.next.is_none());
            self.sessions = page.rows.into();
        }
        let batch: Vec<SessionRow> = self.sessions.drain(..self.sessions.len().min(BATCH)).collect();
        let ids: Vec<_> = batch.iter().map(|session| session.id).collect();
        let mut rows = rows_of(&self.database, self.table, &ids).await?;
        for session in &batch {
            for row in rows.remove(&session.id).unwrap_or_default() {
                write(csv, session, &row);
            }
        }
        Ok(!(self.sessions.is_empty() && self.is_listed))
    }
}

fn write(csv: &mut Csv, session: &SessionRow, row: &FeatureRow) {
    let browser = session.browser.as_ref();
    csv.plain(Some(session.id));
    csv.plain(Some(session.start_time.rfc3339()));
    csv.plain(session.end_time.map(UnixMillis::rfc3339));
    csv.plain(session.duration);
    csv.plain(Some(if session.ended { "ended" } else { "live" }));
    csv.text(Some(&session.source));
    csv.text(Some(&session.dialect));
    csv.plain(session.outcome.map(Outcome::name));
    csv.text(browser.map(|browser| browser.name.as_str()));
    csv.text(browser.map(|browser| browser.version.as_str()));
    csv.text(browser.map(|browser| browser.os.as_str()));
    csv.text(session.user.as_deref());
    csv.text(session.conference.as_deref());
    csv.text(session.location.country.as_deref());
    csv.text(session.location.city.as_deref());
    if let Some((connection, position)) = &row.key {
        csv.text(Some(connection));
        csv.plain(Some(position));
    }
    for value in &row.values {
        match value {
            None => csv.plain(None::<i64>),
            Some(Stored::Bool(value)) => csv.plain(Some(value)),
            Some(Stored::Integer(value)) => csv.plain(Some(value)),
            Some(Stored::Real(value)) => csv.plain(Some(value)),
            Some(Stored::Time(value)) => csv.plain(Some(value.rfc3339())),
            Some(Stored::Text(value)) => csv.text(Some(value)),
            Some(Stored::Json(value)) => csv.json(Some(value)),
        }
    }
    csv.end_row();
}
