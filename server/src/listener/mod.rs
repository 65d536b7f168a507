//! The listeners: HTTP/1.1, HTTP/2 (by ALPN with TLS, by prior knowledge without) and upgrades on one port, with limits on how
//! many peers connect and how long one may take to say what it wants and to hear the answer. One takes all, and `sora.rs` has
//! another one for what Sora sends.

mod full;
mod in_flight;
mod patience;
mod sora;
mod tls;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::http::Version;
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};
use tower::Service as _;

use crate::access::{Access, Sources};
use crate::app::ClientAddress;
use crate::config::{Config, Limits, Sora};
use crate::problem::{Problem, Reason};
use crate::telemetry;
use full::Full;
use patience::{Impatient, Requests};

pub(crate) use in_flight::Taken;
pub(crate) use sora::SoraListener;
pub(crate) use tls::{Files as TlsFiles, Tls};

/// HTTP/2 connections are asked for a sign of life so often.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// Requests of one HTTP/2 connection at a time.
const STREAMS: u32 = 100;
/// After an error of `accept` (no file descriptors left), others are served first.
const PAUSE: Duration = Duration::from_millis(100);
/// A connection that is idle is told that it ends: a request that is on its way then is still answered.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A connection's place among the permitted ones. A WebSocket takes it over from the request that opened it.
#[derive(Debug, Clone)]
pub(crate) struct Place(#[expect(dead_code, reason = "held, not read")] Arc<OwnedSemaphorePermit>);

/// Whom a listener takes, how many of them, and how long it waits for them.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// Networks that may connect, or that a proxy may ask for.
    sources: Sources,
    /// Connections at one time.
    connections: usize,
    /// The setting that says so.
    setting: &'static str,
    /// From a connection's start to the end of its first request's head.
    header_time: Duration,
    /// In HTTP/1, from an answer to the end of the next request's head.
    next_time: Duration,
    /// How long a connection may be without a request, and its peer without reading.
    idle_time: Duration,
    /// Counts a connection while it is open.
    count: fn() -> Option<telemetry::Counted>,
}

impl Rules {
    /// Those of the listener that takes all.
    pub(crate) fn of_all(limits: &Limits) -> Self {
        Self {
            sources: Sources::default(),
            connections: limits.sockets,
            setting: "limits.sockets",
            header_time: limits.header_time.0,
            next_time: limits.header_time.0.min(limits.idle_time.0),
            idle_time: limits.idle_time.0,
            count: || None,
        }
    }

    fn of_sora(sora: &Sora, limits: &Limits, sources: Sources) -> Self {
        Self {
            sources,
            connections: sora.connections,
            setting: "sora.connections",
            header_time: limits.header_time.0,
            // Who is idle is told so before.
            next_time: sora.keep_open.0.saturating_add(limits.header_time.0),
            idle_time: sora.keep_open.0,
            count: || Some(telemetry::Counted::sora_connection()),
        }
    }
}

/// What all connections share.
#[derive(Clone)]
struct Terms {
    router: Router,
    access: Arc<Access>,
    tls: Option<Tls>,
    rules: Arc<Rules>,
    closing: watch::Receiver<bool>,
}

/// Accepts connections and serves them.
pub(crate) struct Listener {
    listener: TcpListener,
    terms: Terms,
    close: watch::Sender<bool>,
    places: Arc<Semaphore>,
    limit: u32,
    full: Full,
}

impl Listener {
    /// Serves `router` by the rules.
    pub(crate) fn new(
        listener: TcpListener,
        router: Router,
        access: Arc<Access>,
        tls: Option<Tls>,
        rules: Rules,
    ) -> Self {
        let limit = u32::try_from(rules.connections).unwrap_or(u32::MAX).max(1);
        let places = Arc::new(Semaphore::new(limit as usize));
        let full = Full::new(rules.setting);
        let (close, closing) = watch::channel(false);
        let terms = Terms { router, access, tls, rules: Arc::new(rules), closing };
        Self { listener, terms, close, places, limit, full }
    }

