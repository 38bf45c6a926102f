//! Signatures of a payload that a registry has, with the log entries and timestamps beside them: what a run whose mark
//! was taken off can use again although it did not fit on the run.
//!
//! Nothing of it is checked here but that it is beside the very payload. Whoever may write to the repository may have
//! written it, so that few things are looked into, and each is of the size of ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value};
use windlass_core::dsse::{Envelope, IN_TOTO};
use windlass_core::json::strict;
use windlass_core::key::Certificate;
use windlass_core::signed::{Signed, Stamped};
use windlass_core::verify::envelope_of_bundle;
use windlass_registry::manifest::Descriptor;
use windlass_registry::{Digest, Name, Remote, Tag};

use super::access::{Access, Owner};
use super::bundle::Bundle;
use super::equivalent::{MOST, SLACK, blob, bundle_in, bundles_like};
use super::error::UploadError;
use super::layer::{CERTIFICATE, ENTRY, Layer, SIGNATURE, TIMESTAMP, annotation};
use super::place::{digest_of, override_of, repository_of};
use super::push::Place;
use super::upload::{Content, Upload};

/// A signature with what is beside it.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    /// The bytes of the signature.
    pub(crate) signature: Vec<u8>,
    /// The certificate of the key that made it, if there is one.
    pub(crate) certificate: Option<Certificate>,
    /// The number of its entry in the log.
    pub(crate) index: Option<u64>,
    /// The entry with its proof and the timestamps, as a run keeps them.
    pub(crate) proof: Map<String, Value>,
}

/// Those that are where an upload goes.
pub(super) async fn earlier(
    access: &Access,
    owner: &Owner<'_>,
    signed: &Signed,
    upload: &Upload,
) -> Result<Vec<Earlier>, UploadError> {
    // what people should know is told when something is stored
    let warnings = &mut Vec::new();
    let own = repository_of(&upload.image)?;
    let other = override_of(owner.storage)?;
    let digest = digest_of(&upload.image)?;
    match &upload.content {
        Content::Layer(layer) => {
            let remote = access.remote(owner, other.unwrap_or(own), warnings).await?;
            under_tag(&remote, &digest, layer, signed).await
        }
        Content::Bundle(bundle) => {
            let place = Place { own, other, digest };
            let (remote, subject) = place.find(access, owner, warnings).await?;
            among_referrers(&remote, &subject.digest, bundle, signed).await
        }
    }
}

/// Adds one, to what is known of the same signature.
pub(super) fn add(known: &mut Vec<Earlier>, one: Earlier) {
    let same = known.iter_mut().find(|it| it.signature == one.signature);
    let Some(same) = same else {
        known.push(one);
        return;
    };
    same.certificate = same.certificate.take().or(one.certificate);
    same.index = same.index.or(one.index);
    for (name, member) in one.proof {
        same.proof.entry(name).or_insert(member);
    }
}

async fn under_tag(
    remote: &Remote,
    image: &Digest,
    layer: &Layer,
    signed: &Signed,
) -> Result<Vec<Earlier>, UploadError> {
    let tag = Tag::of_digest(image, layer.suffix).map_err(|source| UploadError::Image {
        image: image.to_string(),
        source,
    })?;
    let stored = remote.get_manifest(&Name::Tag(tag)).await?;
    let manifest = stored.and_then(|stored| stored.manifest().ok());
    let layers = manifest.map(|manifest| manifest.layers).unwrap_or_default();
    let descriptor = layer.descriptor();
    let is_near = |other: &&Descriptor| {
        other.media_type == descriptor.media_type
            && match signed.envelope() {
                None => other.digest == descriptor.digest,
                Some(_) => other.size.abs_diff(descriptor.size) <= SLACK,
            }
    };
    let mut found = Vec::new();
    for other in layers.iter().rev().filter(is_near).take(MOST) {
        let signature = if signed.envelope().is_some() {
            let limit = usize::try_from(descriptor.size + SLACK).unwrap_or(usize::MAX);
            let content = blob(remote, &other.digest, limit).await?;
            let envelope = content.and_then(|content| Envelope::from_json(&content).ok());
            envelope.and_then(|envelope| signature_in(&envelope, signed))
        } else {
            annotation(other, SIGNATURE).and_then(|text| STANDARD.decode(text).ok())
        };
        found.extend(signature.map(|signature| of_layer(other, signature, signed)));
    }
    Ok(found)
}

fn of_layer(layer: &Descriptor, signature: Vec<u8>, signed: &Signed) -> Earlier {
    let pem = annotation(layer, CERTIFICATE);
    let what = match signed.envelope() {
        Some(_) => Stamped::Envelope,
        None => Stamped::Signature,
    };
    let stamp = annotation(layer, TIMESTAMP);
    let stamp = stamp.and_then(|text| what.kept(text));
    Earlier {
        signature,
        certificate: pem.and_then(|pem| Certificate::from_pem(pem.as_bytes()).ok()),
        index: number_of_entry(layer),
        proof: stamp.into_iter().collect(),
    }
}

/// The number of the entry in the annotation of a layer.
fn number_of_entry(layer: &Descriptor) -> Option<u64> {
    let text = annotation(layer, ENTRY)?;
    let entry: Value = serde_json::from_str(strict(text.as_bytes()).ok()?).ok()?;
    entry["Payload"]["logIndex"].as_u64()
}

