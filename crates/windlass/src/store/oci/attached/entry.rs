//! Entries: what a layer or a referrer is by its descriptor, and what its content turns out to be.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use windlass_core::dsse::Envelope;
use windlass_core::error::Chain;
use windlass_core::verify;
use windlass_registry::Digest;
use windlass_registry::manifest::{Descriptor, Manifest};

use super::content::ContentRef;
use crate::sigstore::{Annotated, Material};
use crate::store::evidence::Evidence;
use crate::store::oci::bundle::is_bundle;
use crate::store::oci::layer::{
    CERTIFICATE, CHAIN, ENTRY, ENVELOPE, SIGNATURE, SIMPLE_SIGNING, TIMESTAMP,
};

/// What an entry is, as far as its descriptor tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// The payload of an image signature, with the text of the signature.
    Signature(Option<String>, Material),
    /// A DSSE envelope.
    Envelope(Material),
    /// A Sigstore bundle.
    Bundle,
    /// Something of another media type; nothing of it is fetched.
    Other(String),
    /// Something that cannot be read, and why.
    Damaged(String),
}

impl Form {
    /// What a layer under a tag is, and its content if that is needed.
    pub(super) fn of_layer(layer: &Descriptor) -> (Self, Option<ContentRef>) {
        let form = match layer.media_type.as_str() {
            SIMPLE_SIGNING => {
                let notes = layer.annotations.as_ref();
                let text = notes.and_then(|notes| notes.get(SIGNATURE).cloned());
                Self::Signature(text, material(layer))
            }
            ENVELOPE => Self::Envelope(material(layer)),
            other => return (Self::Other(other.to_owned()), None),
        };
        (form, Some(content(layer)))
    }

    /// What the manifest of a referrer of `image` has, which is listed with the type `listed`.
    pub(super) fn of_referrer(
        manifest: &[u8],
        listed: Option<&str>,
        image: &Digest,
    ) -> (Self, Option<ContentRef>) {
        let Ok(manifest) = serde_json::from_slice::<Manifest>(manifest) else {
            return (Self::Other(listed.unwrap_or_default().to_owned()), None);
        };
        // what the list says is for finding things; what the manifest says counts
        let mut layers = manifest.layers.iter();
        let Some(layer) = layers.find(|layer| is_bundle(&layer.media_type)) else {
            return (Self::Other(manifest.kind().to_owned()), None);
        };
        let subject = manifest.subject.as_ref().map(|subject| &subject.digest);
        if subject != Some(image) {
            let why = "it refers to another image";
            return (Self::Damaged(why.to_owned()), None);
        }
        (Self::Bundle, Some(content(layer)))
    }

    /// What it turns out to be with its content.
    pub(super) fn read(&self, content: &Bytes) -> Evidence {
        let envelope = match self {
            Self::Other(media_type) => return Evidence::Other(media_type.clone()),
            Self::Damaged(why) => return Evidence::Damaged(why.clone()),
            Self::Signature(text, material) => {
                return signature(text.as_deref(), content, material.clone());
            }
            Self::Envelope(material) => Envelope::from_json(content)
                .map(|envelope| (envelope, material.clone().beside(content)))
                .map_err(|error| Chain(&error).to_string()),
            Self::Bundle => verify::envelope_of_bundle(content)
                .map(|envelope| (envelope, Material::Bundle(content.clone()))),
        };
        envelope.map_or_else(Evidence::Damaged, |(envelope, material)| {
            Evidence::Statement {
                envelope,
                // a registry has the payload in its envelope alone
                payload: None,
                material,
            }
        })
    }
}

fn content(descriptor: &Descriptor) -> ContentRef {
    ContentRef {
        digest: descriptor.digest.clone(),
        size: descriptor.size,
    }
}

/// What cosign and Chains annotate to a layer.
fn material(layer: &Descriptor) -> Material {
    let annotation = |name: &str| {
        let notes = layer.annotations.as_ref();
        let text = notes.and_then(|notes| notes.get(name));
        text.cloned().unwrap_or_default()
    };
    Material::annotated(Annotated {
        certificate: annotation(CERTIFICATE),
        chain: annotation(CHAIN),
        entry: annotation(ENTRY),
        timestamp: annotation(TIMESTAMP),
        ..Annotated::default()
    })
}

fn signature(text: Option<&str>, payload: &[u8], material: Material) -> Evidence {
    match text.and_then(|text| STANDARD.decode(text).ok()) {
        Some(signature) => Evidence::Signature {
            payload: Some(payload.to_vec()),
            signature,
            material,
        },
        None => Evidence::Damaged(format!(
            "its annotation {SIGNATURE} is missing or not base64"
        )),
    }
}
