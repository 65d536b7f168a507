//! The HTTP surface, one file per noun.

pub(crate) mod assets;
pub(crate) mod body;
mod dump;
pub(crate) mod dumps;
mod export;
mod follow;
mod followers;
pub(crate) mod health;
pub(crate) mod metrics;
mod openapi;
mod pace;
mod parameters;
mod sessions;
mod stats;
mod table;

use axum::RequestPartsExt as _;
use axum::extract::{DefaultBodyLimit, FromRequestParts, RawPathParams};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::routing::{MethodRouter, get, post};

use self::parameters::{Parameters, bad};
use crate::access;
use crate::app::App;
use crate::problem::{Problem, Reason};
use crate::session::SessionId;

/// The routes under `/api/v1`. All of them are in the document of `openapi`.
pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<App>)> {
    vec![
        ("/api/v1/sessions", get(sessions::list).delete(sessions::remove_of_user)),
        ("/api/v1/sessions/events", get(sessions::watch)),
        ("/api/v1/sessions/{id}", get(sessions::one).delete(sessions::remove)),
        ("/api/v1/sessions/{id}/dump", get(dump::dump)),
        ("/api/v1/sessions/{id}/lines", get(follow::follow)),
        ("/api/v1/sessions/{id}/stats/{kind}", get(stats::stats)),
        ("/api/v1/export/features/{table}", get(export::features)),
        ("/api/v1/export/findings", get(export::findings)),
        ("/api/v1/dumps", post(dumps::upload).layer(DefaultBodyLimit::disable())),
        (access::LOGIN, post(access::login).delete(access::logout)),
        ("/api/v1/openapi.json", get(openapi::openapi)),
    ]
}

/// The session that a path names by its `{id}`.
impl<S: Send + Sync> FromRequestParts<S> for SessionId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Its escapes may be of bytes that are no UTF-8, and axum's own answer to these is no problem document.
        let Some(text) = path_parameter(parts, "id").await else {
            return Err(Problem::new(Reason::BadSessionId, "The path does not hold a session id."));
        };
        text.parse()
            .map_err(|error| Problem::new(Reason::BadSessionId, format!("`{}` is none: {error}.", shorten(&text))))
    }
}

/// A parameter of the path, decoded.
async fn path_parameter(parts: &mut Parts, name: &str) -> Option<String> {
    let parameters = parts.extract::<RawPathParams>().await.ok()?;
    parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
enum Format {
    Json,
    Csv,
    Parquet,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// The one that a request asks for, of those that there are; the first, if it does not say.
    fn of(parameters: &Parameters, known: &[Self]) -> Result<Self, Problem> {
        let text = parameters.text("format")?;
        let found = known.iter().copied().find(|format| text.is_none_or(|text| text == format.name()));
        found.ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|format| format.name()).collect();
            bad(format!("format is `{}`; there are {}.", shorten(text.unwrap_or_default()), names.join(", ")))
        })
    }
}

/// RFC 3339 in UTC, with the microseconds that all databases keep.
fn exact_rfc3339(micros: i64) -> String {
    let date = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default();
    date.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// A parameter of the query, decoded; the first of that name.
pub(crate) fn query_parameter(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// As much of a client's text as an answer should repeat.
pub(crate) fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}
