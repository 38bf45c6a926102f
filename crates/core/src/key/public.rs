//! A public key: verifies signatures, and names itself in envelopes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::DigestVerifier;
use pkcs8::AssociatedOid as _;
use pkcs8::der::asn1::{AnyRef, ObjectIdentifier};
use pkcs8::der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};
use pkcs8::spki::{DecodePublicKey as _, EncodePublicKey as _, SubjectPublicKeyInfoRef};
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::traits::PublicKeyParts as _;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::error::{KeyError, VerifyError};
use super::fingerprint::Wire;
use super::p256_signature;
use super::pem;
use super::rsa_signature;
use super::scheme::Scheme;

/// Algorithm identifiers (RFC 5480, 8410, 8017).
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

const EXPECTED: &str = "a public key (PEM type `PUBLIC KEY`)";
const ECDSA_FORM: &str = "an ASN.1 DER sequence of two integers";

/// A public key of one of the supported algorithms: ECDSA on P-256, P-384 or P-521, Ed25519, and
/// RSA of 2048, 3072 or 4096 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(super) kind: Kind,
    der: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Kind {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
    Rsa(rsa::PublicKey),
}

impl PublicKey {
    /// Reads the first PEM block of `text`: a `PUBLIC KEY` (SPKI), an `RSA PUBLIC KEY` (PKCS#1), or a
    /// `CERTIFICATE`, whose key is taken (the certificate itself is not checked).
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let block = pem::first(text, EXPECTED)?;
        match block.label.as_str() {
            "PUBLIC KEY" => Self::from_spki(&block.body, &block.label),
            "RSA PUBLIC KEY" => Self::from_pkcs1(&block.body, &block.label),
            "CERTIFICATE" => Self::from_certificate(&block.body),
            other => Err(pem::wrong_type(other, EXPECTED)),
        }
    }

    /// Reads DER (`SubjectPublicKeyInfo`).
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::from_spki(der, "PUBLIC KEY")
    }

    /// The key in a certificate's DER.
    pub(super) fn from_certificate(der: &[u8]) -> Result<Self, KeyError> {
        const LABEL: &str = "CERTIFICATE";
        let spki = certificate_key(der).map_err(|error| KeyError::Public {
            label: LABEL.to_owned(),
            source: error.into(),
        })?;
        Self::from_spki(spki, LABEL)
    }

    fn from_pkcs1(der: &[u8], label: &str) -> Result<Self, KeyError> {
        let key = rsa::PublicKey::from_pkcs1_der(der).map_err(|_| KeyError::Public {
            label: label.to_owned(),
            source: pkcs8::spki::Error::KeyMalformed,
        })?;
        Self::new(Kind::Rsa(key))
    }

    fn from_spki(der: &[u8], label: &str) -> Result<Self, KeyError> {
        let damaged = |source| KeyError::Public {
            label: label.to_owned(),
            source,
        };
        let spki = SubjectPublicKeyInfoRef::try_from(der).map_err(damaged)?;
        let curve = spki.algorithm.parameters_oid().ok();
        let kind = match (spki.algorithm.oid, curve) {
            (EC, Some(p256::NistP256::OID)) => {
                Kind::P256(p256::ecdsa::VerifyingKey::from_public_key_der(der).map_err(damaged)?)
            }
            (EC, Some(p384::NistP384::OID)) => {
                Kind::P384(p384::ecdsa::VerifyingKey::from_public_key_der(der).map_err(damaged)?)
            }
            (EC, Some(p521::NistP521::OID)) => {
                Kind::P521(p521::ecdsa::VerifyingKey::from_public_key_der(der).map_err(damaged)?)
            }
            (ED25519, _) => Kind::Ed25519(
                ed25519_dalek::VerifyingKey::from_public_key_der(der).map_err(damaged)?,
            ),
            (RSA, _) => Kind::Rsa(rsa::PublicKey::from_public_key_der(der).map_err(damaged)?),
            (oid, curve) => return Err(unsupported(oid, curve)),
        };
        Self::new(kind).map_err(|e| match e {
            KeyError::Public { source, .. } => damaged(source),
            other => other,
        })
    }

    pub(super) fn new(kind: Kind) -> Result<Self, KeyError> {
        let encoded = match &kind {
            Kind::P256(key) => key.to_public_key_der(),
            Kind::P384(key) => key.to_public_key_der(),
            Kind::P521(key) => key.to_public_key_der(),
            Kind::Ed25519(key) => key.to_public_key_der(),
            Kind::Rsa(key) => {
                let bits = key.n().bit_width();
                if !matches!(bits, 2048 | 3072 | 4096) {
                    return Err(KeyError::RsaSize { bits });
                }
                key.to_public_key_der()
            }
        };
        let label = || "PUBLIC KEY".to_owned();
        let encoded = encoded.map_err(|source| KeyError::Public {
            label: label(),
            source,
        })?;
        Ok(Self {
            kind,
            der: encoded.into_vec(),
        })
    }

    /// The key as a `PUBLIC KEY` PEM block, as cosign writes `cosign.pub`.
    pub fn to_pem(&self) -> String {
        pem::write("PUBLIC KEY", &self.der)
    }

    /// The key as DER (`SubjectPublicKeyInfo`).
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The algorithm and size, for people.
    pub fn algorithm(&self) -> &'static str {
        match &self.kind {
            Kind::P256(_) => "ECDSA P-256",
            Kind::P384(_) => "ECDSA P-384",
            Kind::P521(_) => "ECDSA P-521",
            Kind::Ed25519(_) => "Ed25519",
            Kind::Rsa(key) => match key.n().bit_width() {
                2048 => "RSA 2048",
                3072 => "RSA 3072",
                _ => "RSA 4096",
            },
        }
    }

    /// Whether it is a key of an elliptic curve that signs with ECDSA.
    pub fn is_ecdsa(&self) -> bool {
        match &self.kind {
            Kind::P256(_) | Kind::P384(_) | Kind::P521(_) => true,
            Kind::Ed25519(_) | Kind::Rsa(_) => false,
        }
    }

    /// OpenSSH's fingerprint, `SHA256:` and unpadded base64: the `keyid` that Chains writes.
    pub fn key_id(&self) -> String {
        let ecdsa = |curve: &str, point: &[u8]| {
            let name = format!("ecdsa-sha2-{curve}");
            Wire::default()
                .string(name.as_bytes())
                .string(curve.as_bytes())
                .string(point)
        };
        let wire = match &self.kind {
            Kind::P256(key) => ecdsa("nistp256", key.to_sec1_point(false).as_bytes()),
            Kind::P384(key) => ecdsa("nistp384", key.to_sec1_point(false).as_bytes()),
            Kind::P521(key) => ecdsa("nistp521", key.to_sec1_point(false).as_bytes()),
            Kind::Ed25519(key) => Wire::default()
                .string(b"ssh-ed25519")
                .string(key.as_bytes()),
            Kind::Rsa(key) => Wire::default()
                .string(b"ssh-rsa")
                .integer(&key.e().to_be_bytes())
                .integer(&key.n().to_be_bytes()),
        };
        wire.fingerprint()
    }

    /// The key hint of a Sigstore bundle: standard base64 of the SHA-256 of the key's DER.
    pub fn hint(&self) -> String {
        STANDARD.encode(Sha256::digest(&self.der))
    }

    /// Checks `signature` over `message` with every scheme that Chains may have used for this kind
    /// of key (which depends on the file or the key service that the private key is in), and returns
    /// the one that matched.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<Scheme, VerifyError> {
        let tried = match &self.kind {
            Kind::P256(key) => {
                let signature = p256::ecdsa::DerSignature::try_from(signature).map_err(not_der)?;
                let holds = p256_signature::verifies(key, message, &signature);
                [holds.then_some(Scheme::EcdsaSha256), None]
            }
            Kind::P384(key) => {
                let signature = p384::ecdsa::DerSignature::try_from(signature).map_err(not_der)?;
                [
                    ecdsa::<Sha384, _, _>(key, message, &signature, Scheme::EcdsaSha384),
                    ecdsa::<Sha256, _, _>(key, message, &signature, Scheme::EcdsaSha256),
                ]
            }
            Kind::P521(key) => {
                let signature = p521::ecdsa::DerSignature::try_from(signature).map_err(not_der)?;
                [
                    ecdsa::<Sha512, _, _>(key, message, &signature, Scheme::EcdsaSha512),
                    ecdsa::<Sha256, _, _>(key, message, &signature, Scheme::EcdsaSha256),
                ]
            }
            Kind::Ed25519(key) => ed25519(key, message, signature)?,
            Kind::Rsa(key) => [rsa_signature::verify(key, message, signature)?, None],
        };
        tried
            .into_iter()
            .flatten()
            .next()
            .ok_or(VerifyError::Mismatch)
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({}, {})", self.algorithm(), self.key_id())
    }
}

