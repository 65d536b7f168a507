//! The cryptography of client tokens, by ring: HS256, RS256, ES256 and EdDSA, and no other algorithm. `jsonwebtoken` takes
//! it as its provider; its own would bring in a second set of implementations beside that of TLS.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind, new_error};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
};
use ring::{hmac, rsa};
use signature::{Signer, Verifier};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // For making JWKs out of keys, which nothing here does.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Installs it; the first of several calls counts.
pub(super) fn install() {
    let _ = PROVIDER.install_default();
}

/// The one algorithm that keys of a family are used with here.
pub(super) fn algorithm(family: AlgorithmFamily) -> Algorithm {
    match family {
        AlgorithmFamily::Hmac => Algorithm::HS256,
        AlgorithmFamily::Rsa => Algorithm::RS256,
        AlgorithmFamily::Ec => Algorithm::ES256,
        AlgorithmFamily::Ed => Algorithm::EdDSA,
    }
}

/// A key that verifies.
enum Public {
    Hmac(hmac::Key),
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Der(UnparsedPublicKey<Vec<u8>>),
}

struct RingVerifier {
    algorithm: Algorithm,
    key: Public,
}

fn verifier(asked: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let algorithm = pinned(*asked, key.family())?;
    let key = match (algorithm, key.kind()) {
        (Algorithm::HS256, DecodingKeyKind::SecretOrDer(secret)) => {
            Public::Hmac(hmac::Key::new(hmac::HMAC_SHA256, secret))
        }
        (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => Public::Rsa { n: n.clone(), e: e.clone() },
        (Algorithm::RS256, DecodingKeyKind::SecretOrDer(der)) => {
            Public::Der(UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.clone()))
        }
        (Algorithm::ES256, DecodingKeyKind::SecretOrDer(point)) => {
            Public::Der(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.clone()))
        }
        (Algorithm::EdDSA, DecodingKeyKind::SecretOrDer(point)) => {
            Public::Der(UnparsedPublicKey::new(&ED25519, point.clone()))
        }
        _ => return Err(new_error(ErrorKind::InvalidKeyFormat)),
    };
    Ok(Box::new(RingVerifier { algorithm, key }))
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        match &self.key {
            // In constant time.
            Public::Hmac(key) => hmac::verify(key, message, signature),
            Public::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            Public::Der(key) => key.verify(message, signature),
        }
        .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// A key that signs.
enum Private {
    Hmac(hmac::Key),
    Rsa(Box<RsaKeyPair>),
    Ecdsa(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

struct RingSigner {
    algorithm: Algorithm,
    key: Private,
}

fn signer(asked: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    let algorithm = pinned(*asked, key.family())?;
    let rejected = |error: ring::error::KeyRejected| new_error(ErrorKind::Provider(error.to_string()));
    let bytes = key.as_bytes();
    let key = match key.family() {
        AlgorithmFamily::Hmac => Private::Hmac(hmac::Key::new(hmac::HMAC_SHA256, bytes)),
        AlgorithmFamily::Rsa => Private::Rsa(Box::new(RsaKeyPair::from_der(bytes).map_err(rejected)?)),
        AlgorithmFamily::Ec => Private::Ecdsa(
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes, &SystemRandom::new())
                .map_err(rejected)?,
        ),
        // Keys without their public half are common: RFC 8410 makes it optional.
        AlgorithmFamily::Ed => Private::Ed(Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).map_err(rejected)?),
    };
    Ok(Box::new(RingSigner { algorithm, key }))
}

impl Signer<Vec<u8>> for RingSigner {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let random = SystemRandom::new();
        match &self.key {
            Private::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Private::Rsa(key) => {
                let mut signature = vec![0; rsa::KeyPair::public(key).modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map(|()| signature)
            }
            Private::Ecdsa(key) => key.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Private::Ed(key) => Ok(key.sign(message).as_ref().to_vec()),
        }
        .map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for RingSigner {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// A key is good for one algorithm, whatever a token says.
fn pinned(asked: Algorithm, family: AlgorithmFamily) -> Result<Algorithm, Error> {
    let algorithm = algorithm(family);
    if asked == algorithm { Ok(algorithm) } else { Err(new_error(ErrorKind::InvalidAlgorithm)) }
}
