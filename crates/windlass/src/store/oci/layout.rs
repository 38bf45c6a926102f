//! The layouts in which signatures and attestations are attached to an image.

/// In which layout something is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A layer of the manifest under the tag of its kind.
    Tag,
    /// A bundle that refers to the image.
    Bundle,
}
