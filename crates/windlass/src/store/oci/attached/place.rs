//! Where something is attached to an image.

use std::fmt;

use windlass_registry::{ListedBy, Tag};

/// Where something is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A layer of the manifest under a tag.
    Tag(Tag),
    /// A manifest that refers to the image, and who keeps the list of those.
    Referrer(ListedBy),
    /// A manifest in a folder that refers to the image.
    SavedReferrer,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(f, "tag {tag}"),
            Self::Referrer(ListedBy::Registry) | Self::SavedReferrer => f.write_str("referrer"),
            Self::Referrer(ListedBy::Tag) => f.write_str("referrer listed under a tag"),
        }
    }
}
