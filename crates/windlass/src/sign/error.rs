//! Why something was not signed.

use windlass_core::key;
use windlass_core::retry::Retry;

use super::keyless::error::KeylessError;
use super::kms::error::KmsError;
use crate::apart::Interrupted;

/// Why a payload was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The key in memory cannot sign it.
    #[error("cannot sign the payload")]
    Key(#[source] key::SignError),
    /// The thread that signed ended early.
    #[error("the signing of the payload was interrupted")]
    Interrupted(#[source] Interrupted),
    /// The key service did not sign it.
    #[error("cannot sign the payload")]
    Kms(#[source] Box<KmsError>),
    /// There is no certificate to sign with.
    #[error("cannot sign the payload")]
    Keyless(#[source] Box<KeylessError>),
    /// The signer that the settings ask for is not loaded, for this reason.
    #[error("{0}")]
    NotLoaded(String),
    /// The system gave no random numbers.
    #[cfg(test)]
    #[error("cannot sign the payload: {0}")]
    Unique(String),
}

impl SignError {
    /// When the same can succeed.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Key(_) | Self::NotLoaded(_) => Retry::Settings,
            Self::Kms(error) => error.retry(),
            Self::Keyless(error) => error.retry(),
            Self::Interrupted(_) => Retry::Backoff,
            #[cfg(test)]
            Self::Unique(_) => Retry::Backoff,
        }
    }
}
