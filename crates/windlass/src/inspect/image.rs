//! An image in its registry: its digest, and where its signatures and attestations are.

use windlass_registry::{Digest, Error, Name, Reference, ReferenceError, Remote, Repository, Tag};

use crate::store::oci::{Route, UploadError, open};
use crate::transfer::Attachment;

/// How an image is looked up.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    /// The repository with the tags of signatures and attestations, unless it is the image's.
    pub(crate) signature_repository: Option<Repository>,
    /// How its registries are reached.
    pub(crate) route: Route,
}

/// An image whose digest is known, and the ways to it.
pub(crate) struct ResolvedImage {
    /// Its repository.
    pub(crate) remote: Remote,
    /// The repository with the tags of its signatures and attestations.
    pub(crate) tags: Remote,
    /// Its digest.
    pub(crate) digest: Digest,
}

/// Why an image was not found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    /// No client of the registry could be set up.
    #[error(transparent)]
    Open(#[from] UploadError),
    /// The registry refused or did not respond.
    #[error(transparent)]
    Registry(#[from] Error),
    /// There is no image of that name.
    #[error("{name} was not found in {repository}")]
    Missing {
        /// Tag or digest.
        name: Name,
        /// Where it was looked for.
        repository: Repository,
    },
    /// A digest is too long for a tag.
    #[error(transparent)]
    Tag(#[from] ReferenceError),
    /// No SBOM is attached to the image.
    #[error(
        "no SBOM is attached to the image: {repository} has no tag {tag}; an attestation with one is \
         verified by `windlass verify-attestation --type spdxjson`"
    )]
    NoSbom {
        /// Where it would be.
        tag: Tag,
        /// In which repository.
        repository: Repository,
    },
}

impl ResolvedImage {
    /// The SBOM that is attached to the image under a tag, as an image of its own: that tag, and the way
    /// to it. Its signatures are where it is.
    pub(crate) async fn sbom(self) -> Result<(Tag, Self), ImageError> {
        let Self { tags, digest, .. } = self;
        let tag = Tag::of_digest(&digest, Attachment::Sbom.suffix())?;
        match tags.head_manifest(&Name::Tag(tag.clone())).await? {
            Some(found) => Ok((
                tag,
                Self {
                    remote: tags.clone(),
                    tags,
                    digest: found.digest,
                },
            )),
            None => Err(ImageError::NoSbom {
                tag,
                repository: tags.repository().clone(),
            }),
        }
    }
}

impl Lookup {
    /// Opens the way to an image, with the credentials of this machine, and finds out its digest.
    pub(crate) async fn resolve(&self, image: &Reference) -> Result<ResolvedImage, ImageError> {
        let remote = open(image.repository.clone(), &self.route).await?;
        let tags = match &self.signature_repository {
            Some(other) => open(other.clone(), &self.route).await?,
            None => remote.clone(),
        };
        Self::resolve_at(image, remote, tags).await
    }

    /// The same where the ways are open.
    pub(crate) async fn resolve_at(
        image: &Reference,
        remote: Remote,
        tags: Remote,
    ) -> Result<ResolvedImage, ImageError> {
        let digest = match &image.digest {
            Some(digest) => digest.clone(),
            None => digest_of(&remote, image.name()).await?,
        };
        Ok(ResolvedImage {
            remote,
            tags,
            digest,
        })
    }
}

async fn digest_of(remote: &Remote, name: Name) -> Result<Digest, ImageError> {
    match remote.head_manifest(&name).await? {
        Some(found) => Ok(found.digest),
        None => Err(ImageError::Missing {
            name,
            repository: remote.repository().clone(),
        }),
    }
}
