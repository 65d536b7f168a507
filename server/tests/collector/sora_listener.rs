//! The listener for Sora: which versions of HTTP it speaks, with TLS and without, and who may use it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::support::*;

const LISTEN: (&str, &str) = ("RTCTRACE_SORA_LISTEN", "127.0.0.1:0");

/// A connection as Sora keeps one.
enum Connection {
    /// That of a webhook.
    One(http1::SendRequest<Full<Bytes>>),
    /// That of the exporter.
    Two(http2::SendRequest<Full<Bytes>>),
}

/// What a request is answered.
struct Heard {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Heard {
    /// What a problem document says.
    fn problem(&self, status: u16, kind: &str) -> String {
        assert_eq!(self.status, status);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let problem: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["type"], format!("urn:rtctrace:problem:{kind}"));
        problem["detail"].as_str().unwrap().to_owned()
    }
}

impl Connection {
    async fn one<S>(stream: S) -> hyper::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self::One(sender))
    }

    async fn two<S>(stream: S) -> hyper::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self::Two(sender))
    }

    async fn ask(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Heard> {
        let answer: Response<Incoming> = match self {
            Self::One(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::Two(sender) => sender.send_request(request).await?,
        };
        let (head, body) = answer.into_parts();
        Ok(Heard { status: head.status, headers: head.headers, body: body.collect().await?.to_bytes() })
    }

    /// Whether it is well.
    async fn health(&mut self) -> hyper::Result<Heard> {
        self.ask(request(Method::GET, "/.ok", &[])).await
    }

    async fn is_well(&mut self) -> bool {
        self.health().await.is_ok_and(|heard| heard.status == StatusCode::NO_CONTENT && heard.body.is_empty())
    }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(format!("http://sora.test{path}")).header("host", "sora.test");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Full::default()).unwrap()
}

async fn tcp(collector: &Collector) -> TcpStream {
    TcpStream::connect(&collector.sora).await.unwrap()
}

/// A connection of either kind, without TLS.
async fn both(collector: &Collector) -> [Connection; 2] {
    [Connection::one(tcp(collector).await).await.unwrap(), Connection::two(tcp(collector).await).await.unwrap()]
}

/// Who signs certificates.
type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate in PEM and its key.
struct Identity {
    certificate: String,
    key: String,
}

fn issue(authority: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    Identity { certificate: certificate.pem(), key: key.serialize_pem() }
}

/// A collector that shows a certificate of `own`, and asks for one of those in the file or folder `clients`.
fn encrypted(dir: &Path, own: &Authority, clients: &str) -> Collector {
    let at = |name: &str| dir.join(name).display().to_string();
    let identity = issue(own, |_| {});
    std::fs::write(at("certificate.pem"), &identity.certificate).unwrap();
    std::fs::write(at("key.pem"), &identity.key).unwrap();
    Collector::start(&[
        LISTEN,
        ("RTCTRACE_SORA_TLS_CERTIFICATE", &at("certificate.pem")),
        ("RTCTRACE_SORA_TLS_KEY", &at("key.pem")),
        ("RTCTRACE_SORA_TLS_CLIENT_CA", &if clients.is_empty() { String::new() } else { at(clients) }),
    ])
}

async fn tls(
    collector: &Collector,
    trusted: &Authority,
    identity: Option<&Identity>,
    alpn: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes()).map(Result::unwrap).collect();
            let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
            config.with_client_auth_cert(chain, key).unwrap()
        }
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), tcp(collector).await).await
}

