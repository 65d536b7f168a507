//! The listener for the SFU Sora: who may connect, what stands before its routes, and what they are.

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::Version;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;

use super::in_flight::{InFlight, Taken};
use super::tls::{Files, Tls};
use super::{Listener, Rules, resolve};
use crate::access::{Reload, SoraAccess};
use crate::app::App;
use crate::config::Config;
use crate::ingest;
use crate::problem::{Problem, Reason};
use crate::telemetry;

/// The exporter of Sora's older versions speaks HTTP/2 and nothing else: who sends otherwise is not it.
const EXPORTER: &str = "/collector";
/// Health is told to anybody who may connect, and at any time.
const HEALTH: &str = "/.ok";

/// The listener, bound and not yet served.
#[derive(Debug)]
pub(crate) struct SoraListener {
    listener: TcpListener,
    access: SoraAccess,
    tls: Option<Tls>,
}

/// What a request passes before it is looked at.
#[derive(Debug)]
struct Door {
    access: SoraAccess,
    in_flight: InFlight,
}

impl SoraListener {
    /// Binds it where the settings say and may; `None` if they name no address.
    pub(crate) async fn bind(config: &Arc<Config>) -> anyhow::Result<Option<Self>> {
        let Some(listen) = config.sora.address() else { return Ok(None) };
        let access = SoraAccess::open(config)?;
        let tls = Tls::open(Files::of_sora(&config.sora.tls))?;
        let addresses = resolve("sora.listen", &listen, "127.0.0.1:5890").await?;
        access.check_addresses(config, &addresses)?;
        let listener = TcpListener::bind(addresses.as_slice()).await;
        let listener = listener.with_context(|| format!("cannot listen for Sora on {listen}"))?;
        Ok(Some(Self { listener, access, tls }))
    }

    /// What is to be read anew when its files change.
    pub(crate) fn watched(&self) -> impl Iterator<Item = Arc<dyn Reload>> + use<> {
        self.access.watched().into_iter().chain(self.tls.as_ref().map(Tls::watched))
    }

    /// Where it is.
    pub(crate) fn url(&self) -> anyhow::Result<String> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let address = self.listener.local_addr().context("the listener for Sora has no address")?;
        Ok(format!("{scheme}://{address}/"))
    }

    /// Serves what Sora asks for.
    pub(crate) fn serve(self, app: App) -> Listener {
        let Self { listener, access, tls } = self;
        let rules = Rules::of_sora(&app.config.sora, &app.config.limits, access.sources());
        let everybody = Arc::clone(&app.access);
        let in_flight = InFlight::new(&app.config.sora);
        let router = guarded(ingest::sora::router(app), Door { access, in_flight });
        Listener::new(listener, router, everybody, tls, rules)
    }
}

fn guarded(router: Router, door: Door) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(door), admit))
}

/// Lets a request through that shows the token, if there is room for it.
async fn admit(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    if request.uri().path() == HEALTH {
        return next.run(request).await;
    }
    let answer = match passed(&door, &request) {
        Ok(taken) => {
            let taken = Arc::new(taken);
            request.extensions_mut().insert(Arc::clone(&taken));
            let answer = next.run(request).await;
            drop(taken);
            answer
        }
        Err(problem) => {
            door.in_flight.pass_over(request.into_body()).await;
            problem.into_response()
        }
    };
    telemetry::sora_answered(answer.status().as_u16());
    answer
}

