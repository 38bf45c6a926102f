//! Sigstore bundles, and the manifests that refer to an image with them, in the form of cosign 3
//! (behaviour reference, section 6.5).

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, json};
use windlass_core::dsse::Envelope;
use windlass_registry::manifest::{Descriptor, EMPTY, Manifest};

/// Media type of a bundle.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Whether something of this type is a bundle, of any version.
pub(super) fn is_bundle(media_type: &str) -> bool {
    media_type.starts_with("application/vnd.dev.sigstore.bundle")
}

/// A signed statement as a bundle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bundle<'a> {
    /// The statement.
    pub(super) envelope: &'a Envelope,
    /// Its predicate type.
    pub(super) predicate_type: &'a str,
    /// Names the public key.
    pub(super) hint: &'a str,
    /// Time of creation.
    pub(super) created: Option<Timestamp>,
}

impl Bundle<'_> {
    /// The manifest that refers to `subject`, and its blobs.
    pub(super) fn manifest(&self, subject: Descriptor) -> (Manifest, [Bytes; 2]) {
        let (config, bundle) = (Bytes::from_static(b"{}"), Bytes::from(self.text()));
        let mut manifest = Manifest::new(Descriptor {
            artifact_type: Some(BUNDLE.to_owned()),
            ..Descriptor::of(EMPTY, &config)
        });
        manifest.layers = vec![Descriptor::of(BUNDLE, &bundle)];
        let created = self.created.unwrap_or(Timestamp::UNIX_EPOCH);
        let annotations = [
            ("dev.sigstore.bundle.content", "dsse-envelope".to_owned()),
            (
                "dev.sigstore.bundle.predicateType",
                self.predicate_type.to_owned(),
            ),
            (
                "org.opencontainers.image.created",
                created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            ),
        ];
        let annotations = annotations.map(|(name, value)| (name.to_owned(), value));
        manifest.annotations = Some(BTreeMap::from(annotations));
        manifest.subject = Some(subject);
        manifest.artifact_type = Some(BUNDLE.to_owned());
        (manifest, [config, bundle])
    }

    fn text(&self) -> String {
        let signatures = self.envelope.signatures.iter();
        let signatures: Vec<_> = signatures.map(|one| json!({"sig": one.sig})).collect();
        let mut bundle = Map::new();
        bundle.insert("mediaType".to_owned(), json!(BUNDLE));
        bundle.insert(
            "verificationMaterial".to_owned(),
            json!({"publicKey": {"hint": self.hint}}),
        );
        let envelope = json!({
            "payload": self.envelope.payload,
            "payloadType": self.envelope.payload_type,
            "signatures": signatures,
        });
        bundle.insert("dsseEnvelope".to_owned(), envelope);
        json!(bundle).to_string()
    }
}
