//! Client tokens: JWTs that an app's server gives to its pages. What a token must be, where it travels, and whom it names.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, Uri, header};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation, decode, decode_header, encode};
use serde_json::{Map, Value, json};

use super::crypto;
use super::keys::{self, Key};
use super::reload::Watched;
use crate::api::query_parameter;
use crate::config::{Config, Secret};

/// Names of the query's parameter: ours, and upstream's.
const PARAMETERS: [&str; 2] = ["token", "rtcstats-token"];
/// What precedes a token among the subprotocols.
const SUBPROTOCOL: &str = "token.";
/// The member of the claims that is ours, as upstream names it.
const CLAIM: &str = "rtcStats";
/// Longer tokens are none.
const LONGEST_TOKEN: usize = 8 * 1024;
/// Longer names are refused: they go into the dump's header and the database.
pub(crate) const LONGEST_NAME: usize = 256;
/// The clock of who signs may be so far ahead, in seconds. `exp` has no such leeway: who signs chooses it.
const CLOCKS_DIFFER: f64 = 10.0;

/// What a token says, once its signature is good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Claims {
    /// Whose session it is.
    pub(crate) user: Option<String>,
    /// Which session the token is for; without it, any.
    pub(crate) session: Option<String>,
    /// Which conference the session belongs to.
    pub(crate) conference: Option<String>,
    /// Whether its time is over.
    pub(crate) expired: bool,
}

/// What is wrong with a token. The texts go to clients: none holds a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// There is none.
    #[error("a token is missing")]
    Missing,
    /// It is no JWT.
    #[error("the token is no JWT")]
    Malformed,
    /// Its algorithm is none of ours, or none that a key here is for.
    #[error("the token's algorithm is not accepted here")]
    Algorithm,
    /// Its header names extensions that whoever reads it must know.
    #[error("the token needs an extension that is not known here")]
    Extension,
    /// No key here has signed it.
    #[error("the token's signature is not accepted here")]
    Signature,
    /// `exp` is over.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is still to come.
    #[error("the token is not valid yet")]
    NotYet,
    /// The claims are not what they should be.
    #[error("the token's claims are not what they should be: {0}")]
    Claims(&'static str),
}

/// What checks client tokens.
#[derive(Debug)]
pub(crate) struct ClientTokens(Arc<Watched<Vec<Key>>>);

impl ClientTokens {
    /// By the keys of the settings; `None` if they name none.
    pub(super) fn open(config: &Arc<Config>) -> anyhow::Result<Option<Self>> {
        let files = keys::files(config);
        if files.is_empty() && config.access.client_secret.is_empty() {
            return Ok(None);
        }
        let config = Arc::clone(config);
        let keys = Watched::new("client_keys", files, move || keys::load(&config))?;
        Ok(Some(Self(Arc::new(keys))))
    }

    /// What its keys are read from.
    pub(super) fn watched(&self) -> Arc<Watched<Vec<Key>>> {
        Arc::clone(&self.0)
    }

    /// What a token says, if it is signed and begun; whether its time is over is one of the claims.
    pub(super) fn check(&self, token: &Secret) -> Result<Claims, TokenError> {
        check(&self.0.get(), token.expose(), now())
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn check(keys: &[Key], token: &str, now: f64) -> Result<Claims, TokenError> {
    if token.len() > LONGEST_TOKEN {
        return Err(TokenError::Malformed);
    }
    let head = decode_header(token).map_err(|error| match error.kind() {
        // `none` among them, which no library may know.
        ErrorKind::Json(_) => TokenError::Algorithm,
        _ => TokenError::Malformed,
    })?;
    // RFC 7515, section 4.1.11; we know none, and one of them (RFC 7797) changes what is signed.
    if head.crit.is_some() {
        return Err(TokenError::Extension);
    }
    let candidates: Vec<&Key> = keys.iter().filter(|key| key.algorithm == head.alg).collect();
    if candidates.is_empty() {
        return Err(TokenError::Algorithm);
    }
    let is_named = |key: &Key| key.id.is_none() || head.kid.is_none() || key.id == head.kid;
    for key in candidates.into_iter().filter(|key| is_named(key)) {
        let mut validation = Validation::new(key.algorithm);
        // The times are looked at below; what is not ours (`aud`) is not.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        match decode::<Map<String, Value>>(token, &key.key, &validation) {
            Ok(decoded) => return claims(&decoded.claims, now),
            Err(error) => match error.kind() {
                ErrorKind::InvalidSignature => {}
                // It is looked at before the signature is; the claims are only after it.
                ErrorKind::Base64(_) | ErrorKind::InvalidToken => return Err(TokenError::Malformed),
                _ => return Err(TokenError::Claims("they cannot be read")),
            },
        }
    }
    Err(TokenError::Signature)
}

fn claims(all: &Map<String, Value>, now: f64) -> Result<Claims, TokenError> {
    let time = |name: &str, wrong| match all.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or(TokenError::Claims(wrong)),
    };
    let expired = time("exp", "exp is no number")?.is_some_and(|exp| exp <= now);
    if time("nbf", "nbf is no number")?.is_some_and(|nbf| nbf > now + CLOCKS_DIFFER) {
        return Err(TokenError::NotYet);
    }
    let ours = match all.get(CLAIM) {
        None | Some(Value::Null) => return Ok(Claims { expired, ..Claims::default() }),
        Some(Value::Object(ours)) => ours,
        Some(_) => return Err(TokenError::Claims("rtcStats is no object")),
    };
    let name = |name: &str| match ours.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::String(text)) if text.len() <= LONGEST_NAME => Ok(Some(text.clone())),
        Some(Value::String(_)) => Err(TokenError::Claims("a name is longer than 256 bytes")),
        Some(_) => Err(TokenError::Claims("a name is no text")),
    };
    Ok(Claims { user: name("user")?, session: name("session")?, conference: name("conference")?, expired })
}

