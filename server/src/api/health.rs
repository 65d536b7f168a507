//! `GET /healthz`: whether the process answers.

use axum::http::header;
use axum::response::IntoResponse;

/// Answers as long as the process serves requests at all; a store that is down is no reason to restart it.
pub(crate) async fn healthz() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], "ok\n")
}
