//! A change: how an entry is added to the manifest or index under a tag.

use std::fmt;

use bytes::Bytes;

use crate::blob::Blob;
use crate::manifest::StoredManifest;

/// What to do with the manifest under a tag.
#[derive(Debug, Clone, PartialEq)]
pub enum Merge<T> {
    /// Nothing: the entry exists.
    Present,
    /// Replace it with this.
    Write(Write<T>),
}

/// A manifest or index to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Write<T> {
    /// The manifest.
    pub manifest: T,
    /// Blobs that it lists and that most likely do not exist yet, such as its config.
    pub blobs: Vec<Blob>,
}

/// A manifest or index in the form in which it is sent.
pub(crate) struct EncodedManifest {
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
}

/// A function that adds an entry to the current manifest.
pub(crate) struct Change(pub(crate) Box<MergeFunction>);

type MergeFunction =
    dyn Fn(Option<&StoredManifest>) -> Result<Merge<EncodedManifest>, String> + Send + Sync;

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change")
    }
}
