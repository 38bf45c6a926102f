//! The log: what it signs of a certificate (RFC 6962, section 3.2).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{EncodePublicKey as _, LineEnding};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::der::{head, octets};
use crate::issuing::AuthorityError;
use crate::random::random;

/// A log with a key.
#[derive(Debug)]
pub(super) struct Log(SigningKey);

impl Log {
    pub(super) fn make() -> Result<Self, AuthorityError> {
        let key = SigningKey::from_slice(&random::<32>()?);
        key.map(Self).map_err(|_| AuthorityError::Key)
    }

    pub(super) fn public_pem(&self) -> String {
        let pem = self.0.verifying_key().to_public_key_pem(LineEnding::LF);
        pem.unwrap_or_default()
    }

    fn id(&self) -> [u8; 32] {
        let der = self.0.verifying_key().to_public_key_der();
        der.map(|der| Sha256::digest(der.as_bytes()).into())
            .unwrap_or_default()
    }

    /// The list with one timestamp over the signed part of a certificate without that list.
    pub(super) fn list(&self, tbs: &[u8], issuer_key: &[u8]) -> Vec<u8> {
        let time = now();
        let entry = [&[0, 1], &Sha256::digest(issuer_key)[..], &sized(3, tbs)].concat();
        let signed = self.signed(time, &entry);
        let stamp = [&[0], &self.id()[..], &time.to_be_bytes(), &[0, 0], &signed].concat();
        let list = sized(2, &sized(2, &stamp));
        octets(&list)
    }

    /// The timestamp of a whole certificate, as the interface of logs gives it, in base64.
    pub(super) fn detached(&self, certificate: &[u8]) -> String {
        let time = now();
        let entry = [&[0, 0], &sized(3, certificate)[..]].concat();
        let stamp = json!({
            "sct_version": 0,
            "id": STANDARD.encode(self.id()),
            "timestamp": time,
            "extensions": "",
            "signature": STANDARD.encode(self.signed(time, &entry)),
        });
        STANDARD.encode(stamp.to_string())
    }

    /// A signature with its algorithm, over an entry at this time.
    fn signed(&self, time: u64, entry: &[u8]) -> Vec<u8> {
        let message = [&[0, 0], &time.to_be_bytes()[..], entry, &[0, 0]].concat();
        let signature: DerSignature = self.0.sign(&message);
        [&[4, 3], &sized(2, signature.as_bytes())[..]].concat()
    }
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_millis();
    u64::try_from(now).unwrap_or_default()
}

/// Bytes after their length in this many bytes.
fn sized(digits: usize, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len().to_be_bytes();
    [&length[length.len() - digits..], bytes].concat()
}

/// The signed part of a certificate.
pub(super) fn tbs(certificate: &[u8]) -> &[u8] {
    let inner = &certificate[head(certificate).0..];
    let (start, length) = head(inner);
    &inner[..start + length]
}
