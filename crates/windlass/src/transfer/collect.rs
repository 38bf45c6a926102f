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
    let mut images = found.items;
    images.reverse();
    images.sort_by_key(|item| item.stored.is_index());
    let mut all = Found {
        items: Vec::new(),
        bytes: found.bytes,
    };
    if choice.scope == Scope::Whole {
        all.items.clone_from(&images);
    }
    for image in &images {
        for Item { part, stored } in source.attached(&image.stored.digest, choice).await? {
            all.add(part, stored)?;
        }
    }
    Ok(all.items)
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
