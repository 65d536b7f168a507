//! `GET /api/v1/sessions/{id}/lines`: the dump of a session that runs, and its further lines as they come.

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, Uri, header};
use futures_util::stream;

use super::followers::{Follower, Waited};
use super::parameters::{Parameters, bad};
use super::sessions::unknown;
use crate::app::App;
use crate::problem::{NoSession, Problem, ProblemDocument, Reason, Refused, TooManyFollowers};
use crate::session::{Handle, SessionId};
use crate::spool::{self, SpoolText};
use crate::store::sessions;

/// How much is read at a time.
const CHUNK: u64 = 64 * 1024;
/// Between two looks for further lines.
const LOOK: Duration = Duration::from_millis(250);

/// The dump of a session that runs, and its further lines as they come
///
/// Plain text, and the same as its dump; the answer ends with the session, when the collector stops, or when the token is not good any more. Who lost the connection goes on at the byte that he comes to next (`from`).
/// An answer that breaks off because the session was stored meanwhile has its rest in the dump. At most `limits.followers` streams are open.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/lines",
    tag = "sessions",
    params(
        ("id" = String, Path, description = "The session, a UUID."),
        ("from" = Option<u64>, Query, description = "How many bytes of the text are known already."),
    ),
    responses(
        (status = 200, description = "`RTCStatsDump`, format 3.", body = String, content_type = "application/x-ndjson"),
        Refused,
        TooManyFollowers,
        NoSession,
        (status = 409, description = "The session is stored, or runs in another collector.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn follow(
    State(app): State<App>,
    id: SessionId,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response<Body>, Problem> {
    let from = Parameters::of(&uri, &[&["from"]])?.parsed::<u64>("from", "a number of bytes")?.unwrap_or(0);
    let Some(handle) = app.registry.get(id).filter(|handle| handle.snapshot().lines > 0) else {
        let row = sessions::get(&app.stores.database, id).await.map_err(Problem::of_query)?;
        return Err(match row.ok_or_else(|| unknown(id))?.ended {
            true => Problem::new(Reason::SessionEnded, "The session is stored; its dump has all of it."),
            false => Problem::new(Reason::SessionRunning, "The session runs in another collector."),
        });
    };
    let length = handle.snapshot().spool_bytes;
    if from > length {
        return Err(bad(format!("from is {from}, and the session has {length} bytes.")));
    }
    let path = spool::path_of(&app.config.spool_dir(), id);
    let lines = Lines { follower: Follower::take(app, headers)?, handle, path, at: from, text: None };
    let body = stream::try_unfold(lines, |mut lines| async move {
        Ok::<_, io::Error>(lines.next().await?.map(|chunk| (chunk, lines)))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// Where somebody stands who follows a session.
struct Lines {
    follower: Follower,
    handle: Arc<Handle>,
    path: PathBuf,
    at: u64,
    /// Open from the first read on: a text that was stored meanwhile can still be read to its end.
    text: Option<SpoolText>,
}

impl Lines {
    /// What comes next; nothing once the session is over.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            // Its end is looked at first: what it has brought by then is all.
            let snapshot = self.handle.snapshot();
            let left = snapshot.spool_bytes.saturating_sub(self.at);
            if left > 0 {
                let chunk = self.read(left.min(CHUNK)).await?;
                self.at += chunk.len() as u64;
                return Ok(Some(chunk));
            }
            if snapshot.close_code.is_some() {
                return Ok(None);
            }
            match self.follower.wait(tokio::time::sleep(LOOK)).await {
                Waited::Over => return Ok(None),
                Waited::Came(()) | Waited::Sign => {}
            }
        }
    }

    async fn read(&mut self, length: u64) -> io::Result<Bytes> {
        let (text, path, at) = (self.text.take(), self.path.clone(), self.at);
        let read = tokio::task::spawn_blocking(move || {
            let mut text = text.map_or_else(|| SpoolText::open_at(&path, at), Ok)?;
            let mut chunk = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
            text.by_ref().take(length).read_to_end(&mut chunk)?;
            Ok::<_, io::Error>((chunk, text))
        });
        let (chunk, text) = read.await.map_err(io::Error::other)??;
        self.text = Some(text);
        if chunk.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the session was stored meanwhile"));
        }
        Ok(chunk.into())
    }
}
