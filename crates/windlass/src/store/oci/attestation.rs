//! Attaching an envelope that no run asked for to an image.

use std::sync::Arc;

use windlass_core::dsse::Envelope;
use windlass_core::signed::Identity;
use windlass_registry::{Digest, Remote, Tag};

use super::error::UploadError;
use super::layer::Layer;

/// Adds an envelope to those under the tag of an image's attestations, and gives the tag.
pub(crate) async fn attach_envelope(
    remote: &Remote,
    digest: &Digest,
    envelope: &Envelope,
    identity: &Arc<Identity>,
) -> Result<Tag, UploadError> {
    let layer = Layer::attestation(envelope.to_json().as_bytes(), identity);
    let tag = Tag::of_digest(digest, layer.suffix).map_err(|source| UploadError::Image {
        image: digest.to_string(),
        source,
    })?;
    let merge = move |stored| layer.merged_into(stored);
    remote.writing().append(&tag, merge).finish().await?;
    Ok(tag)
}
