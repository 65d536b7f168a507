//! An input as the token of a client that asks to be let in. Who is let in must have shown a token that one of the keys has
//! signed, as told by a second reading of it that shares no code with the first.

use std::cell::OnceCell;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
};
use ring::{hmac, rsa};
use serde_json::{Value, json};

use super::script::NEXT;
use crate::access::Access;
use crate::config::{Config, Secret};
use crate::session::SessionId;

const SECRET: &str = "a secret that the search does not know, and it cannot guess it";
const SESSION: &str = "0190163d-8694-739b-aea5-966c26f8ad90";
/// Private keys for nothing else: PKCS #8 of P-256, and the seed of an Ed25519 key.
const EC: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFKsE4h0uGasLfwZCohL8Xpw2jUYSElLgmHvGFFRXyRihRANCAARNDfrj8O0F\
                  LxD7+39KpAGAWC32hHTyXhJMLvjQWr73IaAgH4aBJYRlkMwHIqFcK/LB/KrlauzFsIZawNCpwKrY";
const ED: [u8; 32] = *b"an Ed25519 seed of 32 bytes here";
const RSA: &str = include_str!("../../tests/collector/rsa-for-tests.pem");

/// The keys, and what checks tokens by their public halves.
struct Keys {
    hmac: hmac::Key,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    rsa: RsaKeyPair,
    access: Access,
}

thread_local! {
    static KEYS: OnceCell<Keys> = const { OnceCell::new() };
}

/// Takes an input. Its first byte says how the rest travels: as the token of the query, as the query, among the
/// subprotocols, or as header and claims that the right key signs.
pub(super) fn run(input: &[u8]) {
    let [how, rest @ ..] = input else { return };
    KEYS.with(|keys| keys.get_or_init(Keys::new).try_in(*how, rest));
}

/// What a search begins with.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    KEYS.with(|keys| keys.get_or_init(Keys::new).seeds())
}

