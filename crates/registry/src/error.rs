//! Errors of requests to a registry, and whether a retry can help.
//!
//! A text names the operation, the registry and the repository, and what the reader can do. It has no
//! secrets: the registry's message is cut, and control characters and the secrets in use are removed
//! from it. It is for those who operate the program. Others get an [`outline`], which repeats nothing
//! that the registry chose.

use std::fmt;
use std::time::Duration;

use windlass_core::network::Refusal;
use windlass_core::retry::Retry;

use crate::digest::Digest;
use crate::lookup::LookupError;
use crate::reference::Repository;

mod cause;
mod code;
mod message;
pub(crate) mod outline;

pub use cause::Cause;
pub use message::RegistryMessage;

/// What to do about a tag that may not be moved.
const IMMUTABLE: &str = "the registry does not allow this tag to be moved: exempt tags that begin \
                         with sha256- from immutability, or use attachments by referrer";

/// The operation that failed, and its repository.
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

/// A credential that was tried, and how it was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Source of the credential, such as `secret ns/name`.
    pub source: String,
    /// The registry or path that the source has it for.
    pub key: Option<String>,
    /// HTTP status of the response; none if nothing was sent.
    pub status: Option<u16>,
    /// The code of the registry's error, if it is a known one.
    pub code: Option<&'static str>,
    /// Why nothing was sent, in words of windlass's own.
    pub note: Option<String>,
    /// The registry's message, or why nothing was sent.
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

/// What a reader does about a refusal: whose credentials were tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Remedy {
    /// Those of a service account.
    #[default]
    Account,
    /// Those of the person at this machine.
    Login,
}

impl Remedy {
    pub(crate) fn of(self, at: &At) -> String {
        let repository = &at.repository;
        match self {
            Self::Account => format!(
                "add a credential for {repository} to the service account, or give one of these \
                 access"
            ),
            Self::Login => format!(
                "log in to {} on this machine (`windlass login` or `docker login`), or use an \
                 account that has access to {repository}",
                repository.registry()
            ),
        }
    }
}

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Every credential was refused.
    #[error(
        "{at}: access denied with every credential: {}; {}",
        AttemptList(attempts), remedy.of(at)
    )]
    Denied {
        /// The operation and its repository.
        at: At,
        /// Each credential, in the order tried.
        attempts: Vec<Attempt>,
        /// What the reader can do.
        remedy: Remedy,
    },
    /// The registry responded with an error.
    #[error("{at}: HTTP {status}{message}; {}", advice(*status))]
    Status {
        /// The operation and its repository.
        at: At,
        /// HTTP status.
        status: u16,
        /// The registry's code and message.
        message: Box<RegistryMessage>,
        /// How long the registry asks to wait.
        retry_after: Option<Duration>,
    },
    /// The tag exists and the registry makes tags immutable.
    #[error("{at}: HTTP {status}{message}; {IMMUTABLE}")]
    ImmutableTag {
        /// The operation and its repository.
        at: At,
        /// HTTP status.
        status: u16,
        /// The registry's code and message.
        message: Box<RegistryMessage>,
    },
    /// There was no connection, or no complete response in time.
    #[error("{at}: no complete response from {host}; check that it can be reached from here")]
    Transport {
        /// The operation and its repository.
        at: At,
        /// Host and port.
        host: String,
        /// Why, by the HTTP client's error.
        #[source]
        source: Cause,
    },
    /// The addresses of a host were not found out.
    #[error("{at}: could not look up the name {host}")]
    Unresolved {
        /// The operation and its repository.
        at: At,
        /// Host and port.
        host: String,
        /// Why not.
        source: LookupError,
    },
    /// A large response took too long, and others wait for the memory that it takes.
    #[error("{at}: the response of {host} did not arrive within {} s; try again later", time.as_secs())]
    Slow {
        /// The operation and its repository.
        at: At,
        /// Host and port.
        host: String,
        /// How long it had.
        time: Duration,
    },
    /// Responses to this tenant, or to all, hold too much memory for another large one.
    #[error("{at}: too many large responses are being read at once; try again later")]
    Busy {
        /// The operation and its repository.
        at: At,
    },
    /// The response did not begin in time.
    #[error(
        "{at}: no complete response from {host} within {after:?}; check that it can be reached from here"
    )]
    Silent {
        /// The operation and its repository.
        at: At,
        /// Host and port.
        host: String,
        /// How long it had.
        after: Duration,
    },
    /// The server's certificate is not trusted.
    #[error(
        "{at}: the certificate of {host} is not trusted; add its authority to the trusted certificates"
    )]
    Untrusted {
        /// The operation and its repository.
        at: At,
        /// Host and port.
        host: String,
        /// Why, by the HTTP client's error.
        #[source]
        source: Cause,
    },
    /// The server requires a client certificate.
    #[error(
        "{at}: {host} requires a client certificate; put NAME.cert and NAME.key into certs.d/{host}; the controller presents it for repositories in registries.shared-credentials only"
    )]
    ClientCertificate {
        /// The operation and its repository.
        at: At,
        /// Host and port.
        host: String,
        /// Why, by the HTTP client's error.
        #[source]
        source: Cause,
    },
    /// The server does not speak TLS.
    #[error(
        "{at}: {host} does not speak TLS; allow plain HTTP for it (--allow-http-registry; in the controller, storage.oci.repository.insecure does so for the registry of storage.oci.repository)"
    )]
    NotTls {
        /// The operation and its repository.
        at: At,
        /// Host and port.
        host: String,
        /// Why, by the HTTP client's error.
        #[source]
        source: Cause,
    },
    /// The response is larger than the limit.
    #[error("{at}: the response is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The operation and its repository.
        at: At,
        /// Most bytes.
        limit: usize,
    },
    /// A list has more entries than the limit.
    #[error("{at}: the list has more than the limit of {limit} entries")]
    TooMany {
        /// The operation and its repository.
        at: At,
        /// Most entries.
        limit: usize,
    },
    /// The pages of a list are larger than the limit.
    #[error("{at}: the pages of the list have more than the limit of {limit} bytes")]
    ListTooLarge {
        /// The operation and its repository.
        at: At,
        /// Most bytes.
        limit: usize,
    },
    /// The content does not have the expected digest.
    #[error("{at}: the content has the digest {actual}, not {expected}; do not trust it")]
    Digest {
        /// The operation and its repository.
        at: At,
        /// The digest that was requested or stated.
        expected: Digest,
        /// The digest of the content.
        actual: Digest,
    },
    /// The response breaks the specification.
    #[error("{at}: the response breaks the specification: {what}")]
    Malformed {
        /// The operation and its repository.
        at: At,
        /// In what way.
        what: String,
    },
    /// A redirect or link is not followed.
    #[error("{at}: the redirect to {to} is not followed: {why}")]
    Redirect {
        /// The operation and its repository.
        at: At,
        /// Scheme, host and port.
        to: String,
        /// Why not.
        why: &'static str,
    },
    /// The host is at an address that is not connected to.
    #[error("{at}: {host} is not connected to: {why}")]
    Forbidden {
        /// The operation and its repository.
        at: At,
        /// Host and port.
        host: String,
        /// Why not.
        why: Refusal,
    },
    /// Other writers kept overwriting the entry.
    #[error("{at}: the entry was overwritten by other writers {rounds} times; try again later")]
    Contended {
        /// The operation and its repository.
        at: At,
        /// How often the entry was written.
        rounds: usize,
    },
    /// The operation is not possible; nothing was sent.
    #[error("{at}: {why}")]
    Refused {
        /// The operation and its repository.
        at: At,
        /// Why not.
        why: String,
    },
}

