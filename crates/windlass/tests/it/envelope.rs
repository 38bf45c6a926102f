//! Envelopes as a signer makes them.

use windlass_core::dsse::{Envelope, pae};
use windlass_core::key::PrivateKey;

/// The envelope of a payload, signed with this key.
pub fn sign(key: &PrivateKey, payload_type: &str, payload: &[u8]) -> Envelope {
    let signature = key.sign(&pae(payload_type, payload)).unwrap();
    let keyid = key.public_key().key_id();
    Envelope::with_signature(payload_type, payload, keyid, &signature)
}
