//! Layers, compared with what Chains wrote for the same statement and the same signatures on a real
//! registry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use windlass_registry::{Digest, Merge, Tag};

use super::identity;
use crate::store::oci::layer::Layer;

const TAGS: &str = include_str!("../../../../../tests/fixtures/live/oci-dsse.json");

fn text(object: &Value, pointer: &str) -> String {
    object
        .pointer(pointer)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

/// The layer must give Chains' tag, blob, manifest and config, byte for byte.
fn is_the_references(layer: &Layer, object: &Value, image: &Digest) {
    let tag = Tag::of_digest(image, layer.suffix).unwrap();
    assert_eq!(tag.as_str(), text(object, "/reference"));
    assert_eq!(
        layer.content.content(),
        text(object, "/layers/0").as_bytes()
    );
    let Ok(Merge::Write(write)) = layer.merged_into(None) else {
        panic!("nothing is written");
    };
    let manifest = serde_json::to_string(&write.manifest).unwrap();
    assert_eq!(
        Digest::of(manifest.as_bytes()).as_str(),
        text(object, "/digest")
    );
    assert_eq!(write.blobs[0].content(), text(object, "/config").as_bytes());
}

#[test]
fn what_is_under_the_tags_is_the_references_byte_for_byte() {
    let written: Value = serde_json::from_str(TAGS).unwrap();
    let image = Digest::parse(&text(&written, "/image")).unwrap();
    let (signatures, attestations) = (&written["objects"][0], &written["objects"][1]);
    let note = "/manifest/layers/0/annotations/dev.cosignproject.cosign~1signature";
    let signature = STANDARD.decode(text(signatures, note)).unwrap();
    let payload = text(signatures, "/layers/0");
    let layer = Layer::signature(payload.as_bytes(), &signature, &identity(1));
    is_the_references(&layer, signatures, &image);
    let envelope = text(attestations, "/layers/0");
    let layer = Layer::attestation(envelope.as_bytes(), &identity(1));
    is_the_references(&layer, attestations, &image);
}
