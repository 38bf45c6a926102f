//! Signatures and attestations attached to an image: layers under its tags `.sig` and `.att`, and
//! referrers.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt, TryStreamExt, stream};
use windlass_core::dsse::Envelope;
use windlass_core::error::Chain;
use windlass_core::verify;
use windlass_registry::manifest::{Descriptor, Manifest};
use windlass_registry::{Digest, Error, ListedBy, Name, Remote, Tag};

use super::bundle::is_bundle;
use super::layer::{ATTESTATIONS, ENVELOPE, MOST, SIGNATURE, SIGNATURES, SIMPLE_SIGNING};
use crate::store::evidence::{Evidence, Found};

/// How much is read at once of what is attached to an image.
const AT_ONCE: usize = 8;
/// Largest layer that is read, in bytes: cosign's limit.
const LIMIT: usize = 128 << 20;

/// Where something is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A layer of the manifest under a tag.
    Tag(Tag),
    /// A manifest that refers to the image, and who keeps the list of those.
    Referrer(ListedBy),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(f, "tag {tag}"),
            Self::Referrer(ListedBy::Registry) => f.write_str("referrer"),
            Self::Referrer(ListedBy::Tag) => f.write_str("referrer listed under a tag"),
        }
    }
}

/// Something attached to an image.
#[derive(Debug, Clone)]
pub(crate) struct Attached {
    /// Where.
    pub(crate) place: Place,
    /// The layer, or the referrer's manifest.
    pub(crate) descriptor: Descriptor,
}

/// What is attached to an image: its tags in the repository of `tags`, its referrers beside it.
pub(crate) async fn list(
    remote: &Remote,
    tags: &Remote,
    image: &Digest,
) -> Result<Vec<Attached>, Error> {
    let mut found = Vec::new();
    for suffix in [SIGNATURES, ATTESTATIONS] {
        // a digest that is too long for a tag has none
        let Ok(tag) = Tag::of_digest(image, suffix) else {
            continue;
        };
        found.extend(under(tags, tag).await?);
    }
    let (referrers, listed_by) = remote.referrers(image, None).await?;
    found.extend(referrers.into_iter().map(|descriptor| Attached {
        place: Place::Referrer(listed_by),
        descriptor,
    }));
    Ok(found)
}

async fn under(remote: &Remote, tag: Tag) -> Result<Vec<Attached>, Error> {
    let Some(stored) = remote.get_manifest(&Name::Tag(tag.clone())).await? else {
        return Ok(Vec::new());
    };
    let place = Place::Tag(tag);
    let Ok(manifest) = stored.manifest() else {
        // shown as what it is, and found damaged when it is read
        let descriptor = stored.descriptor();
        return Ok(vec![Attached { place, descriptor }]);
    };
    let layers = manifest.layers.into_iter();
    let attached = layers.map(|descriptor| Attached {
        place: place.clone(),
        descriptor,
    });
    Ok(attached.collect())
}

impl Attached {
    /// Fetches and reads it. Damage is an outcome; an error is a registry that does not answer.
    async fn read(&self, remote: &Remote, image: &Digest) -> Result<Evidence, Error> {
        match &self.place {
            Place::Tag(_) => self.read_layer(remote).await,
            Place::Referrer(_) => self.read_referrer(remote, image).await,
        }
    }

    async fn read_layer(&self, remote: &Remote) -> Result<Evidence, Error> {
        let kind = self.descriptor.media_type.as_str();
        if kind != SIMPLE_SIGNING && kind != ENVELOPE {
            return Ok(Evidence::Other(kind.to_owned()));
        }
        let content = match blob(remote, &self.descriptor).await? {
            Ok(content) => content,
            Err(damage) => return Ok(Evidence::Damaged(damage)),
        };
        if kind == ENVELOPE {
            return Ok(match Envelope::from_json(&content) {
                Ok(envelope) => statement(envelope),
                Err(error) => Evidence::Damaged(Chain(&error).to_string()),
            });
        }
        let annotations = self.descriptor.annotations.as_ref();
        let text = annotations.and_then(|annotations| annotations.get(SIGNATURE));
        let signature = text.and_then(|text| STANDARD.decode(text).ok());
        Ok(match signature {
            Some(signature) => Evidence::Signature {
                payload: Some(content),
                signature,
            },
            None => Evidence::Damaged(format!(
                "its annotation {SIGNATURE} is missing or not base64"
            )),
        })
    }

    async fn read_referrer(&self, remote: &Remote, image: &Digest) -> Result<Evidence, Error> {
        let Descriptor {
            digest,
            artifact_type,
            ..
        } = &self.descriptor;
        let listed = artifact_type.as_deref().unwrap_or_default();
        let Some(stored) = remote.get_manifest(&Name::Digest(digest.clone())).await? else {
            return Ok(Evidence::Damaged(
                "it is listed but was not found".to_owned(),
            ));
        };
        let Ok(manifest) = stored.manifest() else {
            return Ok(Evidence::Other(listed.to_owned()));
        };
        // what the list says is for finding things; what the manifest says counts
        let Some(layer) = bundle_in(&manifest) else {
            return Ok(Evidence::Other(manifest.kind().to_owned()));
        };
        let subject = manifest.subject.as_ref().map(|subject| &subject.digest);
        if subject != Some(image) {
            return Ok(Evidence::Damaged("it refers to another image".to_owned()));
        }
        let envelope = match blob(remote, layer).await? {
            Ok(content) => verify::envelope_of_bundle(&content),
            Err(damage) => Err(damage),
        };
        Ok(envelope.map_or_else(Evidence::Damaged, statement))
    }
}

/// A statement in a registry: its payload is in its envelope alone.
fn statement(envelope: Envelope) -> Evidence {
    Evidence::Statement {
        envelope,
        payload: None,
    }
}

/// Reads everything that is attached to an image, several things at a time.
pub(crate) async fn get(
    remote: &Remote,
    tags: &Remote,
    image: &Digest,
) -> Result<Vec<Found>, Error> {
    let attached = list(remote, tags, image).await?;
    let reads: Vec<_> = attached
        .iter()
        .map(|one| {
            let from = match &one.place {
                Place::Tag(_) => tags,
                Place::Referrer(_) => remote,
            };
            one.read(from, image)
        })
        .collect();
    let read: Vec<Evidence> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    let found = attached.iter().zip(read).map(|(one, evidence)| Found {
        place: format!("{}, {}", one.place, one.descriptor.digest),
        key: None,
        evidence,
    });
    Ok(found.collect())
}

/// The layer of a manifest that is a bundle.
fn bundle_in(manifest: &Manifest) -> Option<&Descriptor> {
    let mut layers = manifest.layers.iter().take(MOST);
    layers.find(|layer| is_bundle(&layer.media_type))
}

async fn blob(remote: &Remote, descriptor: &Descriptor) -> Result<Result<Vec<u8>, String>, Error> {
    if descriptor.size > LIMIT as u64 {
        return Ok(Err(format!("it is larger than {} MiB", LIMIT >> 20)));
    }
    match remote.get_blob(&descriptor.digest, LIMIT).await {
        Ok(Some(content)) => Ok(Ok(content.to_vec())),
        Ok(None) => Ok(Err("its content was not found in the registry".to_owned())),
        Err(error @ Error::Digest { .. }) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}
