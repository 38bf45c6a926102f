//! Manifests that an index lists. With `artifacts.oci.recursive`, each manifest of a multi-platform
//! image is signed, as `cosign sign --recursive` does.

use std::collections::BTreeSet;

use windlass_core::image::Image;
use windlass_registry::manifest::{DOCKER_LIST, INDEX};
use windlass_registry::{Digest, Name, Remote};

use super::access::{Access, Owner};
use super::error::UploadError;
use super::place::{digest_of, repository_of};

/// Most manifests of one image that are signed.
const MOST: usize = 100;
/// How deep indexes in indexes are followed.
const DEPTH: usize = 4;

/// Everything that an image lists, if it is an index; each once, in the order of the lists.
pub(super) async fn listed(
    access: &Access,
    owner: &Owner<'_>,
    image: &Image,
) -> Result<Vec<Image>, UploadError> {
    // what is wrong with credentials is told when something is pushed with them
    let repository = repository_of(image)?;
    let remote = &access.remote(owner, repository, &mut Vec::new()).await?;
    listed_at(remote, image).await
}

/// The same where the way to the repository is open.
pub(crate) async fn listed_at(remote: &Remote, image: &Image) -> Result<Vec<Image>, UploadError> {
    let mut indexes = vec![digest_of(image)?];
    let mut seen: BTreeSet<Digest> = indexes.iter().cloned().collect();
    let mut found = Vec::new();
    for _ in 0..DEPTH {
        let mut deeper = Vec::new();
        for index in &indexes {
            for (digest, is_index) in entries(remote, index).await? {
                if !seen.insert(digest.clone()) {
                    continue;
                }
                if seen.len() > MOST {
                    return Err(UploadError::TooManyListed {
                        image: image.to_string(),
                        most: MOST,
                    });
                }
                found.push(beside(image, &digest)?);
                if is_index {
                    deeper.push(digest);
                }
            }
        }
        indexes = deeper;
        if indexes.is_empty() {
            return Ok(found);
        }
    }
    Err(UploadError::TooDeep {
        image: image.to_string(),
        depth: DEPTH,
    })
}

/// What a manifest lists, and which of it lists more; nothing if it is no index.
async fn entries(remote: &Remote, digest: &Digest) -> Result<Vec<(Digest, bool)>, UploadError> {
    let Some(stored) = remote.get_manifest(&Name::Digest(digest.clone())).await? else {
        return Err(UploadError::NoSubject {
            digest: digest.clone(),
            repository: remote.repository().to_string(),
        });
    };
    if !is_index(&stored.media_type) {
        return Ok(Vec::new());
    }
    let index = stored.index().map_err(|source| UploadError::Index {
        digest: digest.clone(),
        source,
    })?;
    let entries = index.manifests.into_iter();
    let entries = entries.map(|entry| (entry.digest, is_index(&entry.media_type)));
    Ok(entries.collect())
}

fn is_index(media_type: &str) -> bool {
    [INDEX, DOCKER_LIST].contains(&media_type)
}

/// The image of another digest in the same repository.
fn beside(image: &Image, digest: &Digest) -> Result<Image, UploadError> {
    let name = format!("{}@{digest}", image.repository());
    Image::parse(&name).map_err(|source| UploadError::Listed {
        image: image.to_string(),
        digest: digest.clone(),
        source,
    })
}
