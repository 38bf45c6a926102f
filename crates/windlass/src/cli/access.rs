//! The flags for access to registries, and images as they are typed.

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

/// An image as it is typed.
pub(super) fn reference(text: &str) -> Result<Reference, String> {
    Reference::parse(text).map_err(|error| error.to_string())
}

fn repository(text: &str) -> Result<Repository, String> {
    Repository::parse(text).map_err(|error| error.to_string())
}
