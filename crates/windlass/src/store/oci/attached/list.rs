//! Lists what is attached to an image, without reading it.

use windlass_registry::manifest::{Descriptor, StoredManifest};
use windlass_registry::{Digest, Tag};

use super::bounds::ENTRIES;
use super::error::AttachedError;
use super::place::Place;
use super::shelf::Shelf;
use crate::store::oci::layer::{ATTESTATIONS, SIGNATURES};

/// Something attached to an image.
#[derive(Debug, Clone)]
pub(crate) struct Attached {
    /// Where.
    pub(crate) place: Place,
    /// The layer, or the referrer's manifest.
    pub(crate) descriptor: Descriptor,
}

/// What is attached to an image: its tags on the shelf `tags`, its referrers on that of the image.
pub(crate) async fn list(
    shelf: Shelf<'_>,
    tags: Shelf<'_>,
    image: &Digest,
) -> Result<Vec<Attached>, AttachedError> {
    let mut found = Vec::new();
    for suffix in [SIGNATURES, ATTESTATIONS] {
        // a digest that is too long for a tag has none
        let Ok(tag) = Tag::of_digest(image, suffix) else {
            continue;
        };
        let layers = tags.tagged(image, &tag).await?.as_ref().map(layers);
        add(&mut found, &Place::Tag(tag), layers.unwrap_or_default())?;
    }
    let (referrers, place) = shelf.referrers(image).await?;
    add(&mut found, &place, referrers)?;
    Ok(found)
}

fn add(
    found: &mut Vec<Attached>,
    place: &Place,
    descriptors: Vec<Descriptor>,
) -> Result<(), AttachedError> {
    let count = found.len() + descriptors.len();
    if count > ENTRIES {
        return Err(AttachedError::TooMany {
            place: place.to_string(),
            found: count,
        });
    }
    let attached = descriptors.into_iter().map(|descriptor| Attached {
        place: place.clone(),
        descriptor,
    });
    found.extend(attached);
    Ok(())
}

/// The layers of a manifest.
fn layers(stored: &StoredManifest) -> Vec<Descriptor> {
    match stored.manifest() {
        Ok(manifest) => manifest.layers,
        // shown as what it is, and found damaged when it is read
        Err(_) => vec![stored.descriptor()],
    }
}