/// Whether somebody gets an answer. With TLS 1.3 a client hears only afterwards that its certificate was refused.
async fn is_let_in(collector: &Collector, trusted: &Authority, identity: Option<&Identity>) -> bool {
    let Ok(stream) = tls(collector, trusted, identity, b"h2").await else { return false };
    match Connection::two(stream).await {
        Ok(mut connection) => connection.is_well().await,
        Err(_) => false,
    }
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_and_the_exporter_speaks_the_newer() {
    let collector = Collector::start(&[LISTEN]);
    let [mut one, mut two] = both(&collector).await;
    for connection in [&mut one, &mut two] {
        for _ in 0..3 {
            assert!(connection.is_well().await);
        }
        let nothing = connection.ask(request(Method::GET, "/api/v1/sessions", &[])).await.unwrap();
        assert!(nothing.problem(404, "unknown-path").contains("/api/v1/sessions"));
        connection.ask(request(Method::POST, "/.ok", &[])).await.unwrap().problem(405, "method-not-allowed");
        assert!(connection.is_well().await);
    }
    let heard = one.ask(request(Method::POST, "/collector", &[])).await.unwrap();
    assert!(heard.problem(400, "http-version").contains("HTTP/2"));
    assert!(one.is_well().await);
    let heard = two.ask(request(Method::POST, "/collector", &[])).await.unwrap();
    assert!(!String::from_utf8_lossy(&heard.body).contains("http-version"));
    assert_eq!(collector.get("/readyz").await.json()["sora"], true);
    assert!(collector.metric("rtctrace_sora_connections").await >= 2.0);
    assert!(collector.metric("rtctrace_sora_answers_total{status=\"404\"}").await >= 2.0);
    assert_eq!(collector.metric("rtctrace_sora_requests").await, 0.0);
}

#[tokio::test]
async fn there_is_no_such_listener_unless_the_settings_name_one() {
    let collector = Collector::start(&[]);
    assert_eq!(collector.get("/readyz").await.json()["sora"], false);
    collector.get("/.ok").await.problem(404, "unknown-path");
    let log = std::fs::read_to_string(collector.dir.path().join("log")).unwrap();
    assert!(!log.contains("Sora"), "{log}");
}

// A stop is waited for by one thread; the other has the connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_is_told_to_connections_that_are_open() {
    let mut collector = Collector::start(&[LISTEN]);
    let [mut one, mut two] = both(&collector).await;
    assert!(one.is_well().await && two.is_well().await);
    assert!(collector.stop() < Duration::from_secs(3));
    assert!(one.health().await.is_err() && two.health().await.is_err());
    collector.restart();
    let [mut one, mut two] = both(&collector).await;
    assert!(one.is_well().await && two.is_well().await);
}

