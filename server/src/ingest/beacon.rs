//! `POST /v1/beacon?session=..&from=n`: the last lines of a page that goes away, by `navigator.sendBeacon`.

use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Value, json};

use super::{origin, v1};
use crate::app::App;
use crate::problem::{Problem, Reason};
use crate::session::{Attach, Dialect, LOST, Origin, SessionId, SocketCursor, Stop};

/// From the request's headers to the end of its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Takes the lines in and says how many the session holds. Nobody reads the answer of a beacon, but other clients may
/// send lines this way too.
pub(crate) async fn beacon(State(app): State<App>, request: Request) -> Result<Json<Value>, Problem> {
    let (session, from) = v1::parameters(&request)?;
    let origin = origin(&app, Dialect::RtctraceV1, &request);
    let limit = app.config.limits.frame_bytes;
    let body = Limited::new(request.into_body(), usize::try_from(limit.0).unwrap_or(usize::MAX));
    let body = match tokio::time::timeout(BODY_TIMEOUT, body.collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(Problem::new(Reason::TooLarge, format!("The body is longer than {limit}.")));
        }
        Ok(Err(_)) | Err(_) => return Err(Problem::new(Reason::Idle, "The body did not arrive.")),
    };
    let Ok(text) = std::str::from_utf8(&body) else {
        return Err(Problem::new(Reason::BadLine, "The body is not UTF-8."));
    };

    // The page is gone, and its connection may be, too: from here on the work is not the request's.
    let work = tokio::spawn(take_in(app, session, from, origin, text.to_owned()));
    work.await.unwrap_or_else(|error| Err(Problem::internal(error)))
}

async fn take_in(
    app: App,
    session: SessionId,
    from: u64,
    origin: Origin,
    text: String,
) -> Result<Json<Value>, Problem> {
    let (handle, is_new) = match app.registry.attach(session, origin, from).await {
        Attach::Session(handle, is_new) => (handle, is_new),
        Attach::Ended => return Err(ended()),
        Attach::Overloaded => return Err(Problem::new(Reason::Overloaded, "Too many sessions; come back later.")),
    };
    let held = handle.received().await;
    let reply = if from > held {
        None
    } else {
        Some(app.registry.receive(&handle, &mut SocketCursor::at(from), None, &text).await)
    };
    if is_new {
        app.registry.wait_for_client(handle, LOST);
    }
    let Some(reply) = reply else {
        let detail = format!("The session holds {held} lines; the beacon begins with line {from}.");
        return Err(Problem::new(Reason::Gap, detail));
    };
    match reply.stop {
        None => Ok(Json(json!({ "received": reply.received }))),
        Some(Stop::Ended) => Err(ended()),
        Some(stop) => {
            let (reason, _) = super::socket::verdict(&stop);
            Err(Problem::new(reason, format!("{stop}. The session holds {} lines.", reply.received)))
        }
    }
}

fn ended() -> Problem {
    Problem::new(Reason::SessionEnded, "The session has ended; it takes no more lines.")
}
