//! Layers of the manifests under `.sig` and `.att`, and the config that goes with them, as Tekton
//! Chains writes them (docs/behaviour.md, "Tags").

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::json;
use windlass_core::signed::{Identity, Signed, Stamped, timestamp_in};
use windlass_core::timestamp::Stamp;
use windlass_registry::manifest::{CONFIG, Descriptor, MANIFEST, Manifest};
use windlass_registry::{Blob, Digest, Merge, Write};

/// Media type of the payload of an image signature.
pub(super) const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Media type of an envelope.
pub(super) const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
/// Annotation with the signature over a layer.
pub(super) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// Annotation with the certificate of the key that signed.
pub(super) const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
/// Annotation with the certificates above it.
pub(super) const CHAIN: &str = "dev.sigstore.cosign/chain";
/// Annotation with the log entry and the promise of the log.
pub(super) const ENTRY: &str = "dev.sigstore.cosign/bundle";
/// Annotation with the timestamp of an authority.
pub(super) const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";
/// End of the tag of signatures.
pub(super) const SIGNATURES: &str = ".sig";
/// End of the tag of attestations.
pub(super) const ATTESTATIONS: &str = ".att";
/// Most layers: readers refuse more.
pub(super) const MOST: usize = 1000;

/// A signature or an attestation as a layer. Clones share the content.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// End of the tag it is kept under.
    pub(super) suffix: &'static str,
    /// The blob.
    content: Blob,
    descriptor: Descriptor,
    /// Who signed.
    identity: Arc<Identity>,
}

impl Layer {
    /// The layer of something signed: a statement in its envelope, or the payload with its signature
    /// in an annotation.
    pub(super) fn of(signed: &Signed) -> Self {
        let text = signed.signature_text();
        let layer = if signed.envelope().is_some() {
            Self::attestation(&text, &signed.identity)
        } else {
            Self::signature(&signed.payload.bytes, &text, &signed.identity)
        };
        layer.vouched(signed)
    }

    /// The same with its log entry and its timestamp, which is of the envelope where there is one:
    /// `VerifyRFC3161Timestamp` of cosign compares it with the content of a layer without signature.
    fn vouched(mut self, signed: &Signed) -> Self {
        let stamped = match signed.envelope() {
            Some(_) => Stamped::Envelope,
            None => Stamped::Signature,
        };
        if let Some(annotations) = &mut self.descriptor.annotations {
            let entry = signed.entry.get();
            let parts = [
                (ENTRY, entry.and_then(|entry| entry.entry.to_annotation())),
                (TIMESTAMP, signed.timestamp_text(stamped)),
            ];
            for (name, text) in parts {
                annotations.extend(text.map(|text| (name.to_owned(), text)));
            }
        }
        self
    }

    /// Whether a stored layer has a log entry and a timestamp if this one does. A timestamp of something
    /// else than verifiers compare it with is none.
    pub(super) fn is_vouched_in(&self, stored: &Descriptor) -> bool {
        let is_logged = |layer| annotation(layer, ENTRY).is_some();
        let is_dated = annotation(&self.descriptor, TIMESTAMP).is_some();
        (is_logged(stored) || !is_logged(&self.descriptor)) && (is_stamped(stored) || !is_dated)
    }

    fn signature(payload: &[u8], signature: &[u8], identity: &Arc<Identity>) -> Self {
        let text = STANDARD.encode(signature);
        Self::new(SIGNATURES, SIMPLE_SIGNING, payload, text, identity)
    }

    fn attestation(envelope: &[u8], identity: &Arc<Identity>) -> Self {
        Self::new(ATTESTATIONS, ENVELOPE, envelope, String::new(), identity)
    }

    fn new(
        suffix: &'static str,
        media_type: &str,
        content: &[u8],
        signature: String,
        identity: &Arc<Identity>,
    ) -> Self {
        let content = Blob::of(Bytes::copy_from_slice(content));
        let mut descriptor = content.descriptor(media_type);
        let annotations = [
            (SIGNATURE, signature),
            (CERTIFICATE, identity.certificate_pem()),
            (CHAIN, identity.chain_pem().to_owned()),
        ];
        let annotations = annotations.map(|(name, value)| (name.to_owned(), value));
        descriptor.annotations = Some(BTreeMap::from(annotations));
        Self {
            suffix,
            content,
            descriptor,
            identity: Arc::clone(identity),
        }
    }

    /// Digest of the content.
    pub(super) fn digest(&self) -> &Digest {
        &self.descriptor.digest
    }

    /// What names it in its manifest.
    pub(super) fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Bytes of the content.
    pub(super) fn size(&self) -> u64 {
        self.descriptor.size
    }

