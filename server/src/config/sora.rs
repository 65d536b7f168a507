//! The settings of what the SFU Sora sends, and of the listener that takes it.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use documented::DocumentedFields;
use serde::{Deserialize, Serialize};

use super::{List, Secret, Size, Span, span};

/// Where Sora's collectors listen.
const PORT: u16 = 5890;

/// What the SFU Sora sends. `limits.header_time` holds for its connections, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct Sora {
    /// Where a listener of its own takes it, such as `127.0.0.1:5890`; without a port: 5890; port 0 takes a free one. Empty: there is
    /// no such listener. An address that others can reach needs `token`, `tls.client_ca` or `allow`.
    pub(crate) listen: String,
    /// Networks (`192.0.2.0/24`) and addresses that may connect, or that a trusted proxy may ask for; empty: any. Others are closed
    /// without a word.
    pub(crate) allow: List,
    /// What each request shows, as `Authorization: Bearer <token>` or as the password of `Basic`: at least 16 bytes. `/.ok` needs none.
    pub(crate) token: Secret,
    /// A file with the token that `token` is else, whose last newline does not count; it can be replaced while the collector runs.
    pub(crate) token_file: PathBuf,
    /// Encryption of this listener.
    pub(crate) tls: SoraTls,
    /// Connections to this listener at one time.
    pub(crate) connections: usize,
    /// Requests under way at one time, over all of them. Beyond it requests are answered 503: come back in a second.
    pub(crate) requests: usize,
    /// Bytes of their bodies; else as `requests`. A request counts with the length that it tells, else with what has come of it.
    pub(crate) request_bytes: Size,
    /// The longest body.
    pub(crate) body_bytes: Size,
    /// How long nothing may be said of one of Sora's connections before its session ends, if no webhook tells that it is over.
    pub(crate) idle_timeout: Span,
    /// How long a connection to this listener may be without a request. It is longer than the pause between two of Sora's reports, so that none comes to a
    /// connection that is being closed.
    pub(crate) keep_open: Span,
}

/// Encryption of the listener for Sora. Files are read again within seconds after they changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, DocumentedFields)]
pub(crate) struct SoraTls {
    /// PEM file of the certificate and what it was signed with, the collector's own first; with it, HTTP/2 and HTTP/1.1 are told apart by
    /// ALPN. Empty: no encryption, and HTTP/2 by prior knowledge.
    pub(crate) certificate: PathBuf,
    /// PEM file of its private key.
    pub(crate) key: PathBuf,
    /// PEM file of the authorities that sign Sora's certificates, or a folder of such files; with it, a peer without a certificate of theirs
    /// is refused.
    pub(crate) client_ca: PathBuf,
}

impl Default for Sora {
    fn default() -> Self {
        Self {
            listen: String::new(),
            allow: List::default(),
            token: Secret::default(),
            token_file: PathBuf::new(),
            tls: SoraTls { certificate: PathBuf::new(), key: PathBuf::new(), client_ca: PathBuf::new() },
            connections: 256,
            requests: 1024,
            request_bytes: Size(64 << 20),
            body_bytes: Size(4 << 20),
            idle_timeout: span(300),
            keep_open: span(300),
        }
    }
}

impl Sora {
    /// Where the listener binds, its port filled in; `None`: there is none.
    pub(crate) fn address(&self) -> Option<String> {
        let listen = self.listen.trim();
        if listen.is_empty() {
            return None;
        }
        let bare = listen.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(listen);
        Some(match bare.parse::<IpAddr>() {
            Ok(address) => SocketAddr::new(address, PORT).to_string(),
            Err(_) if listen.contains(':') => listen.to_owned(),
            Err(_) => format!("{listen}:{PORT}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_soras_where_none_is_said() {
        let address = |listen: &str| Sora { listen: listen.to_owned(), ..Sora::default() }.address();
        assert_eq!(address(""), None);
        for (listen, at) in [
            ("127.0.0.1", "127.0.0.1:5890"),
            ("127.0.0.1:7", "127.0.0.1:7"),
            ("::", "[::]:5890"),
            ("[::1]", "[::1]:5890"),
            ("[::1]:0", "[::1]:0"),
            ("localhost", "localhost:5890"),
            ("localhost:80", "localhost:80"),
        ] {
            assert_eq!(address(listen).as_deref(), Some(at));
        }
    }
}
