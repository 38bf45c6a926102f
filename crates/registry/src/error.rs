//! What goes wrong between windlass and a registry, and whether trying again can help.
//!
//! Texts name the registry, the repository and what was being done, and what the reader can do.
//! They hold nothing secret: what a registry says is cut short, cleaned of control characters and
//! of the credential it was sent.

use std::fmt;
use std::time::Duration;

use crate::digest::Digest;
use crate::reference::Repository;

mod message;

pub use message::RegistryMessage;

/// Whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Not before something has been changed.
    Never,
    /// After a while that grows.
    Backoff,
    /// Not before this time has passed.
    After(Duration),
}

/// What was being done, and in which repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    pub(crate) doing: String,
    pub(crate) repository: Repository,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { doing, repository } = self;
        write!(f, "could not {doing} in {repository}")
    }
}

/// A credential that was tried, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Where the credential is from, such as `secret ns/name`.
    pub source: String,
    /// The registry or path it is for, as written there.
    pub key: Option<String>,
    /// HTTP status of the answer; none if there was nothing to ask with.
    pub status: Option<u16>,
    /// What the registry said, or why the credential was of no use.
    pub message: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if let Some(key) = &self.key {
            write!(f, " (for {key})")?;
        }
        match self.status {
            Some(status) => write!(f, ": HTTP {status}")?,
            None => f.write_str(": not used")?,
        }
        if self.message.is_empty() {
            return Ok(());
        }
        write!(f, ", {}", self.message)
    }
}

/// Why something did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No candidate was allowed to.
    #[error(
        "{at}: no credential is allowed to: {}; add a credential for {} to the service account, or give one of these the right",
        AttemptList(attempts), at.repository
    )]
    Denied {
        /// What and where.
        at: At,
        /// Each candidate, in the order they were tried.
        attempts: Vec<Attempt>,
    },
    /// The registry refused or failed.
    #[error("{at}: HTTP {status}{message}; {}", advice(*status))]
    Status {
        /// What and where.
        at: At,
        /// HTTP status.
        status: u16,
        /// The registry's code and message.
        message: Box<RegistryMessage>,
        /// When the registry asks to come back.
        retry_after: Option<Duration>,
    },
    /// The tag is there already and the registry lets none be moved.
    #[error(
        "{at}: HTTP {status}{message}; the registry does not let this tag be moved: exempt tags that begin with sha256- from immutability, or use attachments by referrer"
    )]
    ImmutableTag {
        /// What and where.
        at: At,
        /// HTTP status.
        status: u16,
        /// The registry's code and message.
        message: Box<RegistryMessage>,
    },
    /// There was no connection, or no complete answer in time.
    #[error("{at}: no complete answer from {host}; check that it can be reached from here")]
    Transport {
        /// What and where.
        at: At,
        /// Host and port.
        host: String,
        /// What the HTTP client says.
        #[source]
        source: reqwest::Error,
    },
    /// The server's certificate is not trusted.
    #[error(
        "{at}: the certificate of {host} is not trusted; add its authority to the trusted certificates"
    )]
    Untrusted {
        /// What and where.
        at: At,
        /// Host and port.
        host: String,
        /// What the HTTP client says.
        #[source]
        source: reqwest::Error,
    },
    /// The server asks for a certificate of the client.
    #[error(
        "{at}: {host} asks for a certificate of the client; keep NAME.cert and NAME.key for it in certs.d/{host}"
    )]
    ClientCertificate {
        /// What and where.
        at: At,
        /// Host and port.
        host: String,
        /// What the HTTP client says.
        #[source]
        source: reqwest::Error,
    },
    /// The server does not speak TLS.
    #[error(
        "{at}: {host} does not speak TLS; plain HTTP is for loopback and for registries listed as insecure"
    )]
    NotTls {
        /// What and where.
        at: At,
        /// Host and port.
        host: String,
        /// What the HTTP client says.
        #[source]
        source: reqwest::Error,
    },
    /// The answer is larger than allowed.
    #[error("{at}: the answer is larger than {limit} bytes, the most that is read")]
    TooLarge {
        /// What and where.
        at: At,
        /// Most bytes.
        limit: usize,
    },
    /// There are more entries in a list than are read.
    #[error("{at}: the list has more than {limit} entries, the most that are read")]
    TooMany {
        /// What and where.
        at: At,
        /// Most entries.
        limit: usize,
    },
    /// The content does not have the digest it should have.
    #[error("{at}: the content has the digest {actual}, not {expected}; do not trust it")]
    Digest {
        /// What and where.
        at: At,
        /// The digest asked for or stated.
        expected: Digest,
        /// The digest of what came.
        actual: Digest,
    },
    /// A document of the registry cannot be read.
    #[error("{at}: the answer is not what the specification asks for: {what}")]
    Malformed {
        /// What and where.
        at: At,
        /// What is wrong with it.
        what: String,
    },
    /// The registry leads to a place that is not followed.
    #[error("{at}: the registry leads to {to}, which is not followed: {why}")]
    Redirect {
        /// What and where.
        at: At,
        /// Scheme, host and port.
        to: String,
        /// Why not.
        why: &'static str,
    },
    /// Other writers took the entry away again and again.
    #[error("{at}: the entry was overwritten by other writers {rounds} times; try again later")]
    Contended {
        /// What and where.
        at: At,
        /// How often it was written.
        rounds: usize,
    },
    /// What was to be stored cannot be.
    #[error("{at}: {why}")]
    Refused {
        /// What and where.
        at: At,
        /// Why not.
        why: String,
    },
}

impl Error {
    /// Whether trying the same again can help.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Status {
                status,
                retry_after,
                ..
            } if is_temporary(*status) => retry_after.map_or(Retry::Backoff, Retry::After),
            Self::Transport { .. } | Self::Contended { .. } => Retry::Backoff,
            Self::Status { .. }
            | Self::Denied { .. }
            | Self::ImmutableTag { .. }
            | Self::Untrusted { .. }
            | Self::ClientCertificate { .. }
            | Self::NotTls { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::Digest { .. }
            | Self::Malformed { .. }
            | Self::Redirect { .. }
            | Self::Refused { .. } => Retry::Never,
        }
    }

    /// HTTP status of the answer, if there was one that says it all.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } | Self::ImmutableTag { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// Statuses that pass: the reference's list (behaviour reference, 6.3).
pub(crate) fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 429 | 499 | 522 | 500 | 502..=504)
}

fn advice(status: u16) -> &'static str {
    match status {
        400 => "the registry may not take this kind of content",
        404 => "create the repository, or check its name",
        405 | 501 => "the registry does not offer this",
        409 => "something of that name is in the way; look at the repository",
        413 => "ask for a higher limit of the size of requests",
        429 => "the registry limits requests; try again later",
        status if is_temporary(status) => "try again later, or ask who runs the registry",
        _ => "ask who runs the registry",
    }
}

struct AttemptList<'a>(&'a [Attempt]);

impl fmt::Display for AttemptList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, attempt) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { "; " };
            write!(f, "{comma}{attempt}")?;
        }
        Ok(())
    }
}