    /// What is to be under the tag: what is there, and this layer. One with the same content and
    /// another signature, of another key, is not this one. One that has no log entry gets the one of
    /// this layer, with the signature that was logged.
    pub(super) fn merged_into(&self, stored: Option<Manifest>) -> Result<Merge<Manifest>, String> {
        let layers = stored.as_ref().map_or(&[][..], |stored| &stored.layers);
        let ours = |layer: &&Descriptor| self.is(layer);
        let is_enough = |layer: &Descriptor| self.is_vouched_in(layer);
        if layers.iter().filter(ours).any(is_enough) {
            return Ok(Merge::Present);
        }
        let place = layers.iter().position(|layer| self.is(layer));
        if place.is_none() && layers.len() >= MOST {
            return Err(format!(
                "the tag has {MOST} entries already, the most that clients read; remove old ones"
            ));
        }
        let mut layers = layers.to_vec();
        match place.and_then(|place| layers.get_mut(place)) {
            Some(layer) => layer.annotations.clone_from(&self.descriptor.annotations),
            None => layers.push(self.descriptor.clone()),
        }
        let config = Blob::of(config(&layers));
        let mut manifest = stored.unwrap_or_else(|| Manifest::new(Descriptor::of(CONFIG, b"")));
        let media_type = manifest.config.media_type.clone();
        manifest.config = config.descriptor(&media_type);
        manifest.layers = layers;
        manifest
            .media_type
            .get_or_insert_with(|| MANIFEST.to_owned());
        Ok(Merge::Write(Write {
            manifest,
            blobs: vec![config, self.content.clone()],
        }))
    }

    /// Whether another layer is this one: the same content, and a signature over it by the same key.
    fn is(&self, other: &Descriptor) -> bool {
        if other.digest != self.descriptor.digest {
            return false;
        }
        let signature = |of| annotation(of, SIGNATURE);
        let (theirs, ours) = (signature(other), signature(&self.descriptor));
        if theirs == ours {
            return true;
        }
        let theirs = theirs.and_then(|text| STANDARD.decode(text).ok());
        let key = self.identity.public_key();
        theirs.is_some_and(|signature| key.verify(self.content.content(), &signature).is_ok())
    }
}

/// An annotation of a layer.
pub(super) fn annotation<'l>(layer: &'l Descriptor, name: &str) -> Option<&'l str> {
    let annotations = layer.annotations.as_ref()?;
    annotations.get(name).map(String::as_str)
}

