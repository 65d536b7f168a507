//! `POST /api/v1/dumps`: whole dumps become sessions. The body is a dump, gzip-compressed or not, or a form whose files are
//! dumps.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http_body_util::Limited;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use utoipa::ToSchema;

use super::openapi::Binary;
use super::pace::Pace;
use super::shorten;
use crate::access::{Claims, Refusal};
use crate::app::App;
use crate::problem::{Problem, ProblemDocument, Reason, Refused};
use crate::session::{self, ImportError, SessionId};

/// Files of one form.
const FILES: usize = 100;
/// HTTP/2 brings a megabyte at a time.
const LARGEST_PILE: usize = 2 << 20;

/// What became of dumps.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Uploaded {
    /// In the order in which they came.
    dumps: Vec<Taken>,
}

/// What became of a dump.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Taken {
    /// The session that it became.
    session: String,
    /// Lines that were taken.
    lines: u64,
    /// Lines that are none.
    left_out: u64,
    /// Why the dump was not read to its end.
    torn: Option<String>,
}

/// Takes dumps in as sessions
///
/// When this answers, they are in the spool, and on their way to the stores. The body is a dump, gzip-compressed or not, or a form whose files
/// are dumps, at most 100. Logs of Sora's hold many sessions, and are no dumps: `rtctrace import` takes them.
#[utoipa::path(
    post,
    path = "/api/v1/dumps",
    tag = "dumps",
    request_body(content((Binary = "application/octet-stream"), (Object = "multipart/form-data"))),
    responses(
        (status = 201, description = "They are taken.", body = Uploaded),
        (status = 408, description = "The body came too slowly.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "A dump is too large.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "A file is no dump.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The collector takes none at the moment.", body = ProblemDocument, content_type = "application/problem+json"),
        Refused,
    )
)]
pub(crate) async fn upload(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    let dumps = take_all(&app, request, None).await?;
    Ok((StatusCode::CREATED, Json(Uploaded { dumps })).into_response())
}

/// `POST` to `upload.path`: the same for clients of upstream's, with a client's token, and answered as upstream's server answers.
pub(crate) async fn upload_of_client(State(app): State<App>, request: Request) -> Result<Json<Value>, Problem> {
    let claims = app.access.admit(request.uri(), request.headers(), None).map_err(Refusal::problem)?;
    let taken = take_all(&app, request, Some(&claims)).await?;
    Ok(Json(json!({ "message": "Upload successful", "clientId": taken.first().map(|taken| &taken.session) })))
}

async fn take_all(app: &App, request: Request, claims: Option<&Claims>) -> Result<Vec<Taken>, Problem> {
    if app.registry.spool().is_full() {
        return Err(Problem::new(Reason::SpoolFull, "The spool is full; come back later."));
    }
    let Ok(_place) = app.uploads.try_acquire() else {
        let detail = "As many uploads are under way as `limits.uploads` allows; come back later.";
        return Err(Problem::new(Reason::TooManyUploads, detail));
    };
    let is_form = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_form = is_form.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"));
    let limit = usize::try_from(app.config.limits.upload_bytes.0).unwrap_or(usize::MAX);
    let mut pace = Pace::new(&app.config.limits);
    let request = request.map(|body| pace.watch(Body::new(Limited::new(body, limit))));
    if !is_form {
        return Ok(vec![take(app, request.into_body().into_data_stream(), &mut pace, None, claims).await?]);
    }
    let mut taken = Vec::new();
    let pile = Pile::default();
    let request = request.map(|body| pile.watch(body));
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|error| Problem::new(Reason::BadParameter, format!("The form cannot be read: {error}.")))?;
    while let Some(mut field) = pace.next(form.next_field()).await?.map_err(|error| broken(app, &error))? {
        pile.taken();
        let Some(name) = field.file_name().map(shorten) else {
            while pace.next(field.chunk()).await?.map_err(|error| broken(app, &error))?.is_some() {
                pile.taken();
            }
            continue;
        };
        if taken.len() >= FILES {
            return Err(Problem::new(Reason::TooLarge, format!("A form holds at most {FILES} dumps.")));
        }
        taken.push(take(app, field.inspect(|_| pile.taken()), &mut pace, Some(&name), claims).await?);
    }
    if taken.is_empty() {
        return Err(Problem::new(Reason::BadParameter, "The form holds no file."));
    }
    Ok(taken)
}

