//! Verification of ECDSA on P-256 with SHA-256, the kind of signature that nearly every cluster has.
//!
//! A controller that starts checks the seal of every run that is there, and each is such a signature. The
//! library that TLS uses verifies them several times faster than the pure one, which still reads keys and
//! signatures, so that what is malformed for one is malformed for both.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use p256::ecdsa::{DerSignature, Signature, VerifyingKey};

/// Whether `signature` is one over the SHA-256 digest of `message`.
pub(super) fn verifies(key: &VerifyingKey, message: &[u8], signature: &DerSignature) -> bool {
    let point = key.to_sec1_point(false);
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.as_bytes());
    Signature::try_from(signature.clone())
        .is_ok_and(|numbers| key.verify(message, &numbers.to_bytes()).is_ok())
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::Verifier as _;

    use super::*;
    use crate::key::PrivateKey;

    /// The order of the curve's group (SEC 2, section 2.4.2).
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63,
        0x25, 0x51,
    ];

    fn pair() -> (PrivateKey, VerifyingKey) {
        let secret = p256::SecretKey::from_slice(&[7; 32]).unwrap();
        let signer = PrivateKey::generate_p256(&[7; 32]).unwrap();
        (signer, VerifyingKey::from(&secret.public_key()))
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
        let (private, key) = pair();
        for number in 0..64_u8 {
            let message = [number; 40];
            let signed = private.sign(&message).unwrap();
            let signature = DerSignature::from_bytes(&signed).unwrap();
            for (message, signature, holds) in [
                (&message[..], &signature, true),
                (&message[..], &mirrored(&signed), true),
                (&message[1..], &signature, false),
            ] {
                assert_eq!(verifies(&key, message, signature), holds);
                assert_eq!(key.verify(message, signature).is_ok(), holds);
            }
        }
    }
}
