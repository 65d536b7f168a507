//! The dialect `rtctrace.v1`: numbered lines, acknowledged, resumable.

use axum::extract::Request;

use super::origin;
use super::socket::Opening;
use crate::api::{query_parameter, shorten};
use crate::app::App;
use crate::problem::{Problem, Reason};
use crate::session::{Dialect, SessionId};

/// The one path of this dialect.
const PATH: &str = "/v1/ws";

/// What a client's URL says: `/v1/ws?session=<uuid>&from=<n>`.
pub(super) fn open(app: &App, request: &Request) -> Result<Opening, Problem> {
    let path = request.uri().path();
    if path != PATH {
        let detail = format!("rtctrace.v1 is spoken at {PATH}, not at {}.", shorten(path));
        return Err(Problem::new(Reason::UnknownPath, detail));
    }
    let (session, from) = parameters(request)?;
    Ok(Opening { session, from, origin: origin(app, Dialect::RtctraceV1, request), acknowledges: true })
}

/// `session` and `from`; without `from`, the client begins with line 0.
pub(super) fn parameters(request: &Request) -> Result<(SessionId, u64), Problem> {
    let Some(session) = query_parameter(request.uri(), "session") else {
        return Err(Problem::new(Reason::BadSessionId, "The parameter `session` is missing: the session's UUID."));
    };
    let session = session
        .parse()
        .map_err(|error| Problem::new(Reason::BadSessionId, format!("session is `{}`; {error}.", shorten(&session))))?;
    let from = match query_parameter(request.uri(), "from") {
        None => 0,
        Some(text) => text.parse().map_err(|_| {
            let detail = format!("from is `{}`; it is the number of the first line, from 0 on.", shorten(&text));
            Problem::new(Reason::BadParameter, detail)
        })?,
    };
    Ok((session, from))
}

/// The collector's first frame.
pub(super) fn welcome(received: u64) -> String {
    format!(r#"{{"type":"welcome","received":{received}}}"#)
}

/// Says how many lines the session holds.
pub(super) fn ack(received: u64) -> String {
    format!(r#"{{"type":"ack","received":{received}}}"#)
}
