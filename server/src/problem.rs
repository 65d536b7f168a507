//! Errors as the HTTP surface tells them: problem documents (RFC 9457), each counted under its reason.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::store::database::is_out_of_time;
use crate::telemetry;

/// Why a request is refused. The name is the end of the problem's `type` and the label of its counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// No such path.
    UnknownPath,
    /// The path exists, but not for this method.
    MethodNotAllowed,
    /// The path takes newer versions of HTTP only.
    HttpVersion,
    /// A parameter is missing or cannot be read.
    BadParameter,
    /// The session id is no UUID.
    BadSessionId,
    /// No kind of stats, or table of features, has this name.
    UnknownKind,
    /// No session has this id.
    UnknownSession,
    /// The session has ended.
    SessionEnded,
    /// The session has not ended.
    SessionRunning,
    /// The WebSocket handshake is wrong.
    BadHandshake,
    /// The client offered no subprotocol, or none that the collector speaks.
    UnknownSubprotocol,
    /// Lines do not continue where the session stands.
    Gap,
    /// A line is not what a line must be.
    BadLine,
    /// A request of Sora's does not validate.
    BadRequest,
    /// A file is no dump.
    BadDump,
    /// A body over its limit.
    TooLarge,
    /// A line over `limits.line_bytes`.
    LineTooLong,
    /// A message over `limits.frame_bytes`.
    FrameTooLong,
    /// An upload over `limits.upload_bytes`.
    UploadTooLong,
    /// A session, or a dump of one, over `limits.session_bytes`.
    SessionTooLong,
    /// A session over `limits.session_age`.
    SessionTooOld,
    /// A token is missing or not good.
    Unauthorized,
    /// The token is good, but not for this.
    Forbidden,
    /// Pages of this origin may not record.
    OriginRefused,
    /// A peer of no network that may connect.
    SourceRefused,
    /// As many sessions from one address as `limits.sessions_per_address`.
    AddressLimit,
    /// As many sessions as `limits.sessions`.
    TooManySessions,
    /// As many connections as `limits.sockets`.
    TooManyConnections,
    /// As many requests under way as `sora.requests`, or as many bytes of them as `sora.request_bytes`.
    TooManyRequests,
    /// As many uploads as `limits.uploads`.
    TooManyUploads,
    /// As many exports as `limits.exports`.
    TooManyExports,
    /// As many streams that go on as `limits.followers`.
    TooManyFollowers,
    /// Messages that have not ended hold `limits.unfinished_bytes`.
    TooMuchUnfinished,
    /// A session over its rate that cannot be read more slowly.
    TooFast,
    /// The spool holds `spool.max_bytes`.
    SpoolFull,
    /// A store cannot be used, or cannot be asked; come back later.
    Overloaded,
    /// A newer socket speaks for the session.
    Replaced,
    /// The socket was silent for longer than `session.idle_timeout`.
    Idle,
    /// A connection without a request for longer than `limits.idle_time`.
    IdleConnection,
    /// A TLS handshake that failed: of a peer without a certificate that is asked for, or of one that speaks something else.
    TlsHandshake,
    /// The head of a request, or a TLS handshake, that took longer than `limits.header_time`.
    SlowHead,
    /// A body that did not arrive in time.
    SlowBody,
    /// A message that took longer than `limits.idle_time`.
    SlowMessage,
    /// A peer that took nothing of what was sent to it for `limits.idle_time`.
    SlowReader,
    /// An upload goes on too slowly, or not at all.
    SlowUpload,
    /// The database took longer for a query than `limits.query_time`.
    SlowQuery,
    /// The binary was built without the asked part.
    NotBuiltIn,
    /// Something broke here.
    Internal,
}

