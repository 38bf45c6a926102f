//! Why there is no entry. Nothing that a log says is repeated: it ends up on the run.

use std::time::Duration;

use windlass_core::retry::Retry;
use windlass_core::tlog::{EntryError, MalformedResponse, ProposalError};

use crate::service::error::ServiceError;
use crate::unsupported::Unsupported;

/// Why there is no entry.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LogError {
    /// The settings ask for a log that cannot be used.
    #[error(transparent)]
    Unsupported(Unsupported),
    /// The log takes no such signature.
    #[error("cannot add an entry to the transparency log")]
    Proposal(#[from] ProposalError),
    /// The log was not reached, or failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The log refuses what was sent.
    #[error(
        "the transparency log {host} refuses the entry (HTTP {status}): it does not take this key or \
         signature; its own log says why"
    )]
    Refused { host: String, status: u16 },
    /// The response is none.
    #[error("cannot use the response of the transparency log {host}; {REMEDY}")]
    Malformed {
        host: String,
        source: MalformedResponse,
    },
    /// The log says that it has the entry at a place where it cannot be.
    #[error(
        "the transparency log {host} has the entry already and says that it is at another server, \
         which is not asked; {REMEDY}"
    )]
    Elsewhere { host: String },
    /// The entry does not pass a check.
    #[error("the transparency log {host} gave an entry that is not valid; {REMEDY}")]
    Entry { host: String, source: EntryError },
    /// The public key of the log cannot be read.
    #[error("the transparency log {host} gave a public key that cannot be used; {REMEDY}")]
    Key { host: String },
    /// It did not respond in time to those before.
    #[error("the transparency log {host} has not responded for a while and is asked again in {} s",
        left.as_secs().max(1))]
    Silent { host: String, left: Duration },
    /// The time of the pass is over.
    #[error("the transparency log {host} did not respond in the time of one pass")]
    Cut { host: String },
}

/// What to do about a log that lies, or is none.
const REMEDY: &str = "check transparency.url, and transparency.public-key if it is set";

impl LogError {
    /// When the same can succeed.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Unsupported(_) | Self::Proposal(_) | Self::Refused { .. } => Retry::Settings,
            Self::Service(error) => error.retry(),
            Self::Silent { left, .. } => Retry::After(*left),
            Self::Malformed { .. }
            | Self::Elsewhere { .. }
            | Self::Entry { .. }
            | Self::Key { .. }
            | Self::Cut { .. } => Retry::Backoff,
        }
    }
}
