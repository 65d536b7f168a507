//! What becomes of sessions, as it happens.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use axum::response::IntoResponse;
use axum::response::sse::{Event, Sse};
use futures_util::stream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::api::followers::{Follower, Waited};
use crate::app::App;
use crate::problem::{Problem, Refused, TooManyFollowers};
use crate::session::{Changes, Told};

/// Who lost the connection comes back after so long.
const RETRY: Duration = Duration::from_secs(2);

/// Server-sent events about what becomes of sessions
///
/// The first event is `refresh`: the list is to be read now. Then `sessions` says what has changed, at most twice a second; ids are of sessions that the list has by then. `refresh`
/// comes again where something may be missing: who read too slowly, sessions were removed, or very many began at once. Of sessions of other collectors that share the database is
/// told, from the database and some seconds later, when they begin and when they are over, and not how far they have come. A comment comes every 15 s.
/// The stream ends when the collector stops, or the token is not good any more. At most `limits.followers` streams are open.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/events",
    tag = "sessions",
    responses(
        (status = 200, description = "`text/event-stream` of events `refresh`, without data, and `sessions`, whose data is this JSON.", body = Changes, content_type = "text/event-stream"),
        Refused,
        TooManyFollowers,
    )
)]
pub(crate) async fn watch(State(app): State<App>, headers: HeaderMap) -> Result<Response<axum::body::Body>, Problem> {
    let told = app.registry.changes().listen();
    let follower = Follower::take(app, headers)?;
    let events = stream::unfold(Some((follower, told, true)), |state| async move {
        let (mut follower, mut told, is_first) = state?;
        if is_first {
            return Some((Ok::<_, Infallible>(refresh().retry(RETRY)), Some((follower, told, false))));
        }
        let event = next(&mut follower, &mut told).await?;
        Some((Ok(event), Some((follower, told, false))))
    });
    let mut response = Sse::new(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would hold events back until it has some kilobytes of them.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

async fn next(follower: &mut Follower, told: &mut broadcast::Receiver<Told>) -> Option<Event> {
    match follower.wait(told.recv()).await {
        Waited::Came(Ok(Told::Changes(text))) => Some(Event::default().event("sessions").data(text)),
        Waited::Came(Ok(Told::Refresh) | Err(RecvError::Lagged(_))) => Some(refresh()),
        Waited::Sign => Some(Event::default().comment("")),
        Waited::Over | Waited::Came(Err(RecvError::Closed)) => None,
    }
}

/// An event without data is none to a browser.
fn refresh() -> Event {
    Event::default().event("refresh").data("{}")
}
