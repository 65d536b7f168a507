//! The listener: HTTP/1.1, HTTP/2 without TLS (prior knowledge) and upgrades on one port, with limits on how many peers
//! connect and how long one may take to say what it wants.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service as _;

use crate::app::PeerAddress;
use crate::problem::Reason;
use crate::telemetry;

/// From the connection's start, or the last answer, to the end of the next request's headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// HTTP/2 connections are asked for a sign of life so often.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Requests of one HTTP/2 connection at a time.
const STREAMS: u32 = 100;
/// After an error of `accept` (no file descriptors left), others are served first.
const PAUSE: Duration = Duration::from_millis(100);

/// A connection's place among the permitted ones. A WebSocket takes it over from the request that opened it.
#[derive(Debug, Clone)]
pub(crate) struct Place(#[expect(dead_code, reason = "held, not read")] Arc<OwnedSemaphorePermit>);

/// Accepts connections and serves them.
pub(crate) struct Listener {
    listener: TcpListener,
    router: Router,
    graceful: GracefulShutdown,
    places: Arc<Semaphore>,
    limit: u32,
}

impl Listener {
    /// Serves `router` to at most `limit` connections at one time.
    pub(crate) fn new(listener: TcpListener, router: Router, limit: usize) -> Self {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX).max(1);
        let places = Arc::new(Semaphore::new(limit as usize));
        Self { listener, router, graceful: GracefulShutdown::new(), places, limit }
    }

    /// Accepts until it is dropped.
    pub(crate) async fn accept(&self) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => match Arc::clone(&self.places).try_acquire_owned() {
                    Ok(permit) => self.serve(stream, peer, Place(Arc::new(permit))),
                    Err(_) => telemetry::refused(Reason::Overloaded.name()),
                },
                Err(error) => {
                    tracing::warn!("a connection was not accepted: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Lets requests that are under way end, and waits for all connections, WebSockets too.
    pub(crate) async fn close(self) {
        drop(self.listener);
        self.graceful.shutdown().await;
        let _ = self.places.acquire_many(self.limit).await;
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr, place: Place) {
        // Acknowledgements are small and late enough already.
        let _ = stream.set_nodelay(true);
        let router = self.router.clone();
        let of_requests = place.clone();
        let asked = Arc::new(AtomicBool::new(false));
        let has_asked = Arc::clone(&asked);
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            asked.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(PeerAddress(peer));
            request.extensions_mut().insert(of_requests.clone());
            router.clone().call(request)
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(KEEP_ALIVE).max_concurrent_streams(STREAMS);
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            // HTTP/1's own timeout begins only when it is clear that this is HTTP/1, and HTTP/2 has none.
            let result = match tokio::time::timeout(HEADER_TIMEOUT, connection.as_mut()).await {
                Ok(result) => result,
                Err(_) if has_asked.load(Ordering::Relaxed) => connection.await,
                Err(_) => {
                    telemetry::refused(Reason::Idle.name());
                    Ok(())
                }
            };
            if let Err(error) = result {
                tracing::debug!("a connection ended: {error}");
            }
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_asks_for_nothing_loses_its_place() {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let listener = Listener::new(tcp, Router::new(), 4);
        let places = Arc::clone(&listener.places);
        tokio::spawn(async move { listener.accept().await });
        // Nothing; what both versions of HTTP may begin with; all of HTTP/2's preface and no request.
        for said in ["", "P", "PRI * HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"] {
            let mut peer = TcpStream::connect(address).await.unwrap();
            peer.write_all(said.as_bytes()).await.unwrap();
            let mut heard = Vec::new();
            // It may be reset, too.
            let _ = tokio::time::timeout(HEADER_TIMEOUT * 2, peer.read_to_end(&mut heard)).await.expect(said);
        }
        let _all =
            tokio::time::timeout(HEADER_TIMEOUT, places.acquire_many(4)).await.expect("every place is free again");
    }
}
