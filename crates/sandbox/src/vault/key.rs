//! A key of the engine: its versions, which sign digests or, with Ed25519, messages.

use ed25519_dalek::Signer as _;
use getrandom::SysRng;
use p256::ecdsa::signature::SignatureEncoding as _;
use p256::ecdsa::signature::hazmat::RandomizedPrehashSigner;
use p256::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _, LineEnding};
use sha2::Sha256;

use crate::random::random;

/// What a key signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `ecdsa-p256`.
    P256,
    /// `ecdsa-p384`.
    P384,
    /// `ed25519`.
    Ed25519,
    /// `rsa-4096`, which is imported and never made here: that takes too long.
    Rsa4096,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    Random(#[from] getrandom::Error),
    /// Keys of this kind are imported only, or the DER is not one.
    #[error("there is no such private key")]
    Unusable,
    /// There is no key of this name.
    #[error("there is no such key")]
    Missing,
}

/// A key and its versions.
#[derive(Debug)]
pub(super) struct Key {
    kind: KeyKind,
    versions: Vec<Version>,
    /// The least version that signs.
    pub(super) least: u64,
}

enum Version {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    Rsa(Box<rsa::PrivateKey>),
}

impl std::fmt::Debug for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Version([redacted])")
    }
}

impl KeyKind {
    /// What the protocol calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::P256 => "ecdsa-p256",
            Self::P384 => "ecdsa-p384",
            Self::Ed25519 => "ed25519",
            Self::Rsa4096 => "rsa-4096",
        }
    }
}

impl Key {
    pub(super) fn generate(kind: KeyKind) -> Result<Self, KeyError> {
        Version::generate(kind).map(|version| Self::of(kind, version))
    }

    pub(super) fn import(kind: KeyKind, der: &[u8]) -> Result<Self, KeyError> {
        Version::import(kind, der).map(|version| Self::of(kind, version))
    }

    fn of(kind: KeyKind, version: Version) -> Self {
        Self {
            kind,
            versions: vec![version],
            least: 1,
        }
    }

    pub(super) fn rotate(&mut self) -> Result<(), KeyError> {
        self.versions.push(Version::generate(self.kind)?);
        Ok(())
    }

    pub(super) fn kind(&self) -> KeyKind {
        self.kind
    }

    pub(super) fn latest(&self) -> u64 {
        self.versions.len() as u64
    }

    fn version(&self, number: u64) -> Option<&Version> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.versions.get(index)
    }

    /// A public key as the engine writes it: PEM, or the bare key in base64 for Ed25519.
    pub(super) fn public(&self, number: u64) -> Option<String> {
        use base64::Engine as _;
        match self.version(number)? {
            Version::Ed25519(key) => {
                let raw = key.verifying_key().to_bytes();
                Some(base64::engine::general_purpose::STANDARD.encode(raw))
            }
            _ => self.public_pem(number),
        }
    }

    /// A public key, PEM.
    pub(super) fn public_pem(&self, number: u64) -> Option<String> {
        let pem = match self.version(number)? {
            Version::P256(key) => key.verifying_key().to_public_key_pem(LineEnding::LF),
            Version::P384(key) => key.verifying_key().to_public_key_pem(LineEnding::LF),
            Version::Ed25519(key) => key.verifying_key().to_public_key_pem(LineEnding::LF),
            Version::Rsa(key) => key.to_public_key().to_public_key_pem(LineEnding::LF),
        };
        pem.ok()
    }

    /// The signature of a version over a digest; with Ed25519, over the input itself. None if this
    /// version signs nothing of the kind.
    pub(super) fn sign(&self, number: u64, input: &[u8], is_digest: bool) -> Option<Vec<u8>> {
        if number < self.least {
            return None;
        }
        match self.version(number)? {
            Version::Ed25519(key) if !is_digest => Some(key.sign(input).to_vec()),
            Version::P256(key) if is_digest => {
                let signed: p256::ecdsa::DerSignature =
                    key.sign_prehash_with_rng(&mut SysRng, input).ok()?;
                Some(signed.to_vec())
            }
            Version::P384(key) if is_digest => {
                let signed: p384::ecdsa::DerSignature =
                    key.sign_prehash_with_rng(&mut SysRng, input).ok()?;
                Some(signed.to_vec())
            }
            Version::Rsa(key) if is_digest => {
                key.sign(rsa::Pkcs1v15Sign::new::<Sha256>(), input).ok()
            }
            _ => None,
        }
    }
}

impl Version {
    fn generate(kind: KeyKind) -> Result<Self, KeyError> {
        Ok(match kind {
            KeyKind::P256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&random::<32>()?);
                Self::P256(key.map_err(|_| KeyError::Unusable)?)
            }
            KeyKind::P384 => {
                let key = p384::ecdsa::SigningKey::from_slice(&random::<48>()?);
                Self::P384(key.map_err(|_| KeyError::Unusable)?)
            }
            KeyKind::Ed25519 => {
                Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&random::<32>()?))
            }
            KeyKind::Rsa4096 => return Err(KeyError::Unusable),
        })
    }

    fn import(kind: KeyKind, der: &[u8]) -> Result<Self, KeyError> {
        let unusable = |_| KeyError::Unusable;
        Ok(match kind {
            KeyKind::P256 => {
                Self::P256(p256::ecdsa::SigningKey::from_pkcs8_der(der).map_err(unusable)?)
            }
            KeyKind::P384 => {
                Self::P384(p384::ecdsa::SigningKey::from_pkcs8_der(der).map_err(unusable)?)
            }
            KeyKind::Ed25519 => {
                Self::Ed25519(ed25519_dalek::SigningKey::from_pkcs8_der(der).map_err(unusable)?)
            }
            KeyKind::Rsa4096 => {
                let key = rsa::PrivateKey::from_pkcs8_der(der).map_err(unusable)?;
                Self::Rsa(Box::new(key))
            }
        })
    }
}