impl Reason {
    /// The counter's label.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UnknownPath => "unknown_path",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::HttpVersion => "http_version",
            Self::BadParameter => "bad_parameter",
            Self::BadSessionId => "bad_session_id",
            Self::UnknownKind => "unknown_kind",
            Self::UnknownSession => "unknown_session",
            Self::SessionEnded => "session_ended",
            Self::SessionRunning => "session_running",
            Self::BadHandshake => "bad_handshake",
            Self::UnknownSubprotocol => "unknown_subprotocol",
            Self::Gap => "gap",
            Self::BadLine => "bad_line",
            Self::BadRequest => "bad_request",
            Self::BadDump => "bad_dump",
            Self::TooLarge => "too_large",
            Self::LineTooLong => "line_too_long",
            Self::FrameTooLong => "frame_too_long",
            Self::UploadTooLong => "upload_too_long",
            Self::SessionTooLong => "session_too_long",
            Self::SessionTooOld => "session_too_old",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::OriginRefused => "origin_refused",
            Self::SourceRefused => "source_refused",
            Self::AddressLimit => "address_limit",
            Self::TooManySessions => "too_many_sessions",
            Self::TooManyConnections => "too_many_connections",
            Self::TooManyRequests => "too_many_requests",
            Self::TooManyUploads => "too_many_uploads",
            Self::TooManyExports => "too_many_exports",
            Self::TooManyFollowers => "too_many_followers",
            Self::TooMuchUnfinished => "too_much_unfinished",
            Self::TooFast => "too_fast",
            Self::SpoolFull => "spool_full",
            Self::Overloaded => "overloaded",
            Self::Replaced => "replaced",
            Self::Idle => "idle",
            Self::IdleConnection => "idle_connection",
            Self::TlsHandshake => "tls_handshake",
            Self::SlowHead => "slow_head",
            Self::SlowBody => "slow_body",
            Self::SlowMessage => "slow_message",
            Self::SlowReader => "slow_reader",
            Self::SlowUpload => "slow_upload",
            Self::SlowQuery => "slow_query",
            Self::NotBuiltIn => "not_built_in",
            Self::Internal => "internal",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::UnknownPath | Self::UnknownKind | Self::UnknownSession | Self::NotBuiltIn => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::HttpVersion
            | Self::TlsHandshake
            | Self::BadParameter
            | Self::BadSessionId
            | Self::BadHandshake
            | Self::UnknownSubprotocol
            | Self::BadLine
            | Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::SessionEnded | Self::SessionRunning | Self::Gap | Self::Replaced => StatusCode::CONFLICT,
            Self::BadDump => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge
            | Self::LineTooLong
            | Self::FrameTooLong
            | Self::UploadTooLong
            | Self::SessionTooLong
            | Self::SessionTooOld => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::OriginRefused | Self::SourceRefused => StatusCode::FORBIDDEN,
            Self::AddressLimit => StatusCode::TOO_MANY_REQUESTS,
            Self::TooManySessions
            | Self::TooManyConnections
            | Self::TooManyRequests
            | Self::TooManyUploads
            | Self::TooManyExports
            | Self::TooManyFollowers
            | Self::TooMuchUnfinished
            | Self::TooFast
            | Self::SpoolFull
            | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::Idle
            | Self::IdleConnection
            | Self::SlowHead
            | Self::SlowBody
            | Self::SlowMessage
            | Self::SlowReader
            | Self::SlowUpload => StatusCode::REQUEST_TIMEOUT,
            Self::SlowQuery => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::UnknownPath => "Unknown path",
            Self::MethodNotAllowed => "Method not allowed",
            Self::HttpVersion => "Other version of HTTP",
            Self::BadParameter => "Bad parameter",
            Self::BadSessionId => "Bad session id",
            Self::UnknownKind => "Unknown kind",
            Self::UnknownSession => "Unknown session",
            Self::SessionEnded => "Session already ended",
            Self::SessionRunning => "Session still running",
            Self::BadHandshake => "Bad WebSocket handshake",
            Self::UnknownSubprotocol => "Unknown subprotocol",
            Self::Gap => "Lines are missing",
            Self::BadLine => "Bad line",
            Self::BadRequest => "Bad request",
            Self::BadDump => "No dump",
            Self::TooLarge => "Too large",
            Self::LineTooLong => "Line too long",
            Self::FrameTooLong => "Message too long",
            Self::UploadTooLong => "Upload too long",
            Self::SessionTooLong => "Session too long",
            Self::SessionTooOld => "Session too old",
            Self::Unauthorized => "Not authorized",
            Self::Forbidden => "Not allowed",
            Self::OriginRefused => "Origin not allowed",
            Self::SourceRefused => "Network not allowed",
            Self::AddressLimit => "Too many sessions from one address",
            Self::TooManySessions => "Too many sessions",
            Self::TooManyConnections => "Too many connections",
            Self::TooManyRequests => "Too many requests",
            Self::TooManyUploads => "Too many uploads",
            Self::TooManyExports => "Too many exports",
            Self::TooManyFollowers => "Too many followers",
            Self::TooMuchUnfinished => "Too much unfinished",
            Self::TooFast => "Too fast",
            Self::SpoolFull => "Spool full",
            Self::Overloaded => "Overloaded",
            Self::Replaced => "Replaced by a newer socket",
            Self::Idle => "Silent for too long",
            Self::IdleConnection => "Connection idle for too long",
            Self::TlsHandshake => "TLS handshake failed",
            Self::SlowHead => "Request too slow",
            Self::SlowBody => "Body too slow",
            Self::SlowMessage => "Message too slow",
            Self::SlowReader => "Reader too slow",
            Self::SlowUpload => "Upload too slow",
            Self::SlowQuery => "Query too slow",
            Self::NotBuiltIn => "Not part of this build",
            Self::Internal => "Internal error",
        }
    }
}

