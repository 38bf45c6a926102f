//! A refusal: a credential that is not accepted, or a failure on the way.

use crate::error::Error;

/// Why a credential is of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    /// HTTP status of the response; none if nothing was sent.
    pub(crate) status: Option<u16>,
    /// What the registry said, or why nothing was sent.
    pub(crate) message: String,
}

impl Denial {
    /// A denial without a request.
    pub(crate) fn unsent(message: impl Into<String>) -> Self {
        Self {
            status: None,
            message: message.into(),
        }
    }
}

/// Why there is no response for a credential.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The credential is not accepted; the next one may be.
    Denied(Denial),
    /// The request failed, whatever the credential.
    Failed(Error),
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