/// The token of a request: in its query, or among the subprotocols of a WebSocket (`token.<JWT>`).
pub(super) fn token(uri: &Uri, headers: &HeaderMap) -> Option<Secret> {
    let in_query = PARAMETERS.iter().find_map(|name| query_parameter(uri, name)).filter(|token| !token.is_empty());
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let mut offered = offered.flat_map(|value| value.split(',')).map(str::trim);
    in_query.or_else(|| offered.find_map(|entry| entry.strip_prefix(SUBPROTOCOL).map(str::to_owned))).map(Secret::new)
}

/// Whether an entry of `Sec-WebSocket-Protocol` is a token, which no answer and no log repeats.
pub(crate) fn is_token(subprotocol: &str) -> bool {
    subprotocol.starts_with(SUBPROTOCOL)
}

/// A URL without what a client proves itself with, however its name is spelt: it goes into dumps and the database.
pub(crate) fn without_tokens(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let is_token = |pair: &str| {
        form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name.to_ascii_lowercase().ends_with("token"))
    };
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !is_token(pair)).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

/// Mints a token that lives for `ttl` seconds, signed by a private key in a PEM file or by the secret of the settings.
pub(crate) fn mint(
    config: &Config,
    key_file: Option<&std::path::Path>,
    claims: &Claims,
    ttl: u64,
) -> anyhow::Result<Secret> {
    crypto::install();
    let (algorithm, key) = match (key_file, keys::secret(config)?) {
        (Some(file), _) => keys::signing_key(file)?,
        (None, Some(secret)) => {
            let key = jsonwebtoken::EncodingKey::from_secret(secret.expose().as_bytes());
            (crypto::algorithm(key.family()), key)
        }
        (None, None) => anyhow::bail!(
            "there is nothing to sign with: set access.client_secret (RTCTRACE_ACCESS_CLIENT_SECRET), or give a private key by --key"
        ),
    };
    let names = [("user", &claims.user), ("session", &claims.session), ("conference", &claims.conference)];
    let names: Map<String, Value> =
        names.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.clone()?.into()))).collect();
    let now = now() as u64;
    let body = json!({ "iat": now, "exp": now.saturating_add(ttl), CLAIM: names });
    encode(&Header::new(algorithm), &body, &key)
        .map(Secret::new)
        .map_err(|error| anyhow::anyhow!("the key does not sign: {error}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn settings(secret: &str) -> Config {
        crypto::install();
        let mut config = Config::default();
        config.access.client_secret = Secret::new(secret);
        config
    }

    fn signed(body: &Value, header: &Header) -> String {
        encode(header, body, &jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
    }

    fn checked(body: &Value) -> Result<Claims, TokenError> {
        let keys = keys::load(&settings(SECRET)).unwrap();
        check(&keys, &signed(body, &Header::default()), 1_000.0)
    }

    #[test]
    fn a_minted_token_says_what_it_was_given() {
        let config = settings(SECRET);
        let claims =
            Claims { user: Some("ann".to_owned()), conference: Some("weekly".to_owned()), ..Claims::default() };
        let token = mint(&config, None, &claims, 60).unwrap();
        let keys = keys::load(&config).unwrap();
        assert_eq!(check(&keys, token.expose(), now()), Ok(claims.clone()));
        assert_eq!(check(&keys, token.expose(), now() + 61.0), Ok(Claims { expired: true, ..claims }));
        let others = keys::load(&settings("another secret that is long enough")).unwrap();
        assert_eq!(check(&others, token.expose(), now()), Err(TokenError::Signature));
        assert!(mint(&Config::default(), None, &Claims::default(), 60).is_err());
    }

    #[test]
    fn times_and_claims_are_honoured() {
        assert_eq!(checked(&json!({})), Ok(Claims::default()));
        assert!(!checked(&json!({ "exp": 1_001, "nbf": 1_000 })).unwrap().expired);
        assert!(checked(&json!({ "exp": 1_000 })).unwrap().expired);
        assert!(checked(&json!({ "exp": 999.5 })).unwrap().expired);
        assert_eq!(checked(&json!({ "nbf": 1_011 })), Err(TokenError::NotYet));
        assert!(checked(&json!({ "nbf": 1_010, "aud": "others" })).is_ok());
        assert_eq!(checked(&json!({ "rtcStats": { "user": 7 } })).unwrap().user.as_deref(), Some("7"));
        let long = "x".repeat(257);
        for wrong in [
            json!({ "exp": "soon" }),
            json!({ "nbf": [] }),
            json!({ "rtcStats": "ann" }),
            json!({ "rtcStats": { "user": {} } }),
            json!({ "rtcStats": { "conference": long } }),
        ] {
            assert!(matches!(checked(&wrong), Err(TokenError::Claims(_))), "{wrong}");
        }
    }

    #[test]
    fn an_algorithm_that_no_key_is_for_is_refused() {
        let keys = keys::load(&settings(SECRET)).unwrap();
        let with = |head: &str| {
            let token = signed(&json!({}), &Header::default());
            let rest = token.split_once('.').unwrap().1.to_owned();
            check(&keys, &format!("{head}.{rest}"), 0.0)
        };
        // {"alg":"none"}, {"alg":"HS512"}, {"alg":"RS256"}
        assert_eq!(with("eyJhbGciOiJub25lIn0"), Err(TokenError::Algorithm));
        assert_eq!(with("eyJhbGciOiJIUzUxMiJ9"), Err(TokenError::Algorithm));
        assert_eq!(with("eyJhbGciOiJSUzI1NiJ9"), Err(TokenError::Algorithm));
        // {"alg":"HS256"}: the header is signed, too.
        assert_eq!(with("eyJhbGciOiJIUzI1NiJ9"), Err(TokenError::Signature));
        let critical = Header { crit: Some(vec!["b64".to_owned()]), ..Header::default() };
        assert_eq!(check(&keys, &signed(&json!({}), &critical), 0.0), Err(TokenError::Extension));
        assert_eq!(check(&keys, "nonsense", 0.0), Err(TokenError::Malformed));
        assert_eq!(check(&keys, &"x".repeat(9_000), 0.0), Err(TokenError::Malformed));
    }

    #[test]
    fn a_token_travels_in_the_query_or_among_the_subprotocols() {
        let found = |uri: &str, offered: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, header::HeaderValue::from_static(offered));
            token(&uri.parse().unwrap(), &headers).map(|token| token.expose().to_owned())
        };
        assert_eq!(found("/v1/ws?token=a.b.c", "rtctrace.v1").as_deref(), Some("a.b.c"));
        assert_eq!(found("/room?rtcstats-token=a.b.c", "rtcstats#5.0").as_deref(), Some("a.b.c"));
        assert_eq!(found("/v1/ws", "rtctrace.v1, token.a.b.c").as_deref(), Some("a.b.c"));
        assert_eq!(found("/v1/ws?token=", "rtctrace.v1"), None);
    }

    #[test]
    fn tokens_stay_out_of_dumps() {
        assert_eq!(without_tokens("/room?rtcstats-token=secret"), "/room");
        assert_eq!(without_tokens("/v1/ws?session=1&token=secret&from=0"), "/v1/ws?session=1&from=0");
        assert_eq!(without_tokens("/v1/ws?TOK%65N=secret&Token=secret&a=1"), "/v1/ws?a=1");
        assert_eq!(without_tokens("wss://a.example/room?token=secret?x"), "wss://a.example/room");
        assert_eq!(without_tokens("/loopback"), "/loopback");
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_read(token in "\\PC{0,200}|[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}") {
            let keys = keys::load(&settings(SECRET)).unwrap();
            prop_assert!(check(&keys, &token, 0.0).is_err());
        }

        #[test]
        fn any_claims_that_are_signed_are_read_or_refused(
            name in "exp|nbf|aud|rtcStats|x",
            inner in "user|session|conference|x",
            text in "\\PC{0,300}",
            number in any::<f64>(),
        ) {
            for value in [json!(text), json!(number), json!({ inner.clone(): text }), json!({ inner: number }), json!([text])] {
                let is_ours = name == "rtcStats";
                let outcome = checked(&json!({ name.clone(): value }));
                prop_assert!(matches!(outcome, Ok(_) | Err(TokenError::Claims(_) | TokenError::NotYet)), "{outcome:?}");
                prop_assert!(is_ours || outcome.is_err() || outcome.is_ok_and(|claims| claims.user.is_none()));
            }
        }
    }
}
