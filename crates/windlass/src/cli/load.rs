//! `load`: pushes an image that `save` has saved, with its signatures and attestations.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::ensure;
use windlass_registry::Reference;

use super::access::{Access, reference, within};
use super::output;
use crate::store::oci::open;
use crate::transfer::layout::Layout;
use crate::transfer::registry::{Destination, Existing};
use crate::transfer::{self, Choice};

/// Push an image from a folder, with its signatures and attestations
///
/// The folder is an OCI layout, as `windlass save` and `cosign save` write it. Tags that exist are
/// replaced. Nothing is verified; use `windlass verify` for that.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass load --dir app registry.example.com/team/app:v1")]
pub(crate) struct Load {
    #[command(flatten)]
    access: Access,
    /// Folder that it is in
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    dir: PathBuf,
    /// Where to: IMAGE or IMAGE:TAG
    #[arg(value_name = "IMAGE", value_parser = reference)]
    image: Reference,
}

impl Load {
    /// Pushes the image.
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        within(self.access.timeout(), Box::pin(self.load())).await
    }

    async fn load(&self) -> anyhow::Result<ExitCode> {
        let layout = Layout::open(&self.dir).await?;
        let root = layout.root().clone();
        let items = transfer::collect(&layout, &root, &Choice::default()).await?;
        let is_same = self.image.digest.as_ref();
        ensure!(
            is_same.is_none_or(|wanted| *wanted == root.digest),
            "the folder has {}, and IMAGE names another digest; leave it out",
            root.digest
        );
        let repository = self.image.repository.clone();
        let route = self.access.lookup()?.route;
        let mut destination = Destination {
            remote: open(repository.clone(), &route).await?,
            name: self.image.name(),
            existing: Existing::Replace,
            from: None,
        };
        transfer::write(&items, &layout, &mut destination).await?;
        output::note(&transfer::summary(
            "pushed",
            &items,
            &repository.to_string(),
        ));
        Ok(ExitCode::SUCCESS)
    }
}