pub(super) fn unsupported(oid: ObjectIdentifier, curve: Option<ObjectIdentifier>) -> KeyError {
    let algorithm = match curve {
        Some(curve) => format!("{oid}, curve {curve}"),
        None => oid.to_string(),
    };
    KeyError::Algorithm { algorithm }
}

fn not_der<E>(_: E) -> VerifyError {
    VerifyError::Malformed {
        expected: ECDSA_FORM,
    }
}

fn ecdsa<D, K, S>(key: &K, message: &[u8], signature: &S, scheme: Scheme) -> Option<Scheme>
where
    D: sha2::Digest + p256::ecdsa::signature::digest::Update,
    K: DigestVerifier<D, S>,
{
    let feed = |digest: &mut D| {
        sha2::Digest::update(digest, message);
        Ok(())
    };
    key.verify_digest(feed, signature).is_ok().then_some(scheme)
}

/// The schemes that a signature is valid in, Ed25519ph first.
type Ed25519Matches = [Option<Scheme>; 2];

fn ed25519(
    key: &ed25519_dalek::VerifyingKey,
    message: &[u8],
    signature: &[u8],
) -> Result<Ed25519Matches, VerifyError> {
    let signature =
        ed25519_dalek::Signature::from_slice(signature).map_err(|_| VerifyError::Malformed {
            expected: "64 bytes",
        })?;
    let digest = Sha512::new_with_prefix(message);
    let prehashed = key
        .verify_prehashed_strict(digest, None, &signature)
        .is_ok();
    let pure = key.verify_strict(message, &signature).is_ok();
    Ok([
        prehashed.then_some(Scheme::Ed25519ph),
        pure.then_some(Scheme::Ed25519),
    ])
}

/// The DER of the `SubjectPublicKeyInfo` inside a certificate (RFC 5280, section 4.1): the sixth
/// field of the inner sequence, after the optional version.
fn certificate_key(der: &[u8]) -> Result<&[u8], pkcs8::der::Error> {
    let outer = AnyRef::from_der(der)?;
    outer.tag().assert_eq(Tag::Sequence)?;
    let mut fields = SliceReader::new(outer.value())?;
    let inner: AnyRef<'_> = fields.decode()?;
    inner.tag().assert_eq(Tag::Sequence)?;
    let mut fields = SliceReader::new(inner.value())?;
    let version = Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(0),
    };
    if Tag::peek(&fields)? == version {
        fields.tlv_bytes()?;
    }
    // serial number, signature algorithm, issuer, validity, subject
    for _ in 0..5 {
        fields.tlv_bytes()?;
    }
    fields.tlv_bytes()
}
