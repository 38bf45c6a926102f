//! Sigstore bundles, and the manifests that attach them to an image, as cosign 3 writes them
//! (docs/behaviour.md, "Bundles").

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use windlass_core::dsse::Envelope;
use windlass_core::key::Scheme;
use windlass_core::signed::{Identity, SignatureForm, Signed};
use windlass_core::verify;
use windlass_registry::Blob;
use windlass_registry::manifest::{Descriptor, EMPTY, Manifest};

/// Media type of a bundle.
pub(super) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Annotation that names the predicate type of the statement in a bundle.
pub(super) const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// Whether something of this type is a bundle, of a version that is read.
pub(super) fn is_bundle(media_type: &str) -> bool {
    verify::BUNDLES.contains(&media_type)
}

/// A signed statement as a bundle. Clones share the content.
#[derive(Debug, Clone)]
pub(super) struct Bundle {
    /// The bundle.
    content: Blob,
    /// Predicate type of the statement in it.
    pub(super) predicate_type: String,
    /// Time of creation: the same at every attempt.
    created: Timestamp,
}

impl Bundle {
    /// The bundle of something signed; none if it is no statement. `created` is when the run ended; the
    /// signature of an image, which is of no one run, has none and says 1970.
    pub(super) fn of(signed: &Signed, created: Option<Timestamp>) -> Option<Self> {
        let predicate_type = signed.payload.predicate_type()?;
        let envelope = signed.envelope()?;
        Some(Self::new(
            envelope,
            &predicate_type,
            material(&signed.identity, signed.proof()),
            created,
        ))
    }

    fn new(
        envelope: &Envelope,
        predicate_type: &str,
        material: Value,
        created: Option<Timestamp>,
    ) -> Self {
        let bundle = document(material, "dsseEnvelope", envelope_of(envelope));
        Self {
            content: Blob::of(bundle),
            predicate_type: predicate_type.to_owned(),
            created: created.unwrap_or(Timestamp::UNIX_EPOCH),
        }
    }

    /// Bytes of the bundle.
    pub(super) fn size(&self) -> u64 {
        self.content.content().len() as u64
    }

    /// The manifest that refers to `subject`, and its blobs.
    pub(super) fn manifest(&self, subject: Descriptor) -> (Manifest, [Blob; 2]) {
        let (config, bundle) = (Blob::of("{}"), self.content.clone());
        let mut manifest = Manifest::new(Descriptor {
            artifact_type: Some(BUNDLE.to_owned()),
            ..config.descriptor(EMPTY)
        });
        manifest.layers = vec![bundle.descriptor(BUNDLE)];
        let annotations = [
            ("dev.sigstore.bundle.content", "dsse-envelope".to_owned()),
            (PREDICATE_TYPE, self.predicate_type.clone()),
            (
                "org.opencontainers.image.created",
                self.created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            ),
        ];
        let annotations = annotations.map(|(name, value)| (name.to_owned(), value));
        manifest.annotations = Some(BTreeMap::from(annotations));
        manifest.subject = Some(subject);
        manifest.artifact_type = Some(BUNDLE.to_owned());
        (manifest, [config, bundle])
    }
}

/// A bundle with this content.
fn document(material: Value, name: &str, content: Value) -> String {
    let mut bundle = Map::new();
    bundle.insert("mediaType".to_owned(), json!(BUNDLE));
    bundle.insert("verificationMaterial".to_owned(), material);
    bundle.insert(name.to_owned(), content);
    json!(bundle).to_string()
}

/// An envelope as bundles have it.
fn envelope_of(envelope: &Envelope) -> Value {
    let signatures = envelope.signatures.iter();
    let signatures: Vec<_> = signatures.map(|one| json!({"sig": one.sig})).collect();
    json!({
        "payload": envelope.payload,
        "payloadType": envelope.payload_type,
        "signatures": signatures,
    })
}

/// The bundle of something signed, for a file: with its envelope, or with the signature over content
/// that is not in it.
pub(crate) fn file_of(signed: &Signed) -> String {
    let material = material(&signed.identity, signed.proof());
    match &signed.signature {
        SignatureForm::Envelope(envelope) => {
            document(material, "dsseEnvelope", envelope_of(envelope))
        }
        SignatureForm::Detached(signature) => {
            let content = &signed.payload.bytes;
            let (algorithm, digest) = digest_of(&signed.identity, content, signature);
            let message = json!({
                "messageDigest": { "algorithm": algorithm, "digest": STANDARD.encode(digest) },
                "signature": STANDARD.encode(signature),
            });
            document(material, "messageSignature", message)
        }
    }
}

/// The digest of some content that goes with a signature over it, and its name in bundles.
fn digest_of(identity: &Identity, content: &[u8], signature: &[u8]) -> (&'static str, Vec<u8>) {
    match identity.public_key().verify(content, signature) {
        Ok(Scheme::EcdsaSha384 | Scheme::RsaSha384 | Scheme::RsaPssSha384) => {
            ("SHA2_384", Sha384::digest(content).to_vec())
        }
        Ok(Scheme::EcdsaSha512 | Scheme::RsaSha512 | Scheme::RsaPssSha512 | Scheme::Ed25519ph) => {
            ("SHA2_512", Sha512::digest(content).to_vec())
        }
        _ => ("SHA2_256", Sha256::digest(content).to_vec()),
    }
}

/// What the signature in a bundle is verified with.
fn material(identity: &Identity, proof: Map<String, Value>) -> Value {
    let mut material = match identity {
        Identity::Key(key) => json!({"publicKey": {"hint": key.hint()}}),
        Identity::Certificate { leaf, .. } => {
            json!({"certificate": {"rawBytes": STANDARD.encode(leaf.der())}})
        }
    };
    if let Value::Object(members) = &mut material {
        members.extend(proof);
    }
    material
}

/// Whether a bundle has as many log entries and timestamps as the signature does.
pub(super) fn is_vouched_as(signed: &Signed, bundle: &[u8]) -> bool {
    let bundle: Option<VouchedBundle> = serde_json::from_slice(bundle).ok();
    let material = bundle.and_then(|bundle| bundle.verification_material);
    let material = material.unwrap_or_default();
    let timestamps = material.timestamp_verification_data.unwrap_or_default();
    material.tlog_entries.len() >= signed.entries().count()
        && timestamps.rfc3161_timestamps.len() >= signed.timestamps().count()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VouchedBundle {
    #[serde(default)]
    verification_material: Option<VouchedMaterial>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct VouchedMaterial {
    #[serde(default)]
    tlog_entries: Vec<IgnoredAny>,
    #[serde(default)]
    timestamp_verification_data: Option<VouchedTimestamps>,
}

#[derive(Deserialize, Default)]
struct VouchedTimestamps {
    #[serde(default, rename = "rfc3161Timestamps")]
    rfc3161_timestamps: Vec<IgnoredAny>,
}

#[cfg(test)]
mod tests {
    mod live;
}
