//! One session.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Session, unknown};
use crate::app::App;
use crate::problem::{NoSession, Problem, Refused};
use crate::session::{Handle, SessionId};
use crate::store::sessions::{self, SessionRow};
use crate::store::{features, findings, links};

/// A session, its features and its findings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionWithFeatures {
    #[serde(flatten)]
    session: Session,
    /// Sessions about the same connection of the SFU Sora: that of a page names Sora's, and the other way round.
    linked: Vec<String>,
    /// `client`, and `connections`, each with its `id` and its `tracks`: features by name, absent ones left out.
    #[schema(value_type = Object)]
    features: Value,
    /// What was wrong, the worst first: `rule`, `severity`, `connection`, `track`, `begin` and `end` in milliseconds since 1970, `values` by name, and
    /// `sentence`; absent ones left out.
    #[schema(value_type = Vec<Object>)]
    findings: Value,
}

/// One session with its features and findings; those of a running one are of what was received so far
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}",
    tag = "sessions",
    params(("id" = String, Path, description = "The session, a UUID.")),
    responses((status = 200, description = "The session.", body = SessionWithFeatures), Refused, NoSession)
)]
pub(crate) async fn one(State(app): State<App>, id: SessionId) -> Result<Json<SessionWithFeatures>, Problem> {
    // The registry first: a session leaves it only after the database has all of it.
    let held = app.registry.get(id);
    let Some(row) = sessions::get(&app.stores.database, id).await.map_err(Problem::of_query)? else {
        return match held.filter(|handle| handle.snapshot().lines > 0) {
            Some(handle) => running(&app, SessionRow::live(id, &handle.origin), &handle).await,
            None => Err(unknown(id)),
        };
    };
    match held.filter(|_| !row.ended) {
        Some(handle) => running(&app, row, &handle).await,
        None => {
            let database = &app.stores.database;
            let connections = links::connections(database, id).await.map_err(Problem::of_query)?;
            let linked = linked(&app, id, &connections).await.map_err(Problem::of_query)?;
            let features = features::read(database, id).await.map_err(Problem::of_query)?;
            let findings = findings::read(database, id).await.map_err(Problem::of_query)?.into();
            Ok(Json(SessionWithFeatures { session: Session::of(row), linked, features, findings }))
        }
    }
}

async fn running(app: &App, row: SessionRow, handle: &Handle) -> Result<Json<SessionWithFeatures>, Problem> {
    let connections = handle.snapshot().sora_connections;
    let linked = linked(app, handle.id, &connections).await.map_err(Problem::of_query)?;
    let session = Session::of(row).updated(handle);
    let analysis = app.registry.analysis(handle).await;
    let features = serde_json::to_value(&analysis.features).map_err(Problem::internal)?;
    let findings = serde_json::to_value(&analysis.findings).map_err(Problem::internal)?;
    Ok(Json(SessionWithFeatures { session, linked, features, findings }))
}

/// The other sessions of these connections: those that the database knows, and those that are held here.
async fn linked(app: &App, id: SessionId, connections: &[impl AsRef<str>]) -> sqlx::Result<Vec<String>> {
    let mut found = BTreeSet::new();
    for connection in connections {
        found.extend(links::sessions(&app.stores.database, connection.as_ref()).await?);
    }
    if !connections.is_empty() {
        let is_about = |known: &str| connections.iter().any(|connection| connection.as_ref() == known);
        let held = app.registry.held_now().into_iter();
        let others = held.filter(|handle| handle.snapshot().sora_connections.iter().any(|known| is_about(known)));
        found.extend(others.map(|handle| handle.id));
    }
    found.remove(&id);
    Ok(found.iter().map(ToString::to_string).collect())
}
