//! A shelf: where manifests and contents are read from, a repository of a registry or a folder that an
//! image was saved in.

use bytes::Bytes;
use windlass_core::error::Chain;
use windlass_registry::manifest::{Descriptor, StoredManifest};
use windlass_registry::{Digest, Error, Name, Remote, Tag};

use super::error::AttachedError;
use super::place::Place;
use crate::transfer::layout;

/// Where manifests and contents are read from.
#[derive(Clone, Copy)]
pub(crate) enum Shelf<'a> {
    Repository(&'a Remote),
    Folder(&'a layout::Layout),
}

/// How a content is fetched.
#[derive(Debug, Clone, Copy)]
pub(super) enum Endpoint {
    Manifests,
    Blobs,
}

impl Shelf<'_> {
    /// What tells it from others.
    pub(super) fn name(self) -> String {
        match self {
            Self::Repository(remote) => remote.repository().to_string(),
            Self::Folder(layout) => layout.name(),
        }
    }

    /// What a tag attaches to an image.
    pub(super) async fn tagged(
        self,
        image: &Digest,
        tag: &Tag,
    ) -> Result<Option<StoredManifest>, AttachedError> {
        Ok(match self {
            Self::Repository(remote) => remote.get_manifest(&Name::Tag(tag.clone())).await?,
            Self::Folder(layout) => layout.tagged(image, tag)?,
        })
    }

    /// The manifests that refer to an image, and where they are.
    pub(super) async fn referrers(
        self,
        image: &Digest,
    ) -> Result<(Vec<Descriptor>, Place), AttachedError> {
        Ok(match self {
            Self::Repository(remote) => {
                let (found, listed_by) = remote.referrers(image, None).await?;
                (found, Place::Referrer(listed_by))
            }
            Self::Folder(layout) => (layout.referrers(image), Place::SavedReferrer),
        })
    }

    /// A content of at most `limit` bytes. What is wrong with it is an outcome; an error is a registry
    /// that does not respond.
    pub(super) async fn fetch(
        self,
        endpoint: Endpoint,
        digest: &Digest,
        limit: usize,
    ) -> Result<Result<Bytes, String>, AttachedError> {
        let fetched = match (self, endpoint) {
            (Self::Folder(layout), _) => {
                let read = layout.content(digest, limit);
                return Ok(read.map_err(|error| Chain(&error).to_string()));
            }
            (Self::Repository(remote), Endpoint::Manifests) => {
                let name = Name::Digest(digest.clone());
                let stored = remote.get_manifest_within(&name, limit).await;
                stored.map(|stored| stored.map(|stored| stored.bytes))
            }
            (Self::Repository(remote), Endpoint::Blobs) => remote.get_blob(digest, limit).await,
        };
        match fetched {
            Ok(Some(content)) => Ok(Ok(content)),
            Ok(None) => Ok(Err("it was not found in the registry".to_owned())),
            Err(Error::TooLarge { limit, .. }) => Ok(Err(format!(
                "it is longer than the {limit} bytes that its descriptor states"
            ))),
            Err(error @ Error::Digest { .. }) => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}
