//! Why nothing can be signed without a key of one's own. Nothing of a token, and nothing that a server
//! says, is repeated: others read what is told.

use windlass_core::certificate::CertificateError;
use windlass_core::certificate::sct::SctError;
use windlass_core::key::{self, KeyError};
use windlass_core::retry::Retry;

use crate::cluster::call::CallError;
use crate::service::error::ServiceError;

/// Why there is no certificate, or no signature.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeylessError {
    /// A setting or a variable is missing or wrong, and what to write.
    #[error("{0}")]
    Settings(String),
    /// There is no identity token, or it is of no use.
    #[error("cannot use the identity token of {source_name}: {why}")]
    Token {
        /// Where it is from.
        source_name: String,
        /// Why, and what to do.
        why: String,
    },
    /// The API server gave no token.
    #[error("cannot get an identity token; allow the controller to create serviceaccounts/token")]
    TokenRequest(#[source] CallError),
    /// Fulcio does not accept what it was sent.
    #[error("{place} does not accept {what} (HTTP {status}); {remedy}")]
    Refused {
        /// Fulcio and where it is.
        place: String,
        /// What it does not accept.
        what: &'static str,
        /// The status.
        status: u16,
        /// What to do.
        remedy: &'static str,
    },
    /// A server was not reached, or failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// What came back is not a usable certificate.
    #[error("cannot use the certificate of {place}")]
    Certificate {
        /// Fulcio and where it is.
        place: String,
        /// What is wrong with it.
        source: Flaw,
    },
    /// The authority or whom it names is no longer the same.
    #[error(
        "the certificates of {place} are from another authority or for another identity now; they \
         are taken up at once if the settings allow them"
    )]
    Changed {
        /// Fulcio and where it is.
        place: String,
    },
    /// The system gave no random numbers.
    #[error("cannot make a key: the system gives no random numbers")]
    Random,
    /// The key cannot sign.
    #[error("cannot sign with the key of the certificate")]
    Key(#[source] key::SignError),
}

/// What is wrong with a certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Flaw {
    /// It is no certificate.
    #[error("the response has no certificate that can be read")]
    Unreadable(#[source] Option<KeyError>),
    /// It is malformed, for something else, or not issued by its chain.
    #[error(transparent)]
    Form(#[from] CertificateError),
    /// It is for the key of somebody else.
    #[error("it is for another key than the one it was asked for")]
    OtherKey,
    /// It is larger than a seal or the annotations may have.
    #[error("it or its chain is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// It is not valid now.
    #[error("{0}")]
    Time(String),
    /// Its authority is none of those in the settings.
    #[error(
        "its chain does not end at a certificate of signers.x509.fulcio.root; if the authority was \
         replaced, add its root there"
    )]
    Root,
    /// No log has promised to publish it.
    #[error("{0}; see signers.x509.fulcio.ctlog-key")]
    Sct(#[from] SctError),
}

impl KeylessError {
    /// When the same can succeed. Nobody tells when a token was renewed or a right granted elsewhere,
    /// so it is tried again without a change of the settings.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Service(error) => error.retry(),
            Self::Settings(_)
            | Self::Token { .. }
            | Self::TokenRequest(_)
            | Self::Refused { .. }
            | Self::Certificate { .. }
            | Self::Changed { .. }
            | Self::Random
            | Self::Key(_) => Retry::Backoff,
        }
    }
}
