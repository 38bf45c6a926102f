//! ECDSA signatures as two numbers of fixed length, one after the other (IEEE P1363), as Azure Key Vault
//! gives them.

use super::error::VerifyError;
use super::public::{Kind, PublicKey};

impl PublicKey {
    /// The ASN.1 DER form, which [`Self::verify`] takes, of an ECDSA signature by a key like this one
    /// whose two numbers are given one after the other, each as long as the numbers of the curve.
    pub fn der_signature(&self, numbers: &[u8]) -> Result<Vec<u8>, VerifyError> {
        let der = match &self.kind {
            Kind::P256(_) => p256::ecdsa::Signature::from_slice(numbers)
                .map(|signature| signature.to_der().as_bytes().to_vec()),
            Kind::P384(_) => p384::ecdsa::Signature::from_slice(numbers)
                .map(|signature| signature.to_der().as_bytes().to_vec()),
            Kind::P521(_) => p521::ecdsa::Signature::from_slice(numbers)
                .map(|signature| signature.to_der().as_bytes().to_vec()),
            Kind::Ed25519(_) | Kind::Rsa(_) => return Err(malformed(())),
        };
        der.map_err(malformed)
    }
}

fn malformed<E>(_: E) -> VerifyError {
    VerifyError::Malformed {
        expected: "two numbers of the curve",
    }
}

#[cfg(test)]
mod tests {
    use crate::key::PrivateKey;

    #[test]
    fn two_numbers_become_a_sequence_of_two_integers() {
        let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
        let public = key.public_key();
        let der = key.sign(b"message").unwrap();
        let parsed = p256::ecdsa::Signature::from_der(&der).unwrap();
        let numbers = parsed.to_bytes();
        assert_eq!(public.der_signature(&numbers).unwrap(), der);
        for wrong in [
            &numbers[1..],
            &[numbers.as_slice(), &[0]].concat(),
            &[0; 64],
            &[],
            der.as_slice(),
        ] {
            assert!(public.der_signature(wrong).is_err());
        }
    }
}