    /// Accepts until it is dropped.
    pub(crate) async fn accept(&self) {
        loop {
            match self.listener.accept().await {
                Ok((_, peer)) if !self.terms.is_welcome(peer.ip()) => {
                    telemetry::refused(Reason::SourceRefused.name());
                    tracing::debug!(peer = %peer.ip(), "a connection from a network that may not connect");
                }
                Ok((stream, peer)) => match Arc::clone(&self.places).try_acquire_owned() {
                    Ok(permit) => {
                        tokio::spawn(self.terms.clone().serve(stream, peer, Place(Arc::new(permit))));
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
        self.close.send_replace(true);
        let _ = self.places.acquire_many(self.limit).await;
    }
}

/// Which version of HTTP a connection is of.
#[derive(Debug, Clone, Copy)]
enum Spoken {
    /// The one that it begins with: there is no TLS to agree upon one.
    Either,
    /// HTTP/1.1.
    Older,
    /// HTTP/2.
    Newer,
}

impl Spoken {
    /// Whether a request is of it.
    fn is(self, version: Version) -> bool {
        match self {
            Self::Either => true,
            Self::Older => version < Version::HTTP_2,
            Self::Newer => version == Version::HTTP_2,
        }
    }
}

impl Terms {
    /// Whether a peer may connect. A proxy may: for whom it asks is seen with each request.
    fn is_welcome(&self, peer: IpAddr) -> bool {
        self.rules.sources.allow(peer) || self.access.is_proxy(peer)
    }

    async fn serve(self, stream: TcpStream, peer: SocketAddr, place: Place) {
        let deadline = Instant::now() + self.rules.header_time;
        // Acknowledgements are small and late enough already.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else { return self.converse(stream, peer, place, deadline, Spoken::Either).await };
        match timeout_at(deadline, tls.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => {
                // What was not agreed upon is HTTP/1.1 (RFC 9113, section 3.3).
                let is_newer = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let spoken = if is_newer { Spoken::Newer } else { Spoken::Older };
                self.converse(stream, peer, place, deadline, spoken).await;
            }
            Ok(Err(error)) => {
                telemetry::refused(Reason::TlsHandshake.name());
                tracing::debug!(peer = %peer.ip(), "a TLS handshake failed: {error}");
            }
            Err(_) => telemetry::refused(Reason::SlowHead.name()),
        }
    }

    async fn converse<S>(self, stream: S, peer: SocketAddr, place: Place, deadline: Instant, spoken: Spoken)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let rules = Arc::clone(&self.rules);
        let counted = (rules.count)();
        let requests = Requests::new();
        let idle = requests.idle(deadline.saturating_duration_since(Instant::now()), rules.idle_time);
        let mut builder = Builder::new(TokioExecutor::new());
        // HTTP/1's own timeout begins only when it is clear that this is HTTP/1, and HTTP/2 has none: hence `idle`.
        builder.http1().timer(TokioTimer::new()).header_read_timeout(rules.next_time);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(KEEP_ALIVE).max_concurrent_streams(STREAMS);
        let stream = TokioIo::new(Impatient::new(stream, rules.idle_time));
        let of_requests = place.clone();
        // Its sender goes with the listener, which is the end, too.
        let mut closing = self.closing.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            let under_way = requests.begin();
            let client = self.access.client_address(peer.ip(), request.headers());
            request.extensions_mut().insert(ClientAddress(client));
            request.extensions_mut().insert(of_requests.clone());
            let refused = if !spoken.is(request.version()) {
                Some(another_version())
            } else if !self.rules.sources.allow(client) {
                Some(elsewhere())
            } else {
                None
            };
            let answer = refused.map_or_else(|| Ok(self.router.clone().call(request)), Err);
            async move {
                let answer = match answer {
                    Ok(answer) => answer.await?,
                    Err(problem) => problem.into_response(),
                };
                Ok::<_, Infallible>(answer.map(|body| under_way.until_sent(body)))
            }
        });
        let mut connection = pin!(builder.serve_connection_with_upgrades(stream, service).into_owned());
        let result = tokio::select! {
            result = connection.as_mut() => result,
            reason = idle => {
                telemetry::refused(reason.name());
                if reason == Reason::SlowHead {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                timeout(LAST_WORDS, connection.as_mut()).await.unwrap_or(Ok(()))
            }
            () = async { drop(closing.wait_for(|closing| *closing).await) } => {
                connection.as_mut().graceful_shutdown();
                connection.as_mut().await
            }
        };
        if let Err(error) = result {
            if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout) {
                telemetry::refused(Reason::SlowHead.name());
            }
            tracing::debug!("a connection ended: {error}");
        }
        drop((place, counted));
    }
}

fn another_version() -> Problem {
    Problem::new(Reason::HttpVersion, "This is another version of HTTP than the one that TLS agreed upon (ALPN).")
}

fn elsewhere() -> Problem {
    Problem::new(Reason::SourceRefused, "Requests are not taken from the network that this one comes from.")
}

/// The addresses that a setting names.
pub(crate) async fn resolve(setting: &str, listen: &str, example: &str) -> anyhow::Result<Vec<SocketAddr>> {
    let found = lookup_host(listen).await;
    let addresses =
        found.with_context(|| format!("{setting} is `{listen}`; it is an address and a port, such as {example}"))?;
    Ok(addresses.collect())
}

/// Binds the listener that takes all, if the settings may open it there. Returns where that is, too.
pub(crate) async fn bind(config: &Config, access: &Access) -> anyhow::Result<(TcpListener, Vec<SocketAddr>)> {
    let listen = &config.listen;
    let addresses = resolve("listen", listen, "127.0.0.1:8080").await?;
    access.check_addresses(config, &addresses)?;
    let listener =
        TcpListener::bind(addresses.as_slice()).await.with_context(|| format!("cannot listen on {listen}"))?;
    Ok((listener, addresses))
}

/// Serves one connection that came in another way than through a socket of the system.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) async fn converse<S>(stream: S, router: Router, access: Arc<Access>, limits: Limits)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Ok(permit) = Arc::new(Semaphore::new(1)).try_acquire_owned() else { return };
    // Its end would be the end of the connection.
    let (_open, closing) = watch::channel(false);
    let terms = Terms { router, access, tls: None, rules: Arc::new(Rules::of_all(&limits)), closing };
    let deadline = Instant::now() + terms.rules.header_time;
    let peer = SocketAddr::from(([127, 0, 0, 1], 1));
    terms.converse(stream, peer, Place(Arc::new(permit)), deadline, Spoken::Either).await;
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
        let listener = Listener::new(tcp, Router::new(), access, None, Rules::of_all(&limits));
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
