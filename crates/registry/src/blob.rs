//! Blobs: content that is known by its digest.

use bytes::Bytes;

use crate::digest::Digest;
use crate::manifest::Descriptor;

/// Content, and its digest, which is computed once. Clones share the content.
///
/// ```
/// use windlass_registry::{Blob, Digest};
///
/// let blob = Blob::of("{}");
/// assert_eq!(*blob.digest(), Digest::of(b"{}"));
/// assert_eq!(blob.content(), "{}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    digest: Digest,
    content: Bytes,
}

impl Blob {
    /// The blob of this content.
    pub fn of(content: impl Into<Bytes>) -> Self {
        let content = content.into();
        Self {
            digest: Digest::of(&content),
            content,
        }
    }

    /// What a manifest lists it as.
    pub fn descriptor(&self, media_type: &str) -> Descriptor {
        Descriptor::stating(media_type, &self.digest, self.content.len())
    }

    /// Its digest.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Its content.
    pub fn content(&self) -> &Bytes {
        &self.content
    }
}
