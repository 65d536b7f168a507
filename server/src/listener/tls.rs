//! TLS of the listener, by rustls with ring. The certificate is read anew when its files change; connections that are open
//! keep the one that they began with.

use std::sync::Arc;

use anyhow::{Context, bail};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, ServerConfig};

use crate::access::{Reload, Watched};
use crate::config;

/// What clients and the collector agree upon by ALPN. Browsers open WebSockets by the second.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The certificate and its key.
#[derive(Debug)]
pub(crate) struct Certificate(Arc<Watched<Arc<CertifiedKey>>>);

impl Certificate {
    /// Reads both files; `None` if the settings name none.
    pub(crate) fn open(tls: &config::Tls) -> anyhow::Result<Option<Self>> {
        let (certificate, key) = (tls.certificate.clone(), tls.key.clone());
        match (certificate.as_os_str().is_empty(), key.as_os_str().is_empty()) {
            (true, true) => return Ok(None),
            (false, false) => {}
            _ => bail!("tls.certificate and tls.key belong together; one of them is not set"),
        }
        let settings = tls.clone();
        let watched = Watched::new("certificate", vec![certificate, key], move || load(&settings))?;
        Ok(Some(Self(Arc::new(watched))))
    }

    /// What is to be read anew when its files change.
    pub(crate) fn watched(&self) -> Arc<dyn Reload> {
        Arc::clone(&self.0) as Arc<dyn Reload>
    }

    /// What makes TLS of a connection.
    pub(crate) fn acceptor(&self) -> anyhow::Result<TlsAcceptor> {
        let resolver = Resolver(Arc::clone(&self.0));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .context("TLS cannot be set up")?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

#[derive(Debug)]
struct Resolver(Arc<Watched<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some((*self.0.get()).clone())
    }
}

fn load(tls: &config::Tls) -> anyhow::Result<Arc<CertifiedKey>> {
    let context = || format!("tls.certificate: cannot read certificates from {}", tls.certificate.display());
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(&tls.certificate).and_then(Iterator::collect).with_context(context)?;
    if chain.is_empty() {
        bail!("tls.certificate: {} holds no certificate", tls.certificate.display());
    }
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .with_context(|| format!("tls.key: cannot read a private key from {}", tls.key.display()))?;
    let key = ring::sign::any_supported_type(&key).context("tls.key: its kind is not supported")?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        // A kind of key that cannot tell.
        Ok(()) | Err(Error::InconsistentKeys(tokio_rustls::rustls::InconsistentKeys::Unknown)) => {
            Ok(Arc::new(certified))
        }
        Err(error) => Err(error).context("tls.key does not belong to tls.certificate"),
    }
}
