//! A private key in memory: signs, and is wiped when dropped.

use std::fmt;

use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::{DigestSigner, Error, SignatureEncoding};
use pkcs8::der::Decode as _;
use pkcs8::{AssociatedOid as _, EncodePrivateKey as _, PrivateKeyInfoRef};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use sha2::{Digest, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::error::{KeyError, SignError};
use super::public::{EC, ED25519, Kind, PublicKey, RSA, unsupported};
use super::scheme::Scheme;
use super::{cosign, pem};

const EXPECTED: &str = "an unencrypted private key (PEM type `PRIVATE KEY`)";

/// A private key and the scheme it signs with. Its memory is wiped on drop and `Debug` shows none
/// of it.
pub struct PrivateKey {
    secret: Secret,
    scheme: Scheme,
    public: PublicKey,
}

/// Every one of these wipes itself on drop.
enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    Rsa(Box<rsa::PrivateKey>),
}

/// How long a signature takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// A millisecond at most.
    Short,
    /// Several milliseconds: not on a thread that others wait for.
    Long,
}

/// The file a key was read from, which decides the hash.
#[derive(Clone, Copy)]
enum Origin {
    X509,
    Cosign,
}

impl PrivateKey {
    /// Reads an unencrypted private key, the content of `x509.pem`: PKCS#8, or one of the older
    /// forms SEC1 (`EC PRIVATE KEY`) and PKCS#1 (`RSA PRIVATE KEY`).
    ///
    /// ECDSA signs with SHA-256 whatever the curve, as Chains does here. Chains takes ECDSA only;
    /// Ed25519 signs the message itself and RSA with SHA-256.
    pub fn from_x509_pem(text: &[u8]) -> Result<Self, KeyError> {
        let block = pem::first(text, EXPECTED)?;
        let damaged = |source| KeyError::Private {
            label: block.label.clone(),
            source,
        };
        match block.label.as_str() {
            "PRIVATE KEY" => Self::from_pkcs8(&block.body, Origin::X509),
            "EC PRIVATE KEY" => Self::new(sec1_secret(&block.body)?, Origin::X509),
            "RSA PRIVATE KEY" => {
                let key = rsa::PrivateKey::from_pkcs1_der(&block.body)
                    .map_err(|_| damaged(pkcs8::Error::KeyMalformed(pkcs8::KeyError::Invalid)))?;
                Self::new(Secret::Rsa(Box::new(key)), Origin::X509)
            }
            other => Err(pem::wrong_type(other, EXPECTED)),
        }
    }

    /// Opens cosign's encrypted file, the content of `cosign.key`, with the exact bytes of
    /// `cosign.password`. This runs scrypt (about 0.1 s and 64 MiB): do it once a key.
    ///
    /// ECDSA signs with the hash of its curve's size and Ed25519 as Ed25519ph, as cosign does.
    pub fn from_cosign(text: &[u8], password: &[u8]) -> Result<Self, KeyError> {
        Self::from_pkcs8(&cosign::decrypt(text, password)?, Origin::Cosign)
    }

    /// A new P-256 key made of 32 random bytes. [`KeyError::Random`] asks for other ones.
    pub fn generate_p256(random: &[u8; 32]) -> Result<Self, KeyError> {
        let key = p256::ecdsa::SigningKey::from_slice(random).map_err(|_| KeyError::Random)?;
        Self::new(Secret::P256(key), Origin::Cosign)
    }

    fn from_pkcs8(der: &[u8], origin: Origin) -> Result<Self, KeyError> {
        let damaged = |source| KeyError::Private {
            label: "PRIVATE KEY".to_owned(),
            source,
        };
        let parsed = PrivateKeyInfoRef::try_from(der).map_err(damaged)?;
        let curve = parsed.algorithm.parameters_oid().ok();
        let secret = match (parsed.algorithm.oid, curve) {
            (EC, Some(p256::NistP256::OID)) => {
                Secret::P256(p256::SecretKey::try_from(parsed).map_err(damaged)?.into())
            }
            (EC, Some(p384::NistP384::OID)) => {
                Secret::P384(p384::SecretKey::try_from(parsed).map_err(damaged)?.into())
            }
            (EC, Some(p521::NistP521::OID)) => {
                Secret::P521(p521::SecretKey::try_from(parsed).map_err(damaged)?.into())
            }
            (ED25519, _) => {
                Secret::Ed25519(ed25519_dalek::SigningKey::try_from(parsed).map_err(damaged)?)
            }
            (RSA, _) => Secret::Rsa(Box::new(
                rsa::PrivateKey::try_from(parsed).map_err(damaged)?,
            )),
            (oid, curve) => return Err(unsupported(oid, curve)),
        };
        Self::new(secret, origin)
    }

    fn new(secret: Secret, origin: Origin) -> Result<Self, KeyError> {
        let (kind, scheme) = match &secret {
            Secret::P256(key) => (Kind::P256(*key.verifying_key()), Scheme::EcdsaSha256),
            Secret::P384(key) => (
                Kind::P384(*key.verifying_key()),
                match origin {
                    Origin::X509 => Scheme::EcdsaSha256,
                    Origin::Cosign => Scheme::EcdsaSha384,
                },
            ),
            Secret::P521(key) => (
                Kind::P521(*key.verifying_key()),
                match origin {
                    Origin::X509 => Scheme::EcdsaSha256,
                    Origin::Cosign => Scheme::EcdsaSha512,
                },
            ),
            Secret::Ed25519(key) => (
                Kind::Ed25519(key.verifying_key()),
                match origin {
                    Origin::X509 => Scheme::Ed25519,
                    Origin::Cosign => Scheme::Ed25519ph,
                },
            ),
            Secret::Rsa(key) => (Kind::Rsa(key.to_public_key()), Scheme::RsaSha256),
        };
        Ok(Self {
            secret,
            scheme,
            public: PublicKey::new(kind)?,
        })
    }

