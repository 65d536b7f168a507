//! Who may send as the SFU Sora: by its address, by a token; by its certificate, where `listener/tls.rs` asks for one.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;

use super::api_tokens::{HASH_BYTES, hash};
use super::guard::{LONGEST_TOKEN, challenge};
use super::keys::one_of;
use super::reload::{Reload, Watched};
use super::sources::Sources;
use crate::config::{Config, Secret};
use crate::problem::{Problem, Reason};

/// A shorter token can be guessed.
const SHORTEST_TOKEN: usize = 16;

/// What decides about Sora's listener.
#[derive(Debug)]
pub(crate) struct SoraAccess {
    sources: Sources,
    token: Option<Arc<Watched<Hash>>>,
}

/// The hash of the token: texts of any length are compared in the same time by it.
#[derive(Debug)]
struct Hash([u8; HASH_BYTES]);

impl SoraAccess {
    /// Reads what the settings name.
    pub(crate) fn open(config: &Arc<Config>) -> anyhow::Result<Self> {
        let sources = Sources::new("sora.allow", &config.sora.allow)?;
        let is_set = !config.sora.token.is_empty() || !config.sora.token_file.as_os_str().is_empty();
        let token = match is_set {
            true => {
                let file = Some(&config.sora.token_file).filter(|file| !file.as_os_str().is_empty());
                let files: Vec<PathBuf> = file.cloned().into_iter().collect();
                let settings = Arc::clone(config);
                Some(Arc::new(Watched::new("sora_token", files, move || load(&settings))?))
            }
            false => None,
        };
        Ok(Self { sources, token })
    }

    /// What is to be read anew when its files change.
    pub(crate) fn watched(&self) -> Option<Arc<dyn Reload>> {
        self.token.clone().map(|token| token as Arc<dyn Reload>)
    }

    /// The networks that may connect.
    pub(crate) fn sources(&self) -> Sources {
        self.sources.clone()
    }

    /// Refuses addresses that others can reach, if anybody there could send. That only some addresses may connect will do: the
    /// exporter of Sora's older versions has no way to show a token.
    pub(crate) fn check_addresses(&self, config: &Config, addresses: &[SocketAddr]) -> anyhow::Result<()> {
        let asks = self.token.is_some() || !config.sora.tls.client_ca.as_os_str().is_empty();
        let is_local = addresses.iter().all(|address| address.ip().is_loopback());
        if config.insecure_open || is_local || asks || self.sources.are_chosen() {
            return Ok(());
        }
        bail!(
            "refusing to listen for Sora on {}, where others can reach it: anybody could send as Sora. Set sora.tls.client_ca, \
             sora.token or sora.allow; or listen on a loopback address, or say --insecure-open if that is what you want",
            config.sora.listen
        );
    }

    /// Whether a request shows the token.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(token) = &self.token else { return Ok(()) };
        let Some(shown) = shown(headers) else {
            let detail =
                "This needs the token of `sora.token`: `Authorization: Bearer <token>`, or as the password of `Basic`.";
            return Err(challenge(Problem::new(Reason::Unauthorized, detail)));
        };
        match bool::from(token.get().0.as_slice().ct_eq(&hash(shown.expose()))) {
            true => Ok(()),
            false => Err(challenge(Problem::new(Reason::Unauthorized, "This is not the token of `sora.token`."))),
        }
    }
}

fn load(config: &Config) -> anyhow::Result<Hash> {
    let token = one_of("sora.token", &config.sora.token, &config.sora.token_file, SHORTEST_TOKEN)?;
    Ok(Hash(hash(token.unwrap_or_default().expose())))
}

/// What a request carries in `Authorization`; of `Basic` (RFC 7617), which Sora's webhooks can, the password counts.
fn shown(headers: &HeaderMap) -> Option<Secret> {
    let (scheme, rest) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let rest = rest.trim();
    if rest.len() > 2 * LONGEST_TOKEN {
        return None;
    }
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Secret::new(rest));
    }
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(rest))?.ok()?;
    let pair = String::from_utf8(pair).ok()?;
    pair.split_once(':').map(|(_, password)| Secret::new(password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(change: impl FnOnce(&mut Config)) -> anyhow::Result<(SoraAccess, Arc<Config>)> {
        let mut config = Config::default();
        change(&mut config);
        let config = Arc::new(config);
        Ok((SoraAccess::open(&config)?, config))
    }

    #[test]
    fn a_request_shows_the_token_by_either_scheme() {
        let token = "correct horse battery";
        let (access, _) = opened(|config| config.sora.token = Secret::new(token)).unwrap();
        let admitted = |value: &str| {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
            access.admit(&headers).is_ok()
        };
        assert!(admitted(&format!("Bearer {token}")) && admitted(&format!("bearer  {token} ")));
        let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
        assert!(admitted(&basic(&format!("sora:{token}"))) && admitted(&basic(&format!(":{token}"))));
        for wrong in
            ["", "Bearer", "Bearer ", "Bearer x", token, "Basic %", &basic(token), &basic(&format!("{token}:x"))]
        {
            assert!(!admitted(wrong), "{wrong}");
        }
        assert!(!admitted(&format!("Bearer {}", token.repeat(100))));
        assert!(access.admit(&HeaderMap::new()).is_err());
        assert!(opened(|_| {}).unwrap().0.admit(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn a_token_comes_from_one_place_and_is_long_enough() {
        let said = |change: fn(&mut Config)| format!("{:#}", opened(change).unwrap_err());
        let short = said(|config| config.sora.token = Secret::new("hidden"));
        assert!(short.contains("sora.token has 6 bytes") && !short.contains("hidden"), "{short}");
        let both = said(|config| {
            config.sora.token = Secret::new("hidden hidden hidden");
            config.sora.token_file = "/nowhere".into();
        });
        assert!(both.contains("sora.token and sora.token_file are both set"), "{both}");
        let missing = said(|config| config.sora.token_file = "/nowhere".into());
        assert!(missing.contains("sora.token_file: cannot read /nowhere"), "{missing}");
    }

    #[test]
    fn nobody_who_is_not_asked_is_let_in_from_elsewhere() {
        let checked = |address: &str, change: fn(&mut Config)| {
            let (access, config) = opened(change).unwrap();
            access.check_addresses(&config, &[address.parse().unwrap()])
        };
        checked("127.0.0.1:1", |_| {}).unwrap();
        checked("[::1]:1", |_| {}).unwrap();
        let error = checked("0.0.0.0:1", |_| {}).unwrap_err().to_string();
        assert!(error.contains("--insecure-open") && error.contains("sora.tls.client_ca"), "{error}");
        assert!(checked("0.0.0.0:1", |config| config.sora.allow.0.push("0.0.0.0/0".to_owned())).is_err());
        checked("0.0.0.0:1", |config| config.sora.allow.0.push("10.0.0.0/8".to_owned())).unwrap();
        checked("0.0.0.0:1", |config| config.sora.token = Secret::new("0123456789abcdef")).unwrap();
        checked("0.0.0.0:1", |config| config.sora.tls.client_ca = "ca".into()).unwrap();
        checked("0.0.0.0:1", |config| config.insecure_open = true).unwrap();
    }
}
