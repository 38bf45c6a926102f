//! A public key of the curve P-256, the kind that nearly every cluster has.
//!
//! A controller that starts checks the seal of every run that is there, and each is a signature. The
//! library that TLS uses verifies them several times faster than the pure one, which keeps reading keys
//! and signatures, so that both accept the same ones.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use p256::ecdsa::signature::DigestVerifier;
use p256::ecdsa::{DerSignature, Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// A key, read once by each of the two libraries.
#[derive(Clone)]
pub(super) struct P256Key {
    pub(super) key: VerifyingKey,
    quick: Option<ParsedPublicKey>,
}

impl P256Key {
    /// Whether `signature` (ASN.1 DER) is one over the SHA-256 digest of `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &DerSignature) -> bool {
        match (&self.quick, Signature::try_from(signature.clone())) {
            (Some(quick), Ok(numbers)) => quick.verify_sig(message, &numbers.to_bytes()).is_ok(),
            _ => self.verifies_slowly(message, signature),
        }
    }

    fn verifies_slowly(&self, message: &[u8], signature: &DerSignature) -> bool {
        let feed = |digest: &mut Sha256| {
            digest.update(message);
            Ok(())
        };
        self.key.verify_digest(feed, signature).is_ok()
    }
}

impl From<VerifyingKey> for P256Key {
    fn from(key: VerifyingKey) -> Self {
        let point = key.to_sec1_point(false);
        let quick = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.as_bytes()).ok();
        Self { key, quick }
    }
}

impl PartialEq for P256Key {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for P256Key {}

impl fmt::Debug for P256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::PrivateKey;

    /// The order of the curve's group (SEC 2, section 2.4.2).
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63,
        0x25, 0x51,
    ];

    fn pair() -> (PrivateKey, P256Key) {
        let secret = PrivateKey::generate_p256(&[7; 32]).unwrap();
        let key = VerifyingKey::from(&p256::SecretKey::from_slice(&[7; 32]).unwrap().public_key());
        (secret, key.into())
    }

    /// The other number of which the signature is valid too: the order less `s`.
    fn mirrored(signature: &[u8]) -> DerSignature {
        let numbers = Signature::from_der(signature).unwrap();
        let (r, s) = numbers.split_bytes();
        let mut borrow = 0_i16;
        let mut other = [0_u8; 32];
        for at in (0..32).rev() {
            let digit = i16::from(ORDER[at]) - i16::from(s[at]) - borrow;
            borrow = i16::from(digit < 0);
            other[at] = u8::try_from(digit.rem_euclid(256)).unwrap();
        }
        Signature::from_scalars(r, other).unwrap().to_der()
    }

    #[test]
    fn both_libraries_give_one_verdict_on_each_signature() {
        let (secret, key) = pair();
        for number in 0..64_u8 {
            let message = [number; 40];
            let signed = secret.sign(&message).unwrap();
            let signature = DerSignature::from_bytes(&signed).unwrap();
            for (message, signature, holds) in [
                (&message[..], &signature, true),
                (&message[..], &mirrored(&signed), true),
                (&message[1..], &signature, false),
            ] {
                assert!(key.quick.is_some());
                assert_eq!(key.verifies(message, signature), holds);
                assert_eq!(key.verifies_slowly(message, signature), holds);
            }
        }
    }
}
