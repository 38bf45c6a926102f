//! Why a key in a service cannot be used. Nothing that a service says is repeated: it may be anybody,
//! and others read what is told.

use windlass_core::key::KeyError;
use windlass_core::retry::Retry;

use super::reference::error::ReferenceError;
use crate::service::error::ServiceError;

/// Why a key in a service cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KmsError {
    /// The reference names no key.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A setting or a variable is missing or wrong, and what to write.
    #[error("{0}")]
    Settings(String),
    /// There is no valid credential.
    #[error("cannot log in to {service}: {why}")]
    Login {
        /// The service and where it is.
        service: String,
        /// Why, and what to do.
        why: String,
    },
    /// The login does not have a permission.
    #[error("not allowed to {doing}; grant {permission}")]
    Denied {
        /// What was to be done, to which key.
        doing: String,
        /// The permission in the service's own terms.
        permission: String,
    },
    /// The key, or this version of it, does not exist.
    #[error("{what} does not exist; {remedy}")]
    Missing {
        /// The key.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A key that was to be created exists.
    #[error("{what} exists and was not changed; `windlass public-key --key` prints its public key")]
    Exists {
        /// The key.
        what: String,
    },
    /// The key exists and is of no use here.
    #[error("cannot use {key}: {why}")]
    Unusable {
        /// The key.
        key: String,
        /// Why, and what to use.
        why: String,
    },
    /// What the service gave as the public key is none.
    #[error("cannot use the public key of {key}")]
    PublicKey {
        /// The key.
        key: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// The service was not reached, or failed.
    #[error(transparent)]
    Failed(#[from] ServiceError),
    /// The signature is not one of the public key that was read.
    #[error(
        "the signature by {key} does not verify with the public key that was read; if the key was \
         replaced, it is read again at once"
    )]
    Mismatch {
        /// The key.
        key: String,
    },
}

impl KmsError {
    /// What was to be done failed, and the service does not say when to ask again.
    pub(super) fn failed(doing: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Failed(ServiceError::new(doing, why))
    }

    /// When the same can succeed. Nobody tells when a right was granted in another system, so it is
    /// tried again without a change of the settings.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Failed(error) => error.retry(),
            Self::Reference(_) => Retry::Settings,
            Self::Settings(_)
            | Self::Login { .. }
            | Self::Denied { .. }
            | Self::Missing { .. }
            | Self::Exists { .. }
            | Self::Unusable { .. }
            | Self::PublicKey { .. }
            | Self::Mismatch { .. } => Retry::Backoff,
        }
    }
}
