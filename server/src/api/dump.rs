//! `GET /api/v1/sessions/{id}/dump`: the stored dump, or what the spool holds of a session that is not stored yet.

use std::io::Read;
use std::path::PathBuf;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, header};
use futures_util::stream;

use super::openapi::Binary;
use super::sessions::unknown;
use crate::app::App;
use crate::problem::{NoSession, Problem, Refused};
use crate::session::SessionId;
use crate::spool::{self, SpoolText};
use crate::store::sessions;

/// How much of a spool text is read at a time.
const CHUNK: usize = 64 * 1024;

/// The dump of a session
///
/// Of a session that is not stored yet, what was received so far.
#[utoipa::path(
    get,
    path = "/api/v1/sessions/{id}/dump",
    tag = "sessions",
    params(("id" = String, Path, description = "The session, a UUID.")),
    responses(
        (
            status = 200,
            description = "`RTCStatsDump`, format 3: gzip-compressed, or plain text of a session that is not stored yet.",
            content((Binary = "application/gzip"), (String = "application/x-ndjson")),
        ),
        Refused,
        NoSession,
    )
)]
pub(crate) async fn dump(State(app): State<App>, id: SessionId) -> Result<Response<Body>, Problem> {
    // The spool first: its file goes only after the dump is stored and the database says where.
    if let Some(handle) = app.registry.get(id) {
        let length = handle.snapshot().spool_bytes;
        let path = spool::path_of(&app.config.spool_dir(), id);
        if length > 0
            && let Ok(body) = whole_lines(path, length).await
        {
            return Ok(answer(body, "application/x-ndjson", format!("{id}.jsonl"), length));
        }
    }
    let row = sessions::get(&app.stores.database, id).await.map_err(Problem::of_query)?.ok_or_else(|| unknown(id))?;
    let Some(path) = row.dump_path else { return Err(no_dump(id)) };
    match app.stores.objects.get(&path.into()).await {
        Ok(object) => {
            let length = object.meta.size;
            Ok(answer(Body::from_stream(object.into_stream()), "application/gzip", format!("{id}.jsonl.gz"), length))
        }
        Err(object_store::Error::NotFound { .. }) => Err(no_dump(id)),
        Err(error) => Err(Problem::internal(error)),
    }
}

fn no_dump(id: SessionId) -> Problem {
    Problem::new(crate::problem::Reason::UnknownSession, format!("The dump of session {id} is gone."))
}

/// The first `length` bytes of a text that may be growing.
async fn whole_lines(path: PathBuf, length: u64) -> std::io::Result<Body> {
    // The first part before the answer begins: a text that has just gone, or is not there yet, is no answer.
    let open = tokio::task::spawn_blocking(move || {
        let mut text = SpoolText::open(&path)?.take(length);
        let first = chunk_of(&mut text)?;
        if first.len() as u64 != length.min(CHUNK as u64) {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
        }
        Ok((first, text))
    });
    let (first, text) = open.await.map_err(std::io::Error::other)??;
    Ok(Body::from_stream(stream::try_unfold((first, text), |(chunk, mut text)| async move {
        if chunk.is_empty() {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || Ok::<_, std::io::Error>((chunk_of(&mut text)?, text)));
        let next = read.await.map_err(std::io::Error::other)??;
        Ok::<_, std::io::Error>(Some((chunk, next)))
    })))
}

fn chunk_of(text: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut chunk = Vec::with_capacity(CHUNK);
    text.take(CHUNK as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

fn answer(body: Body, kind: &'static str, name: String, length: u64) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}
