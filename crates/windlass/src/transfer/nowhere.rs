//! Nowhere: what is written to it is read, compared with its digest, and forgotten.

use windlass_registry::manifest::Descriptor;

use super::error::TransferError;
use super::item::{Item, Part};
use super::place::{Sink, Source};

/// A sink that keeps nothing.
pub(super) struct Nowhere;

impl Sink for Nowhere {
    async fn blob(
        &mut self,
        part: &Part,
        blob: &Descriptor,
        source: &impl Source,
    ) -> Result<(), TransferError> {
        let mut reader = source.open(part, blob)?;
        while reader.next().await?.is_some() {}
        reader.finish()
    }

    async fn manifest(&mut self, _item: &Item) -> Result<(), TransferError> {
        Ok(())
    }
}
