//! Attaching what no run asked for to an image, in the layouts that the controller uses.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use windlass_core::dsse::Envelope;
use windlass_core::format::Format;
use windlass_core::payload::Payload;
use windlass_core::signed::Signed;
use windlass_registry::manifest::{Descriptor, Manifest};
use windlass_registry::{Digest, Merge, Name, Remote, Tag};

use super::attached::bounds;
use super::bundle::Bundle;
use super::equivalent::blob;
use super::error::UploadError;
use super::layer::{ATTESTATIONS, ENVELOPE, Layer, MOST};
use super::layout::Layout;
use super::push::{Pushed, refer, subject};

/// An image, and the ways to it.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// Its repository.
    pub(crate) remote: &'a Remote,
    /// The repository of its tags.
    pub(crate) tags: &'a Remote,
    pub(crate) digest: &'a Digest,
}

/// Attaches something signed to an image, in the place of the layers under its tag with these digests.
/// The result says where it is.
pub(crate) async fn attach(
    target: Target<'_>,
    signed: &Arc<Signed>,
    layout: Layout,
    replaced: BTreeSet<Digest>,
) -> Result<String, UploadError> {
    match layout {
        Layout::Tag => under_tag(target, signed, replaced).await,
        Layout::Bundle => as_referrer(target, signed).await,
    }
}

async fn under_tag(
    target: Target<'_>,
    signed: &Signed,
    replaced: BTreeSet<Digest>,
) -> Result<String, UploadError> {
    let layer = Layer::of(signed);
    let tag = Tag::of_digest(target.digest, layer.suffix);
    let tag = tag.map_err(|source| UploadError::Image {
        image: target.digest.to_string(),
        source,
    })?;
    let merge = move |stored: Option<Manifest>| -> Result<Merge<Manifest>, String> {
        layer.merged_into(stored.map(|stored| without(stored, &replaced, &layer)))
    };
    let tags = target.tags.writing();
    tags.append(&tag, merge).finish().await?;
    Ok(format!("tag {tag} of {}", target.tags.repository()))
}

/// What was under a tag without the layers that are replaced. If there are any, the new one is taken
/// out too, so that it is added anew and the tag written.
fn without(mut stored: Manifest, replaced: &BTreeSet<Digest>, new: &Layer) -> Manifest {
    let is_old = |digest: &Digest| replaced.contains(digest) && digest != new.digest();
    if stored.layers.iter().any(|layer| is_old(&layer.digest)) {
        stored
            .layers
            .retain(|layer| !replaced.contains(&layer.digest) && layer.digest != *new.digest());
    }
    stored
}

/// The layers under the tag of an image's attestations whose statements have this predicate type,
/// whoever signed them. What cannot be read is none of them.
pub(crate) async fn attestations_of_type(
    target: Target<'_>,
    predicate_type: &str,
) -> Result<BTreeSet<Digest>, UploadError> {
    let tag = Tag::of_digest(target.digest, ATTESTATIONS);
    let tag = tag.map_err(|source| UploadError::Image {
        image: target.digest.to_string(),
        source,
    })?;
    let stored = target.tags.get_manifest(&Name::Tag(tag)).await?;
    let manifest = stored.and_then(|stored| stored.manifest().ok());
    let layers = manifest.map(|manifest| manifest.layers).unwrap_or_default();
    let mut found = BTreeSet::new();
    let mut left = bounds::TOTAL;
    let is_envelope = |layer: &&Descriptor| layer.media_type == ENVELOPE;
    for layer in layers.iter().filter(is_envelope).take(MOST) {
        let limit = usize::try_from(layer.size).unwrap_or(usize::MAX);
        if limit > bounds::CONTENT || layer.size > left {
            continue;
        }
        left -= layer.size;
        let content = blob(target.tags, &layer.digest, limit).await?;
        let envelope = content.and_then(|content| Envelope::from_json(&content).ok());
        let payload = envelope.and_then(|envelope| envelope.decode_payload().ok());
        let payload = payload.map(|bytes| Payload::other(Format::Statement, bytes));
        let kind = payload.and_then(|payload| payload.predicate_type());
        if kind.as_deref() == Some(predicate_type) {
            found.insert(layer.digest.clone());
        }
    }
    Ok(found)
}

async fn as_referrer(target: Target<'_>, signed: &Signed) -> Result<String, UploadError> {
    let remote = target.remote.writing();
    let repository = || target.remote.repository().to_string();
    let absent = || UploadError::NoSubject {
        digest: target.digest.clone(),
        repository: repository(),
    };
    let found = subject(&remote, target.digest).await?.ok_or_else(absent)?;
    if let Some(bundle) = Bundle::of(signed, Some(Timestamp::now()))
        && let Pushed::Settling(listing, _) = refer(&remote, found, &bundle, signed).await?
    {
        listing.finish().await?;
    }
    Ok(format!("a referrer in {}", repository()))
}
