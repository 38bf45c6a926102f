//! `copy`: copies an image to another repository, with its signatures and attestations.

use std::process::ExitCode;

use anyhow::ensure;
use windlass_registry::manifest::Descriptor;
use windlass_registry::{Name, Reference};

use super::access::{Access, reference, within};
use super::output;
use crate::store::oci::open;
use crate::transfer::registry::{Destination, Existing, Registry};
use crate::transfer::{self, Attachment, Choice, Part, Platform, Scope};

/// Copy an image with its signatures and attestations to another repository
///
/// Nothing is verified; use `windlass verify` for that. What is copied keeps its digest, and with it its
/// signatures.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass copy registry.example.com/team/app:v1 mirror.example.com/app:v1
  windlass copy --only sig,att registry.example.com/team/app:v1 mirror.example.com/app")]
pub(crate) struct Copy {
    #[command(flatten)]
    access: Access,
    /// Replace tags of the destination that name something else
    #[arg(short, long)]
    force: bool,
    /// Copy only what is attached: signatures, attestations, SBOMs
    #[arg(long, value_name = "KIND", value_enum, value_delimiter = ',')]
    only: Vec<Attachment>,
    /// Copy only signatures
    #[arg(long, conflicts_with = "only")]
    sig_only: bool,
    /// Copy only the image of an index for this platform: OS/ARCHITECTURE
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
    /// Image to copy: IMAGE@DIGEST or IMAGE:TAG
    #[arg(value_name = "SOURCE", value_parser = reference)]
    source: Reference,
    /// Where to: IMAGE or IMAGE:TAG
    #[arg(value_name = "DESTINATION", value_parser = reference)]
    destination: Reference,
}

impl Copy {
    /// Copies the image.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        within(self.access.timeout(), Box::pin(self.copy())).await
    }

    async fn copy(&self) -> anyhow::Result<ExitCode> {
        let lookup = self.access.lookup()?;
        let (from, to) = (&self.source.repository, &self.destination.repository);
        ensure!(
            lookup.route.credential.is_none() || from.registry() == to.registry(),
            "the credential that is typed is for one registry, and these are {} and {}; log in to \
             both with `windlass login`",
            from.registry(),
            to.registry()
        );
        let found = lookup.resolve(&self.source).await?;
        let source = Registry {
            image: found.remote,
            tags: found.tags,
        };
        let mut root = Descriptor::of("", &[]);
        root.digest = found.digest;
        let items = transfer::collect(&source, &root, &self.choice()).await?;
        if items.is_empty() {
            output::note(&format!(
                "nothing was copied: nothing that --only names is attached to {}",
                self.source
            ));
            return Ok(ExitCode::SUCCESS);
        }
        let digest = items.iter().find(|item| item.part == Part::Root);
        let digest = digest.map(|item| item.stored.digest.clone());
        let name = match &self.destination.digest {
            Some(wanted) => {
                let is_same = digest.as_ref().is_none_or(|digest| digest == wanted);
                ensure!(
                    is_same,
                    "the destination names another digest than the image has; leave it out"
                );
                Name::Digest(wanted.clone())
            }
            None => self.destination.name(),
        };
        let mut destination = Destination {
            remote: open(to.clone(), &lookup.route).await?,
            name,
            existing: Existing::from_flag(self.force),
            from: Some(from.clone()),
        };
        destination.check(&items).await?;
        transfer::write(&items, &source, &mut destination).await?;
        output::note(&transfer::summary("copied", &items, &to.to_string()));
        Ok(ExitCode::SUCCESS)
    }

    fn choice(&self) -> Choice {
        let (attachments, scope) = match (&self.only[..], self.sig_only) {
            (_, true) => (vec![Attachment::Signatures], Scope::AttachmentsOnly),
            ([], false) => (Attachment::ALL.to_vec(), Scope::Whole),
            (only, false) => (only.to_vec(), Scope::AttachmentsOnly),
        };
        Choice {
            attachments,
            scope,
            platform: self.platform.clone(),
        }
    }
}