async fn among_referrers(
    remote: &Remote,
    image: &Digest,
    bundle: &Bundle,
    signed: &Signed,
) -> Result<Vec<Earlier>, UploadError> {
    let mut found = Vec::new();
    for other in bundles_like(bundle, remote, image).await?.0 {
        let content = bundle_in(remote, image, &other, bundle).await?;
        found.extend(content.and_then(|content| of_bundle(&content, signed)));
    }
    Ok(found)
}

/// What is beside the signature in a bundle.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vouched {
    verification_material: Map<String, Value>,
}

fn of_bundle(content: &[u8], signed: &Signed) -> Option<Earlier> {
    let envelope = envelope_of_bundle(content).ok()?;
    let signature = signature_in(&envelope, signed)?;
    let vouched: Vouched = serde_json::from_str(strict(content).ok()?).ok()?;
    let mut members = vouched.verification_material;
    let certificate = members.remove("certificate").unwrap_or_default();
    let raw = certificate["rawBytes"].as_str();
    let der = raw.and_then(|text| STANDARD.decode(text).ok());
    members.retain(|name, _| ["tlogEntries", "timestampVerificationData"].contains(&&**name));
    Some(Earlier {
        signature,
        certificate: der.and_then(|der| Certificate::from_der(der).ok()),
        index: None,
        proof: members,
    })
}

/// The one signature of an envelope, if that has this payload.
fn signature_in(envelope: &Envelope, signed: &Signed) -> Option<Vec<u8>> {
    let [signature] = envelope.signatures.as_slice() else {
        return None;
    };
    let payload = envelope.decode_payload().ok()?;
    let is_it = envelope.payload_type == IN_TOTO && payload == signed.payload.bytes;
    is_it.then(|| signature.decode()).flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use serde_json::json;
    use windlass_core::format::Format;
    use windlass_core::key::PrivateKey;
    use windlass_core::payload::Payload;
    use windlass_core::signed::{Artifact, Identity, Repeatability, Signature, message};

    use super::*;
    use crate::store::oci::bundle_file;

    fn signed(statement: &str) -> Signed {
        let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
        let payload = Payload::other(Format::Statement, statement.as_bytes().to_vec());
        let signature = Signature {
            bytes: key.sign(&message(&payload)).unwrap(),
            identity: Arc::new(Identity::Key(key.public_key().clone())),
            repeatability: Repeatability::Unique,
        };
        Signed::new(Artifact::File, payload, signature)
    }

    #[test]
    fn a_bundle_counts_if_it_has_one_signature_of_the_same_payload() {
        let ours = signed("{}");
        let text = bundle_file(&ours);
        let found = of_bundle(text.as_bytes(), &ours).unwrap();
        assert_eq!(found.signature, *ours.signature_bytes().unwrap());
        assert!(found.proof.is_empty() && found.certificate.is_none());
        assert!(of_bundle(text.as_bytes(), &signed("[]")).is_none());
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut bundle: Value = serde_json::from_str(&text).unwrap();
            change(&mut bundle);
            of_bundle(bundle.to_string().as_bytes(), &ours).is_none()
        };
        let signatures = |bundle: &mut Value, times| {
            let one = bundle["dsseEnvelope"]["signatures"][0].clone();
            bundle["dsseEnvelope"]["signatures"] = json!(vec![one; times]);
        };
        assert!(changed(&|bundle| signatures(bundle, 0)));
        assert!(changed(&|bundle| signatures(bundle, 2)));
        assert!(changed(
            &|bundle| bundle["dsseEnvelope"]["payloadType"] = json!("text/plain")
        ));
        assert!(changed(&|bundle| bundle["verificationMaterial"] = json!([])));
        assert!(of_bundle(b"{", &ours).is_none());
    }

    #[test]
    fn the_number_of_an_entry_is_read_where_it_is_one() {
        for (text, number) in [
            (r#"{"Payload":{"logIndex":7}}"#, Some(7)),
            (r#"{"Payload":{"logIndex":-7}}"#, None),
            (r#"{"Payload":{"logIndex":"7"}}"#, None),
            (r#"{"Payload":{"logIndex":7,"logIndex":8}}"#, None),
            ("{}", None),
            ("{", None),
        ] {
            let mut layer = Descriptor::of("application/json", b"{}");
            let notes = [(ENTRY.to_owned(), text.to_owned())];
            layer.annotations = Some(BTreeMap::from(notes));
            assert_eq!(number_of_entry(&layer), number, "{text}");
        }
    }

    #[test]
    fn what_is_beside_one_signature_in_two_places_is_put_together() {
        let with = |signature: &[u8], index, name: &str| Earlier {
            signature: signature.to_vec(),
            certificate: None,
            index,
            proof: [(name.to_owned(), json!({}))].into_iter().collect(),
        };
        let mut known = Vec::new();
        add(&mut known, with(b"one", None, "tlogEntries"));
        add(&mut known, with(b"two", Some(2), "tlogEntries"));
        add(&mut known, with(b"one", Some(1), "envelopeTimestamp"));
        let [one, two] = &known[..] else {
            panic!("{known:?}");
        };
        assert_eq!((one.index, one.proof.len()), (Some(1), 2));
        assert_eq!((two.index, two.proof.len()), (Some(2), 1));
    }
}
