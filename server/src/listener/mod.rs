//! The listener: HTTP/1.1, HTTP/2 (by ALPN with TLS, by prior knowledge without) and upgrades on one port, with limits on how
//! many peers connect and how long one may take to say what it wants and to hear the answer.

mod full;
mod patience;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tower::Service as _;

use crate::access::Access;
use crate::app::ClientAddress;
use crate::config::Limits;
use crate::problem::Reason;
use crate::telemetry;
use full::Full;
use patience::{Impatient, Requests};

pub(crate) use tls::Certificate;

/// HTTP/2 connections are asked for a sign of life so often.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Requests of one HTTP/2 connection at a time.
const STREAMS: u32 = 100;
/// After an error of `accept` (no file descriptors left), others are served first.
const PAUSE: Duration = Duration::from_millis(100);

/// A connection's place among the permitted ones. A WebSocket takes it over from the request that opened it.
#[derive(Debug, Clone)]
pub(crate) struct Place(#[expect(dead_code, reason = "held, not read")] Arc<OwnedSemaphorePermit>);

/// What all connections share.
#[derive(Clone)]
struct Terms {
    router: Router,
    access: Arc<Access>,
    tls: Option<TlsAcceptor>,
    header_time: Duration,
    idle_time: Duration,
}

/// Accepts connections and serves them.
pub(crate) struct Listener {
    listener: TcpListener,
    terms: Terms,
    graceful: GracefulShutdown,
    places: Arc<Semaphore>,
    limit: u32,
    full: Full,
}

impl Listener {
    /// Serves `router` within the limits.
    pub(crate) fn new(
        listener: TcpListener,
        router: Router,
        access: Arc<Access>,
        tls: Option<TlsAcceptor>,
        limits: &Limits,
    ) -> Self {
        let limit = u32::try_from(limits.sockets).unwrap_or(u32::MAX).max(1);
        let places = Arc::new(Semaphore::new(limit as usize));
        let terms = Terms { router, access, tls, header_time: limits.header_time.0, idle_time: limits.idle_time.0 };
        Self { listener, terms, graceful: GracefulShutdown::new(), places, limit, full: Full::new() }
    }

    /// Accepts until it is dropped.
    pub(crate) async fn accept(&self) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => match Arc::clone(&self.places).try_acquire_owned() {
                    Ok(permit) => {
                        let (terms, watcher) = (self.terms.clone(), self.graceful.watcher());
                        tokio::spawn(terms.serve(stream, peer, Place(Arc::new(permit)), watcher));
                    }
                    Err(_) => self.full.refuse(stream, self.terms.tls.is_some()),
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
}

impl Terms {
    async fn serve(self, stream: TcpStream, peer: SocketAddr, place: Place, watcher: Watcher) {
        let deadline = Instant::now() + self.header_time;
        // Acknowledgements are small and late enough already.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = self.tls.clone() else {
            return self.converse(stream, peer, place, watcher, deadline).await;
        };
        match timeout_at(deadline, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.converse(stream, peer, place, watcher, deadline).await,
            Ok(Err(error)) => tracing::debug!("a TLS handshake failed: {error}"),
            Err(_) => telemetry::refused(Reason::SlowHead.name()),
        }
    }

    async fn converse<S>(self, stream: S, peer: SocketAddr, place: Place, watcher: Watcher, deadline: Instant)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let requests = Requests::new();
        let idle = requests.idle(deadline.saturating_duration_since(Instant::now()), self.idle_time);
        let mut builder = Builder::new(TokioExecutor::new());
        // HTTP/1's own timeout begins only when it is clear that this is HTTP/1, and HTTP/2 has none: hence `idle`.
        let header_time = self.header_time.min(self.idle_time);
        builder.http1().timer(TokioTimer::new()).header_read_timeout(header_time);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(KEEP_ALIVE).max_concurrent_streams(STREAMS);
        let stream = TokioIo::new(Impatient::new(stream, self.idle_time));
        let of_requests = place.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            let under_way = requests.begin();
            let client = ClientAddress(self.access.client_address(peer.ip(), request.headers()));
            request.extensions_mut().insert(client);
            request.extensions_mut().insert(of_requests.clone());
            let answer = self.router.clone().call(request);
            async move { answer.await.map(|answer| answer.map(|body| under_way.until_sent(body))) }
        });
        let connection = builder.serve_connection_with_upgrades(stream, service).into_owned();
        tokio::select! {
            result = watcher.watch(connection) => match result {
                Ok(()) => {}
                Err(error) => {
                    if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout) {
                        telemetry::refused(Reason::SlowHead.name());
                    }
                    tracing::debug!("a connection ended: {error}");
                }
            },
            reason = idle => telemetry::refused(reason.name()),
        }
        drop(place);
    }
}

/// Serves one connection that came in another way than through a socket of the system.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) async fn converse<S>(stream: S, router: Router, access: Arc<Access>, limits: Limits)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ok(permit) = Arc::new(Semaphore::new(1)).try_acquire_owned() else { return };
    // Its end would be the end of the connection.
    let graceful = GracefulShutdown::new();
    let terms = Terms { router, access, tls: None, header_time: limits.header_time.0, idle_time: limits.idle_time.0 };
    let deadline = Instant::now() + terms.header_time;
    let peer = SocketAddr::from(([127, 0, 0, 1], 1));
    terms.converse(stream, peer, Place(Arc::new(permit)), graceful.watcher(), deadline).await;
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::timeout;

    use super::*;
    use crate::config::Config;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_asks_for_nothing_loses_its_place() {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let config = Arc::new(Config { data_dir: "/nowhere".into(), ..Config::default() });
        let patience = config.limits.header_time.0;
        let access = Arc::new(Access::open(&config).unwrap());
        let limits = Limits { sockets: 5, ..config.limits.clone() };
        let listener = Listener::new(tcp, Router::new(), access, None, &limits);
        let places = Arc::clone(&listener.places);
        tokio::spawn(async move { listener.accept().await });
        // Nothing; what both versions of HTTP may begin with; all of HTTP/2's preface and no request; a request and then none.
        for said in [
            "",
            "P",
            "PRI * HTTP/2.0",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        ] {
            let mut peer = TcpStream::connect(address).await.unwrap();
            peer.write_all(said.as_bytes()).await.unwrap();
            let mut heard = Vec::new();
            // It may be reset, too.
            let _ = timeout(patience * 2, peer.read_to_end(&mut heard)).await.expect(said);
        }
        let _all = timeout(patience, places.acquire_many(5)).await.expect("every place is free again");
    }
}
