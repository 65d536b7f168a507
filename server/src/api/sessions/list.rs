//! The list of sessions.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{FILTERS, FilterParameters, Session, filter};
use crate::api::parameters::Parameters;
use crate::app::App;
use crate::problem::{Problem, Refused};
use crate::store::list::{self, ListCursor};
use crate::store::sessions::SessionRow;

/// Sessions per page, unless the client asks for another number.
const PAGE: u32 = 50;
/// The most that a client may ask for.
pub(super) const LARGEST_PAGE: u32 = 500;

/// How the parameters of paging are documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // They are read by name.
pub(crate) struct PageParameters {
    /// Sessions of a page, from 1 to 500; 50 if it is not given.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// The `nextCursor` of the page before. The filters must be the same.
    cursor: Option<String>,
}

/// A page of sessions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionPage {
    /// Newest first.
    sessions: Vec<Session>,
    /// Where the next page begins, if there is one.
    next_cursor: Option<String>,
}

/// A page of sessions, newest first, running ones among them
///
/// All filters that are given must hold. With conditions on features or rules, ten thousand sessions are looked at for a page: it may then have fewer than
/// `limit`, even none, and still a `nextCursor`. Sessions that run have no features and no findings yet.
#[utoipa::path(
    get,
    path = "/api/v1/sessions",
    tag = "sessions",
    params(FilterParameters, PageParameters),
    responses((status = 200, description = "A page.", body = SessionPage), Refused)
)]
pub(crate) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<SessionPage>, Problem> {
    let parameters = Parameters::of(&uri, &[FILTERS, &["limit", "cursor"]])?;
    let limit = parameters.number("limit", 1, LARGEST_PAGE)?.unwrap_or(PAGE);
    let cursor = parameters.parsed::<ListCursor>("cursor", "the nextCursor of a page before")?;
    let filter = filter(&parameters)?;
    let page = list::list(&app.stores.database, &filter, limit, cursor).await.map_err(Problem::of_query)?;
    let sessions = page.rows.into_iter().map(|row| show(&app, row)).collect();
    Ok(Json(SessionPage { sessions, next_cursor: page.next.map(|next| next.to_string()) }))
}

fn show(app: &App, row: SessionRow) -> Session {
    let held = if row.ended { None } else { app.registry.get(row.id) };
    let session = Session::of(row);
    match held {
        Some(handle) => session.updated(&handle),
        None => session,
    }
}
