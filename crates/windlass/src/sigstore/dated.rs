//! Timestamps of whole envelopes, which cosign puts beside attestations under a tag, and the judgement of
//! what was signed at the time that such a one tells.
//!
//! The library knows timestamps of signatures alone. So windlass checks one of an envelope itself, and tells
//! the library the time as a log of its own: with an entry about the signature whose promise a key makes
//! that exists in this process only. All that the library checks it then checks at that time, in
//! the same way as ever. Such an entry never stands for one of a real log: it is judged apart from
//! those, and its log is not in the root that they are judged by.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sigstore_trust_root::TrustedRoot;
use sigstore_types::bundle::{
    Bundle, InclusionPromise, LogId, MediaType, Rfc3161Timestamp, SignatureContent,
    TransparencyLogEntry,
};
use sigstore_types::{
    CanonicalizedBody, KindVersion, LogIndex, LogKeyId, SignatureBytes, SignedTimestamp,
    TimestampToken,
};
use sigstore_verify::{Verifier as Library, tsa};
use windlass_core::hex;
use windlass_core::key::{Certificate, PrivateKey};

use super::signed::Who;

/// The time of the envelope that a bundle is made of, and the bundle without the timestamp; none if it has
/// no timestamp, or one of something else, which the library judges. The error is the finding.
pub(super) fn take_time(
    bundle: &mut Bundle,
    envelope: &[u8],
    root: &TrustedRoot,
) -> Result<Option<Timestamp>, String> {
    let stamps = &mut bundle
        .verification_material
        .timestamp_verification_data
        .rfc3161_timestamps;
    let [stamp] = stamps.as_slice() else {
        return Ok(None);
    };
    let time = time_of(stamp, envelope, root)?;
    if time.is_some() {
        stamps.clear();
    }
    Ok(time)
}

fn time_of(
    stamp: &Rfc3161Timestamp,
    envelope: &[u8],
    root: &TrustedRoot,
) -> Result<Option<Timestamp>, String> {
    let token: &TimestampToken = &stamp.signed_timestamp;
    let envelope = SignatureBytes::from_bytes(envelope);
    let mut outside = None;
    for authority in &root.tsa_authorities() {
        match tsa::verify_timestamp_for_authority(token, &envelope, authority) {
            Ok(time) => return Ok(Some(time)),
            Err(tsa::Error::TimestampOutsideValidity { time }) => outside = Some(time),
            Err(_) => {}
        }
    }
    outside.map_or(Ok(None), |time| Err(super::finding::ended_authority(time)))
}

/// The log whose word the library takes for a time that has been checked.
pub(super) struct Dating {
    key: PrivateKey,
    pub(super) library: Library,
}

impl Dating {
    /// Everything that a root has, without its logs, and a log that only this process signs for.
    pub(super) fn new(root: &TrustedRoot) -> Option<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).ok()?;
        let key = PrivateKey::generate_p256(&seed).ok()?;
        let der = key.public_key().der();
        let mut root = serde_json::to_value(root).ok()?;
        root["tlogs"] = json!([{
            "baseUrl": "https://windlass.invalid",
            "hashAlgorithm": "SHA2_256",
            "publicKey": { "rawBytes": STANDARD.encode(der), "keyDetails": "PKIX_ECDSA_P256_SHA_256" },
            "logId": { "keyId": STANDARD.encode(Sha256::digest(der)) },
        }]);
        let root = TrustedRoot::from_json(&root.to_string()).ok()?;
        let library = Library::new(&root).ok()?;
        Some(Self { key, library })
    }

    /// A bundle with this time in the place of its entries.
    pub(super) fn at(&self, who: Who<'_>, bundle: &Bundle, time: Timestamp) -> Option<Bundle> {
        let pem = match who {
            Who::Key(key) => key.to_pem(),
            Who::Certificate(_) => {
                let der = bundle.signing_certificate()?.as_bytes().to_vec();
                Certificate::from_der(der).ok()?.to_pem()
            }
        };
        let (kind, body) = body(&bundle.content, &STANDARD.encode(pem))?;
        let mut dated = bundle.clone();
        dated.media_type = MediaType::Bundle0_1;
        dated.verification_material.tlog_entries = vec![self.entry(kind, &body, time)?];
        Some(dated)
    }

    /// An entry with a promise, as Rekor makes it: over the canonical JSON (RFC 8785) of these members.
    fn entry(
        &self,
        kind: KindVersion,
        body: &Value,
        time: Timestamp,
    ) -> Option<TransparencyLogEntry> {
        let id = Sha256::digest(self.key.public_key().der());
        let body = body.to_string().into_bytes();
        let promised = json!({
            "body": STANDARD.encode(&body),
            "integratedTime": time.as_second(),
            "logID": hex::digits(&id),
            "logIndex": 0,
        });
        let promise = self.key.sign(promised.to_string().as_bytes()).ok()?;
        let log = LogId::new(LogKeyId::new(id.to_vec()));
        let body = CanonicalizedBody::new(body);
        let entry = TransparencyLogEntry::new(LogIndex::new(0).ok()?, log, kind, body);
        let promise = SignedTimestamp::from_base64(&STANDARD.encode(promise)).ok()?;
        Some(
            entry
                .with_integrated_time(time)
                .with_inclusion_promise(InclusionPromise::new(promise)),
        )
    }
}

/// The body of an entry about the signature of a bundle, of the kind that goes with its content.
fn body(content: &SignatureContent, pem: &str) -> Option<(KindVersion, Value)> {
    match content {
        SignatureContent::DsseEnvelope(envelope) => {
            let payload = hex::digits(&Sha256::digest(envelope.payload.as_bytes()));
            let signature = STANDARD.encode(envelope.signature.sig.as_bytes());
            let spec = json!({
                // what Rekor hashed is not compared: it cannot be made again
                "envelopeHash": { "algorithm": "sha256", "value": payload },
                "payloadHash": { "algorithm": "sha256", "value": payload },
                "signatures": [{ "signature": signature, "verifier": pem }],
            });
            let body = json!({ "apiVersion": "0.0.1", "kind": "dsse", "spec": spec });
            Some((KindVersion::DsseV001, body))
        }
        SignatureContent::MessageSignature(message) => {
            let digest = message.message_digest.as_ref()?;
            let digest = hex::digits(digest.digest.as_bytes());
            let signature = STANDARD.encode(message.signature.as_bytes());
            let spec = json!({
                "data": { "hash": { "algorithm": "sha256", "value": digest } },
                "signature": { "content": signature, "publicKey": { "content": pem } },
            });
            let body = json!({ "apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec });
            Some((KindVersion::HashedRekordV001, body))
        }
        _ => None,
    }
}
