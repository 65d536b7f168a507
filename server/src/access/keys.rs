//! The keys of client tokens: a secret, PEM files of public keys, JWK sets. Each key is good for one algorithm.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey};

use super::crypto;
use crate::config::{Config, Secret};

/// RFC 7518, section 3.2: a key of HS256 has at least the size of the hash. A shorter one can be guessed from a token.
const SHORTEST_SECRET: usize = 32;
/// RFC 7518, section 3.3, in bytes.
const SHORTEST_MODULUS: usize = 256;
/// The least that a modulus of that size takes in DER, with an exponent of one byte.
const SHORTEST_RSA_DER: usize = 266;
/// An uncompressed point of P-256, and a point of Ed25519.
const P256_POINT: usize = 65;
const ED25519_POINT: usize = 32;
/// A token may be tried with each of them.
const MOST_KEYS: usize = 100;

/// A key that tokens are checked with.
#[derive(Debug)]
pub(super) struct Key {
    /// The one algorithm that it is used with.
    pub(super) algorithm: Algorithm,
    /// Its name in a JWK set.
    pub(super) id: Option<String>,
    /// The key.
    pub(super) key: DecodingKey,
}

/// The files that keys come from.
pub(super) fn files(config: &Config) -> Vec<PathBuf> {
    let secret = Some(&config.access.client_secret_file).filter(|file| !file.as_os_str().is_empty());
    secret.cloned().into_iter().chain(config.access.client_key_files.0.iter().map(PathBuf::from)).collect()
}

/// Reads all keys that the settings name.
pub(super) fn load(config: &Config) -> anyhow::Result<Vec<Key>> {
    let mut keys = Vec::new();
    if let Some(secret) = secret(config)? {
        keys.push(Key::new(DecodingKey::from_secret(secret.expose().as_bytes()), None)?);
    }
    for file in &config.access.client_key_files.0 {
        let path = Path::new(file);
        let found =
            std::fs::read_to_string(path).map_err(anyhow::Error::from).and_then(|text| match text.trim_start() {
                text if text.starts_with('{') => jwk_set(text),
                text if text.contains("-----BEGIN ") => pem(text),
                _ => bail!("it holds neither PEM nor a JWK set"),
            });
        keys.extend(found.with_context(|| format!("access.client_key_files: {file}"))?);
    }
    ensure!(keys.len() <= MOST_KEYS, "there are {} keys of client tokens; at most {MOST_KEYS} are used", keys.len());
    Ok(keys)
}

/// The secret of the settings, or of the file that they name.
pub(super) fn secret(config: &Config) -> anyhow::Result<Option<Secret>> {
    let access = &config.access;
    one_of("access.client_secret", &access.client_secret, &access.client_secret_file, SHORTEST_SECRET)
}

/// The secret of a setting, or of the file that a setting of its name and `_file` names.
pub(super) fn one_of(name: &str, secret: &Secret, file: &Path, shortest: usize) -> anyhow::Result<Option<Secret>> {
    let (name, secret) = match (secret.is_empty(), file.as_os_str().is_empty()) {
        (true, true) => return Ok(None),
        (false, true) => (name.to_owned(), secret.clone()),
        (true, false) => {
            let name = format!("{name}_file");
            let text =
                std::fs::read_to_string(file).with_context(|| format!("{name}: cannot read {}", file.display()))?;
            (name, Secret::new(text.strip_suffix('\n').unwrap_or(&text).trim_end_matches('\r')))
        }
        (false, false) => bail!("{name} and {name}_file are both set; one secret is used"),
    };
    let length = secret.expose().len();
    ensure!(
        length >= shortest,
        "{name} has {length} bytes; it has at least {shortest} (`openssl rand -hex 32` makes a good one)"
    );
    Ok(Some(secret))
}

/// A private key of a PEM file, to sign with.
pub(super) fn signing_key(file: &Path) -> anyhow::Result<(Algorithm, EncodingKey)> {
    let text = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let key = EncodingKey::from_rsa_pem(&text)
        .or_else(|_| EncodingKey::from_ec_pem(&text))
        .or_else(|_| EncodingKey::from_ed_pem(&text))
        .map_err(|_| {
            anyhow::anyhow!("{} is no PEM file of a private key (RSA, P-256 or Ed25519, PKCS #8)", file.display())
        })?;
    Ok((crypto::algorithm(key.family()), key))
}

