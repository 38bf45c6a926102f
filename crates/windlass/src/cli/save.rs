//! `save`: saves an image with its signatures and attestations in a folder.

use std::path::PathBuf;
use std::process::ExitCode;

use windlass_registry::Reference;
use windlass_registry::manifest::Descriptor;

use super::access::{Access, reference, within};
use super::output;
use crate::transfer::layout::Folder;
use crate::transfer::registry::Registry;
use crate::transfer::{self, Choice};

/// Save an image with its signatures and attestations in a folder
///
/// The folder is an OCI layout, which `windlass load` and `cosign load` read. Nothing is verified; use
/// `windlass verify` for that.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass save --dir app registry.example.com/team/app:v1")]
pub(crate) struct Save {
    #[command(flatten)]
    access: Access,
    /// Folder to save it in
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    dir: PathBuf,
    /// IMAGE@DIGEST or IMAGE:TAG
    #[arg(value_name = "IMAGE", value_parser = reference)]
    image: Reference,
}

impl Save {
    /// Saves the image.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        within(self.access.timeout(), Box::pin(self.save())).await
    }

    async fn save(&self) -> anyhow::Result<ExitCode> {
        let found = self.access.resolve(&self.image).await?;
        let source = Registry {
            image: found.remote,
            tags: found.tags,
        };
        let mut root = Descriptor::of("", &[]);
        root.digest = found.digest;
        let items = transfer::collect(&source, &root, &Choice::default()).await?;
        let mut folder = Folder::create(&self.dir, &root.digest)?;
        transfer::write(&items, &source, &mut folder).await?;
        folder.finish()?;
        let place = self.dir.display().to_string();
        output::note(&transfer::summary("saved", &items, &place));
        Ok(ExitCode::SUCCESS)
    }
}
