//! Sigstore bundles: what is accepted has one envelope and no second reading, and no made-up
//! signature in it is valid.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use windlass_core::dsse::Envelope;
use windlass_core::key::PrivateKey;
use windlass_core::verify::envelope_of_bundle;

/// Longest error, in bytes: it is printed in a report.
const LONGEST: usize = 2_000;

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate_p256(&[7; 32]).expect("a key"));

fuzz_target!(|data: &[u8]| {
    let envelope = match envelope_of_bundle(data) {
        Ok(envelope) => envelope,
        Err(error) => {
            let text = error;
            assert!(!text.is_empty() && text.len() <= LONGEST, "{text}");
            return;
        }
    };
    let again = Envelope::from_json(envelope.to_json().as_bytes()).expect("what was written");
    assert_eq!(again, envelope);
    assert!(envelope.verify(KEY.public_key()).is_err());

    let text = std::str::from_utf8(data).expect("accepted bundles are UTF-8");
    let bundle: Value = serde_json::from_str(text).expect("accepted bundles are JSON");
    let either = |one: &str, other: &str| bundle.get(one).or_else(|| bundle.get(other)).cloned();
    let content = either("dsseEnvelope", "dsse_envelope");
    assert!(content.is_some_and(|content| content.is_object()));
    let other = either("messageSignature", "message_signature");
    assert!(other.is_none_or(|other| other.is_null()));
    // Another member of the same name may mean something else to another reader.
    let members = text.trim_start().strip_prefix('{').expect("an object");
    for name in [
        "mediaType",
        "media_type",
        "dsseEnvelope",
        "dsse_envelope",
        "messageSignature",
    ] {
        let twice = format!("{{\"{name}\": \"x\", {members}");
        assert!(envelope_of_bundle(twice.as_bytes()).is_err(), "{twice}");
    }
});