/// Whether a layer has a timestamp of its signature or, if it has none, of its content. Who made it is not
/// looked at.
fn is_stamped(layer: &Descriptor) -> bool {
    let stamp = annotation(layer, TIMESTAMP).and_then(timestamp_in);
    let stamp = stamp.and_then(|response| Stamp::read(&response).ok());
    let stamped = match annotation(layer, SIGNATURE) {
        None | Some("") => Some(layer.digest.clone()),
        Some(text) => STANDARD
            .decode(text)
            .ok()
            .map(|signature| Digest::of(&signature)),
    };
    stamp
        .zip(stamped)
        .is_some_and(|(stamp, stamped)| stamp.digest() == stamped.as_str())
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
    use windlass_core::key::PrivateKey;

    use super::*;

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::generate_p256(&[seed; 32]).unwrap()
    }

    fn identity(seed: u8) -> Arc<Identity> {
        Arc::new(Identity::Key(key(seed).public_key().clone()))
    }

    fn signed(payload: &[u8], seed: u8) -> Layer {
        let signature = key(seed).sign(payload).unwrap();
        Layer::signature(payload, &signature, &identity(seed))
    }

    fn written(merge: Merge<Manifest>) -> Write<Manifest> {
        match merge {
            Merge::Write(write) => write,
            Merge::Present => panic!("nothing was written"),
        }
    }

    /// See docs/behaviour.md, "Worked examples".
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
        let first = signed(b"{}", 1);
        let one = written(first.merged_into(None).unwrap()).manifest;
        assert_eq!(first.merged_into(Some(one.clone())), Ok(Merge::Present));
        let other = signed(b"{}", 2);
        let both = written(other.merged_into(Some(one)).unwrap()).manifest;
        assert_eq!(both.layers.len(), 2);
        assert_eq!(both.layers[0].digest, both.layers[1].digest);
    }

    #[test]
    fn another_signature_of_the_same_payload_by_the_same_key_is_there_already() {
        let first = signed(b"{}", 1);
        let one = written(first.merged_into(None).unwrap()).manifest;
        // the key is the same, the bytes are not: another form of the number s is as good
        let again = Layer::signature(b"{}", b"not the same bytes", &identity(1));
        assert_eq!(again.merged_into(Some(one)), Ok(Merge::Present));
    }

    #[test]
    fn what_only_claims_to_be_a_signature_does_not_keep_ours_out() {
        let mut forged = signed(b"{}", 2);
        forged.identity = identity(1);
        let one = written(forged.merged_into(None).unwrap()).manifest;
        let ours = signed(b"{}", 1);
        assert!(matches!(ours.merged_into(Some(one)), Ok(Merge::Write(_))));
    }

    /// Whether there is something in the place of a log entry.
    fn is_logged(layer: &Descriptor) -> bool {
        let annotations = layer.annotations.as_ref();
        annotations.is_some_and(|annotations| annotations.contains_key(ENTRY))
    }

    /// The same with something in the place of a log entry.
    fn logged(mut layer: Layer) -> Layer {
        let annotations = layer.descriptor.annotations.as_mut().unwrap();
        annotations.insert(ENTRY.to_owned(), "{}".to_owned());
        layer
    }

    #[test]
    fn a_layer_without_a_log_entry_gets_the_one_of_its_signature_in_its_place() {
        let first = written(signed(b"{}", 2).merged_into(None).unwrap()).manifest;
        let plain = written(signed(b"{}", 1).merged_into(Some(first)).unwrap()).manifest;
        let ours = logged(signed(b"{}", 1));
        let both = written(ours.merged_into(Some(plain)).unwrap()).manifest;
        assert_eq!(both.layers.len(), 2);
        let entries = both.layers.iter().map(is_logged);
        assert_eq!(entries.collect::<Vec<_>>(), [false, true]);
        // and then it stays, whoever comes
        assert_eq!(ours.merged_into(Some(both.clone())), Ok(Merge::Present));
        assert_eq!(signed(b"{}", 1).merged_into(Some(both)), Ok(Merge::Present));
    }

    #[cfg(feature = "sigstore")]
    #[test]
    fn a_timestamp_counts_if_it_is_of_the_content_or_of_the_signature_where_there_is_one() {
        use crate::sigstore::tests::der::{integer, sequence};
        use crate::sigstore::tests::stack::{Stack, TIME};
        let stack = Stack::new();
        let stamp = |of: &[u8]| {
            let token = STANDARD.decode(stack.stamp(of, TIME)).unwrap();
            let response = sequence(&[sequence(&[integer(0)]), token]);
            json!({ "SignedRFC3161Timestamp": STANDARD.encode(response) }).to_string()
        };
        let dated = |mut layer: Layer, text: String| {
            let annotations = layer.descriptor.annotations.as_mut().unwrap();
            annotations.insert(TIMESTAMP.to_owned(), text);
            layer
        };
        let attestation = || Layer::attestation(b"{}", &identity(1));
        let signature = key(1).sign(b"{}").unwrap();
        for (layer, right, wrong) in [
            (attestation(), &b"{}"[..], &*signature),
            (signed(b"{}", 1), &*signature, b"{}"),
        ] {
            let ours = dated(layer.clone(), stamp(right));
            // such as an earlier windlass put beside attestations
            for text in [stamp(wrong), "{".to_owned(), "{}".to_owned()] {
                let stored = written(dated(layer.clone(), text).merged_into(None).unwrap());
                let merged = written(ours.merged_into(Some(stored.manifest)).unwrap()).manifest;
                assert_eq!(merged.layers, std::slice::from_ref(&ours.descriptor));
                assert_eq!(ours.merged_into(Some(merged)), Ok(Merge::Present));
            }
        }
    }

    #[test]
    fn a_tag_that_is_full_takes_a_log_entry_for_what_is_there() {
        let plain = written(signed(b"{}", 1).merged_into(None).unwrap()).manifest;
        let mut full = written(signed(b"{}", 2).merged_into(Some(plain)).unwrap()).manifest;
        full.layers.resize(MOST, full.layers[1].clone());
        let full = written(logged(signed(b"{}", 1)).merged_into(Some(full)).unwrap()).manifest;
        assert_eq!(full.layers.len(), MOST);
        assert!(is_logged(&full.layers[0]));
    }

    #[test]
    fn no_entry_is_added_that_clients_would_not_read() {
        let mut manifest = written(signed(b"{}", 1).merged_into(None).unwrap()).manifest;
        manifest.layers = vec![manifest.layers[0].clone(); MOST];
        let error = signed(b"{}", 2).merged_into(Some(manifest));
        assert!(error.unwrap_err().contains("1000 entries"));
    }

    mod live;
}
