//! `GET /healthz`: whether the process answers. `GET /readyz`: whether it can take sessions, and which store is down. `GET /.ok`, of
//! Sora's listener: whether it can take sessions.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;

use crate::app::App;
use crate::telemetry::{Store, is_down};

/// Answers as long as the process serves requests at all; a store that is down is no reason to restart it.
pub(crate) async fn healthz() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], "ok\n")
}

/// A request to object storage that has been waiting for so long makes it `slow`.
const SLOW: Duration = Duration::from_secs(10);

/// 503 if the spool cannot be written, is full, or the collector stops. A database or an object storage that is down or slow is
/// named, but recordings go on without it, so it is no reason to send clients elsewhere.
pub(crate) async fn readyz(State(app): State<App>) -> impl IntoResponse {
    let spool = spool(&app).await;
    let state = |store| if is_down(store) { "down" } else { "ok" };
    let objects = match state(Store::Objects) {
        "ok" if app.stores.objects.longest_wait() > SLOW => "slow",
        state => state,
    };
    let (count, longest) = app.registry.backlog();
    let is_ready = is_ready(&app, spool);
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": is_ready,
        "stopping": app.stopping.is_now(),
        "stores": { "spool": spool, "objects": objects, "database": state(Store::Database) },
        "sora": app.config.sora.address().is_some(),
        "backlog": { "sessions": count, "oldestSeconds": longest.as_secs() },
    });
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body))
}

/// 204, or 503 where `/readyz` says so, too: what is asked of Sora's other collectors.
pub(crate) async fn ok(State(app): State<App>) -> impl IntoResponse {
    let spool = spool(&app).await;
    let status = if is_ready(&app, spool) { StatusCode::NO_CONTENT } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")])
}

fn is_ready(app: &App, spool: &str) -> bool {
    spool == "ok" && !app.stopping.is_now()
}

async fn spool(app: &App) -> &'static str {
    let spool = std::sync::Arc::clone(app.registry.spool());
    match tokio::task::spawn_blocking(move || (spool.works(), spool.is_full())).await {
        Ok((true, false)) => "ok",
        Ok((true, true)) => "full",
        Ok((false, _)) | Err(_) => "down",
    }
}
