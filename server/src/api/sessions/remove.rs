//! Removes sessions: their dumps, their features, their stats.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::list::LARGEST_PAGE;
use super::unknown;
use crate::api::parameters::Parameters;
use crate::app::App;
use crate::problem::{NoSession, Problem, ProblemDocument, Reason, Refused};
use crate::session::SessionId;
use crate::store::removal::{self, Outcome};
use crate::store::sessions;
use crate::telemetry::Removal;

/// Removes a session that is over: its dump, its features, its stats
#[utoipa::path(
    delete,
    path = "/api/v1/sessions/{id}",
    tag = "sessions",
    params(("id" = String, Path, description = "The session, a UUID.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "It is not stored yet.", body = ProblemDocument, content_type = "application/problem+json"),
        Refused,
        NoSession,
    )
)]
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

/// Whose sessions are removed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // It is read by name.
pub(crate) struct UserParameter {
    /// The user.
    user: String,
}

/// What became of a user's sessions.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Removed {
    /// How many were removed.
    removed: u64,
    /// Those that run; they can be removed once they have ended.
    running: Vec<String>,
    /// Those that a store did not let go.
    failed: Vec<String>,
}

/// Removes all sessions of a user that are over
///
/// Those that run are named in the answer; they can be removed once they have ended. So are those that a store did not let go.
#[utoipa::path(
    delete,
    path = "/api/v1/sessions",
    tag = "sessions",
    params(UserParameter),
    responses((status = 200, description = "What became of them.", body = Removed), Refused)
)]
pub(crate) async fn remove_of_user(State(app): State<App>, uri: Uri) -> Result<Json<Removed>, Problem> {
    // Filters of the list are no parameters here: one that is not understood must not remove all there is.
    let parameters = Parameters::of(&uri, &[&["user"]])?;
    let Some(user) = parameters.string("user")?.filter(|user| !user.is_empty()) else {
        let detail = "The parameter `user` is missing: whose sessions are to be removed.";
        return Err(Problem::new(Reason::BadParameter, detail));
    };
    let (mut answer, mut after) = (Removed::default(), None);
    loop {
        let page =
            sessions::of_user(&app.stores.database, &user, after, LARGEST_PAGE).await.map_err(Problem::internal)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for row in page {
            match removal::remove(&app.registry, row.id, Removal::Request).await {
                Ok(Outcome::Removed) => answer.removed += 1,
                Ok(Outcome::Running) => answer.running.push(row.id.to_string()),
                Ok(Outcome::Unknown) => {}
                Err(error) => {
                    tracing::warn!(session = %row.id, "it cannot be removed: {error:#}");
                    answer.failed.push(row.id.to_string());
                }
            }
        }
    }
    // One that has just begun has its row on its way.
    for handle in app.registry.held_now() {
        let is_theirs = handle.origin.user.as_deref() == Some(user.as_str()) && handle.snapshot().lines > 0;
        let id = handle.id.to_string();
        if is_theirs && !answer.running.contains(&id) {
            answer.running.push(id);
        }
    }
    Ok(Json(answer))
}