/// What a form's parser has read and nobody has been given yet. It keeps all that it gets until it finds the end of a part's head,
/// and looks for that from the beginning each time: so it does not get as much as its sender likes.
#[derive(Debug, Clone, Default)]
struct Pile(Arc<AtomicUsize>);

/// More lies on the pile than a head can have.
#[derive(Debug, thiserror::Error)]
#[error("the head of a part is too long")]
struct LongHead;

impl Pile {
    /// The body, as long as the pile is not too large.
    fn watch(&self, body: Body) -> Body {
        let pile = self.clone();
        Body::from_stream(body.into_data_stream().map(move |chunk| {
            let chunk = chunk?;
            if pile.0.fetch_add(chunk.len(), Ordering::Relaxed) > LARGEST_PILE {
                return Err(axum::Error::new(LongHead));
            }
            Ok(chunk)
        }))
    }

    /// Something of it was handed out.
    fn taken(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// One dump: first all of it to a file, so that one whose sender goes away half-way is none.
async fn take<E: std::error::Error + Send + Sync + 'static>(
    app: &App,
    content: impl Stream<Item = Result<Bytes, E>> + Unpin,
    pace: &mut Pace,
    name: Option<&str>,
    claims: Option<&Claims>,
) -> Result<Taken, Problem> {
    let folder = app.config.data_dir.join("import");
    tokio::fs::create_dir_all(&folder).await.map_err(Problem::internal)?;
    let file = Upload(folder.join(format!("{}.upload", SessionId::new())));
    receive(app, content, pace, &file).await?;
    let input = BufReader::new(File::open(&file.0).map_err(Problem::internal)?);
    let limit = app.config.limits.session_bytes;
    let called = name.map(|name| format!("`{name}`: ")).unwrap_or_default();
    match session::import(&app.registry, input, Some(limit.0), claims.cloned()).await {
        Ok(imported) => Ok(Taken {
            session: imported.session.to_string(),
            lines: imported.lines,
            left_out: imported.left_out,
            torn: imported.torn.map(|error| error.to_string()),
        }),
        Err(ImportError::Known(id)) => {
            Err(Problem::new(Reason::SessionEnded, format!("{called}the session {id} is here already.")))
        }
        Err(ImportError::OtherSession) => Err(Refusal::OtherSession.problem()),
        Err(ImportError::TooLong(_)) => {
            Err(Problem::new(Reason::SessionTooLong, format!("{called}the dump is longer than {limit} of text.")))
        }
        Err(error @ (ImportError::Dump(_) | ImportError::Empty | ImportError::SoraLog)) => {
            Err(Problem::new(Reason::BadDump, format!("{called}{error}.")))
        }
        Err(error @ ImportError::Store(_)) => Err(Problem::internal(anyhow::Error::from(error))),
    }
}

async fn receive<E: std::error::Error + Send + Sync + 'static>(
    app: &App,
    mut content: impl Stream<Item = Result<Bytes, E>> + Unpin,
    pace: &mut Pace,
    file: &Upload,
) -> Result<(), Problem> {
    let mut output = tokio::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file.0)
        .await
        .map_err(Problem::internal)?;
    while let Some(chunk) = pace.next(content.next()).await? {
        let chunk = chunk.map_err(|error| broken(app, &error))?;
        output.write_all(&chunk).await.map_err(Problem::internal)?;
    }
    output.flush().await.map_err(Problem::internal)
}

/// The body ended in an error: it is too long, or its sender is gone.
fn broken(app: &App, error: &(dyn std::error::Error + 'static)) -> Problem {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return Problem::new(
                Reason::UploadTooLong,
                format!("The upload is longer than {}.", app.config.limits.upload_bytes),
            );
        }
        if error.is::<LongHead>() {
            return Problem::new(Reason::TooLarge, "The form cannot be read: the head of a part is too long.");
        }
        cause = error.source();
    }
    Problem::new(Reason::BadParameter, format!("The upload cannot be read: {error}."))
}

/// A file that goes when it has been read.
struct Upload(PathBuf);

impl Drop for Upload {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.0.display(), "the file of an upload stays: {error}");
        }
    }
}
