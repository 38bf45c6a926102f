//! Keys in key management services, which sign and never give a private key out.
//!
//! [`Kms`] is closed: every place that has to know its kinds matches them all. A kind is one version of
//! one key: opening it reads the public key and pins the version that this belongs to, and every
//! signature is asked of that version. Whatever a service makes of that, no signature leaves here
//! that the public key does not verify.
//!
//! Each kind but the plugins speaks its service's REST interface with what [`http`] gives: bounded in time
//! and size, without redirects. The kits of the services would bring a hundred packages for three calls.

use std::time::Duration;

use windlass_core::config;
use windlass_core::key::PublicKey;
use windlass_core::signed::Repeatability;

use self::aws::Aws;
use self::azure::Azure;
use self::error::KmsError;
use self::gcp::Gcp;
use self::means::Means;
use self::plugin::Plugin;
use self::reference::Reference;
use self::vault::Vault;

mod aws;
mod azure;
mod cloud;
pub(crate) mod error;
mod gcp;
pub(crate) mod means;
mod operation;
mod plugin;
pub(crate) mod plugins;
pub(crate) mod reference;
pub(crate) mod signer;
#[cfg(test)]
mod trial;
mod vault;

/// Pauses before a key that was created is read again.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// Checks the settings of a key as far as that is possible without asking its service.
pub(crate) fn check(settings: &config::Kms) -> Result<Reference, KmsError> {
    let reference: Reference = settings.kmsref.parse()?;
    match &reference {
        Reference::Vault(key) => vault::check(key.product, &Means::of(settings))?,
        Reference::Azure(key) => azure::check(key)?,
        // what else they need is the environment's, which the login asks, or the controller's
        Reference::Aws(_) | Reference::Gcp(_) | Reference::Plugin(_) => {}
    }
    Ok(reference)
}

/// One version of a key in a service.
#[derive(Debug)]
pub(crate) enum Kms {
    /// The secrets engine transit of HashiCorp Vault or OpenBao.
    Vault(Box<Vault>),
    /// AWS KMS.
    Aws(Box<Aws>),
    /// Google Cloud KMS.
    Gcp(Box<Gcp>),
    /// Azure Key Vault.
    Azure(Box<Azure>),
    /// A plugin.
    Plugin(Box<Plugin>),
}

impl Kms {
    fn aws(key: Aws) -> Self {
        Self::Aws(Box::new(key))
    }

    fn gcp(key: Gcp) -> Self {
        Self::Gcp(Box::new(key))
    }

    fn azure(key: Azure) -> Self {
        Self::Azure(Box::new(key))
    }

    fn plugin(key: Plugin) -> Self {
        Self::Plugin(Box::new(key))
    }

    /// Reads the public key, and pins the version that it belongs to. Signing is not tried: whoever
    /// verifies may not be allowed to.
    pub(crate) async fn open(reference: &Reference, means: &Means) -> Result<Self, KmsError> {
        match reference {
            Reference::Vault(key) => Vault::open(key, means)
                .await
                .map(|vault| Self::Vault(Box::new(vault))),
            Reference::Aws(key) => Aws::open(key, means).await.map(Self::aws),
            Reference::Gcp(key) => Gcp::open(key, means).await.map(Self::gcp),
            Reference::Azure(key) => Azure::open(key).await.map(Self::azure),
            Reference::Plugin(key) => Plugin::open(key, means).await.map(Self::plugin),
        }
    }

    /// Creates a key on P-256 that signs, and reads it. One of this name that exists stays as it is, and
    /// is an error.
    pub(crate) async fn create(reference: &Reference, means: &Means) -> Result<Self, KmsError> {
        match Box::pin(Self::open(reference, means)).await {
            Err(KmsError::Missing { .. }) => {}
            // a plugin says no more of a key than that there was an error
            Err(KmsError::Failed(_)) if matches!(reference, Reference::Plugin(_)) => {}
            // it is there, of whatever kind
            Ok(_) | Err(KmsError::Unusable { .. } | KmsError::PublicKey { .. }) => {
                return Err(KmsError::Exists {
                    what: format!("the key {reference}"),
                });
            }
            Err(error) => return Err(error),
        }
        match reference {
            Reference::Vault(key) => vault::create(key, means).await?,
            Reference::Aws(key) => Box::pin(aws::create(key, means)).await?,
            Reference::Gcp(key) => gcp::create(key, means).await?,
            Reference::Azure(key) => azure::create(key).await?,
            Reference::Plugin(key) => plugin::create(key, means).await?,
        }
        for pause in PAUSES {
            match Box::pin(Self::open(reference, means)).await {
                // a service may take a moment to make it
                Err(KmsError::Missing { .. } | KmsError::Unusable { .. }) => {
                    tokio::time::sleep(pause).await;
                }
                opened => return opened,
            }
        }
        Box::pin(Self::open(reference, means)).await
    }

    /// The public key that was read.
    pub(crate) fn public_key(&self) -> &PublicKey {
        match self {
            Self::Vault(vault) => vault.public_key(),
            Self::Aws(key) => key.public_key(),
            Self::Gcp(key) => key.public_key(),
            Self::Azure(key) => key.public_key(),
            Self::Plugin(key) => key.public_key(),
        }
    }

    /// The key and its version, for people.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Vault(vault) => vault.name(),
            Self::Aws(key) => key.name(),
            Self::Gcp(key) => key.name(),
            Self::Azure(key) => key.name(),
            Self::Plugin(key) => key.name(),
        }
    }

    /// Whether the service makes the same signature again.
    pub(crate) fn repeatability(&self) -> Repeatability {
        // RFC 8032 and PKCS#1 v1.5 leave no choice; ECDSA and PSS are signed with random numbers
        let is_random = match self {
            Self::Vault(vault) => vault.public_key().is_ecdsa(),
            Self::Aws(key) => key.is_random(),
            Self::Gcp(key) => key.is_random(),
            Self::Azure(key) => key.is_random(),
            // how it signs is its own affair
            Self::Plugin(_) => true,
        };
        if is_random {
            Repeatability::Unique
        } else {
            Repeatability::Repeatable
        }
    }

    /// The signature of a message with the pinned version, in the form that
    /// [`PublicKey::verify`] takes. Not verified yet.
    pub(crate) async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        match self {
            Self::Vault(vault) => vault.sign(message).await,
            Self::Aws(key) => key.sign(message).await,
            Self::Gcp(key) => key.sign(message).await,
            Self::Azure(key) => key.sign(message).await,
            Self::Plugin(key) => key.sign(message).await,
        }
    }

    /// The key as the service has it now, with the same login.
    pub(crate) async fn reopen(&self) -> Result<Self, KmsError> {
        match self {
            Self::Vault(vault) => vault
                .reopen()
                .await
                .map(|vault| Self::Vault(Box::new(vault))),
            Self::Aws(key) => key.reopen().await.map(Self::aws),
            Self::Gcp(key) => key.reopen().await.map(Self::gcp),
            Self::Azure(key) => key.reopen().await.map(Self::azure),
            Self::Plugin(key) => key.reopen().await.map(Self::plugin),
        }
    }
}
