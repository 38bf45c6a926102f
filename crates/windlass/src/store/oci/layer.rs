//! Layers of the manifests under `.sig` and `.att`, and the config that goes with them, as the
//! reference writes them (behaviour reference, section 6.4).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;
use windlass_core::dsse::Envelope;
use windlass_registry::manifest::{CONFIG, Descriptor, MANIFEST, Manifest};
use windlass_registry::{Merge, Write};

/// Media type of the payload of an image signature.
pub(super) const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Media type of an envelope.
pub(super) const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// Annotation with the signature over a layer.
pub(super) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
/// End of the tag of signatures.
pub(super) const SIGNATURES: &str = ".sig";
/// End of the tag of attestations.
pub(super) const ATTESTATIONS: &str = ".att";
/// Most layers: readers refuse more.
pub(super) const MOST: usize = 1000;

/// A signature or an attestation as a layer.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// End of the tag it is kept under.
    pub(super) suffix: &'static str,
    /// The blob.
    pub(super) content: Bytes,
    descriptor: Descriptor,
}

impl Layer {
    /// The signature of an image.
    pub(super) fn signature(payload: &[u8], signature: &[u8]) -> Self {
        Self::new(
            SIGNATURES,
            SIMPLE_SIGNING,
            payload,
            STANDARD.encode(signature),
        )
    }

    /// A statement in its envelope.
    pub(super) fn attestation(envelope: &Envelope) -> Self {
        let text = envelope.to_json();
        Self::new(ATTESTATIONS, ENVELOPE, text.as_bytes(), String::new())
    }

    fn new(suffix: &'static str, media_type: &str, content: &[u8], signature: String) -> Self {
        let mut descriptor = Descriptor::of(media_type, content);
        let annotations = [
            (SIGNATURE, signature),
            (CERTIFICATE, String::new()),
            (CHAIN, String::new()),
        ];
        let annotations = annotations.map(|(name, value)| (name.to_owned(), value));
        descriptor.annotations = Some(BTreeMap::from(annotations));
        Self {
            suffix,
            content: Bytes::copy_from_slice(content),
            descriptor,
        }
    }

    /// What is to be under the tag: what is there, and this layer. One with the same content and
    /// another signature, of another key, is not this one.
    pub(super) fn merged_into(&self, stored: Option<Manifest>) -> Result<Merge<Manifest>, String> {
        let layers = stored.as_ref().map_or(&[][..], |stored| &stored.layers);
        if layers.iter().any(|layer| self.is(layer)) {
            return Ok(Merge::Present);
        }
        if layers.len() >= MOST {
            return Err(format!(
                "there are {MOST} entries already, the most that clients read; remove old ones"
            ));
        }
        let mut layers = layers.to_vec();
        layers.push(self.descriptor.clone());
        let config = config(&layers);
        let mut manifest = stored.unwrap_or_else(|| Manifest::new(Descriptor::of(CONFIG, b"")));
        let media_type = manifest.config.media_type.clone();
        manifest.config = Descriptor::of(&media_type, &config);
        manifest.layers = layers;
        manifest
            .media_type
            .get_or_insert_with(|| MANIFEST.to_owned());
        Ok(Merge::Write(Write {
            manifest,
            blobs: vec![config, self.content.clone()],
        }))
    }

    fn is(&self, other: &Descriptor) -> bool {
        let signature = |of: &Descriptor| of.annotations.as_ref()?.get(SIGNATURE).cloned();
        other.digest == self.descriptor.digest && signature(other) == signature(&self.descriptor)
    }
}

/// The config of an image with these layers, none of which is packed.
fn config(layers: &[Descriptor]) -> Bytes {
    const NEVER: &str = "0001-01-01T00:00:00Z";
    let history = vec![format!(r#"{{"created":"{NEVER}"}}"#); layers.len()].join(",");
    let digests: Vec<_> = layers.iter().map(|layer| json!(layer.digest)).collect();
    let digests = json!(digests);
    let text = format!(
        r#"{{"architecture":"","created":"{NEVER}","history":[{history}],"os":"","rootfs":{{"type":"layers","diff_ids":{digests}}},"config":{{}}}}"#
    );
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(merge: Merge<Manifest>) -> Write<Manifest> {
        match merge {
            Merge::Write(write) => write,
            Merge::Present => panic!("nothing was written"),
        }
    }

    /// Behaviour reference, appendix C.6.
    #[test]
    fn the_config_is_the_references_byte_for_byte() {
        let mut layer = Descriptor::of(SIMPLE_SIGNING, b"");
        layer.digest = windlass_registry::Digest::parse(
            "sha256:fc2cc1326ad4fb98fa002194ac3c4f0c72d733450c7068ea692c5d14776cafdb",
        )
        .unwrap();
        let config = config(&[layer]);
        let digest = "sha256:e8127407b4a6cdfebe0ee7354f188bb82cee8a68bf45d433c1bd9e6d5ea22816";
        assert_eq!(Descriptor::of(CONFIG, &config).digest.to_string(), digest);
        assert_eq!(config.len(), 233);
    }

    #[test]
    fn a_signature_is_added_once_and_that_of_another_key_beside_it() {
        let first = Layer::signature(b"{}", b"one");
        let one = written(first.merged_into(None).unwrap()).manifest;
        assert_eq!(first.merged_into(Some(one.clone())), Ok(Merge::Present));
        let other = Layer::signature(b"{}", b"two");
        let both = written(other.merged_into(Some(one)).unwrap()).manifest;
        assert_eq!(both.layers.len(), 2);
        assert_eq!(both.layers[0].digest, both.layers[1].digest);
    }

    #[test]
    fn no_entry_is_added_that_clients_would_not_read() {
        let mut manifest =
            written(Layer::signature(b"{}", b"").merged_into(None).unwrap()).manifest;
        manifest.layers = vec![manifest.layers[0].clone(); MOST];
        let error = Layer::signature(b"{}", b"x").merged_into(Some(manifest));
        assert!(error.unwrap_err().contains("1000 entries"));
    }
}
