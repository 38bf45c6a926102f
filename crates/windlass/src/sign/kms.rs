//! Keys in key management services, which sign and never give a private key out.
//!
//! [`Kms`] is closed: every place that has to know its kinds matches them all. A kind is one version of
//! one key: opening it reads the public key and pins the version that this belongs to, and every
//! signature is asked of that version. Whatever a service makes of that, no signature leaves here
//! that the public key does not verify.
//!
//! Each kind speaks its service's REST interface with what [`http`] gives: bounded in time and size,
//! without redirects. The kits of the services would bring a hundred packages for three calls.

use windlass_core::config;
use windlass_core::key::PublicKey;
use windlass_core::signed::Repeatability;

use self::error::KmsError;
use self::means::Means;
use self::reference::Reference;
use self::vault::Vault;

pub(crate) mod error;
mod http;
pub(crate) mod means;
pub(crate) mod reference;
pub(crate) mod signer;
mod vault;

/// Checks the settings of a key as far as that is possible without asking its service.
pub(crate) fn check(settings: &config::Kms) -> Result<Reference, KmsError> {
    let reference: Reference = settings.kmsref.parse()?;
    match &reference {
        Reference::Vault(key) => vault::check(key.product, &Means::of(settings))?,
        Reference::Aws(_) | Reference::Gcp(_) | Reference::Azure(_) => {
            return Err(unsupported(&reference));
        }
    }
    Ok(reference)
}

fn unsupported(reference: &Reference) -> KmsError {
    KmsError::Unsupported {
        scheme: reference.scheme(),
    }
}

/// One version of a key in a service.
#[derive(Debug)]
pub(crate) enum Kms {
    /// The secrets engine transit of HashiCorp Vault or OpenBao.
    Vault(Box<Vault>),
}

impl Kms {
    /// Reads the public key, and pins the version that it belongs to. Signing is not tried: whoever
    /// verifies may not be allowed to.
    pub(crate) async fn open(reference: &Reference, means: &Means) -> Result<Self, KmsError> {
        match reference {
            Reference::Vault(key) => Vault::open(key, means)
                .await
                .map(|vault| Self::Vault(Box::new(vault))),
            Reference::Aws(_) | Reference::Gcp(_) | Reference::Azure(_) => {
                Err(unsupported(reference))
            }
        }
    }

    /// The public key that was read.
    pub(crate) fn public_key(&self) -> &PublicKey {
        match self {
            Self::Vault(vault) => vault.public_key(),
        }
    }

    /// The key and its version, for people.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Vault(vault) => vault.name(),
        }
    }

    /// Whether the service makes the same signature again.
    pub(crate) fn repeatability(&self) -> Repeatability {
        match self {
            // RFC 8032 and PKCS#1 v1.5 leave no choice; ECDSA is signed with random nonces
            Self::Vault(vault) if vault.public_key().is_ecdsa() => Repeatability::Unique,
            Self::Vault(_) => Repeatability::Repeatable,
        }
    }

    /// The signature of a message with the pinned version, in the form that
    /// [`PublicKey::verify`] takes. Not verified yet.
    pub(crate) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        match self {
            Self::Vault(vault) => vault.sign(message).await,
        }
    }

    /// The key as the service has it now, with the same login.
    pub(crate) async fn reopen(&self) -> Result<Self, KmsError> {
        match self {
            Self::Vault(vault) => vault
                .reopen()
                .await
                .map(|vault| Self::Vault(Box::new(vault))),
        }
    }
}
