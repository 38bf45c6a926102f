//! The key in a proposal, and what it verifies.

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a key begins with in its `SubjectPublicKeyInfo`, and how long the rest is.
const P256: (&[u8], usize) = (b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00", 65);
const P384: (&[u8], usize) = (
    b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00",
    97,
);
const P521: (&[u8], usize) = (b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23\x03\x81\x86\x00", 133);
const ED25519: (&[u8], usize) = (b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 32);

/// A key that verifies.
pub(super) struct Verifier {
    kind: Kind,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Kind {
    P256,
    P384,
    P521,
    Ed25519,
    Rsa,
}

/// A hash by its name in a proposal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }
}

impl Verifier {
    /// The key in a PEM block, of a key or of a certificate.
    pub(super) fn of_pem(pem: &str) -> Option<Self> {
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        let der = STANDARD.decode(lines.collect::<String>()).ok()?;
        Some(Self::of_der(der))
    }

    /// The key in DER, of a key or of a certificate.
    pub(super) fn of_der(der: Vec<u8>) -> Self {
        let kinds = [
            (Kind::P256, P256),
            (Kind::P384, P384),
            (Kind::P521, P521),
            (Kind::Ed25519, ED25519),
        ];
        let known = kinds.into_iter().find_map(|(kind, (start, length))| {
            let at = der.windows(start.len()).position(|it| it == start)?;
            let bytes = der.get(at + start.len()..)?.get(..length)?.to_vec();
            Some(Self { kind, bytes })
        });
        known.unwrap_or(Self {
            kind: Kind::Rsa,
            bytes: der,
        })
    }

    /// Whether a signature of a message is valid, with SHA-256 or as Ed25519 has it.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some(key) = self.parsed(Hash::Sha256) else {
            return false;
        };
        key.verify_sig(message, signature).is_ok()
    }

    /// Whether this is the hash that a log takes with such a key.
    pub(super) fn is_hashed_by(&self, hash: Hash) -> bool {
        let expected = match self.kind {
            Kind::P256 | Kind::Rsa => Hash::Sha256,
            Kind::P384 => Hash::Sha384,
            Kind::P521 | Kind::Ed25519 => Hash::Sha512,
        };
        hash == expected
    }

    /// Whether a signature of a digest is valid.
    pub(super) fn verifies_digest(&self, hash: Hash, value: &[u8], signature: &[u8]) -> bool {
        if let Kind::Ed25519 = self.kind {
            // its prehashed form takes the message, which the log does not have
            return hash == Hash::Sha512 && signature.len() == 64;
        }
        let digest = Digest::import_less_safe(value, hash.algorithm());
        let (Some(key), Ok(digest)) = (self.parsed(hash), digest) else {
            return false;
        };
        key.verify_digest_sig(&digest, signature).is_ok()
    }

    fn parsed(&self, hash: Hash) -> Option<ParsedPublicKey> {
        let algorithm: &'static dyn VerificationAlgorithm = match (self.kind, hash) {
            (Kind::P256, Hash::Sha256) => &signature::ECDSA_P256_SHA256_ASN1,
            (Kind::P256, Hash::Sha384) => &signature::ECDSA_P256_SHA384_ASN1,
            (Kind::P256, Hash::Sha512) => &signature::ECDSA_P256_SHA512_ASN1,
            (Kind::P384, Hash::Sha256) => &signature::ECDSA_P384_SHA256_ASN1,
            (Kind::P384, Hash::Sha384) => &signature::ECDSA_P384_SHA384_ASN1,
            (Kind::P384, Hash::Sha512) => &signature::ECDSA_P384_SHA512_ASN1,
            (Kind::P521, Hash::Sha256) => &signature::ECDSA_P521_SHA256_ASN1,
            (Kind::P521, Hash::Sha384) => &signature::ECDSA_P521_SHA384_ASN1,
            (Kind::P521, Hash::Sha512) => &signature::ECDSA_P521_SHA512_ASN1,
            (Kind::Ed25519, _) => &signature::ED25519,
            (Kind::Rsa, Hash::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
            (Kind::Rsa, Hash::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
            (Kind::Rsa, Hash::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        };
        ParsedPublicKey::new(algorithm, &self.bytes).ok()
    }
}
