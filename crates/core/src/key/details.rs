//! What Sigstore calls a key together with the hash that it signs: `PublicKeyDetails` of its
//! `sigstore_common.proto`.

use rsa::traits::PublicKeyParts as _;

use super::public::{Kind, PublicKey};
use super::scheme::Scheme;

impl PublicKey {
    /// The name of this key for signatures of a scheme; none if a log of version 2, and one of version 1
    /// of a hash, takes no such signature. It takes one hash for each curve and size, and only what is signed as a hash.
    ///
    /// Source: the algorithms that rekor-tiles 2.3 and Rekor 1.5 allow by themselves.
    pub fn details(&self, scheme: Scheme) -> Option<&'static str> {
        let details = match (&self.kind, scheme) {
            (Kind::P256(_), Scheme::EcdsaSha256) => "PKIX_ECDSA_P256_SHA_256",
            (Kind::P384(_), Scheme::EcdsaSha384) => "PKIX_ECDSA_P384_SHA_384",
            (Kind::P521(_), Scheme::EcdsaSha512) => "PKIX_ECDSA_P521_SHA_512",
            (Kind::Ed25519(_), Scheme::Ed25519ph) => "PKIX_ED25519_PH",
            (Kind::Rsa(key), Scheme::RsaSha256) => match key.n().bit_width() {
                2048 => "PKIX_RSA_PKCS1V15_2048_SHA256",
                3072 => "PKIX_RSA_PKCS1V15_3072_SHA256",
                4096 => "PKIX_RSA_PKCS1V15_4096_SHA256",
                _ => return None,
            },
            _ => return None,
        };
        Some(details)
    }

    /// The 32 bytes of a key of Ed25519.
    pub(crate) fn ed25519_bytes(&self) -> Option<&[u8; 32]> {
        match &self.kind {
            Kind::Ed25519(key) => Some(key.as_bytes()),
            _ => None,
        }
    }
}
