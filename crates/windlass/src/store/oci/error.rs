//! Why something is not stored in a registry.

use std::time::Duration;

use windlass_core::error::Chain;
use windlass_core::image::ImageError;
use windlass_core::json::Flaw;
use windlass_core::retry::Retry;
use windlass_registry::{Digest, DigestError, Error, Interrupted, ReferenceError, SetupError};

use super::credentials::CredentialsError;
use crate::telemetry::Reason;

/// Why something is not stored beside an image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    /// The registry refused or failed.
    #[error(transparent)]
    Registry(#[from] Error),
    /// The cluster did not say which credentials there are.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The setting is no repository.
    #[error("storage.oci.repository: {value:?} is not a repository: {source}")]
    Override {
        value: String,
        source: ReferenceError,
    },
    /// The image's name is fine for a statement and not for a registry.
    #[error("{image}: its repository is not valid: {source}")]
    Image {
        image: String,
        source: ReferenceError,
    },
    /// The image has no digest.
    #[error("{image}: {source}")]
    Digest { image: String, source: DigestError },
    /// Something was not found, where registries also say so for want of a credential.
    #[error("{}", withheld(error, namespace))]
    Withheld {
        error: Box<UploadError>,
        namespace: String,
    },
    /// There is nothing to refer to.
    #[error("{digest} is not in {repository}, so nothing can refer to it; push the image first")]
    NoSubject { digest: Digest, repository: String },
    /// An index lists more than is signed.
    #[error(
        "{image} lists more manifests than the limit of {most}; sign it without \
         artifacts.oci.recursive"
    )]
    TooManyListed { image: String, most: usize },
    /// Indexes list indexes that list indexes.
    #[error(
        "{image} lists indexes more than {depth} deep; sign it without artifacts.oci.recursive"
    )]
    TooDeep { image: String, depth: usize },
    /// What should be an index cannot be read.
    #[error("{digest} is not a valid index")]
    Index { digest: Digest, source: Flaw },
    /// An index lists something that cannot be signed.
    #[error("{image} lists {digest}, which cannot be signed")]
    Listed {
        image: String,
        digest: Digest,
        source: ImageError,
    },
    /// A certificate or key that this machine keeps for the registry cannot be read.
    #[error("cannot read {path} for the registry: {source}")]
    Certificate {
        path: String,
        source: std::io::Error,
    },
    /// There is no client to speak to the registry with.
    #[error("cannot set up a client for {registry}")]
    Setup {
        registry: String,
        source: SetupError,
    },
    /// The time of a pass ran out.
    #[error("there was no time left to push to {registry}; the rest is pushed later")]
    Cut { registry: String },
    /// The registry is left in peace.
    #[error(
        "{registry} did not respond to the last requests in time; it is asked again later, no action \
         is needed if it comes back"
    )]
    Unresponsive { registry: String, left: Duration },
    /// The client was not made.
    #[error("making the client of {registry} was interrupted")]
    Interrupted {
        registry: String,
        source: Interrupted,
    },
}

fn reason(error: &Error) -> Reason {
    match error {
        Error::Denied { .. } => Reason::Denied,
        Error::Status { status: 404, .. } => Reason::NotFound,
        Error::Status { status: 429, .. } => Reason::RateLimited,
        Error::Status { .. } if error.retry() != Retry::Never => Reason::Unavailable,
        Error::Status { .. } | Error::ImmutableTag { .. } => Reason::Refused,
        Error::Untrusted { .. } | Error::ClientCertificate { .. } | Error::NotTls { .. } => {
            Reason::Tls
        }
        Error::Forbidden { .. } => Reason::Forbidden,
        Error::Busy { .. } | Error::Contended { .. } => Reason::Unavailable,
        _ if error.is_timeout() => Reason::Timeout,
        Error::Transport { .. } => Reason::Unreachable,
        _ => Reason::Invalid,
    }
}

/// An error, and that the credentials of the controller may be the remedy.
fn withheld(error: impl std::fmt::Display, namespace: &str) -> String {
    format!(
        "{error}; it may be there for another credential: registries.shared-credentials in \
         windlass-config does not list the repository for the namespace {namespace}"
    )
}

impl UploadError {
    /// Whether something was not found, which registries say of what they hide too.
    fn is_absence(&self) -> bool {
        match self {
            Self::NoSubject { .. } => true,
            Self::Registry(error) => error.status() == Some(404),
            _ => false,
        }
    }

    /// The same error for a repository where the credentials of the controller are withheld.
    pub(super) fn withheld(self, namespace: &str) -> Self {
        if !self.is_absence() {
            return self;
        }
        Self::Withheld {
            error: Box::new(self),
            namespace: namespace.to_owned(),
        }
    }

    /// The error without anything that a registry chose, for the annotations and Events of a run.
    pub(crate) fn outline(&self) -> String {
        match self {
            Self::Registry(error) => error.outline().to_string(),
            Self::Withheld { error, namespace } => withheld(error.outline(), namespace),
            Self::Index { .. } => "what an index lists as an index is not a valid one".to_owned(),
            Self::Listed { image, .. } => format!("{image} lists something that cannot be signed"),
            Self::NoSubject { repository, .. } => format!(
                "the image is not in {repository}, so nothing can refer to it; push the image first"
            ),
            Self::Credentials(_)
            | Self::Override { .. }
            | Self::Image { .. }
            | Self::Digest { .. }
            | Self::TooManyListed { .. }
            | Self::TooDeep { .. }
            | Self::Certificate { .. }
            | Self::Setup { .. }
            | Self::Cut { .. }
            | Self::Unresponsive { .. }
            | Self::Interrupted { .. } => Chain(self).to_string(),
        }
    }

    /// The reason as it is counted.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::Registry(error) => reason(error),
            Self::Withheld { .. } | Self::NoSubject { .. } => Reason::NotFound,
            Self::Cut { .. } => Reason::Timeout,
            Self::Unresponsive { .. } => Reason::CircuitOpen,
            Self::Certificate { .. } | Self::Setup { .. } => Reason::Tls,
            Self::Override { .. } => Reason::Settings,
            Self::Credentials(_) | Self::Interrupted { .. } => Reason::Unavailable,
            Self::Image { .. }
            | Self::Digest { .. }
            | Self::TooManyListed { .. }
            | Self::TooDeep { .. }
            | Self::Index { .. }
            | Self::Listed { .. } => Reason::Invalid,
        }
    }

    /// When the same can work though nobody changes the settings.
    pub(crate) fn retry(&self) -> Retry {
        match self {
            // a credential may be added at any time, and nothing tells when
            Self::Registry(Error::Denied { .. })
            | Self::NoSubject { .. }
            | Self::Credentials(_)
            | Self::Cut { .. }
            | Self::Interrupted { .. } => Retry::Backoff,
            Self::Unresponsive { left, .. } => Retry::After(*left),
            Self::Registry(error) => error.retry(),
            Self::Withheld { error, .. } => error.retry(),
            Self::Override { .. }
            | Self::Image { .. }
            | Self::Digest { .. }
            | Self::TooManyListed { .. }
            | Self::TooDeep { .. }
            | Self::Index { .. }
            | Self::Listed { .. }
            | Self::Certificate { .. }
            | Self::Setup { .. } => Retry::Never,
        }
    }
}
