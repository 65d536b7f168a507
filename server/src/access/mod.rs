//! Who may send and who may read: tokens of clients, tokens of the API, origins, trusted proxies, sessions per address. What
//! is checked is decided here; HTTP and sockets ask.

mod addresses;
mod api_tokens;
mod client;
mod crypto;
mod guard;
mod keys;
mod origins;
mod proxies;
mod reload;
mod sora;
mod sources;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::bail;
use axum::http::{HeaderMap, Uri, header};

use crate::config::Config;
use crate::problem::{Problem, Reason};
use crate::session::SessionId;
use api_tokens::ApiTokens;
use origins::Origins;
use proxies::Proxies;

pub(crate) use addresses::{AddressPlace, Addresses};
pub(crate) use api_tokens::{Scope, create as create_api_token};
pub(crate) use client::{
    Claims, ClientTokens, LONGEST_NAME, TokenError, is_token, mint as mint_client_token, without_tokens,
};
pub(crate) use guard::{__path_login, __path_logout, COOKIE, LOGIN, guard, login, logout, may_still_read};
pub(crate) use reload::{Reload, Watched, files_of, watch};
pub(crate) use sora::SoraAccess;
pub(crate) use sources::Sources;

/// Where others can reach the collector, an address may have this part of all sessions, unless the settings say otherwise.
const SHARE: usize = 10;

/// Everything that decides about access.
#[derive(Debug)]
pub(crate) struct Access {
    clients: Option<ClientTokens>,
    api: ApiTokens,
    origins: Origins,
    proxies: Proxies,
}

/// Why a client may not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Its page is none that may record.
    #[error("pages of this origin are not allowed to record")]
    Origin,
    /// Its token is missing or wrong.
    #[error("{0}")]
    Token(#[from] TokenError),
    /// Its token is for another session.
    #[error("the token is for another session")]
    OtherSession,
    /// The session is somebody else's.
    #[error("the session belongs to another user")]
    OtherUser,
}

impl Refusal {
    /// The counter's label and the problem's type.
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::Origin => Reason::OriginRefused,
            Self::Token(_) => Reason::Unauthorized,
            Self::OtherSession | Self::OtherUser => Reason::Forbidden,
        }
    }

    /// As an answer over HTTP.
    pub(crate) fn problem(self) -> Problem {
        let text = self.to_string();
        let mut detail: String =
            text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).collect();
        detail.push('.');
        let problem = Problem::new(self.reason(), detail);
        if self.reason() == Reason::Unauthorized { guard::challenge(problem) } else { problem }
    }
}

impl Access {
    /// Reads all that the settings name.
    pub(crate) fn open(config: &Arc<Config>) -> anyhow::Result<Self> {
        crypto::install();
        Ok(Self {
            clients: ClientTokens::open(config)?,
            api: ApiTokens::open(config)?,
            origins: Origins::new(&config.access.origins.0)?,
            proxies: Proxies::new(&config.access)?,
        })
    }

    /// What is to be read anew when its files change.
    pub(crate) fn watched(&self) -> Vec<Arc<dyn Reload>> {
        let mut items: Vec<Arc<dyn Reload>> = vec![self.api.watched()];
        if let Some(clients) = &self.clients {
            items.push(clients.watched());
        }
        items
    }

    /// Refuses addresses that others can reach, if those would not be asked who they are.
    pub(crate) fn check_addresses(&self, config: &Config, addresses: &[SocketAddr]) -> anyhow::Result<()> {
        if config.insecure_open || addresses.iter().all(|address| address.ip().is_loopback()) {
            return Ok(());
        }
        let mut missing = Vec::new();
        if self.clients.is_none() {
            missing.push(
                "clients would not be asked for a token: set access.client_secret, access.client_secret_file or \
                 access.client_key_files"
                    .to_owned(),
            );
        }
        if !self.api.exist() {
            missing.push(format!(
                "the API would not be asked for one: create one by `rtctrace token api --name me --scope admin`, which writes \
                 to {}",
                config.api_token_file().display()
            ));
        }
        if !missing.is_empty() {
            bail!(
                "refusing to listen on {}, where others can reach it: {}. Or listen on a loopback address, or say \
                 --insecure-open if that is what you want",
                config.listen,
                missing.join("; and ")
            );
        }
        Ok(())
    }

    /// The places of sessions by address; `addresses` is where the collector listens.
    pub(crate) fn addresses(&self, config: &Config, addresses: &[SocketAddr]) -> Addresses {
        let is_reachable = self.proxies.exist() || !addresses.iter().all(|address| address.ip().is_loopback());
        Addresses::new(match config.limits.sessions_per_address {
            0 if is_reachable => (config.limits.sessions / SHARE).max(1),
            limit => limit,
        })
    }

    /// Whether a peer is a proxy that is believed when it says for whom it asks.
    pub(crate) fn is_proxy(&self, peer: IpAddr) -> bool {
        self.proxies.trust(peer.to_canonical())
    }

    /// For whom a request is made.
    pub(crate) fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        self.proxies.client(peer, headers)
    }

    /// Whether a client may send, and who it is. `session` is the one that it asks for, if its dialect names one.
    pub(crate) fn admit(&self, uri: &Uri, headers: &HeaderMap, session: Option<SessionId>) -> Result<Claims, Refusal> {
        let claims = self.admit_late(uri, headers, session)?;
        if claims.expired { Err(TokenError::Expired.into()) } else { Ok(claims) }
    }

    /// The same, with a token that was good once: for who has to show that its session is still open.
    pub(crate) fn admit_late(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        session: Option<SessionId>,
    ) -> Result<Claims, Refusal> {
        let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("?"));
        if !self.origins.allow(origin) {
            return Err(Refusal::Origin);
        }
        let Some(clients) = &self.clients else { return Ok(Claims::default()) };
        let claims = clients.check(&client::token(uri, headers).ok_or(TokenError::Missing)?)?;
        match (&claims.session, session) {
            (Some(named), Some(asked)) if named.parse() != Ok(asked) => Err(Refusal::OtherSession),
            _ => Ok(claims),
        }
    }
}
