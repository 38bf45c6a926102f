//! `triangulate`: where the signatures or attestations of an image are kept.

use std::process::ExitCode;

use windlass_registry::{Reference, Tag};

use super::access::{Access, reference, within};
use super::output;

/// Print the tag under which signatures or attestations of an image are kept
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass triangulate registry.example.com/team/app:v1
  windlass triangulate --type attestation registry.example.com/team/app:v1")]
pub(crate) struct Triangulate {
    /// What is looked for: signature, attestation, sbom, or the digest of the image
    #[arg(
        long = "type",
        value_enum,
        default_value = "signature",
        value_name = "TYPE"
    )]
    kind: Attachment,
    #[command(flatten)]
    access: Access,
    /// IMAGE@DIGEST or IMAGE:TAG
    #[arg(value_name = "IMAGE", value_parser = reference)]
    image: Reference,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Attachment {
    Signature,
    Attestation,
    Sbom,
    Digest,
}

impl Triangulate {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        within(self.access.timeout(), Box::pin(self.print())).await
    }

    async fn print(&self) -> anyhow::Result<ExitCode> {
        let found = self.access.resolve(&self.image).await?;
        let (tags, digest) = (found.tags.repository(), &found.digest);
        let suffix = match self.kind {
            Attachment::Signature => ".sig",
            Attachment::Attestation => ".att",
            Attachment::Sbom => ".sbom",
            Attachment::Digest => {
                output::write(format!("{}@{digest}\n", self.image.repository))?;
                return Ok(ExitCode::SUCCESS);
            }
        };
        let tag = Tag::of_digest(digest, suffix)?;
        output::write(format!("{tags}:{tag}\n"))?;
        Ok(ExitCode::SUCCESS)
    }
}
