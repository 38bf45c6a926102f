//! A change: how an entry is added to the manifest or index under a tag.

use std::fmt;

use bytes::Bytes;

use crate::manifest::StoredManifest;

/// What becomes of what is under a tag.
#[derive(Debug, Clone, PartialEq)]
pub enum Merge<T> {
    /// The entry is there.
    Present,
    /// This is to be there instead.
    Write(Write<T>),
}

/// Something to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Write<T> {
    /// The manifest.
    pub manifest: T,
    /// Blobs it lists that are most likely not in the repository yet, such as its config.
    pub blobs: Vec<Bytes>,
}

/// A manifest or index in the form it is sent in.
pub(crate) struct EncodedManifest {
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
}

/// How an entry is added to what is there.
pub(crate) struct Change(pub(crate) Box<MergeFunction>);

type MergeFunction =
    dyn Fn(Option<&StoredManifest>) -> Result<Merge<EncodedManifest>, String> + Send + Sync;

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change")
    }
}