impl Key {
    /// A key that was looked at before the first token is.
    fn new(key: DecodingKey, id: Option<String>) -> anyhow::Result<Self> {
        let length = |bytes: &[u8]| bytes.iter().skip_while(|byte| **byte == 0).count();
        match (key.family(), key.kind()) {
            (AlgorithmFamily::Hmac, DecodingKeyKind::SecretOrDer(secret)) if secret.len() < SHORTEST_SECRET => {
                bail!("a secret has less than {SHORTEST_SECRET} bytes")
            }
            (AlgorithmFamily::Rsa, DecodingKeyKind::SecretOrDer(der)) if der.len() < SHORTEST_RSA_DER => {
                bail!("an RSA key has less than 2048 bits")
            }
            (AlgorithmFamily::Rsa, DecodingKeyKind::RsaModulusExponent { n, .. }) if length(n) < SHORTEST_MODULUS => {
                bail!("an RSA key has less than 2048 bits")
            }
            (AlgorithmFamily::Ec, DecodingKeyKind::SecretOrDer(point)) if point.len() != P256_POINT => {
                bail!("an elliptic curve is another than P-256")
            }
            (AlgorithmFamily::Ed, DecodingKeyKind::SecretOrDer(point)) if point.len() != ED25519_POINT => {
                bail!("an Edwards curve is another than Ed25519")
            }
            _ => {}
        }
        Ok(Self { algorithm: crypto::algorithm(key.family()), id, key })
    }
}

/// Every public key of a PEM file.
fn pem(text: &str) -> anyhow::Result<Vec<Key>> {
    let mut keys = Vec::new();
    for block in text.split("-----BEGIN ").skip(1) {
        let label = block.split("-----").next().unwrap_or_default();
        match label {
            "PUBLIC KEY" | "RSA PUBLIC KEY" => {}
            "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {
                bail!("it holds a private key; the collector needs the public one, and should have no more")
            }
            _ => bail!("it holds a `{label}`; it should hold public keys"),
        }
        let block = format!("-----BEGIN {block}");
        let bytes = block.as_bytes();
        let key = DecodingKey::from_rsa_pem(bytes)
            .or_else(|_| DecodingKey::from_ec_pem(bytes))
            .or_else(|_| DecodingKey::from_ed_pem(bytes))
            .map_err(|_| anyhow::anyhow!("a key is neither RSA nor P-256 nor Ed25519"))?;
        keys.push(Key::new(key, None)?);
    }
    Ok(keys)
}

/// The keys of a JWK set that sign with an algorithm that is used here. Others may stand beside them.
fn jwk_set(text: &str) -> anyhow::Result<Vec<Key>> {
    // serde_json's errors quote what they stumble over, and this may hold secrets.
    let set: JwkSet = serde_json::from_str(text)
        .map_err(|error| anyhow::anyhow!("it is no JWK set: line {}, column {}", error.line(), error.column()))?;
    let keys: Vec<Key> = set
        .keys
        .iter()
        .filter(|key| is_used(key))
        .map(|jwk| {
            let key = DecodingKey::from_jwk(jwk).map_err(|_| anyhow::anyhow!("a key cannot be read"))?;
            Key::new(key, jwk.common.key_id.clone())
        })
        .collect::<anyhow::Result<_>>()?;
    ensure!(!keys.is_empty(), "it holds no key for RS256, ES256, EdDSA or HS256");
    Ok(keys)
}

fn is_used(jwk: &Jwk) -> bool {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        AlgorithmParameters::OctetKey(_) => Algorithm::HS256,
        _ => return false,
    };
    jwk.common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm))
        && jwk.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys");
        std::fs::write(&file, text).unwrap();
        let mut config = Config::default();
        config.access.client_key_files.0.push(file.display().to_string());
        format!("{:#}", load(&config).unwrap_err())
    }

    #[test]
    fn keys_that_would_not_do_are_named_at_start() {
        assert!(problem("nothing").contains("neither PEM nor a JWK set"));
        assert!(problem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").contains("private key"));
        assert!(problem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").contains("neither RSA"));
        assert!(problem("{\"keys\":[]}").contains("no key"));
        assert!(problem(r#"{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}"#).contains("less than 32 bytes"));
        assert!(problem(r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#).contains("less than 2048 bits"));
        // P-384 has an algorithm of its own.
        assert!(problem(r#"{"keys":[{"kty":"EC","crv":"P-384","x":"AQAB","y":"AQAB"}]}"#).contains("no key"));
        assert!(problem(r#"{"keys":["hidden"]}"#).ends_with("no JWK set: line 1, column 17"));
        let secret = problem(r#"{"keys":[{"kty":"oct","k":{"hidden":"hidden"}}]}"#);
        assert!(secret.contains("no key") && !secret.contains("hidden"), "{secret}");
    }

    #[test]
    fn a_secret_is_long_enough_and_there_is_one() {
        let mut config = Config::default();
        assert!(secret(&config).unwrap().is_none());
        config.access.client_secret = Secret::new("hidden");
        let error = secret(&config).unwrap_err().to_string();
        assert!(error.contains("has 6 bytes") && !error.contains("hidden"), "{error}");
        config.access.client_secret_file = PathBuf::from("/nowhere");
        assert!(secret(&config).unwrap_err().to_string().contains("both set"));
    }
}
