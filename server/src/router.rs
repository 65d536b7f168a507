//! Which path is answered by whom.

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tracing::{Instrument as _, field};

use crate::access;
use crate::api::{self, assets, dumps, health, metrics, shorten};
use crate::app::App;
use crate::ingest;
use crate::problem::{Problem, Reason};
use crate::telemetry::traces::TARGET;

/// Headers of every answer. The viewer and the client run wasm; Svelte sets styles; the demo shows media streams; the viewer fetches
/// dumps from addresses that somebody pastes.
const SECURITY: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data: blob:; media-src 'self' blob: mediastream:; connect-src 'self' http: https: ws: wss:; \
         worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// All routes.
pub(crate) fn router(app: App) -> Router {
    let upload_path = app.config.upload.path.clone();
    let mut router = Router::new();
    if !upload_path.is_empty() {
        router = router.route(&upload_path, post(dumps::upload_of_client).layer(DefaultBodyLimit::disable()));
    }
    for (path, methods) in api::routes() {
        router = router.route(path, methods);
    }
    router
        .route("/v1/ws", get(ingest::not_an_upgrade))
        .route("/v1/beacon", post(ingest::beacon))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(assets::asset)
        .layer(middleware::from_fn_with_state(app.clone(), access::guard))
        .layer(middleware::from_fn_with_state(app.clone(), upgrades))
        .layer(middleware::from_fn(security_headers))
        .layer(middleware::from_fn(traced))
        .with_state(app)
}

/// A WebSocket may be opened on every path that is not the API's: upstream's clients put what they like there.
async fn upgrades(State(app): State<App>, request: Request, next: Next) -> Response {
    if ingest::is_upgrade(request.headers()) && !request.uri().path().starts_with("/api/") {
        return ingest::upgrade(app, request).await.into_response();
    }
    next.run(request).await
}

async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in SECURITY {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A span for every request; its name is the route's, so that sessions' ids do not make as many names.
async fn traced(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.name = format!("{} {route}", request.method()),
        otel.kind = "server",
        http.request.method = %request.method(),
        http.route = route,
        http.response.status_code = field::Empty,
    );
    let response = next.run(request).instrument(span.clone()).await;
    span.record("http.response.status_code", response.status().as_u16());
    response
}

/// What a path says to a method that it has not.
pub(crate) async fn method_not_allowed(request: Request) -> Problem {
    let detail = format!("{} does not take {}.", shorten(request.uri().path()), request.method());
    Problem::new(Reason::MethodNotAllowed, detail)
}