impl Error {
    /// Whether the same operation can be retried.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Status {
                status,
                retry_after,
                ..
            } if is_temporary(*status) => retry_after.map_or(Retry::Backoff, Retry::After),
            Self::Transport { .. }
            | Self::Unresolved { .. }
            | Self::Silent { .. }
            | Self::Slow { .. }
            | Self::Busy { .. }
            | Self::Contended { .. } => Retry::Backoff,
            Self::Forbidden { .. } => Retry::Settings,
            Self::Status { .. }
            | Self::Denied { .. }
            | Self::ImmutableTag { .. }
            | Self::Untrusted { .. }
            | Self::ClientCertificate { .. }
            | Self::NotTls { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::ListTooLarge { .. }
            | Self::Digest { .. }
            | Self::Malformed { .. }
            | Self::Redirect { .. }
            | Self::Refused { .. } => Retry::Never,
        }
    }

    /// Whether there was no complete response in time: the server was too slow, or earlier responses
    /// that are slow left no room for this one. The same request is not sent again at once then, since
    /// it would hold the caller several times as long.
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Silent { .. } | Self::Slow { .. } | Self::Busy { .. } => true,
            Self::Unresolved { source, .. } => matches!(source, LookupError::Crowded),
            Self::Transport { source, .. } => source.is_timeout(),
            _ => false,
        }
    }

    /// Whether no connection could be made: nothing listens there, or the name has no address.
    pub(crate) fn is_unconnected(&self) -> bool {
        matches!(self, Self::Transport { source, .. } if source.is_connect())
    }

    fn at(&self) -> &At {
        match self {
            Self::Denied { at, .. }
            | Self::Status { at, .. }
            | Self::ImmutableTag { at, .. }
            | Self::Transport { at, .. }
            | Self::Unresolved { at, .. }
            | Self::Slow { at, .. }
            | Self::Silent { at, .. }
            | Self::ListTooLarge { at, .. }
            | Self::Busy { at }
            | Self::Untrusted { at, .. }
            | Self::ClientCertificate { at, .. }
            | Self::NotTls { at, .. }
            | Self::TooLarge { at, .. }
            | Self::TooMany { at, .. }
            | Self::Digest { at, .. }
            | Self::Malformed { at, .. }
            | Self::Redirect { at, .. }
            | Self::Forbidden { at, .. }
            | Self::Contended { at, .. }
            | Self::Refused { at, .. } => at,
        }
    }

    /// HTTP status of the response, for errors that consist of one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } | Self::ImmutableTag { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// Temporary statuses, those of Chains (docs/behaviour.md, "Store oci").
pub(crate) fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 429 | 499 | 522 | 500 | 502..=504)
}

fn advice(status: u16) -> &'static str {
    match status {
        400 => "the registry may not accept this kind of content",
        404 => "create the repository, or check its name",
        405 | 501 => "the registry does not support this",
        409 => "the name is taken by something else; look at the repository",
        413 => "ask the registry's operator for a higher limit on the size of requests",
        429 => "the registry limits the rate of requests; try again later",
        status if is_temporary(status) => "try again later, or ask the registry's operator",
        _ => "ask the registry's operator",
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