#[tokio::test]
async fn with_tls_the_version_of_http_is_agreed_upon() {
    let (dir, own) = (tempfile::tempdir().unwrap(), authority());
    let collector = encrypted(dir.path(), &own, "");
    let stream = tls(&collector, &own, None, b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert!(Connection::two(stream).await.unwrap().is_well().await);
    let stream = tls(&collector, &own, None, b"http/1.1").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut one = Connection::one(stream).await.unwrap();
    assert!(one.is_well().await);
    one.ask(request(Method::POST, "/collector", &[])).await.unwrap().problem(400, "http-version");
    assert!(tls(&collector, &own, None, b"spdy/3").await.is_err());
    // What was not agreed upon is not spoken, though its preface comes.
    let stream = tls(&collector, &own, None, b"http/1.1").await.unwrap();
    let mut two = Connection::two(stream).await.unwrap();
    two.health().await.unwrap().problem(400, "http-version");
    // Who speaks without TLS hears nothing of use.
    let mut plain = Connection::two(tcp(&collector).await).await.unwrap();
    assert!(plain.health().await.is_err());
}

#[tokio::test]
async fn who_has_no_certificate_of_an_authority_is_refused() {
    let (dir, own, theirs) = (tempfile::tempdir().unwrap(), authority(), authority());
    std::fs::write(dir.path().join("clients.pem"), theirs.pem()).unwrap();
    let collector = encrypted(dir.path(), &own, "clients.pem");

    let right = issue(&theirs, |_| {});
    assert!(is_let_in(&collector, &own, Some(&right)).await);
    let mut one = Connection::one(tls(&collector, &own, Some(&right), b"http/1.1").await.unwrap()).await.unwrap();
    assert!(one.is_well().await);

    let of_another = issue(&authority(), |_| {});
    assert!(!is_let_in(&collector, &own, Some(&of_another)).await);
    // Of the authority that signed the collector's, but not clients'.
    assert!(!is_let_in(&collector, &own, Some(&issue(&own, |_| {}))).await);
    let expired = issue(&theirs, |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    assert!(!is_let_in(&collector, &own, Some(&expired)).await);
    let not_yet = issue(&theirs, |params| {
        params.not_before = date_time_ymd(2090, 1, 1);
        params.not_after = date_time_ymd(2091, 1, 1);
    });
    assert!(!is_let_in(&collector, &own, Some(&not_yet)).await);
    let of_a_server = issue(&theirs, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    assert!(!is_let_in(&collector, &own, Some(&of_a_server)).await);
    assert!(!is_let_in(&collector, &own, None).await);
    assert!(is_let_in(&collector, &own, Some(&right)).await, "the next good one is let in");
    until("those are counted", async || {
        (collector.metric("rtctrace_refused_total{reason=\"tls_handshake\"}").await >= 6.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn authorities_in_a_folder_come_and_go_while_it_runs() {
    let (dir, own) = (tempfile::tempdir().unwrap(), authority());
    let (old, new) = (authority(), authority());
    let folder = dir.path().join("clients");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("README"), "no certificate").unwrap();
    std::fs::write(folder.join("old.pem"), old.pem()).unwrap();
    let collector = encrypted(dir.path(), &own, "clients");
    let (of_old, of_new) = (issue(&old, |_| {}), issue(&new, |_| {}));
    assert!(is_let_in(&collector, &own, Some(&of_old)).await);
    assert!(!is_let_in(&collector, &own, Some(&of_new)).await);

    std::fs::write(folder.join("new.pem"), new.pem()).unwrap();
    until("the new one is known", async || is_let_in(&collector, &own, Some(&of_new)).await.then_some(())).await;
    assert!(is_let_in(&collector, &own, Some(&of_old)).await);
    std::fs::remove_file(folder.join("old.pem")).unwrap();
    until("the old one is gone", async || (!is_let_in(&collector, &own, Some(&of_old)).await).then_some(())).await;
    assert!(is_let_in(&collector, &own, Some(&of_new)).await);
    // Without any, what was before still counts.
    std::fs::remove_file(folder.join("new.pem")).unwrap();
    until("it was looked at", async || {
        (collector.metric("rtctrace_reloads_total{what=\"sora_certificate\",result=\"failed\"}").await > 0.0)
            .then_some(())
    })
    .await;
    assert!(is_let_in(&collector, &own, Some(&of_new)).await);
}

#[tokio::test]
async fn a_token_is_asked_for_and_its_file_can_be_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "the first of two tokens\n").unwrap();
    let collector = Collector::start(&[LISTEN, ("RTCTRACE_SORA_TOKEN_FILE", &file.display().to_string())]);
    for mut connection in both(&collector).await {
        assert!(connection.is_well().await, "health is told to anybody");
        let mut asked = async |value: &str| {
            let headers = [("authorization", value)];
            let headers = if value.is_empty() { &[][..] } else { &headers[..] };
            connection.ask(request(Method::POST, "/nothing", headers)).await.unwrap()
        };
        let refused = asked("").await;
        assert!(refused.problem(401, "unauthorized").contains("sora.token"));
        assert!(refused.headers.contains_key("www-authenticate") && !refused.headers.contains_key(AUTHORIZATION));
        asked("Bearer the second of two tokens").await.problem(401, "unauthorized");
        asked("Bearer the first of two tokens").await.problem(404, "unknown-path");
        // `sora:the first of two tokens`
        asked("Basic c29yYTp0aGUgZmlyc3Qgb2YgdHdvIHRva2Vucw==").await.problem(404, "unknown-path");
    }
    std::fs::write(&file, "the second of two tokens").unwrap();
    let [mut one, mut two] = both(&collector).await;
    let mut status = async |token: &str| {
        let headers = [("authorization", token)];
        let heard = one.ask(request(Method::POST, "/nothing", &headers)).await.unwrap();
        assert_eq!(heard.status, two.ask(request(Method::POST, "/nothing", &headers)).await.unwrap().status);
        heard.status
    };
    tokio::time::timeout(Duration::from_secs(20), async {
        while status("Bearer the second of two tokens").await != StatusCode::NOT_FOUND {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("the new token is read");
    assert_eq!(status("Bearer the first of two tokens").await, StatusCode::UNAUTHORIZED);
    let shown = run(dir.path(), &["config"], &[("RTCTRACE_SORA_TOKEN", "the first of two tokens")]).1;
    assert!(!shown.contains("the first") && shown.contains("token = \"***\""), "{shown}");
}

#[tokio::test]
async fn who_is_of_another_network_is_closed_without_a_word() {
    let collector = Collector::start(&[LISTEN, ("RTCTRACE_SORA_ALLOW", "192.0.2.0/24, 2001:db8::/32")]);
    let mut heard = Vec::new();
    let _ = tcp(&collector).await.read_to_end(&mut heard).await;
    assert!(heard.is_empty());
    assert!(collector.metric("rtctrace_refused_total{reason=\"source_refused\"}").await >= 1.0);

    let collector = Collector::start(&[LISTEN, ("RTCTRACE_SORA_ALLOW", "127.0.0.0/8")]);
    let [mut one, mut two] = both(&collector).await;
    assert!(one.is_well().await && two.is_well().await);

    // Behind a proxy, who is asked for counts.
    let collector = Collector::start(&[
        LISTEN,
        ("RTCTRACE_SORA_ALLOW", "192.0.2.0/24"),
        ("RTCTRACE_ACCESS_TRUSTED_PROXIES", "127.0.0.1"),
    ]);
    for mut connection in both(&collector).await {
        let mut from = async |address: &str| {
            connection.ask(request(Method::GET, "/.ok", &[("x-forwarded-for", address)])).await.unwrap()
        };
        assert_eq!(from("192.0.2.7").await.status, StatusCode::NO_CONTENT);
        from("198.51.100.7").await.problem(403, "source-refused");
        from("192.0.2.7, 198.51.100.7").await.problem(403, "source-refused");
        assert_eq!(from("198.51.100.7, 192.0.2.7").await.status, StatusCode::NO_CONTENT);
    }
}

#[tokio::test]
async fn what_is_refused_by_its_head_is_read_to_its_end_and_its_connection_goes_on() {
    let collector = Collector::start(&[LISTEN]);
    let with = |kind: &str, body: Vec<u8>| {
        let mut request = request(Method::POST, "/sora/webhook/stats", &[("content-type", kind)]);
        *request.body_mut() = Full::from(body);
        request
    };
    let mut one = Connection::one(tcp(&collector).await).await.unwrap();
    let mut two = Connection::two(tcp(&collector).await).await.unwrap();
    for connection in [&mut one, &mut two] {
        let long = connection.ask(with("application/json", vec![b' '; 10 << 20])).await.unwrap();
        long.problem(400, "bad-request");
        // More often than a connection of HTTP/2 may have had errors.
        for _ in 0..1200 {
            connection.ask(with("text/plain", vec![b'x'; 2000])).await.unwrap().problem(400, "bad-request");
        }
        assert!(connection.is_well().await);
    }
}

#[tokio::test]
async fn bodies_of_untold_length_take_the_room_that_they_need() {
    let settings = [LISTEN, ("RTCTRACE_SORA_REQUEST_BYTES", "4MiB"), ("RTCTRACE_SORA_BODY_BYTES", "4MiB")];
    let collector = Collector::start(&settings);
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(tcp(&collector).await)).await.unwrap();
    tokio::spawn(connection);
    // As many as would be refused if each could be of any length; all are under way before the first ends.
    let (mut parts, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        let (part, received) = tokio::sync::mpsc::unbounded_channel::<Bytes>();
        let body = StreamBody::new(stream::unfold(received, |mut received| async move {
            Some((Ok::<_, std::convert::Infallible>(Frame::data(received.recv().await?)), received))
        }));
        let request = request(Method::POST, "/sora/webhook/stats", &[("content-type", "application/json")])
            .map(|_| body.boxed_unsync());
        part.send(Bytes::from_static(b"[")).unwrap();
        parts.push(part);
        let mut sender = sender.clone();
        answers.push(tokio::spawn(async move { sender.send_request(request).await.unwrap().status() }));
    }
    until("all are under way", async || (collector.metric("rtctrace_sora_requests").await == 40.0).then_some(())).await;
    // One of them is longer than there is room for.
    let long = parts.remove(0);
    long.send(Bytes::from(vec![b' '; 3 << 20])).unwrap();
    drop(long);
    assert_eq!(answers.remove(0).await.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
    drop(parts);
    for status in futures_util::future::join_all(answers).await {
        assert_eq!(status.unwrap(), StatusCode::BAD_REQUEST);
    }
    assert_eq!(collector.metric("rtctrace_sora_request_bytes").await, 0.0);
}

#[tokio::test]
async fn a_connection_too_many_is_asked_to_come_back() {
    let collector = Collector::start(&[LISTEN, ("RTCTRACE_SORA_CONNECTIONS", "1")]);
    let mut first = Connection::two(tcp(&collector).await).await.unwrap();
    assert!(first.is_well().await);
    // In the HTTP that it speaks.
    let mut second = tcp(&collector).await;
    second.write_all(b"POST /collector HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
    let mut heard = String::new();
    second.read_to_string(&mut heard).await.unwrap();
    assert!(heard.starts_with("HTTP/1.1 503 ") && heard.contains("\r\nretry-after: 10\r\n"), "{heard}");
    assert!(heard.contains("too-many-connections") && heard.contains("`sora.connections`"), "{heard}");
    let mut third = Connection::two(tcp(&collector).await).await.unwrap();
    let answer = third.health().await.unwrap();
    assert_eq!(
        (answer.status, &answer.headers["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &HeaderValue::from_static("10"))
    );
    assert!(first.is_well().await);
    assert_eq!(collector.get("/healthz").await.status, 200, "the other listener has places of its own");
    assert!(collector.metric("rtctrace_refused_total{reason=\"too_many_connections\"}").await >= 1.0);
    drop(first);
    until("there is a place", async || {
        let mut next = Connection::two(tcp(&collector).await).await.ok()?;
        next.is_well().await.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_full_spool_is_no_good_health() {
    let collector = Collector::start(&[LISTEN, ("RTCTRACE_SPOOL_MAX_BYTES", "1KiB")]);
    let [mut one, mut two] = both(&collector).await;
    assert!(one.is_well().await);
    let (mut socket, _) = collector.v1(&new_session(), 0).await;
    socket.send(format!("{}\n[\":line\",null,\"{}\",1]", lines(1)[0], "x".repeat(2000))).await;
    until("the spool is full", async || {
        let heard = two.health().await.unwrap();
        (heard.status == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    assert_eq!(collector.get("/readyz").await.status, 503);
}

#[test]
fn what_does_not_fit_is_named_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let identity = issue(&authority(), |_| {});
    std::fs::write(at("certificate.pem"), &identity.certificate).unwrap();
    std::fs::write(at("key.pem"), &identity.key).unwrap();
    std::fs::write(at("nothing.pem"), "nothing").unwrap();
    std::fs::create_dir(at("nobody")).unwrap();
    let own = [("RTCTRACE_SORA_TLS_CERTIFICATE", at("certificate.pem")), ("RTCTRACE_SORA_TLS_KEY", at("key.pem"))];
    let said = |listen: &str, with_own: bool, more: &[(&str, &str)]| {
        let own = own.iter().take(if with_own { 2 } else { 0 }).map(|(name, value)| (*name, value.as_str()));
        let variables: Vec<(&str, &str)> =
            own.chain([("RTCTRACE_SORA_LISTEN", listen)]).chain(more.iter().copied()).collect();
        let (success, _, said) = run(dir.path(), &["serve", "--listen", "127.0.0.1:0"], &variables);
        assert!(!success, "{said}");
        said
    };
    for (listen, with_own, more, part) in [
        ("0.0.0.0:0", false, &[][..], "refusing to listen for Sora on 0.0.0.0:0"),
        ("nowhere at all", false, &[], "sora.listen is `nowhere at all:5890`"),
        ("127.0.0.1:0", false, &[("RTCTRACE_SORA_TOKEN", "short")], "sora.token has 5 bytes"),
        ("127.0.0.1:0", false, &[("RTCTRACE_SORA_ALLOW", "everybody")], "sora.allow: `everybody` is no network"),
        ("127.0.0.1:0", false, &[own_of(&own, 0)], "sora.tls.certificate and sora.tls.key belong together"),
        ("127.0.0.1:0", false, &[("RTCTRACE_SORA_TLS_CLIENT_CA", "ca.pem")], "set sora.tls.certificate"),
        ("127.0.0.1:0", true, &[("RTCTRACE_SORA_TLS_CLIENT_CA", &at("missing.pem"))], "missing.pem"),
        ("127.0.0.1:0", true, &[("RTCTRACE_SORA_TLS_CLIENT_CA", &at("nothing.pem"))], "holds no certificate"),
        ("127.0.0.1:0", true, &[("RTCTRACE_SORA_TLS_CLIENT_CA", &at("nobody"))], "holds no certificate"),
    ] {
        let said = said(listen, with_own, more);
        assert!(said.contains(part), "{part}: {said}");
    }
}

fn own_of<'a>(own: &'a [(&'static str, String); 2], at: usize) -> (&'static str, &'a str) {
    (own[at].0, &own[at].1)
}
