//! DSSE envelopes: what is read is written back, and no made-up signature is accepted.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use windlass_core::dsse::{Envelope, IN_TOTO, MOST_SIGNATURES, pae};
use windlass_core::key::PrivateKey;

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate_p256(&[7; 32]).expect("a key"));
static SIGNED: LazyLock<Envelope> = LazyLock::new(|| sign(IN_TOTO, b"{}"));

fuzz_target!(|data: &[u8]| {
    let Ok(envelope) = Envelope::from_json(data) else {
        return;
    };
    let written = envelope.to_json();
    let again = Envelope::from_json(written.as_bytes()).expect("what was written");
    assert_eq!(again, envelope);
    let payload = envelope.decode_payload();
    match envelope.verify(KEY.public_key()) {
        Ok(verified) => {
            assert_eq!(verified.payload, payload.expect("a payload"));
            assert_eq!(verified.payload, b"{}");
            assert_eq!(envelope.payload_type, SIGNED.payload_type);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if envelope.signatures.len() >= MOST_SIGNATURES {
        return;
    }
    // One good signature is enough, if it is over this payload.
    if let Ok(payload) = envelope.decode_payload() {
        let mut signed = envelope;
        let good = sign(&signed.payload_type, &payload);
        signed.signatures.extend(good.signatures);
        assert_eq!(
            signed.verify(KEY.public_key()).expect("verified").payload,
            payload
        );
        if let Some(last) = signed.signatures.last_mut() {
            last.sig.clone_from(&SIGNED.signatures[0].sig);
        }
        let is_signed = signed.payload_type == SIGNED.payload_type && payload == b"{}";
        assert_eq!(
            signed.verify(KEY.public_key()).is_ok(),
            is_signed || signed_before(&signed)
        );
    }
});

fn sign(payload_type: &str, payload: &[u8]) -> Envelope {
    let signature = KEY.sign(&pae(payload_type, payload)).expect("a signature");
    let keyid = KEY.public_key().key_id();
    Envelope::with_signature(payload_type, payload, keyid, &signature)
}

/// Whether one of the signatures that came in was good.
fn signed_before(envelope: &Envelope) -> bool {
    let mut before = envelope.clone();
    before.signatures.pop();
    before.verify(KEY.public_key()).is_ok()
}
