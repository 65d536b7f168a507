//! The HTTP surface, one file per noun.

pub(crate) mod assets;
pub(crate) mod body;
pub(crate) mod dump;
pub(crate) mod dumps;
pub(crate) mod health;
pub(crate) mod metrics;
mod pace;
pub(crate) mod sessions;

use axum::RequestPartsExt as _;
use axum::extract::{FromRequestParts, Path};
use axum::http::Uri;
use axum::http::request::Parts;

use crate::problem::{Problem, Reason};
use crate::session::SessionId;

/// The session that a path names by its `{id}`.
impl<S: Send + Sync> FromRequestParts<S> for SessionId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // Its escapes may be of bytes that are no UTF-8, and axum's own answer to these is no problem document.
        let Ok(Path(text)) = parts.extract::<Path<String>>().await else {
            return Err(Problem::new(Reason::BadSessionId, "The path does not hold a session id."));
        };
        text.parse()
            .map_err(|error| Problem::new(Reason::BadSessionId, format!("`{}` is none: {error}.", shorten(&text))))
    }
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
