//! `POST /v1/beacon?session=..&from=n`: the last lines of a page that goes away, by `navigator.sendBeacon`.

use axum::Json;
use axum::extract::{Request, State};
use serde_json::{Value, json};

use super::{origin, v1};
use crate::access::{Refusal, TokenError};
use crate::api::body;
use crate::app::App;
use crate::problem::{Problem, Reason};
use crate::session::{Attach, Dialect, LOST, Origin, Reply, SessionId, SocketCursor, Stop};
use crate::telemetry;

/// Takes the lines in and says how many the session holds. Nobody reads the answer of a beacon, but other clients may
/// send lines this way too.
pub(crate) async fn beacon(State(app): State<App>, request: Request) -> Result<Json<Value>, Problem> {
    let (session, from) = v1::parameters(&request)?;
    let claims = app.access.admit_late(request.uri(), request.headers(), Some(session)).map_err(Refusal::problem)?;
    // A page that goes away cannot wait for a new token: that it once had a good one will do, as long as its session, which
    // began with one, is open.
    if claims.expired && app.registry.get(session).is_none() {
        return Err(Refusal::Token(TokenError::Expired).problem());
    }
    let mut origin = origin(&app, Dialect::RtctraceV1, &request);
    origin.identify(claims);
    let limit = app.config.limits.frame_bytes.min(app.config.limits.body_bytes);
    let body = body::collect(request.into_body(), limit).await?;
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
    if app.registry.spool().is_full() {
        return Err(Problem::new(Reason::SpoolFull, "The spool is full; come back later."));
    }
    let mut reply = bring(&app, session, from, origin.clone(), &text).await?;
    if matches!(reply.stop, Some(Stop::Ended)) {
        // It may have ended, for want of its client, at this very moment: it then goes on from the stores.
        reply = bring(&app, session, from, origin, &text).await?;
    }
    match reply.stop {
        None => Ok(Json(json!({ "received": reply.received }))),
        Some(Stop::Ended) => Err(ended()),
        Some(stop) => {
            let (reason, _) = super::socket::verdict(&stop);
            Err(Problem::new(reason, format!("{stop}. The session holds {} lines.", reply.received)))
        }
    }
}

async fn bring(app: &App, session: SessionId, from: u64, origin: Origin, text: &str) -> Result<Reply, Problem> {
    let (handle, is_new) = match app.registry.attach(session, origin, from).await {
        Attach::Session(handle, is_new) => (handle, is_new),
        Attach::Ended => return Err(ended()),
        Attach::OtherUser => return Err(Refusal::OtherUser.problem()),
        Attach::Later(why) => {
            let detail = format!("The lines are not taken now: {why}; come back later.");
            return Err(Problem::new(super::socket::later(why), detail));
        }
    };
    if !handle.wait().await.is_zero() {
        telemetry::slowed();
        return Err(Problem::new(Reason::TooFast, "The session brings lines too fast; come back later."));
    }
    let held = handle.received().await;
    let reply = if from > held {
        None
    } else {
        Some(app.registry.receive(&handle, &mut SocketCursor::at(from), None, std::iter::once(text)).await)
    };
    if is_new {
        app.registry.wait_for_client(handle, LOST);
    }
    reply.ok_or_else(|| {
        let detail = format!("The session holds {held} lines; the beacon begins with line {from}.");
        Problem::new(Reason::Gap, detail)
    })
}

fn ended() -> Problem {
    Problem::new(Reason::SessionEnded, "The session has ended; it takes no more lines.")
}
