//! Signers: what makes the signature of a payload. No one gets a key out of a signer.
//!
//! [`Signer`] is closed: every place that has to know its kinds matches them all.

use std::sync::Arc;

use windlass_core::certificate::Authority;
use windlass_core::key::{PrivateKey, PublicKey};
use windlass_core::signed::{Identity, Repeatability, Signature};

use self::entries::{Entries, EntriesError};
pub use self::error::SignError;
use self::key_signer::KeySigner;
use self::keyless::signer::KeylessSigner;
use self::kms::signer::KmsSigner;
#[cfg(test)]
use self::unique::UniqueSigner;

pub(crate) mod entries;
mod error;
mod key_signer;
pub(crate) mod keyless;
pub(crate) mod kms;
pub(crate) mod password;
pub(crate) mod reference;
pub(crate) mod signers;
#[cfg(test)]
pub(crate) mod unique;

/// What signs.
#[derive(Debug)]
pub enum Signer {
    /// A private key in memory.
    Key(Box<KeySigner>),
    /// A key in a key management service.
    Kms(Box<KmsSigner>),
    /// Keys for some minutes, with certificates that name who signs.
    Keyless(Box<KeylessSigner>),
    /// A key whose signatures are never the same twice, as those of a key service are. For tests.
    #[cfg(test)]
    Unique(Box<UniqueSigner>),
}

impl Signer {
    /// Makes a signer of the entries of a secret. Decrypting takes about 0.1 s and 64 MiB: do it
    /// once a key, and not on a thread that others wait for.
    pub(crate) fn from_entries(entries: &Entries) -> Result<Self, EntriesError> {
        entries::private_key(entries).map(Self::of_key)
    }

    /// A signer with a key that was read.
    pub(crate) fn of_key(key: PrivateKey) -> Self {
        Self::Key(Box::new(KeySigner::new(key)))
    }

    /// The same, with a P-256 key whose signatures are never the same twice. For tests.
    #[cfg(test)]
    pub(crate) fn unique_from_entries(entries: &Entries) -> Result<Self, EntriesError> {
        entries::private_key(entries)
            .and_then(|key| UniqueSigner::of(&key))
            .map(|signer| Self::Unique(Box::new(signer)))
    }

    /// Signs a message.
    pub(crate) async fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        match self {
            Self::Key(signer) => signer.sign(message).await,
            Self::Kms(signer) => Self::of_kms(signer, message).await,
            Self::Keyless(signer) => signer.sign(message).await,
            #[cfg(test)]
            Self::Unique(signer) => signer.sign(message).await,
        }
    }

    /// Signs a message whose signature may be another each time, because it is written at once with
    /// all that refers to it. This may be quicker.
    pub(crate) async fn sign_once(&self, message: &[u8]) -> Result<Signature, SignError> {
        match self {
            Self::Key(signer) => signer.sign_once(message).await,
            Self::Kms(signer) => Self::of_kms(signer, message).await,
            Self::Keyless(signer) => signer.sign(message).await,
            #[cfg(test)]
            Self::Unique(signer) => signer.sign(message).await,
        }
    }

    async fn of_kms(key: &KmsSigner, message: &[u8]) -> Result<Signature, SignError> {
        let signed = key.sign(message).await;
        signed.map_err(|error| SignError::Kms(Box::new(error)))
    }

    /// Whose signatures these are. Without a key of one's own that is another one each time; what
    /// they have in common is the [`authority`](Self::authority).
    pub(crate) fn identity(&self) -> Arc<Identity> {
        match self {
            Self::Key(signer) => Arc::clone(signer.identity()),
            Self::Kms(signer) => Arc::clone(signer.identity()),
            Self::Keyless(signer) => signer.identity(),
            #[cfg(test)]
            Self::Unique(signer) => Arc::clone(signer.identity()),
        }
    }

    /// The key of all its signatures, if they have one.
    pub(crate) fn key(&self) -> Option<&PublicKey> {
        match self {
            Self::Key(signer) => Some(signer.identity().public_key()),
            Self::Kms(signer) => Some(signer.identity().public_key()),
            Self::Keyless(_) => None,
            #[cfg(test)]
            Self::Unique(signer) => Some(signer.identity().public_key()),
        }
    }

    /// Who issues the certificates of its keys, and whom they name, if it has no key of its own.
    pub(crate) fn authority(&self) -> Option<&Authority> {
        match self {
            Self::Keyless(signer) => Some(signer.authority()),
            Self::Key(_) | Self::Kms(_) => None,
            #[cfg(test)]
            Self::Unique(_) => None,
        }
    }

    /// Whether it has made what this identity made.
    pub(crate) fn is(&self, identity: &Identity) -> bool {
        match (self.authority(), identity) {
            (Some(authority), Identity::Certificate { leaf, .. }) => {
                *self.identity() == *identity || authority.has_issued(leaf)
            }
            (None, Identity::Key(key)) => self.key() == Some(key),
            (Some(_), Identity::Key(_)) | (None, Identity::Certificate { .. }) => false,
        }
    }

    /// Whether it makes the same signature again.
    pub(crate) fn repeatability(&self) -> Repeatability {
        match self {
            Self::Key(_) => key_signer::REPEATABILITY,
            Self::Kms(signer) => signer.repeatability(),
            Self::Keyless(_) => keyless::signer::REPEATABILITY,
            #[cfg(test)]
            Self::Unique(_) => unique::REPEATABILITY,
        }
    }

    /// What is not checked of it, because nothing to check it with is known.
    pub(crate) fn gaps(&self) -> Vec<&'static str> {
        match self {
            Self::Keyless(signer) => signer.gaps(),
            Self::Key(_) | Self::Kms(_) => Vec::new(),
            #[cfg(test)]
            Self::Unique(_) => Vec::new(),
        }
    }

    /// What signs, for people.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Key(_) => "the key".to_owned(),
            Self::Kms(signer) => signer.name(),
            Self::Keyless(signer) => signer.name(),
            #[cfg(test)]
            Self::Unique(_) => "the key".to_owned(),
        }
    }

    /// The fingerprint of the key, or whom its certificates name, for log lines.
    pub(crate) fn key_id(&self) -> String {
        match self.authority() {
            Some(authority) => authority.identity().to_owned(),
            None => self.identity().key_id(),
        }
    }
}
