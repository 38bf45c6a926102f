//! The flags for access to registries, and images as they are typed.

use std::future::Future;
use std::time::Duration;

use jiff::SignedDuration;
use windlass_registry::{Reference, Repository};

use super::output;
use crate::inspect::image::{ImageError, Lookup, ResolvedImage};
use crate::store::oci::Exemptions;

/// Options for access to registries.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Access {
    /// Repository with the tags of signatures and attestations (default: the image's)
    #[arg(long, env = "COSIGN_REPOSITORY", value_name = "REPOSITORY", value_parser = repository)]
    signature_repository: Option<Repository>,
    #[command(flatten)]
    transport: Transport,
    /// How long it may take altogether, such as 30s or 5m
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    timeout: Duration,
}

/// The rules of TLS that a registry is exempt from.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Transport {
    /// Skip the certificate check of the registry
    #[arg(long)]
    allow_insecure_registry: bool,
    /// Use plain HTTP if the registry has no TLS
    #[arg(long)]
    allow_http_registry: bool,
}

impl Transport {
    /// What the flags mean.
    pub(super) fn exemptions(&self) -> Exemptions {
        Exemptions {
            certificate: self.allow_insecure_registry,
            plain_http: self.allow_http_registry,
        }
    }
}

impl Access {
    /// How long the verb may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Finds out the digest of an image; warnings go to standard error.
    pub(super) async fn resolve(self, image: &Reference) -> Result<ResolvedImage, ImageError> {
        let lookup = Lookup {
            signature_repository: self.signature_repository,
            exemptions: self.transport.exemptions(),
        };
        let image = lookup.resolve(image).await?;
        output::warn(&image.warnings);
        Ok(image)
    }
}

/// Does something that somebody else can draw out, and gives it up when its time is over.
pub(super) async fn within<T>(
    time: Duration,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let done = tokio::time::timeout(time, work).await;
    done.unwrap_or_else(|_| {
        Err(anyhow::anyhow!(
            "not finished within {time:?}, the limit of --timeout; a registry or cluster took too \
             long: try again, or give it more time"
        ))
    })
}

/// A duration as Go and cosign write it: `90s`, `1m30s`.
fn duration(text: &str) -> Result<Duration, String> {
    let read = text.parse::<SignedDuration>();
    let read = read.map_err(|_| "expected a duration such as 30s, 2m or 1m30s".to_owned())?;
    Duration::try_from(read)
        .ok()
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "the duration has to be longer than nothing".to_owned())
}

/// An image as it is typed.
pub(super) fn reference(text: &str) -> Result<Reference, String> {
    Reference::parse(text).map_err(|error| error.to_string())
}

fn repository(text: &str) -> Result<Repository, String> {
    Repository::parse(text).map_err(|error| error.to_string())
}
