//! Why there is no entry. Nothing that a log says is repeated: it ends up on the run.

use std::time::Duration;

use windlass_core::retry::Retry;
use windlass_core::timestamp::StampError;
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
    /// The log says that it has the entry, and not where.
    #[error(
        "the transparency log {host} has the entry already and does not say under which number; {REMEDY}"
    )]
    Unnamed { host: String },
    /// What the log has of an entry does not go together.
    #[error(
        "the files of the transparency log {host} do not have the entry that it says it has; {REMEDY}"
    )]
    Tiles { host: String },
    /// The log takes no more entries.
    #[error(
        "the transparency log {host} takes no more entries; use the one that came after it: set \
         transparency.url and transparency.public-key, or by hand --signing-config and --trusted-root"
    )]
    Frozen { host: String },
    /// A timestamp does not pass a check.
    #[error(
        "the timestamp authority {host} gave a timestamp that is not valid; check \
         transparency.timestamp-url and transparency.timestamp-chain, or by hand \
         --timestamp-server-url and --trusted-root"
    )]
    Stamp { host: String, source: StampFlaw },
    /// The certificate has ended, and neither the log nor the authority has said anything of its signature.
    #[error(
        "the certificate of the signature has ended, and what the run says of its entry is not valid; \
         it is signed again"
    )]
    Ended,
    /// What a registry may have of an earlier signature is not known.
    #[error("cannot look for an earlier signature, whose log entry would be used again: {reason}")]
    Unread {
        /// What the registry said, in words of our own.
        reason: String,
        retry: Retry,
    },
    /// It did not respond in time to those before.
    #[error("the {what} {host} has not responded for a while and is asked again in {} s",
        left.as_secs().max(1))]
    Silent {
        what: &'static str,
        host: String,
        left: Duration,
    },
    /// The time of the pass is over.
    #[error("the {what} {host} did not respond in the time of one pass")]
    Cut { what: &'static str, host: String },
}

/// Which check a timestamp does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StampFlaw {
    /// What it says cannot be right.
    #[error(transparent)]
    Content(#[from] StampError),
    /// Another authority made it, or none.
    #[error("no trusted authority signed it")]
    Signer,
    /// The certificates do not go together.
    #[error(
        "the certificate of the authority is not one for timestamps that those after it issued"
    )]
    Chain,
    /// The authority had no valid certificate then.
    #[error("the certificate of the authority is not valid at the time of the timestamp")]
    AuthorityEnded,
    /// The signature was made with a certificate that was not valid then.
    #[error(
        "its time is not within the validity of the certificate that signed, or a clock is off; sign \
         again, or of a run by `windlass resign` if it is not by itself"
    )]
    CertificateEnded,
    /// There is nothing to have a timestamp of.
    #[error("the signature is not base64")]
    Signature,
    /// The same of an envelope.
    #[error("what is signed is not a statement, so there is no envelope to have a timestamp of")]
    Envelope,
}

/// What to do about a log that lies, or is none.
const REMEDY: &str = "check transparency.url, and transparency.public-key if it is set, or by \
                      hand --rekor-url, --signing-config and --trusted-root";

impl LogError {
    /// When the same can succeed.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            Self::Unsupported(_)
            | Self::Proposal(_)
            | Self::Refused { .. }
            | Self::Frozen { .. } => Retry::Settings,
            Self::Service(error) => error.retry(),
            Self::Silent { left, .. } => Retry::After(*left),
            Self::Unread { retry, .. } => *retry,
            Self::Malformed { .. }
            | Self::Elsewhere { .. }
            | Self::Entry { .. }
            | Self::Key { .. }
            | Self::Unnamed { .. }
            | Self::Tiles { .. }
            | Self::Stamp { .. }
            | Self::Ended
            | Self::Cut { .. } => Retry::Backoff,
        }
    }
}
