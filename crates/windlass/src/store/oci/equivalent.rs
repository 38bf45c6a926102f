//! Whether something is stored already under another signature of the same key.
//!
//! A signature that can be made again is found by its bytes. One that cannot, such as that of a key
//! service, is found by what it is about and who made it: after a crash the same payload is signed
//! anew, and must not be added again. So is a bundle with a log entry, whose proof is another one each
//! time it is read, or with a timestamp. What has neither does not stand for what has one.

use bytes::Bytes;
use windlass_core::dsse::Envelope;
use windlass_core::retry::Retry;
use windlass_core::signed::{Repeatability, Signed};
use windlass_core::verify::envelope_of_bundle;
use windlass_registry::manifest::{Descriptor, Manifest};
use windlass_registry::{Digest, ListedBy, Name, Remote, Tag};

use super::bundle::{BUNDLE, Bundle, PREDICATE_TYPE, is_bundle, is_vouched_as};
use super::error::UploadError;
use super::layer::{ENVELOPE, Layer};

/// Most entries that are looked into: whoever may write to the repository may add any number.
pub(super) const MOST: usize = 20;
/// How much longer or shorter an envelope gets by another signature, in bytes.
pub(super) const SLACK: u64 = 16;
/// How much longer or shorter a bundle of another program is than ours, in bytes.
const BUNDLE_SLACK: u64 = 16 << 10;

/// The digest of the layer under the tag that has the envelope of the same statement.
pub(super) async fn under_tag(
    remote: &Remote,
    tag: &Tag,
    layer: &Layer,
    signed: &Signed,
) -> Result<Option<Digest>, UploadError> {
    if signed.repeatability == Repeatability::Repeatable || signed.envelope().is_none() {
        return Ok(None);
    }
    let Some(stored) = remote.get_manifest(&Name::Tag(tag.clone())).await? else {
        return Ok(None);
    };
    let layers = stored
        .manifest()
        .map_or_else(|_| Vec::new(), |it| it.layers);
    let is_near = |other: &&Descriptor| {
        other.media_type == ENVELOPE && other.size.abs_diff(layer.size()) <= SLACK
    };
    let is_enough = |other: &&Descriptor| layer.is_vouched_in(other);
    let near = layers.iter().rev().filter(is_near).filter(is_enough);
    for other in near.take(MOST) {
        let limit = usize::try_from(layer.size() + SLACK).unwrap_or(usize::MAX);
        let content = blob(remote, &other.digest, limit).await?;
        let envelope = content.and_then(|content| Envelope::from_json(&content).ok());
        if envelope.is_some_and(|envelope| is_ours(&envelope, signed)) {
            return Ok(Some(other.digest.clone()));
        }
    }
    Ok(None)
}

/// The referrer of the image with a bundle of the same statement, and who lists it.
pub(super) async fn among_referrers(
    remote: &Remote,
    image: &Digest,
    bundle: &Bundle,
    signed: &Signed,
) -> Result<Option<(Descriptor, ListedBy)>, UploadError> {
    let is_vouched = signed.entry.get().is_some() || signed.timestamp.get().is_some();
    if signed.repeatability == Repeatability::Repeatable && !is_vouched {
        return Ok(None);
    }
    let (others, listed_by) = bundles_like(bundle, remote, image).await?;
    for other in others {
        let Some(content) = bundle_in(remote, image, &other, bundle).await? else {
            continue;
        };
        let envelope = envelope_of_bundle(&content).ok();
        let is_it = envelope.is_some_and(|envelope| is_ours(&envelope, signed));
        if is_it && is_vouched_as(signed, &content) {
            return Ok(Some((other, listed_by)));
        }
    }
    Ok(None)
}

/// The first referrers of an image that may be bundles with a statement of the same type, and who lists them.
pub(super) async fn bundles_like(
    bundle: &Bundle,
    remote: &Remote,
    image: &Digest,
) -> Result<(Vec<Descriptor>, ListedBy), UploadError> {
    let (mut referrers, listed_by) = remote.referrers(image, Some(BUNDLE)).await?;
    referrers.retain(|other| {
        let notes = other.annotations.as_ref();
        let predicate = notes.and_then(|notes| notes.get(PREDICATE_TYPE));
        predicate.is_none_or(|predicate| *predicate == bundle.predicate_type)
    });
    referrers.truncate(MOST);
    Ok((referrers, listed_by))
}

/// The bundle of a referrer; none if it is of another image, or much larger than ours.
pub(super) async fn bundle_in(
    remote: &Remote,
    image: &Digest,
    other: &Descriptor,
    bundle: &Bundle,
) -> Result<Option<Bytes>, UploadError> {
    let name = Name::Digest(other.digest.clone());
    let stored = remote.get_manifest(&name).await?;
    let Some(manifest) = stored.and_then(|stored| stored.manifest().ok()) else {
        return Ok(None);
    };
    let layer = bundle_of(&manifest, image);
    let Some(layer) = layer.filter(|layer| layer.size <= bundle.size() + BUNDLE_SLACK) else {
        return Ok(None);
    };
    let limit = usize::try_from(layer.size).unwrap_or(usize::MAX);
    blob(remote, &layer.digest, limit).await
}

/// The bundle in a manifest that refers to this image.
fn bundle_of<'m>(manifest: &'m Manifest, image: &Digest) -> Option<&'m Descriptor> {
    let subject = manifest.subject.as_ref()?;
    let mut layers = manifest.layers.iter();
    let bundle = layers.find(|layer| is_bundle(&layer.media_type));
    bundle.filter(|_| subject.digest == *image)
}

/// Whether an envelope holds this payload, signed by the same key.
fn is_ours(envelope: &Envelope, signed: &Signed) -> bool {
    let verified = envelope.verify(signed.identity.public_key());
    verified.is_ok_and(|verified| verified.payload == signed.payload.bytes)
}

/// A blob; none if it is not what its descriptor says, whoever wrote that.
pub(super) async fn blob(
    remote: &Remote,
    digest: &Digest,
    limit: usize,
) -> Result<Option<Bytes>, UploadError> {
    match remote.get_blob(digest, limit).await {
        Ok(content) => Ok(content),
        Err(error) if error.retry() == Retry::Never => Ok(None),
        Err(error) => Err(error.into()),
    }
}
