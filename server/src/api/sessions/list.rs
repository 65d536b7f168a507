//! The list of sessions.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{FILTERS, FilterParameters, Session, filter};
use crate::api::parameters::{Parameters, bad};
use crate::api::shorten;
use crate::app::App;
use crate::problem::{Problem, Refused};
use crate::store::list::{self, Column, ListCursor, Order, Place};
use crate::store::sessions::SessionRow;

/// Sessions per page, unless the client asks for another number.
const PAGE: u32 = 50;
/// The most that a client may ask for.
pub(super) const LARGEST_PAGE: u32 = 500;

/// By what lists are sorted.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
enum Sort {
    Started,
    Duration,
    Connections,
    Events,
    Size,
}

/// How lists are sorted.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
enum Direction {
    Desc,
    Asc,
}

/// How the parameters of paging are documented.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)] // They are read by name.
pub(crate) struct PageParameters {
    /// Sessions of a page, from 1 to 500; 50 if it is not given.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// The `nextCursor` of the page before. The filters and the order must be the same.
    cursor: Option<String>,
    /// `started`, `duration`, `connections`, `events` or `size`; `started` if it is not given. What a session that runs does not have yet is less than all.
    #[param(inline, value_type = Option<Sort>)]
    sort: Option<String>,
    /// `desc`, the most or the latest first, or `asc`; `desc` if it is not given.
    #[param(inline, value_type = Option<Direction>)]
    order: Option<String>,
    /// Whether `total` is wanted.
    total: Option<bool>,
}

/// A page of sessions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionPage {
    /// Newest first, unless another order was asked for.
    sessions: Vec<Session>,
    /// Where the next page begins, if there is one.
    next_cursor: Option<String>,
    /// How many sessions the filters let through, where it was asked for and none of the filters has them looked at one after the other; 10001 stands for more than ten thousand.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

/// A page of sessions, newest first, running ones among them
///
/// All filters that are given must hold. With a search, or conditions on features or rules, ten thousand sessions are looked at for a page: it may then have fewer than
/// `limit`, even none, and still a `nextCursor`. In another order than that of their starts, all sessions are looked at, for as long as a query may take. Sessions that run have no features and no findings yet.
#[utoipa::path(
    get,
    path = "/api/v1/sessions",
    tag = "sessions",
    params(FilterParameters, PageParameters),
    responses((status = 200, description = "A page.", body = SessionPage), Refused)
)]
pub(crate) async fn list(State(app): State<App>, uri: Uri) -> Result<Json<SessionPage>, Problem> {
    let parameters = Parameters::of(&uri, &[FILTERS, &["limit", "cursor", "sort", "order", "total"]])?;
    let limit = parameters.number("limit", 1, LARGEST_PAGE)?.unwrap_or(PAGE);
    let order = order(&parameters)?;
    let filter = filter(&parameters)?;
    let database = &app.stores.database;
    let (rows, next_cursor) = if order == Order::default() {
        let cursor = parameters.parsed::<ListCursor>("cursor", CURSOR)?;
        let page = list::list(database, &filter, limit, cursor).await.map_err(Problem::of_query)?;
        (page.rows, page.next.map(|next| next.to_string()))
    } else {
        let behind = parameters.parsed::<Place>("cursor", CURSOR)?;
        let (rows, next) = list::list_by(database, &filter, order, limit, behind).await.map_err(Problem::of_query)?;
        (rows, next.map(|next| next.to_string()))
    };
    let total = match parameters.parsed::<bool>("total", "`true` or `false`")? {
        Some(true) => list::count(database, &filter).await.map_err(Problem::of_query)?,
        _ => None,
    };
    let sessions = rows.into_iter().map(|row| show(&app, row)).collect();
    Ok(Json(SessionPage { sessions, next_cursor, total }))
}

const CURSOR: &str = "the nextCursor of a page before";

fn order(parameters: &Parameters) -> Result<Order, Problem> {
    let word = |name: &str, words: &[&str]| {
        let Some(text) = parameters.text(name)? else { return Ok(0) };
        let wrong = || bad(format!("{name} is `{}`; it is one of {}.", shorten(text), words.join(", ")));
        words.iter().position(|word| *word == text).ok_or_else(wrong)
    };
    let column = Column::ALL.get(word("sort", &Column::NAMES)?).copied().unwrap_or_default();
    Ok(Order { column, ascending: word("order", &["desc", "asc"])? == 1 })
}

fn show(app: &App, row: SessionRow) -> Session {
    let held = if row.ended { None } else { app.registry.get(row.id) };
    let session = Session::of(row);
    match held {
        Some(handle) => session.updated(&handle),
        None => session,
    }
}