/// An error of the HTTP surface.
#[derive(Debug)]
pub(crate) struct Problem {
    reason: Reason,
    detail: String,
    field: Option<Box<str>>,
    header: Option<(header::HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem; `detail` says what is wrong and what to do.
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), field: None, header: None }
    }

    /// An error of our own: the log says what happened, the client only that something did.
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!("a request failed: {error:#}");
        Self::new(Reason::Internal, "The collector could not answer; its log says why.")
    }

    /// The database did not answer.
    pub(crate) fn of_query(error: sqlx::Error) -> Self {
        if is_out_of_time(&error) {
            let detail =
                "The database would take longer than `limits.query_time`; narrow the request, or come back later.";
            return Self::new(Reason::SlowQuery, detail);
        }
        Self::internal(error)
    }

    /// Why.
    pub(crate) fn reason(&self) -> Reason {
        self.reason
    }

    /// Names the member of the request that is wrong.
    pub(crate) fn with_field(mut self, field: impl Into<Box<str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same, with when to come again, in seconds.
    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Adds a header that the status asks for (`Allow`, `Upgrade`).
    pub(crate) fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }
}

/// A problem as it is told (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDocument {
    /// Names the kind of problem; it does not change.
    #[serde(rename = "type")]
    #[schema(example = "urn:rtctrace:problem:bad-parameter")]
    kind: String,
    /// The same for people.
    title: &'static str,
    /// The answer's status.
    status: u16,
    /// What is wrong here, and what to do.
    detail: String,
    /// The member of the body, or the header, that is wrong, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

/// What every route of the API may answer instead.
#[derive(IntoResponses)]
#[allow(dead_code)] // For the document.
pub(crate) enum Refused {
    /// A parameter, or the id in the path, cannot be read.
    #[response(status = 400, content_type = "application/problem+json")]
    BadParameter(ProblemDocument),
    /// A token is missing or not known.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemDocument),
    /// The token lacks the scope.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemDocument),
    /// Something broke in the collector.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemDocument),
    /// The database would take longer than `limits.query_time`.
    #[response(status = 504, content_type = "application/problem+json")]
    SlowQuery(ProblemDocument),
}

/// As many exports are under way as there may be.
#[derive(IntoResponses)]
#[response(status = 503, content_type = "application/problem+json")]
#[allow(dead_code)] // For the document.
pub(crate) struct TooManyExports(ProblemDocument);

/// As many streams that go on are open as there may be.
#[derive(IntoResponses)]
#[response(status = 503, content_type = "application/problem+json")]
#[allow(dead_code)] // For the document.
pub(crate) struct TooManyFollowers(ProblemDocument);

/// There is no such session.
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
#[allow(dead_code)] // For the document.
pub(crate) struct NoSession(ProblemDocument);

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        telemetry::refused(self.reason.name());
        let status = self.reason.status();
        let document = ProblemDocument {
            kind: format!("urn:rtctrace:problem:{}", self.reason.name().replace('_', "-")),
            title: self.reason.title(),
            status: status.as_u16(),
            detail: self.detail,
            field: self.field.map(String::from),
        };
        let mut response = Response::new(Body::from(serde_json::to_vec(&document).unwrap_or_default()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
        response
    }
}
