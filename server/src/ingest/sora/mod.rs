//! What the SFU Sora sends.

use axum::Router;
use axum::extract::Request;
use axum::routing::get;

use crate::api::{health, shorten};
use crate::app::App;
use crate::problem::{Problem, Reason};
use crate::router::method_not_allowed;

/// The routes of Sora's listener.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/.ok", get(health::ok))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(unknown)
        .with_state(app)
}

async fn unknown(request: Request) -> Problem {
    Problem::new(Reason::UnknownPath, format!("Nothing is at {}.", shorten(request.uri().path())))
}
