//! The opening handshake of WebSockets (RFC 6455, section 4.2): the dialect is chosen before the upgrade, so that a client
//! that speaks none of them gets an HTTP answer that says so.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tracing::{Span, field};

use super::unfinished::Watched;
use super::{jitsi, rtcstats, socket, v1};
use crate::access::{Claims, Refusal, is_token};
use crate::api::shorten;
use crate::app::App;
use crate::listener::Place;
use crate::problem::{Problem, Reason};
use crate::session::{Dialect, SessionId};
use crate::telemetry::traces::TARGET;

/// What a socket reads at a time; it is held for as long as the socket lives.
const READ_BUFFER: usize = 2 * 1024;
/// Acknowledgements are small; a peer that does not read them is not waited for long.
const WRITE_BUFFER: usize = 64 * 1024;

/// What a socket will carry.
enum Opening {
    /// The lines of one session.
    Lines(socket::Opening),
    /// Messages of Jitsi's dialect.
    Messages(jitsi::Opening),
    /// Nothing: the client may not send.
    Refused(Refusal),
}

impl Opening {
    /// The session that the client asks for by our name for it. In other dialects it has another, and `session` in a token
    /// means something of the app's.
    fn session(&self) -> Option<SessionId> {
        match self {
            Self::Lines(opening) if opening.origin.dialect == Dialect::RtctraceV1 => Some(opening.session),
            _ => None,
        }
    }

    /// Spans the socket's life. Nothing is inside of it: to enter it for every frame would cost more than to take the frame in.
    fn span(&self, dialect: Dialect) -> Span {
        let span = tracing::info_span!(target: TARGET, "socket", dialect = dialect.name(), session = field::Empty);
        if let Some(session) = self.session() {
            span.record("session", field::display(session));
        }
        span
    }

    /// Whose session it will be.
    fn identify(&mut self, claims: Claims) {
        match self {
            Self::Lines(opening) => opening.origin.identify(claims),
            Self::Messages(opening) => opening.origin.identify(claims),
            Self::Refused(_) => {}
        }
    }
}

/// Whether a request asks for a WebSocket.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, header::UPGRADE, "websocket") && has_token(headers, header::CONNECTION, "upgrade")
}

/// Answers a request for a WebSocket, and serves it.
pub(crate) async fn upgrade(app: App, mut request: Request) -> Result<Response<Body>, Problem> {
    let key = check(&request)?;
    let dialect = dialect(request.headers())?;
    // Everything that can be wrong with the request is found before the upgrade; the rest has a close code.
    let mut opening = match dialect {
        Dialect::RtctraceV1 => Opening::Lines(v1::open(&app, &request)?),
        Dialect::Rtcstats5 => Opening::Lines(rtcstats::open(&app, &request)),
        jitsi => Opening::Messages(jitsi::open(&app, jitsi, &request)),
    };
    match app.access.admit(request.uri(), request.headers(), opening.session()) {
        Ok(claims) => opening.identify(claims),
        // A browser shows its page no answer but a close code.
        Err(refusal) => opening = Opening::Refused(refusal),
    }
    let place = request.extensions().get::<Place>().cloned();
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return Err(Problem::new(Reason::BadHandshake, "This connection cannot become a WebSocket; use HTTP/1.1."));
    };

    let limit = usize::try_from(app.config.limits.frame_bytes.0).unwrap_or(usize::MAX);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER)
        .max_message_size(Some(limit))
        .max_frame_size(Some(limit));
    // What opens a socket is gone once that is open, and what serves it has a box of its size: the task, which is there as long as the
    // socket, has next to nothing of its own.
    let opened = Box::pin(open(upgrade, config, app, opening, dialect));
    tokio::spawn(async move {
        if let Some((_span, serving)) = opened.await {
            serving.await;
        }
        drop(place);
    });

    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(dialect.name()));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    Ok(response)
}

type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes a socket of the connection, once it is free for that; says what serves it, and spans its life.
async fn open(
    upgrade: OnUpgrade,
    config: WebSocketConfig,
    app: App,
    opening: Opening,
    dialect: Dialect,
) -> Option<(Span, Serving)> {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => {
            tracing::debug!("a WebSocket did not open: {error}");
            return None;
        }
    };
    let io = Watched::new(TokioIo::new(upgraded), Arc::clone(&app.unfinished));
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    let span = opening.span(dialect);
    let serving: Serving = match opening {
        Opening::Lines(opening) => Box::pin(opening.serve(app, socket)),
        Opening::Messages(opening) => Box::pin(opening.serve(app, socket)),
        Opening::Refused(refusal) => Box::pin(socket::turn_away(socket, refusal)),
    };
    Some((span, serving))
}

/// The client's key, if the handshake is right.
fn check(request: &Request) -> Result<HeaderValue, Problem> {
    let wrong = |detail: &str| Problem::new(Reason::BadHandshake, detail);
    if request.method() != Method::GET || request.version() != Version::HTTP_11 {
        return Err(wrong("A WebSocket is opened by GET of HTTP/1.1."));
    }
    if request.headers().get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let problem = wrong("Sec-WebSocket-Version must be 13.");
        return Err(problem.with_header(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")));
    }
    request.headers().get(header::SEC_WEBSOCKET_KEY).cloned().ok_or_else(|| wrong("Sec-WebSocket-Key is missing."))
}

/// The first of the offered subprotocols that the collector speaks.
fn dialect(headers: &HeaderMap) -> Result<Dialect, Problem> {
    let offered = tokens(headers, header::SEC_WEBSOCKET_PROTOCOL).filter(|name| !is_token(name));
    let offered: Vec<&str> = offered.collect();
    offered.iter().find_map(|name| Dialect::of_protocol(name)).ok_or_else(|| {
        let known = Dialect::protocols();
        let offered = match offered.as_slice() {
            [] => "No subprotocol was offered".to_owned(),
            names => format!("The offered subprotocol is `{}`", shorten(&names.join(", "))),
        };
        Problem::new(Reason::UnknownSubprotocol, format!("{offered}; this collector speaks {known}."))
    })
}

fn tokens(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|token| !token.is_empty())
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|found| found.eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offering(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_first_known_dialect_is_spoken() {
        assert_eq!(dialect(&offering(&["rtctrace.v1"])).unwrap(), Dialect::RtctraceV1);
        assert_eq!(dialect(&offering(&["9.9_FUTURE, rtcstats#5.0"])).unwrap(), Dialect::Rtcstats5);
        assert_eq!(dialect(&offering(&["9.9_FUTURE", "rtcstats#5.0"])).unwrap(), Dialect::Rtcstats5);
        assert!(dialect(&offering(&[])).is_err());
        assert!(dialect(&offering(&["rtctrace.v2"])).is_err());
        assert!(dialect(&offering(&["sora"])).is_err(), "it has no sockets");
    }
}
