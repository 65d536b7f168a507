//! TLS of the listeners, by rustls with ring. Certificates, and the authorities of clients' where those are asked for, are read anew
//! when their files change; connections that are open keep what they began with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{Error, RootCertStore, ServerConfig};

use crate::access::{Reload, Watched, files_of};
use crate::config;

/// What clients and the collector agree upon by ALPN. Browsers open WebSockets by the second.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The files of one listener, and where the settings name them.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// The settings' section, such as `tls`.
    section: &'static str,
    /// What it is called in the log and in `rtctrace_reloads_total`.
    name: &'static str,
    /// The certificate and what it was signed with.
    certificate: PathBuf,
    /// Its private key.
    key: PathBuf,
    /// A file or a folder of authorities that sign clients' certificates; empty: clients are not asked for one.
    client_ca: PathBuf,
}

impl Files {
    /// Those of the listener that takes all.
    pub(crate) fn of_all(tls: &config::Tls) -> Self {
        let (certificate, key) = (tls.certificate.clone(), tls.key.clone());
        Self { section: "tls", name: "certificate", certificate, key, client_ca: PathBuf::new() }
    }

    /// Those of Sora's.
    pub(super) fn of_sora(tls: &config::SoraTls) -> Self {
        let config::SoraTls { certificate, key, client_ca } = tls.clone();
        Self { section: "sora.tls", name: "sora_certificate", certificate, key, client_ca }
    }
}

/// What makes TLS of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Tls(Arc<Watched<ServerConfig>>);

impl Tls {
    /// Reads all files; `None` if the settings name no certificate.
    pub(crate) fn open(files: Files) -> anyhow::Result<Option<Self>> {
        match (files.certificate.as_os_str().is_empty(), files.key.as_os_str().is_empty()) {
            (true, true) => return Ok(None),
            (false, false) => {}
            _ => bail!("{0}.certificate and {0}.key belong together; one of them is not set", files.section),
        }
        let paths = [&files.certificate, &files.key, &files.client_ca];
        let watched = paths.into_iter().filter(|path| !path.as_os_str().is_empty()).cloned().collect();
        Ok(Some(Self(Arc::new(Watched::new(files.name, watched, move || load(&files))?))))
    }

    /// What is to be read anew when its files change.
    pub(crate) fn watched(&self) -> Arc<dyn Reload> {
        Arc::clone(&self.0) as Arc<dyn Reload>
    }

    /// For the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.0.get())
    }
}

fn load(files: &Files) -> anyhow::Result<ServerConfig> {
    let certified = Arc::new(certificate(files)?);
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?;
    let mut config = match clients(files)? {
        None => builder.with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(certified))),
        Some(verifier) => {
            let builder = builder.with_client_cert_verifier(verifier);
            let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
            // A session that is resumed would not be asked for its certificate again.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            config
        }
    };
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(config)
}

fn certificate(files: &Files) -> anyhow::Result<CertifiedKey> {
    let section = files.section;
    let chain = certificates_of(&files.certificate).with_context(|| format!("{section}.certificate"))?;
    if chain.is_empty() {
        bail!("{section}.certificate: {} holds no certificate", files.certificate.display());
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .with_context(|| format!("{section}.key: cannot read a private key from {}", files.key.display()))?;
    let key =
        ring::sign::any_supported_type(&key).with_context(|| format!("{section}.key: its kind is not supported"))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        // A kind of key that cannot tell.
        Ok(()) | Err(Error::InconsistentKeys(tokio_rustls::rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(error) => Err(error).with_context(|| format!("{section}.key does not belong to {section}.certificate")),
    }
}

/// What clients' certificates are held against, if they are to have one.
fn clients(files: &Files) -> anyhow::Result<Option<Arc<dyn ClientCertVerifier>>> {
    let authorities = &files.client_ca;
    if authorities.as_os_str().is_empty() {
        return Ok(None);
    }
    let setting = format!("{}.client_ca", files.section);
    let paths = match authorities.is_dir() {
        true => files_of(authorities).with_context(|| format!("{setting}: cannot read {}", authorities.display()))?,
        false => vec![authorities.clone()],
    };
    let mut roots = RootCertStore::empty();
    for path in &paths {
        for certificate in certificates_of(path).with_context(|| setting.clone())? {
            let added = roots.add(certificate);
            added.with_context(|| format!("{setting}: {} holds a certificate of no authority", path.display()))?;
        }
    }
    if roots.is_empty() {
        bail!("{setting}: {} holds no certificate", authorities.display());
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    Ok(Some(verifier.with_context(|| format!("{setting}: clients cannot be asked for certificates"))?))
}

/// The certificates of a PEM file; what else it holds is passed over.
fn certificates_of(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    found.with_context(|| format!("cannot read certificates from {}", path.display()))
}