impl Keys {
    fn new() -> Self {
        let random = SystemRandom::new();
        let ec = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &decode(EC).unwrap(), &random).unwrap();
        let ed = Ed25519KeyPair::from_seed_unchecked(&ED).unwrap();
        let pem: String = RSA.lines().filter(|line| !line.starts_with('-')).collect();
        let rsa = RsaKeyPair::from_pkcs8(&decode(&pem).unwrap()).unwrap();
        let public = rsa::PublicKeyComponents::<Vec<u8>>::from(rsa.public());
        let point = ec.public_key().as_ref();
        let set = json!({ "keys": [
            { "kty": "EC", "crv": "P-256", "kid": "ec", "x": encode(&point[1..33]), "y": encode(&point[33..]) },
            { "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": encode(ed.public_key().as_ref()) },
            { "kty": "RSA", "kid": "rsa", "n": encode(&public.n), "e": encode(&public.e) },
        ]});
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys.json");
        std::fs::write(&file, set.to_string()).unwrap();
        let mut config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
        config.access.client_secret = Secret::new(SECRET);
        config.access.client_key_files.0.push(file.display().to_string());
        let access = Access::open(&Arc::new(config)).unwrap();
        Self { hmac: hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), ec, ed, rsa, access }
    }

    fn try_in(&self, how: u8, rest: &[u8]) {
        let mut headers = HeaderMap::new();
        let (query, shown) = match how % 4 {
            0 => {
                let token = String::from_utf8_lossy(rest).into_owned();
                (escaped(token.as_bytes()), vec![token])
            }
            1 => {
                // A URI ends where its fragment begins.
                let query = rest.split(|byte| *byte == b'#').next().unwrap_or_default();
                let pairs = form_urlencoded::parse(query).map(|(_, value)| value.into_owned());
                (String::from_utf8_lossy(rest).into_owned(), pairs.collect())
            }
            2 => {
                let Ok(value) = HeaderValue::from_bytes(rest) else { return };
                let text = String::from_utf8_lossy(rest);
                let entries =
                    text.split(',').filter_map(|entry| entry.trim().strip_prefix("token.")).map(str::to_owned);
                let shown = entries.collect();
                headers.insert(header::SEC_WEBSOCKET_PROTOCOL, value);
                (String::new(), shown)
            }
            _ => {
                let mut parts = rest.splitn(2, |byte| *byte == NEXT);
                let (head, claims) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                let token = self.signed(head, claims, "HS256");
                (escaped(token.as_bytes()), vec![token])
            }
        };
        let Ok(uri) = format!("/v1/ws?{query}").parse::<Uri>() else { return };
        let asked: SessionId = SESSION.parse().unwrap();
        for session in [None, Some(asked)] {
            let Ok(claims) = self.access.admit(&uri, &headers, session) else { continue };
            assert!(!claims.expired);
            let named = claims.session.as_deref().map(str::parse);
            assert!(session.is_none() || named.is_none_or(|named| named == Ok(asked)), "a token of another session");
            assert!(shown.iter().any(|token| self.is_signed(token)), "{shown:?} got in");
        }
    }

    fn signed(&self, head: &[u8], claims: &[u8], algorithm: &str) -> String {
        let text = format!("{}.{}", encode(head), encode(claims));
        let (random, message) = (SystemRandom::new(), text.as_bytes());
        let signature = match algorithm {
            "HS256" => hmac::sign(&self.hmac, message).as_ref().to_vec(),
            "ES256" => self.ec.sign(&random, message).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed.sign(message).as_ref().to_vec(),
            _ => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
        };
        format!("{text}.{}", encode(&signature))
    }

    /// Whether a key has signed the token, by the algorithm that its header names.
    fn is_signed(&self, token: &str) -> bool {
        let Some((message, signature)) = token.rsplit_once('.') else { return false };
        let Some((head, claims)) = message.split_once('.') else { return false };
        let (Some(head), Some(claims), Some(signature)) = (decode(head), decode(claims), decode(signature)) else {
            return false;
        };
        let Ok(head) = serde_json::from_slice::<Value>(&head) else { return false };
        if head.get("crit").is_some_and(|critical| !critical.is_null()) {
            return false;
        }
        if !serde_json::from_slice::<Value>(&claims).is_ok_and(|claims| claims.is_object()) {
            return false;
        }
        let message = message.as_bytes();
        match head["alg"].as_str() {
            Some("HS256") => hmac::verify(&self.hmac, message, &signature).is_ok(),
            Some("ES256") => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.ec.public_key())
                .verify(message, &signature)
                .is_ok(),
            Some("EdDSA") => UnparsedPublicKey::new(&ED25519, self.ed.public_key()).verify(message, &signature).is_ok(),
            Some("RS256") => {
                let public = rsa::PublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
                RsaPublicKeyComponents { n: public.n, e: public.e }
                    .verify(&RSA_PKCS1_2048_8192_SHA256, message, &signature)
                    .is_ok()
            }
            _ => false,
        }
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let claims = [
            json!({ "exp": 4_000_000_000_u64, "rtcStats": { "user": "ann", "session": SESSION, "conference": "a" } }),
            json!({ "exp": 1, "nbf": 0, "iat": 0, "aud": ["x"], "sub": "s", "iss": "i" }),
            json!({ "nbf": 4_000_000_000_u64, "rtcStats": { "user": 7 } }),
            json!({}),
        ];
        let mut seeds = Vec::new();
        for claims in claims {
            let claims = claims.to_string();
            for (algorithm, id) in
                [("HS256", None), ("ES256", Some("ec")), ("EdDSA", Some("ed")), ("RS256", Some("rsa"))]
            {
                let mut head = json!({ "typ": "JWT", "alg": algorithm });
                if let Some(id) = id {
                    head["kid"] = id.into();
                }
                let token = self.signed(head.to_string().as_bytes(), claims.as_bytes(), algorithm);
                seeds.push([b"\0", token.as_bytes()].concat());
                seeds.push(format!("\u{1}session={SESSION}&rtcstats-token={token}").into_bytes());
                seeds.push(format!("\u{1}rtcstats-token={token}#fragment").into_bytes());
                seeds.push(format!("\u{2}rtctrace.v1, token.{token}").into_bytes());
                // The key of one algorithm with the name of another.
                let wrong = self.signed(br#"{"alg":"HS256"}"#, claims.as_bytes(), algorithm);
                seeds.push([b"\0", wrong.as_bytes()].concat());
            }
            seeds.push(
                format!("\u{3}{{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}}\u{1e}{claims}").into_bytes(),
            );
        }
        seeds
    }
}

fn escaped(token: &[u8]) -> String {
    format!("token={}", form_urlencoded::byte_serialize(token).collect::<String>())
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 as tokens have it, without padding (RFC 7515, section 2).
fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0, |word, at| word << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        text.extend((0..=chunk.len()).map(|at| char::from(ALPHABET[(word >> (18 - 6 * at)) as usize & 63])));
    }
    text
}

/// The same back, or the usual alphabet's with padding; nothing where bits are left over.
fn decode(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut word, mut bits) = (Vec::new(), 0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let byte = match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => other,
        };
        word = word << 6 | u32::try_from(ALPHABET.iter().position(|known| *known == byte)?).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits) as u8);
            word &= (1 << bits) - 1;
        }
    }
    (word == 0 && bits < 6).then_some(bytes)
}
