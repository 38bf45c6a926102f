//! Bundles, compared with what Chains wrote for the same statement and the same signatures on a real
//! registry.

use serde_json::{Map, Value, json};
use windlass_core::key::PrivateKey;
use windlass_core::signed::Identity;
use windlass_core::verify::envelope_of_bundle;
use windlass_registry::manifest::{Descriptor, Manifest};
use windlass_registry::{Digest, Tag};

use crate::store::oci::bundle::{Bundle, material};

const BUNDLES: &str = include_str!("../../../../../tests/fixtures/live/oci-sigstore-bundle.json");

fn text(object: &Value, pointer: &str) -> String {
    object
        .pointer(pointer)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

/// The manifest without what follows from the content of a bundle: protojson chooses its whitespace,
/// and the key that is named in it is another one.
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
    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    let identity = Identity::Key(key.public_key().clone());
    for child in children {
        let theirs: Manifest = serde_json::from_value(child["manifest"].clone()).unwrap();
        let bundle = text(child, "/layers/0");
        let envelope = envelope_of_bundle(bundle.as_bytes()).unwrap();
        let mut bundle: Value = serde_json::from_str(&bundle).unwrap();
        let notes = theirs.annotations.clone().unwrap();
        let ours = Bundle::new(
            &envelope,
            &notes["dev.sigstore.bundle.predicateType"],
            material(&identity, Map::new()),
            notes["org.opencontainers.image.created"].parse().ok(),
        );
        let subject: Descriptor = theirs.subject.clone().unwrap();
        let (manifest, [config, blob]) = ours.manifest(subject);
        assert_eq!(without_sizes(&manifest), without_sizes(&theirs));
        assert_eq!(config.content(), text(child, "/config").as_bytes());
        let hint = &mut bundle["verificationMaterial"]["publicKey"]["hint"];
        assert_eq!(hint.as_str().unwrap().len(), key.public_key().hint().len());
        *hint = json!(key.public_key().hint());
        assert_eq!(
            serde_json::from_slice::<Value>(blob.content()).unwrap(),
            bundle
        );
    }
    let image = Digest::parse(&text(&written, "/image")).unwrap();
    let list = Tag::of_digest(&image, "").unwrap();
    assert_eq!(list.as_str(), text(index, "/reference"));
}