/// The room of a request that may be looked at.
fn passed(door: &Door, request: &Request) -> Result<Taken, Problem> {
    door.access.admit(request.headers())?;
    if request.uri().path() == EXPORTER && request.version() != Version::HTTP_2 {
        let detail = format!("{EXPORTER} takes HTTP/2 only: by ALPN with TLS, by prior knowledge without.");
        return Err(Problem::new(Reason::HttpVersion, detail));
    }
    door.in_flight.take(request.body())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::net::SocketAddr;
    use std::time::Duration;

    use axum::body::Bytes;
    use axum::http::{HeaderMap, StatusCode, header};
    use axum::routing::post;
    use futures_util::stream;
    use http_body_util::combinators::UnsyncBoxBody;
    use http_body_util::{BodyExt as _, Full, StreamBody};
    use hyper::body::Frame;
    use hyper::client::conn::{http1, http2};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::net::TcpStream;
    use tokio::sync::mpsc;

    use super::*;
    use crate::access::Access;
    use crate::config::{Size, Sora, Span};

    type Body = UnsyncBoxBody<Bytes, Infallible>;

    /// Serves a path that reads its bodies, within the limits.
    async fn serve(sora: Sora) -> SocketAddr {
        let config = Arc::new(Config { data_dir: "/nowhere".into(), sora, ..Config::default() });
        let access = SoraAccess::open(&config).unwrap();
        let rules = Rules::of_sora(&config.sora, &config.limits, access.sources());
        let door = Door { access, in_flight: InFlight::new(&config.sora) };
        let router = Router::new().route("/", post(|body: Bytes| async move { body.len().to_string() }));
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let everybody = Arc::new(Access::open(&config).unwrap());
        let listener = Listener::new(tcp, guarded(router, door), everybody, None, rules);
        tokio::spawn(async move { listener.accept().await });
        address
    }

    fn request(body: Body) -> hyper::Request<Body> {
        hyper::Request::post("http://sora/").body(body).unwrap()
    }

    fn whole(length: usize) -> hyper::Request<Body> {
        request(Full::new(Bytes::from(vec![b'x'; length])).boxed_unsync())
    }

    /// A body that goes on until its other end is dropped.
    fn open() -> (mpsc::UnboundedSender<Bytes>, hyper::Request<Body>) {
        let (parts, received) = mpsc::unbounded_channel();
        let stream = stream::unfold(received, |mut received| async move {
            let part = received.recv().await?;
            Some((Ok::<_, Infallible>(Frame::data(part)), received))
        });
        (parts, request(StreamBody::new(stream).boxed_unsync()))
    }

    async fn read(answer: hyper::Response<hyper::body::Incoming>) -> (StatusCode, HeaderMap, String) {
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn newer(address: SocketAddr) -> http2::SendRequest<Body> {
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    #[tokio::test]
    async fn who_finds_no_room_is_asked_to_come_back_and_its_connection_goes_on() {
        let sora =
            |requests, request_bytes| Sora { requests, request_bytes, body_bytes: Size(4 << 10), ..Sora::default() };
        for (sora, limit) in
            [(sora(2, Size(64 << 10)), "sora.requests"), (sora(10, Size(10 << 10)), "sora.request_bytes")]
        {
            let address = serve(sora).await;
            let mut two = newer(address).await;
            // Their length is not told: each counts as the longest.
            let ((parts, first), (others, second)) = (open(), open());
            let first = tokio::spawn(two.send_request(first));
            let second = tokio::spawn(two.send_request(second));
            parts.send(Bytes::from_static(b"abc")).unwrap();
            // More often than a connection may have had errors.
            let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
            let (mut one, connection) = http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            until_refused(&mut two).await;
            for turn in 0..1200 {
                let answer = match turn % 2 {
                    0 => two.send_request(whole(3000)).await,
                    _ => one.send_request(whole(3000)).await,
                };
                let (status, headers, body) = read(answer.unwrap()).await;
                assert_eq!(
                    (status, headers[header::RETRY_AFTER].as_bytes()),
                    (StatusCode::SERVICE_UNAVAILABLE, &b"1"[..])
                );
                assert!(body.contains("too-many-requests") && body.contains(limit), "{body}");
                one.ready().await.unwrap();
            }
            drop(parts);
            assert_eq!(read(first.await.unwrap().unwrap()).await.2, "3");
            assert_eq!(read(two.send_request(whole(2000)).await.unwrap()).await.2, "2000");
            assert_eq!(read(one.send_request(whole(2000)).await.unwrap()).await.2, "2000");
            drop(others);
            assert_eq!(read(second.await.unwrap().unwrap()).await.2, "0");
        }
    }

    /// The requests before may be on their way.
    async fn until_refused(sender: &mut http2::SendRequest<Body>) {
        for _ in 0..1000 {
            if sender.send_request(whole(3000)).await.unwrap().status() == StatusCode::SERVICE_UNAVAILABLE {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("there is room for ever");
    }

    #[tokio::test]
    async fn a_connection_without_requests_is_told_that_it_ends() {
        let address = serve(Sora { keep_open: Span(Duration::from_secs(1)), ..Sora::default() }).await;
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (mut sender, connection) = http2::handshake::<_, _, Body>(TokioExecutor::new(), stream).await.unwrap();
        let connection = tokio::spawn(connection);
        assert_eq!(read(sender.send_request(whole(10)).await.unwrap()).await.2, "10");
        // A connection that is only cut ends with an error.
        connection.await.unwrap().unwrap();
        assert!(sender.send_request(whole(10)).await.is_err());
    }
}
