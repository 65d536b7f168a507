//! What the SFU Sora sends by HTTP: statistics, by its exporter or its webhook, and what its session and event webhooks tell. 204 means
//! that it is in the spool; what does not validate is answered 400 with the member's name, and what cannot be taken now 503 with the
//! time to wait.

mod bring;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::routing::{get, post};
use bytes::Bytes;
use rtctrace_protocol::sora::{BadBody, Notice, Push};

use crate::api::{body, health, shorten};
use crate::app::App;
use crate::config::Size;
use crate::listener::Taken;
use crate::problem::{Problem, Reason};
use crate::router::method_not_allowed;

/// Says of what type a body of the exporter is.
const EXPORTER_TYPE: &str = "x-sora-stats-exporter-type";
/// The same for the webhooks.
const STATS_TYPE: &str = "sora-stats-webhook-type";
const SESSION_TYPE: &str = "sora-session-webhook-type";
const EVENT_TYPE: &str = "sora-event-webhook-type";

/// So much is read of a body that is refused by its head, for its connection to go on.
const PASSED_OVER: Size = Size(32 << 20);

/// The routes of Sora's listener.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/.ok", get(health::ok))
        .route("/collector", post(exporter))
        .route("/sora/webhook/stats", post(stats_webhook))
        .route("/sora/webhook/session", post(session_webhook))
        .route("/sora/webhook/event", post(event_webhook))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(unknown)
        .with_state(app)
}

/// `POST /collector`: the statistics exporter of Sora up to 2025. It speaks HTTP/2 only, and the listener lets nothing else come here.
async fn exporter(State(app): State<App>, request: Request) -> Result<StatusCode, Problem> {
    push(app, request, EXPORTER_TYPE).await
}

/// `POST /sora/webhook/stats`: the statistics webhook.
async fn stats_webhook(State(app): State<App>, request: Request) -> Result<StatusCode, Problem> {
    push(app, request, STATS_TYPE).await
}

/// `POST /sora/webhook/session`: the session webhook.
async fn session_webhook(State(app): State<App>, request: Request) -> Result<StatusCode, Problem> {
    notice(app, request, SESSION_TYPE).await
}

/// `POST /sora/webhook/event`: the event webhook.
async fn event_webhook(State(app): State<App>, request: Request) -> Result<StatusCode, Problem> {
    notice(app, request, EVENT_TYPE).await
}

async fn push(app: App, request: Request, type_header: &'static str) -> Result<StatusCode, Problem> {
    let body = received(&app, request, type_header).await?;
    // Whoever sends it may go; from here on the work is not the request's, but it has its room.
    done(tokio::spawn(async move { take_push(&app, body).await }).await)
}

async fn take_push(app: &App, body: Received) -> Result<(), Problem> {
    let push = Push::read(&body.bytes).map_err(bad)?;
    body.is_of(&push.sender.kind)?;
    bring::push(app, &push, &body.path).await
}

async fn notice(app: App, request: Request, type_header: &'static str) -> Result<StatusCode, Problem> {
    let body = received(&app, request, type_header).await?;
    done(tokio::spawn(async move { take_notice(&app, body).await }).await)
}

async fn take_notice(app: &App, body: Received) -> Result<(), Problem> {
    let notice = Notice::read(&body.bytes).map_err(bad)?;
    body.is_of(&notice.sender.kind)?;
    bring::notice(app, &notice, &body.path).await
}

fn done(work: Result<Result<(), Problem>, tokio::task::JoinError>) -> Result<StatusCode, Problem> {
    work.unwrap_or_else(|error| Err(Problem::internal(error))).map(|()| StatusCode::NO_CONTENT)
}

/// A body, and what its request says of it.
struct Received {
    bytes: Bytes,
    path: String,
    /// The header that tells its type, and what that says.
    told: (&'static str, Option<String>),
    _room: Option<Arc<Taken>>,
}

impl Received {
    /// Whether the header says the same type.
    fn is_of(&self, kind: &str) -> Result<(), Problem> {
        match &self.told {
            (name, Some(told)) if told != kind => {
                let detail = format!("{name} is `{}`, and type is `{}`.", shorten(told), shorten(kind));
                Err(Problem::new(Reason::BadRequest, detail).with_field(*name))
            }
            _ => Ok(()),
        }
    }
}

async fn received(app: &App, request: Request, type_header: &'static str) -> Result<Received, Problem> {
    let limit = longest(app);
    if let Err(problem) = is_fit(request.headers(), limit) {
        body::pass_over(request.into_body(), PASSED_OVER).await;
        return Err(problem);
    }
    let header = request.headers().get(HeaderName::from_static(type_header));
    let told = (type_header, header.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let path = request.uri().path().to_owned();
    let room: Option<Arc<Taken>> = request.extensions().get().map(Arc::clone);
    let mut body = request.into_body();
    let fits = |bytes| room.as_deref().map_or(Ok(()), |room| room.hold(bytes));
    match body::collect_within(&mut body, limit, fits).await {
        Ok(bytes) => Ok(Received { bytes, path, told, _room: room }),
        Err(problem) => {
            if problem.reason() != Reason::SlowBody {
                body::pass_over(body, PASSED_OVER).await;
            }
            Err(if problem.reason() == Reason::TooLarge { too_long(limit) } else { problem })
        }
    }
}

/// Whether a body may be what its head says of it.
fn is_fit(headers: &HeaderMap, limit: Size) -> Result<(), Problem> {
    is_json(headers)?;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > limit.0) { Err(too_long(limit)) } else { Ok(()) }
}

fn longest(app: &App) -> Size {
    app.config.sora.body_bytes
}

fn too_long(limit: Size) -> Problem {
    Problem::new(Reason::BadRequest, format!("The body is longer than {limit}.")).with_field("body")
}

fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let value = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let kind = value.as_deref().and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = format!("content-type is `{}`; it has to be application/json.", shorten(kind));
    Err(Problem::new(Reason::BadRequest, detail).with_field("content-type"))
}

/// A body that does not validate. What is wrong with it as a whole is the body's.
fn bad(error: BadBody) -> Problem {
    let field = error.field().map_or_else(|| "body".to_owned(), std::borrow::Cow::into_owned);
    Problem::new(Reason::BadRequest, format!("{error}.")).with_field(field)
}

/// What cannot be taken now.
fn later(reason: Reason, detail: impl Into<String>, wait: Duration) -> Problem {
    Problem::new(reason, detail).retry_after(wait.as_secs_f64().ceil().max(1.0) as u64)
}

async fn unknown(request: Request) -> Problem {
    Problem::new(Reason::UnknownPath, format!("Nothing is at {}.", shorten(request.uri().path())))
}
