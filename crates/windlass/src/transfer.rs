//! Transfer: a signed image as one thing, copied from where it is to somewhere else, byte for byte.
//!
//! It is made of the image or index, of what an index lists, and of what is attached to each of these:
//! manifests under the tags `sha256-HEX.sig`, `.att` and `.sbom`, and referrers. It is read from a
//! registry or an OCI layout, and written to either. Everything is checked against its digest.
//!
//! Whoever runs the registry, or made the layout, chooses all of it: [`bounds`] says how much is read. A blob is read in parts, so its size is a
//! matter of time and disk only.

use std::collections::HashSet;

use windlass_registry::manifest::{Descriptor, Manifest};

use self::bounds::BLOB_BYTES;
pub(crate) use self::collect::collect;
pub(crate) use self::error::TransferError;
pub(crate) use self::item::{Item, Part};
pub(crate) use self::kind::{Attachment, Choice, Platform, Scope};
use self::nowhere::Nowhere;
use self::place::{Sink, Source};

mod bounds;
mod collect;
mod error;
mod item;
mod kind;
pub(crate) mod layout;
mod nowhere;
mod place;
mod reader;
pub(crate) mod registry;

/// Writes all items, each behind what it needs.
pub(crate) async fn write(
    items: &[Item],
    source: &impl Source,
    sink: &mut impl Sink,
) -> Result<(), TransferError> {
    let mut written = HashSet::new();
    let mut bytes: u64 = 0;
    for item in items {
        for blob in blobs(item)? {
            if !written.insert(blob.digest.clone()) {
                continue;
            }
            bytes = bytes.saturating_add(blob.size);
            if bytes > BLOB_BYTES {
                return Err(TransferError::TooLarge { limit: BLOB_BYTES });
            }
            sink.blob(&item.part, &blob, source).await?;
        }
        sink.manifest(item).await?;
    }
    Ok(())
}

/// Reads an image, and what an index lists, and compares everything with its digest.
pub(crate) async fn check(source: &impl Source, root: &Descriptor) -> Result<(), TransferError> {
    let items = collect::images(source, root).await?;
    write(&items, source, &mut Nowhere).await
}

/// The blobs of a manifest; those of foreign layers stay where their URLs lead.
fn blobs(item: &Item) -> Result<Vec<Descriptor>, TransferError> {
    if item.stored.is_index() {
        return Ok(Vec::new());
    }
    let manifest: Manifest = item
        .stored
        .manifest()
        .map_err(|_| TransferError::NoManifest(item.stored.digest.clone()))?;
    let Manifest { config, layers, .. } = manifest;
    let is_here = |blob: &Descriptor| {
        let kind = &blob.media_type;
        !kind.contains(".nondistributable.") && !kind.contains(".foreign.")
    };
    Ok(layers.into_iter().chain([config]).filter(is_here).collect())
}

/// What was done, for people.
pub(crate) fn summary(done: &str, items: &[Item], place: &str) -> String {
    let count = |is_meant: fn(&Part) -> bool| {
        let meant = items.iter().filter(|item| is_meant(&item.part));
        meant.count()
    };
    let images = count(|part| matches!(part, Part::Root | Part::Listed));
    let attached = count(|part| matches!(part, Part::Tagged(_)));
    let referrers = count(|part| *part == Part::Referrer);
    format!(
        "{done} to {place}: manifests of images {images}, attached under tags {attached}, referrers \
         {referrers}"
    )
}
