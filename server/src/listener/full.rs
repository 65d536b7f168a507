//! What a connection hears for which there is no place: a short answer in the HTTP that it speaks, for so many at a time, and nobody waits
//! long for it.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Version, header};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::api::body::pass_over;
use crate::config::Size;
use crate::problem::{Problem, Reason};
use crate::telemetry;

/// So many are answered at one time; others are closed without a word.
const AT_A_TIME: usize = 64;
/// For the answer, and for the peer to read it.
const PATIENCE: Duration = Duration::from_secs(1);
/// As much as a peer may have asked for already.
const ASKED: Size = Size(16 * 1024);
/// What is told to who finds no place, in seconds.
const RETRY_AFTER: u64 = 10;
/// Requests of one such connection that are answered at one time.
const STREAMS: u32 = 16;

/// Answers connections that have no place.
#[derive(Debug, Clone)]
pub(super) struct Full {
    setting: &'static str,
    places: Arc<Semaphore>,
}

impl Full {
    /// Nobody is answered yet; `setting` says how many connections there may be.
    pub(super) fn new(setting: &'static str) -> Self {
        Self { setting, places: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// Closes a connection; one without TLS, which would cost more than the answer, hears why.
    pub(super) fn refuse(&self, stream: TcpStream, is_encrypted: bool) {
        telemetry::refused(Reason::TooManyConnections.name());
        if is_encrypted {
            return;
        }
        let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let setting = self.setting;
        tokio::spawn(async move {
            let _ = timeout(PATIENCE, answer(stream, setting)).await;
            drop(permit);
        });
    }
}

/// Answers what is asked first, and ends the connection.
async fn answer(stream: TcpStream, setting: &'static str) {
    let answered = Arc::new(Notify::new());
    let telling = Arc::clone(&answered);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let telling = Arc::clone(&telling);
        async move {
            let is_older = request.version() < Version::HTTP_2;
            // Closing a connection with unread input resets it, and the peer would never see the answer.
            pass_over(Body::new(request.into_body()), ASKED).await;
            telling.notify_one();
            Ok::<_, Infallible>(refusal(setting, is_older))
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(STREAMS);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = answered.notified() => {
            connection.as_mut().graceful_shutdown();
            connection.as_mut().await
        }
    };
    if let Err(error) = result {
        tracing::debug!("a connection without a place ended: {error}");
    }
}

fn refusal(setting: &str, is_older: bool) -> Response {
    let detail = format!("There are as many connections as `{setting}` allows; come back later.");
    let mut response = Problem::new(Reason::TooManyConnections, detail).retry_after(RETRY_AFTER).into_response();
    if is_older {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// What is heard by who says this.
    async fn heard(said: &[u8]) -> Vec<u8> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        peer.write_all(said).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        Full::new("sora.connections").refuse(stream, false);
        let mut heard = Vec::new();
        peer.read_to_end(&mut heard).await.unwrap();
        heard
    }

    #[tokio::test]
    async fn the_answer_is_a_problem_document() {
        let heard = heard(b"POST /collector HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc").await;
        let heard = String::from_utf8(heard).unwrap();
        let (head, body) = heard.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
        assert!(head.contains("retry-after: 10") && head.contains("connection: close"), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert!(body["detail"].as_str().unwrap().contains("sora.connections"));
        assert_eq!(body["type"], "urn:rtctrace:problem:too-many-connections");
    }

    #[tokio::test]
    async fn who_speaks_http2_is_answered_in_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        Full::new("sora.connections").refuse(accepted, false);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let body = http_body_util::Full::new(bytes::Bytes::from_static(b"{}"));
        let answer =
            sender.send_request(hyper::Request::post("http://sora/collector").body(body).unwrap()).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].as_bytes()), (503, &b"10"[..]));
        drop(answer);
        // It is told that it is over.
        connection.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_long_for_who_says_nothing() {
        assert!(heard(b"").await.is_empty());
    }
}