    /// The signature over `message`: ASN.1 DER for ECDSA, raw bytes otherwise. The same message
    /// always gives the same bytes.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signed = match (&self.secret, self.scheme) {
            (Secret::P256(key), _) => ecdsa::<Sha256, _, p256::ecdsa::DerSignature>(key, message),
            (Secret::P384(key), Scheme::EcdsaSha256) => {
                ecdsa::<Sha256, _, p384::ecdsa::DerSignature>(key, message)
            }
            (Secret::P384(key), _) => ecdsa::<Sha384, _, p384::ecdsa::DerSignature>(key, message),
            (Secret::P521(key), Scheme::EcdsaSha256) => {
                ecdsa::<Sha256, _, p521::ecdsa::DerSignature>(key, message)
            }
            (Secret::P521(key), _) => ecdsa::<Sha512, _, p521::ecdsa::DerSignature>(key, message),
            (Secret::Ed25519(key), Scheme::Ed25519ph) => key
                .sign_prehashed(Sha512::new_with_prefix(message), None)
                .map(|signature| signature.to_vec()),
            (Secret::Ed25519(key), _) => key.try_sign(message).map(|signature| signature.to_vec()),
            (Secret::Rsa(key), _) => key
                .pkcs1v15_sign::<Sha256>(message)
                .map_err(Error::from_source),
        };
        signed.map_err(|source| SignError {
            scheme: self.scheme,
            source,
        })
    }

    /// The same key, signing as `cosign verify-blob` expects of a detached signature whatever file
    /// the key came from: ECDSA with SHA-256 on every curve, and Ed25519 over the message itself.
    #[must_use]
    pub fn for_detached(mut self) -> Self {
        self.scheme = match self.scheme {
            Scheme::EcdsaSha384 | Scheme::EcdsaSha512 => Scheme::EcdsaSha256,
            Scheme::Ed25519ph => Scheme::Ed25519,
            other => other,
        };
        self
    }

    /// The key's other half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The scheme that [`Self::sign`] uses.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whether it is a key of the curve P-256.
    pub fn is_p256(&self) -> bool {
        matches!(self.secret, Secret::P256(_))
    }

    /// How long [`Self::sign`] takes.
    pub fn effort(&self) -> Effort {
        match &self.secret {
            Secret::P256(_) | Secret::P384(_) | Secret::Ed25519(_) => Effort::Short,
            Secret::P521(_) | Secret::Rsa(_) => Effort::Long,
        }
    }

    /// The key as PKCS#8 DER, what [`cosign::encrypt`] takes. Wiped on drop.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let document = match &self.secret {
            Secret::P256(key) => key.to_pkcs8_der(),
            Secret::P384(key) => key.to_pkcs8_der(),
            Secret::P521(key) => key.to_pkcs8_der(),
            Secret::Ed25519(key) => key.to_pkcs8_der(),
            Secret::Rsa(key) => key.to_pkcs8_der(),
        };
        document
            .map(|document| document.to_bytes())
            .map_err(|source| KeyError::Private {
                label: "PRIVATE KEY".to_owned(),
                source,
            })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey([redacted])")
    }
}

/// RFC 6979, with `D` both as the message's hash and inside the generator of the nonce.
fn ecdsa<D, K, S>(key: &K, message: &[u8]) -> Result<Vec<u8>, Error>
where
    D: Digest + p256::ecdsa::signature::digest::Update,
    K: DigestSigner<D, S>,
    S: SignatureEncoding,
{
    let feed = |digest: &mut D| {
        Digest::update(digest, message);
        Ok(())
    };
    Ok(key.try_sign_digest(feed)?.to_vec())
}

/// The key in a SEC1 structure (RFC 5915); the length tells the curve where none is named.
fn sec1_secret(der: &[u8]) -> Result<Secret, KeyError> {
    let damaged = |source: pkcs8::der::Error| KeyError::Private {
        label: "EC PRIVATE KEY".to_owned(),
        source: source.into(),
    };
    let parsed = sec1::EcPrivateKey::from_der(der).map_err(damaged)?;
    let named = parsed.parameters.and_then(sec1::EcParameters::named_curve);
    let curve = named.or(match parsed.private_key.len() {
        32 => Some(p256::NistP256::OID),
        48 => Some(p384::NistP384::OID),
        66 => Some(p521::NistP521::OID),
        _ => None,
    });
    match curve {
        Some(p256::NistP256::OID) => p256::SecretKey::try_from(parsed)
            .map(|key| Secret::P256(key.into()))
            .map_err(damaged),
        Some(p384::NistP384::OID) => p384::SecretKey::try_from(parsed)
            .map(|key| Secret::P384(key.into()))
            .map_err(damaged),
        Some(p521::NistP521::OID) => p521::SecretKey::try_from(parsed)
            .map(|key| Secret::P521(key.into()))
            .map_err(damaged),
        other => Err(unsupported(EC, other)),
    }
}
