//! A refusal: a credential that is not accepted, or a failure on the way.

use crate::error::{Error, RegistryMessage};

/// Why a credential is of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    /// HTTP status of the response; none if nothing was sent.
    pub(crate) status: Option<u16>,
    /// The code of the registry's error, if it is a known one.
    pub(crate) code: Option<&'static str>,
    /// Why nothing was sent, or what is wrong with the response, in words of our own.
    pub(crate) note: Option<String>,
    /// What the registry said, or why nothing was sent.
    pub(crate) message: String,
}

impl Denial {
    /// A denial without a request.
    pub(crate) fn unsent(note: impl Into<String>) -> Self {
        let note = note.into();
        Self {
            status: None,
            code: None,
            note: Some(note.clone()),
            message: note,
        }
    }

    /// The registry names a token service that is none of its own.
    pub(crate) fn foreign_service() -> Self {
        Self::unsent(
            "the registry refers to a token service on another host, which gets no credential; if \
             it is the registry's own, list it in registries.token-services of windlass-config",
        )
    }

    /// A denial by a response.
    pub(crate) fn said(status: u16, message: &RegistryMessage) -> Self {
        Self {
            status: Some(status),
            code: message.known_code(),
            note: None,
            message: message.to_string().trim_start_matches(", ").to_owned(),
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
