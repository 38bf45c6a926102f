//! `--local-image`: images that were saved in folders.

use std::path::Path;

use anyhow::{anyhow, ensure};
use windlass_registry::Reference;

use super::access::{Access, reference};
use crate::inspect::verify::Subject;

/// Whether images are in folders.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct SavedFlag {
    /// Each image is a folder that `windlass save` or `cosign save` has written. No registry is asked
    #[arg(long)]
    pub(super) local_image: bool,
}

/// An image as it is typed.
pub(super) enum TypedImage {
    Folder(String),
    Reference(Reference),
}

impl SavedFlag {
    /// Reads words that are images.
    pub(super) fn read(self, words: &[String]) -> anyhow::Result<Vec<TypedImage>> {
        let one = |word: &String| {
            if self.local_image {
                return Ok(TypedImage::Folder(word.clone()));
            }
            if let Some(hint) = hint(word) {
                return Err(anyhow!(hint));
            }
            let read =
                reference(word).map_err(|error| anyhow!("{word:?} is not an image: {error}"));
            read.map(TypedImage::Reference)
        };
        words.iter().map(one).collect()
    }
}

impl TypedImage {
    /// The image that is meant.
    pub(super) async fn subject(&self, access: &Access) -> anyhow::Result<Subject> {
        match self {
            Self::Folder(folder) => subject(folder).await,
            Self::Reference(reference) => {
                let found = access.resolve(reference).await?;
                Ok(Subject::found(reference, found))
            }
        }
    }
}

/// The image in a folder, once all of it is compared with its digests.
pub(super) async fn subject(folder: &str) -> anyhow::Result<Subject> {
    ensure!(
        !folder.trim().is_empty(),
        "the name of the folder is blank; name one that `save` has written"
    );
    Ok(Subject::saved(Path::new(folder)).await?)
}

/// What to do with a word that is the folder of an image.
pub(super) fn hint(word: &str) -> Option<String> {
    let is_saved = Path::new(word).join("index.json").is_file();
    is_saved.then(|| {
        format!(
            "{word} is a folder with a saved image; `verify` and `verify-attestation` take it with \
             --local-image"
        )
    })
}
