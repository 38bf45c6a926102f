//! The image that is verified: one in a registry, or one that was saved in a folder.

use std::path::Path;

use windlass_registry::{Digest, Reference, Repository};

use crate::inspect::image::ResolvedImage;
use crate::store::Wanted;
use crate::transfer::layout::Layout;
use crate::transfer::{self, TransferError};

/// The image that is verified.
pub(crate) enum Subject {
    /// In a registry.
    Image {
        /// What it is called.
        name: String,
        found: ResolvedImage,
    },
    /// In a folder. All of it was compared with the digest that the folder's index lists.
    Saved(Layout),
}

impl Subject {
    /// An image that was looked up.
    pub(crate) fn found(reference: &Reference, found: ResolvedImage) -> Self {
        let name = reference.to_string();
        Self::Image { name, found }
    }

    /// The image that was saved in a folder. An error is one that is damaged.
    pub(crate) async fn saved(folder: &Path) -> Result<Self, TransferError> {
        let layout = Layout::open(folder).await?;
        transfer::check(&layout, layout.root()).await?;
        Ok(Self::Saved(layout))
    }

    /// What it is called in a report.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Image { name, .. } => name.clone(),
            Self::Saved(layout) => layout.name(),
        }
    }

    pub(crate) fn digest(&self) -> &Digest {
        match self {
            Self::Image { found, .. } => &found.digest,
            Self::Saved(layout) => &layout.root().digest,
        }
    }

    /// Its repository; a folder does not tell one.
    pub(crate) fn repository(&self) -> Option<&Repository> {
        match self {
            Self::Image { found, .. } => Some(found.remote.repository()),
            Self::Saved(_) => None,
        }
    }

    /// Where what is attached to it is.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        match self {
            Self::Image { found, .. } => Wanted::Image {
                remote: &found.remote,
                tags: &found.tags,
                digest: &found.digest,
            },
            Self::Saved(layout) => Wanted::Folder {
                layout,
                digest: &layout.root().digest,
            },
        }
    }
}
