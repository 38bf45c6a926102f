//! A batch: the entries of several appends, merged into one manifest.

use std::sync::Arc;

use super::change::{EncodedManifest, Merge};
use super::queue::QueuedChange;
use crate::blob::Blob;
use crate::digest::Digest;
use crate::manifest::StoredManifest;

/// The manifest to write, its blobs, and the entries in it.
pub(super) struct Batch<'a> {
    pub(super) manifest: StoredManifest,
    pub(super) blobs: Vec<Blob>,
    pub(super) entries: Vec<&'a QueuedChange>,
}

impl<'a> Batch<'a> {
    /// The batch that adds the first entry and as many of the others as possible; none if the first
    /// exists already. Only the first one's error is reported.
    pub(super) fn merge(
        before: Option<StoredManifest>,
        queued: &'a [Arc<QueuedChange>],
    ) -> Result<Option<Self>, String> {
        let mut stored = before;
        let mut blobs = Vec::new();
        let mut entries = Vec::new();
        for (number, entry) in queued.iter().enumerate() {
            let write = match (entry.change.0)(stored.as_ref()) {
                Ok(Merge::Write(write)) => write,
                Ok(Merge::Present) | Err(_) if number > 0 => continue,
                Ok(Merge::Present) => return Ok(None),
                Err(why) => return Err(why),
            };
            let EncodedManifest { media_type, bytes } = write.manifest;
            stored = Some(StoredManifest {
                digest: Digest::of(&bytes),
                media_type,
                bytes,
            });
            blobs.extend(write.blobs);
            entries.push(entry.as_ref());
        }
        let Some(manifest) = stored else {
            return Ok(None);
        };
        // a later entry may list another config
        let text = String::from_utf8_lossy(&manifest.bytes);
        blobs.retain(|blob| text.contains(blob.digest().as_str()));
        Ok(Some(Self {
            manifest,
            blobs,
            entries,
        }))
    }
}
