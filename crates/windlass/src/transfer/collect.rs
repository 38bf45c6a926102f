//! Collects the manifests of a signed image, in the order in which they can be written.

use windlass_registry::Digest;
use windlass_registry::manifest::{Descriptor, StoredManifest};

use super::bounds::{DEPTH, MANIFEST_BYTES, MANIFESTS};
use super::error::TransferError;
use super::item::{Item, Part};
use super::kind::{Choice, Platform, Scope};
use super::place::Source;

/// All items of the image with this descriptor: what an index lists first, then the index, then what is
/// attached to any of them.
pub(crate) async fn collect(
    source: &impl Source,
    root: &Descriptor,
    choice: &Choice,
) -> Result<Vec<Item>, TransferError> {
    let mut root = source.manifest(root).await?;
    if let Some(platform) = &choice.platform {
        root = source.manifest(&chosen(&root, platform)?).await?;
    }
    let found = below(source, root).await?;
    let mut all = Found {
        items: Vec::new(),
        bytes: found.bytes,
    };
    if choice.scope == Scope::Whole {
        all.items.clone_from(&found.items);
    }
    for image in &found.items {
        for Item { part, stored } in source.attached(&image.stored.digest, choice).await? {
            all.add(part, stored)?;
        }
    }
    Ok(all.items)
}

/// The image with this descriptor and what an index lists, without what is attached.
pub(super) async fn images(
    source: &impl Source,
    root: &Descriptor,
) -> Result<Vec<Item>, TransferError> {
    let root = source.manifest(root).await?;
    Ok(below(source, root).await?.items)
}

/// An image or index, and all images and indexes below it.
async fn below(source: &impl Source, root: StoredManifest) -> Result<Found, TransferError> {
    let mut found = Found::default();
    found.add(Part::Root, root.clone())?;
    let mut open = vec![(root, 0)];
    while let Some((stored, depth)) = open.pop() {
        if !stored.is_index() {
            continue;
        }
        if depth == DEPTH {
            return Err(TransferError::TooDeep);
        }
        for listed in listed(&stored)? {
            if found.has(&listed.digest) {
                continue;
            }
            let stored = source.manifest(&listed).await?;
            found.add(Part::Listed, stored.clone())?;
            open.push((stored, depth + 1));
        }
    }
    // found from the root down, written from there up; images first, since several indexes may list one
    found.items.reverse();
    found.items.sort_by_key(|item| item.stored.is_index());
    Ok(found)
}

#[derive(Default)]
struct Found {
    items: Vec<Item>,
    bytes: usize,
}

impl Found {
    fn has(&self, digest: &Digest) -> bool {
        self.items.iter().any(|item| item.stored.digest == *digest)
    }

    fn add(&mut self, part: Part, stored: StoredManifest) -> Result<(), TransferError> {
        self.bytes += stored.bytes.len();
        if self.bytes > MANIFEST_BYTES {
            return Err(TransferError::LargeManifests);
        }
        if self.items.len() == MANIFESTS {
            return Err(TransferError::TooMany);
        }
        self.items.push(Item { part, stored });
        Ok(())
    }
}

fn listed(index: &StoredManifest) -> Result<Vec<Descriptor>, TransferError> {
    let read = index.index();
    let read = read.map_err(|_| TransferError::NoManifest(index.digest.clone()))?;
    Ok(read.manifests)
}

/// The image of an index for a platform.
fn chosen(index: &StoredManifest, platform: &Platform) -> Result<Descriptor, TransferError> {
    if !index.is_index() {
        return Err(TransferError::NoPlatforms(index.digest.clone()));
    }
    let mut known = Vec::new();
    for listed in listed(index)? {
        let Some(stated) = Platform::of(&listed) else {
            continue;
        };
        if platform.is_met_by(&stated) {
            return Ok(listed);
        }
        known.push(stated.to_string());
    }
    known.truncate(20);
    Err(TransferError::NoSuchPlatform {
        wanted: platform.to_string(),
        found: known.join(", "),
    })
}
