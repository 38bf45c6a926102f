//! What is written beside an image, compared with what the reference wrote for the same statement
//! and the same signatures on a real registry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_core::dsse::Envelope;
use windlass_core::verify::envelope_of_bundle;
use windlass_registry::manifest::{Descriptor, Manifest};
use windlass_registry::{Digest, Merge, Tag};

use super::bundle::Bundle;
use super::layer::Layer;

const TAGS: &str = include_str!("../../../tests/fixtures/live/oci-dsse.json");
const BUNDLES: &str = include_str!("../../../tests/fixtures/live/oci-sigstore-bundle.json");

fn text(object: &Value, pointer: &str) -> String {
    object
        .pointer(pointer)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

/// The layer must give the reference's tag, blob, manifest and config, byte for byte.
fn is_the_references(layer: &Layer, object: &Value, image: &Digest) {
    let tag = Tag::of_digest(image, layer.suffix).unwrap();
    assert_eq!(tag.as_str(), text(object, "/reference"));
    assert_eq!(layer.content, text(object, "/layers/0").as_bytes());
    let Ok(Merge::Write(write)) = layer.merged_into(None) else {
        panic!("nothing is written");
    };
    let manifest = serde_json::to_string(&write.manifest).unwrap();
    assert_eq!(
        Digest::of(manifest.as_bytes()).as_str(),
        text(object, "/digest")
    );
    assert_eq!(write.blobs[0], text(object, "/config").as_bytes());
}

#[test]
fn what_is_under_the_tags_is_the_references_byte_for_byte() {
    let written: Value = serde_json::from_str(TAGS).unwrap();
    let image = Digest::parse(&text(&written, "/image")).unwrap();
    let (signatures, attestations) = (&written["objects"][0], &written["objects"][1]);
    let note = "/manifest/layers/0/annotations/dev.cosignproject.cosign~1signature";
    let signature = STANDARD.decode(text(signatures, note)).unwrap();
    let payload = text(signatures, "/layers/0");
    let layer = Layer::signature(payload.as_bytes(), &signature);
    is_the_references(&layer, signatures, &image);
    let envelope = text(attestations, "/layers/0");
    let envelope = Envelope::from_json(envelope.as_bytes()).unwrap();
    is_the_references(&Layer::attestation(&envelope), attestations, &image);
}

/// The manifest without what follows from the whitespace in a bundle, which protojson chooses.
fn without_sizes(manifest: &Manifest) -> Value {
    let mut manifest = json!(manifest);
    for member in ["size", "digest"] {
        manifest["layers"][0][member] = Value::Null;
    }
    manifest
}

#[test]
fn bundles_and_the_manifests_that_refer_with_them_have_the_references_shape() {
    let written: Value = serde_json::from_str(BUNDLES).unwrap();
    let index = &written["objects"][0];
    let children = index["children"].as_array().unwrap();
    assert_eq!(children.len(), 2);
    for child in children {
        let theirs: Manifest = serde_json::from_value(child["manifest"].clone()).unwrap();
        let bundle = text(child, "/layers/0");
        let envelope = envelope_of_bundle(bundle.as_bytes()).unwrap();
        let bundle: Value = serde_json::from_str(&bundle).unwrap();
        let notes = theirs.annotations.clone().unwrap();
        let ours = Bundle {
            envelope: &envelope,
            predicate_type: &notes["dev.sigstore.bundle.predicateType"],
            hint: &text(&bundle, "/verificationMaterial/publicKey/hint"),
            created: notes["org.opencontainers.image.created"].parse().ok(),
        };
        let subject: Descriptor = theirs.subject.clone().unwrap();
        let (manifest, [config, blob]) = ours.manifest(subject);
        assert_eq!(without_sizes(&manifest), without_sizes(&theirs));
        assert_eq!(config, text(child, "/config").as_bytes());
        assert_eq!(serde_json::from_slice::<Value>(&blob).unwrap(), bundle);
    }
    let image = Digest::parse(&text(&written, "/image")).unwrap();
    let list = Tag::of_digest(&image, "").unwrap();
    assert_eq!(list.as_str(), text(index, "/reference"));
}
