//! The places of a signed image: where it is read from, and where it is written to.

use windlass_registry::Digest;
use windlass_registry::manifest::{Descriptor, StoredManifest};

use super::error::TransferError;
use super::item::{Item, Part};
use super::kind::Choice;
use super::reader::Reader;

/// Where a signed image is read from.
pub(crate) trait Source {
    /// The manifest of this digest.
    async fn manifest(&self, descriptor: &Descriptor) -> Result<StoredManifest, TransferError>;

    /// What is attached to an image, of these kinds, and its referrers if they are wanted.
    async fn attached(&self, image: &Digest, choice: &Choice) -> Result<Vec<Item>, TransferError>;

    /// Opens a blob of a part.
    fn open<'s>(&'s self, part: &Part, blob: &Descriptor) -> Result<Reader<'s>, TransferError>;
}

/// Where a signed image is written to.
pub(crate) trait Sink {
    /// Writes a blob, unless it exists.
    async fn blob(
        &mut self,
        part: &Part,
        blob: &Descriptor,
        source: &impl Source,
    ) -> Result<(), TransferError>;

    /// Writes a manifest, whose blobs and manifests exist.
    async fn manifest(&mut self, item: &Item) -> Result<(), TransferError>;
}
