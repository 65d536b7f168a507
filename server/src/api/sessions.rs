//! `/api/v1/sessions` and `/api/v1/sessions/{id}`: what the database knows, and for running sessions what their
//! newest line changed.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use serde::Serialize;
use serde_json::{Value, json};

use super::{query_parameter, shorten};
use crate::app::App;
use crate::problem::{Problem, Reason};
use crate::session::{Browser, Handle, SessionId};
use crate::store::features;
use crate::store::removal::{self, Outcome};
use crate::store::sessions::{self, ListCursor, SessionRow};
use crate::telemetry::Removal;

/// Sessions per page, unless the client asks for another number.
const PAGE: u32 = 50;
/// How long a request waits until the database has what it is to look through.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most that a client may ask for.
const LARGEST_PAGE: u32 = 500;

/// A session as the API shows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    id: String,
    source: String,
    dialect: String,
    state: &'static str,
    start_time: String,
    end_time: Option<String>,
    duration: Option<i64>,
    user_agent: Option<String>,
    browser: Option<Browser>,
    origin: Option<String>,
    url: String,
    connections: u64,
    lines: u64,
    dump_bytes: Option<u64>,
    close_code: Option<u16>,
    user: Option<String>,
    conference: Option<String>,
    country: Option<String>,
    city: Option<String>,
}

impl Session {
    fn of(row: SessionRow) -> Self {
        Self {
            id: row.id.to_string(),
            source: row.source,
            dialect: row.dialect,
            state: if row.ended { "ended" } else { "live" },
            start_time: row.start_time.rfc3339(),
            end_time: row.end_time.map(|time| time.rfc3339()),
            duration: row.duration,
            user_agent: row.user_agent,
            browser: row.browser,
            origin: row.origin,
            url: row.url,
            connections: row.connections,
            lines: row.lines,
            dump_bytes: row.dump_bytes,
            close_code: row.close_code,
            user: row.user,
            conference: row.conference,
            country: row.location.country,
            city: row.location.city,
        }
    }

    /// With what a session that is not stored yet says of itself.
    fn updated(mut self, handle: &Handle) -> Self {
        let snapshot = handle.snapshot();
        self.duration = Some(snapshot.duration);
        self.browser = snapshot.browser.as_deref().cloned();
        self.connections = snapshot.connections;
        self.lines = snapshot.lines;
        if snapshot.close_code.is_some() {
            self.state = "ended";
            self.end_time = Some(snapshot.end_time(handle.origin.start_time).rfc3339());
            self.close_code = snapshot.close_code;
        }
        self
    }
}

fn show(app: &App, row: SessionRow) -> Session {
    let held = if row.ended { None } else { app.registry.get(row.id) };
    let session = Session::of(row);
    match held {
        Some(handle) => session.updated(&handle),
        None => session,
    }
}

/// A page of sessions, newest first, running ones among them.
pub(crate) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<Value>, Problem> {
    let limit = match query_parameter(&uri, "limit") {
        None => PAGE,
        Some(text) => text.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit)).ok_or_else(|| {
            let detail = format!("limit is `{}`; it is a number from 1 to {LARGEST_PAGE}.", shorten(&text));
            Problem::new(Reason::BadParameter, detail)
        })?,
    };
    let cursor = match query_parameter(&uri, "cursor") {
        None => None,
        Some(text) => Some(text.parse::<ListCursor>().map_err(|()| {
            let detail = format!("cursor is `{}`; it is the nextCursor of a page before.", shorten(&text));
            Problem::new(Reason::BadParameter, detail)
        })?),
    };
    let mut rows = sessions::list(&app.stores.database, limit + 1, cursor).await.map_err(Problem::internal)?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next =
        rows.last().filter(|_| has_more).map(|row| ListCursor { start_time: row.start_time, id: row.id }.to_string());
    let shown: Vec<Session> = rows.into_iter().map(|row| show(&app, row)).collect();
    Ok(Json(json!({ "sessions": shown, "nextCursor": next })))
}

/// One session with its features; those of a running one are of what was received so far.
pub(crate) async fn one(State(app): State<App>, id: SessionId) -> Result<Json<Value>, Problem> {
    // The registry first: a session leaves it only after the database has all of it.
    let held = app.registry.get(id);
    let Some(row) = sessions::get(&app.stores.database, id).await.map_err(Problem::internal)? else {
        return match held.filter(|handle| handle.snapshot().lines > 0) {
            Some(handle) => describe(
                Session::of(SessionRow::live(id, &handle.origin)).updated(&handle),
                running(&app, &handle).await?,
            ),
            None => Err(unknown(id)),
        };
    };
    match held.filter(|_| !row.ended) {
        Some(handle) => describe(Session::of(row).updated(&handle), running(&app, &handle).await?),
        None => {
            let features = features::read(&app.stores.database, id).await.map_err(Problem::internal)?;
            describe(Session::of(row), features)
        }
    }
}

/// Removes a session that is over: its dump, its features, its stats.
pub(crate) async fn remove(State(app): State<App>, id: SessionId) -> Result<StatusCode, Problem> {
    match removal::remove(&app.registry, id, Removal::Request).await.map_err(Problem::internal)? {
        Outcome::Removed => Ok(StatusCode::NO_CONTENT),
        Outcome::Unknown => Err(unknown(id)),
        Outcome::Running => {
            let detail = format!("Session {id} is not stored yet; remove it once it has ended.");
            Err(Problem::new(Reason::SessionRunning, detail))
        }
    }
}

/// Removes all sessions of a user that are over: `DELETE /api/v1/sessions?user=..`. Those that run are named in the answer; they
/// can be removed once they have ended. So are those that a store did not let go.
pub(crate) async fn remove_of_user(State(app): State<App>, uri: Uri) -> Result<Json<Value>, Problem> {
    let Some(user) = query_parameter(&uri, "user").filter(|user| !user.is_empty()) else {
        let detail = "The parameter `user` is missing: whose sessions are to be removed.";
        return Err(Problem::new(Reason::BadParameter, detail));
    };
    // A session that has just begun is named, too.
    if tokio::time::timeout(PATIENCE, app.stores.queue.settle()).await.is_err() {
        return Err(Problem::internal("the database takes nothing"));
    }
    let (mut removed, mut running, mut failed, mut after) = (0_u64, Vec::new(), Vec::new(), None);
    loop {
        let page =
            sessions::of_user(&app.stores.database, &user, after, LARGEST_PAGE).await.map_err(Problem::internal)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for row in page {
            match removal::remove(&app.registry, row.id, Removal::Request).await {
                Ok(Outcome::Removed) => removed += 1,
                Ok(Outcome::Running) => running.push(row.id.to_string()),
                Ok(Outcome::Unknown) => {}
                Err(error) => {
                    tracing::warn!(session = %row.id, "it cannot be removed: {error:#}");
                    failed.push(row.id.to_string());
                }
            }
        }
    }
    Ok(Json(json!({ "removed": removed, "running": running, "failed": failed })))
}

async fn running(app: &App, handle: &Handle) -> Result<Value, Problem> {
    serde_json::to_value(app.registry.features(handle).await).map_err(Problem::internal)
}

fn describe(session: Session, features: Value) -> Result<Json<Value>, Problem> {
    let mut described = serde_json::to_value(session).map_err(Problem::internal)?;
    if let Some(members) = described.as_object_mut() {
        members.insert("features".to_owned(), features);
    }
    Ok(Json(described))
}

/// The answer about a session that nobody knows.
pub(super) fn unknown(id: SessionId) -> Problem {
    Problem::new(Reason::UnknownSession, format!("No session has the id {id}."))
}
