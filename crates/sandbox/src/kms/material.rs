//! The private half of a key: makes signatures of digests.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The kind of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// ECDSA on secp256k1, which the clients do not support.
    Secp256k1,
    /// RSA of 2048 bits.
    Rsa2048,
    /// RSA of 3072 bits.
    Rsa3072,
    /// RSA of 4096 bits.
    Rsa4096,
}

/// The library could not make a key.
#[derive(Debug, thiserror::Error)]
#[error("could not make a key")]
pub struct MaterialError;

impl From<aws_lc_rs::error::Unspecified> for MaterialError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

impl From<aws_lc_rs::error::KeyRejected> for MaterialError {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self
    }
}

/// A hash by its length in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// How a digest is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// ASN.1 DER.
    EcdsaDer,
    /// Two numbers one after the other.
    EcdsaFixed,
    Pkcs1,
    Pss,
}

/// The private half of a key.
pub(crate) struct Material {
    pub(crate) kind: Kind,
    pair: Pair,
}

enum Pair {
    Ecdsa {
        der: EcdsaKeyPair,
        fixed: EcdsaKeyPair,
    },
    Rsa(Box<RsaKeyPair>),
}

impl std::fmt::Debug for Material {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Material({:?})", self.kind)
    }
}

impl Material {
    pub(crate) fn generate(kind: Kind) -> Result<Self, MaterialError> {
        let pair = match kind {
            Kind::P256 => ecdsa(
                &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
                &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            )?,
            Kind::P384 => ecdsa(
                &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
                &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
            )?,
            Kind::P521 => ecdsa(
                &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
                &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
            )?,
            Kind::Secp256k1 => ecdsa(
                &signature::ECDSA_P256K1_SHA256_ASN1_SIGNING,
                &signature::ECDSA_P256K1_SHA256_FIXED_SIGNING,
            )?,
            Kind::Rsa2048 => Pair::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048)?)),
            Kind::Rsa3072 => Pair::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa3072)?)),
            Kind::Rsa4096 => Pair::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa4096)?)),
        };
        Ok(Self { kind, pair })
    }

    pub(crate) fn is_rsa(&self) -> bool {
        matches!(self.pair, Pair::Rsa(_))
    }

    /// The hash that goes with the curve, or with the size where a service chooses by it.
    pub(crate) fn hash(&self) -> Hash {
        match self.kind {
            Kind::P256 | Kind::Secp256k1 | Kind::Rsa2048 => Hash::Sha256,
            Kind::P384 | Kind::Rsa3072 => Hash::Sha384,
            Kind::P521 | Kind::Rsa4096 => Hash::Sha512,
        }
    }

    /// The signature of a digest; none if key, padding, hash and digest do not go together.
    pub(crate) fn sign(&self, hash: Hash, padding: Padding, digest: &[u8]) -> Option<Vec<u8>> {
        let digest = Digest::import_less_safe(digest, hash.algorithm()).ok()?;
        match (&self.pair, padding) {
            (Pair::Ecdsa { der, .. }, Padding::EcdsaDer) => der.sign_digest(&digest).ok(),
            (Pair::Ecdsa { fixed, .. }, Padding::EcdsaFixed) => fixed.sign_digest(&digest).ok(),
            (Pair::Rsa(pair), Padding::Pkcs1 | Padding::Pss) => {
                let encoding: &'static dyn signature::RsaEncoding = match (padding, hash) {
                    (Padding::Pss, Hash::Sha256) => &signature::RSA_PSS_SHA256,
                    (Padding::Pss, Hash::Sha384) => &signature::RSA_PSS_SHA384,
                    (Padding::Pss, Hash::Sha512) => &signature::RSA_PSS_SHA512,
                    (_, Hash::Sha256) => &signature::RSA_PKCS1_SHA256,
                    (_, Hash::Sha384) => &signature::RSA_PKCS1_SHA384,
                    (_, Hash::Sha512) => &signature::RSA_PKCS1_SHA512,
                };
                let mut bytes = vec![0; pair.public_modulus_len()];
                pair.sign_digest(encoding, &digest, &mut bytes).ok()?;
                return Some(bytes);
            }
            _ => None,
        }
        .map(|signature| signature.as_ref().to_vec())
    }

    /// The public half, `SubjectPublicKeyInfo`.
    pub(crate) fn der(&self) -> Vec<u8> {
        let der = match &self.pair {
            Pair::Ecdsa { der, .. } => der.public_key().as_der(),
            Pair::Rsa(pair) => pair.public_key().as_der(),
        };
        der.map(|der| der.as_ref().to_vec()).unwrap_or_default()
    }

    /// The public half, PEM.
    pub(crate) fn pem(&self) -> String {
        let encoded = STANDARD.encode(self.der());
        let lines = encoded.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let lines: Vec<_> = lines.collect();
        let body = lines.join("\n");
        format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
    }

    /// The public half, a JSON Web Key.
    pub(crate) fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Ecdsa { der, .. } => {
                // an uncompressed point
                let point = der.public_key().as_ref();
                let (x, y) = point[1..].split_at((point.len() - 1) / 2);
                let curve = match self.kind {
                    Kind::P256 => "P-256",
                    Kind::P384 => "P-384",
                    Kind::P521 => "P-521",
                    _ => "P-256K",
                };
                json!({
                    "kty": "EC", "crv": curve,
                    "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
                })
            }
            Pair::Rsa(pair) => {
                let [n, e] = numbers(pair.public_key().as_ref());
                json!({
                    "kty": "RSA",
                    "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e),
                })
            }
        }
    }
}

impl Hash {
    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

/// One key, for signatures in both forms.
fn ecdsa(
    der: &'static EcdsaSigningAlgorithm,
    fixed: &'static EcdsaSigningAlgorithm,
) -> Result<Pair, MaterialError> {
    let der = EcdsaKeyPair::generate(der)?;
    let document = der.to_pkcs8v1()?;
    let fixed = EcdsaKeyPair::from_pkcs8(fixed, document.as_ref())?;
    Ok(Pair::Ecdsa { der, fixed })
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017, appendix A.1.1), which the library has written.
fn numbers(der: &[u8]) -> [&[u8]; 2] {
    let (sequence, _) = element(der);
    let (modulus, rest) = element(sequence);
    let (exponent, _) = element(rest);
    [modulus, exponent].map(|number| number.strip_prefix(&[0]).unwrap_or(number))
}

/// The content of an element, and what follows it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (length, start) = match der.get(1) {
        Some(&short) if short < 0x80 => (usize::from(short), 2),
        Some(&long) => {
            let digits = usize::from(long & 0x7f);
            let bytes = der.get(2..2 + digits).unwrap_or_default();
            let length = bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, 2 + digits)
        }
        None => (0, der.len()),
    };
    der.get(start..)
        .unwrap_or_default()
        .split_at_checked(length)
        .unwrap_or_default()
}
