//! TLS: what the listener speaks with it, and how its certificate changes while it runs.

use std::path::Path;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::support::*;

/// Writes a new certificate for localhost into the folder.
fn issue(dir: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(dir.join("certificate.pem"), cert.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), signing_key.serialize_pem()).unwrap();
    cert.der().clone()
}

async fn connect(
    address: &str,
    trusted: &CertificateDer<'static>,
    alpn: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

fn encrypted(dir: &Path) -> Collector {
    let at = |name: &str| dir.join(name).display().to_string();
    Collector::start(&[("RTCTRACE_TLS_CERTIFICATE", &at("certificate.pem")), ("RTCTRACE_TLS_KEY", &at("key.pem"))])
}

#[tokio::test]
async fn both_versions_of_http_and_sockets_are_spoken_with_tls() {
    let dir = tempfile::tempdir().unwrap();
    let certificate = issue(dir.path());
    let collector = encrypted(dir.path());

    let mut stream = connect(&collector.address, &certificate, b"http/1.1").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.contains("200 OK") && answer.ends_with("ok\n"), "{answer}");

    let mut stream = connect(&collector.address, &certificate, b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    // The preface and an empty SETTINGS frame (RFC 9113, section 3.4); the answer begins with a SETTINGS frame.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4);

    let stream = connect(&collector.address, &certificate, b"http/1.1").await.unwrap();
    let mut request = format!("wss://localhost/v1/ws?session={}&from=0", new_session()).into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", V1.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    let welcome = futures_util::StreamExt::next(&mut socket).await.unwrap().unwrap();
    assert!(welcome.to_text().unwrap().contains("welcome"));

    // Who speaks without TLS hears nothing of use, and does no harm.
    let mut stream = TcpStream::connect(&collector.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.windows(2).any(|window| window == b"ok"));
}

#[tokio::test]
async fn a_new_certificate_is_used_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let old = issue(dir.path());
    let collector = encrypted(dir.path());
    connect(&collector.address, &old, b"http/1.1").await.unwrap();

    let kept = std::fs::read(dir.path().join("key.pem")).unwrap();
    let new = issue(dir.path());
    until("the new one is shown", async || connect(&collector.address, &new, b"http/1.1").await.ok()).await;
    assert!(connect(&collector.address, &old, b"http/1.1").await.is_err());
    // A key that is another's changes nothing.
    std::fs::write(dir.path().join("key.pem"), kept).unwrap();
    until("it was looked at", async || {
        let log = std::fs::read_to_string(collector.dir.path().join("log")).unwrap();
        log.contains("tls.key does not belong to tls.certificate").then_some(())
    })
    .await;
    connect(&collector.address, &new, b"http/1.1").await.unwrap();
}

#[tokio::test]
async fn files_that_do_not_fit_are_named_at_start() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let certificate = ("RTCTRACE_TLS_CERTIFICATE", at("certificate.pem"));
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let (success, _, said) = run(dir.path(), &serve, &[(certificate.0, &certificate.1)]);
    assert!(!success && said.contains("tls.certificate and tls.key belong together"), "{said}");
    issue(dir.path());
    std::fs::write(at("key.pem"), "nothing").unwrap();
    let (success, _, said) =
        run(dir.path(), &serve, &[(certificate.0, &certificate.1), ("RTCTRACE_TLS_KEY", &at("key.pem"))]);
    assert!(!success && said.contains("cannot read a private key from"), "{said}");
}
