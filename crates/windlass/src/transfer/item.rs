//! The items of a signed image: its manifests, and which part of the whole each is.

use windlass_registry::Tag;
use windlass_registry::manifest::StoredManifest;

/// Which part of the whole a manifest is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// The image or index that was named.
    Root,
    /// A manifest that an index lists.
    Listed,
    /// What a tag attaches to an image.
    Tagged(Tag),
    /// A manifest whose subject is an image.
    Referrer,
}

/// A manifest and which part it is.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) part: Part,
    pub(crate) stored: StoredManifest,
}
