//! A scheme: the signature algorithm together with the hash that it is used with.

use std::fmt;

/// A signature algorithm and its hash. ECDSA signatures are ASN.1 DER; the others are raw bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// ECDSA over a SHA-256 digest.
    EcdsaSha256,
    /// ECDSA over a SHA-384 digest.
    EcdsaSha384,
    /// ECDSA over a SHA-512 digest.
    EcdsaSha512,
    /// Ed25519 over the message itself.
    Ed25519,
    /// Ed25519ph: Ed25519 over a SHA-512 digest, empty context (RFC 8032).
    Ed25519ph,
    /// RSA PKCS#1 v1.5 over a SHA-256 digest.
    RsaSha256,
    /// RSA PKCS#1 v1.5 over a SHA-384 digest.
    RsaSha384,
    /// RSA PKCS#1 v1.5 over a SHA-512 digest.
    RsaSha512,
    /// RSASSA-PSS over a SHA-256 digest, with MGF1 of the same hash and a salt of any length.
    RsaPssSha256,
    /// The same with SHA-384.
    RsaPssSha384,
    /// The same with SHA-512.
    RsaPssSha512,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaSha256 => "ECDSA with SHA-256",
            Self::EcdsaSha384 => "ECDSA with SHA-384",
            Self::EcdsaSha512 => "ECDSA with SHA-512",
            Self::Ed25519 => "Ed25519",
            Self::Ed25519ph => "Ed25519ph",
            Self::RsaSha256 => "RSA PKCS#1 v1.5 with SHA-256",
            Self::RsaSha384 => "RSA PKCS#1 v1.5 with SHA-384",
            Self::RsaSha512 => "RSA PKCS#1 v1.5 with SHA-512",
            Self::RsaPssSha256 => "RSASSA-PSS with SHA-256",
            Self::RsaPssSha384 => "RSASSA-PSS with SHA-384",
            Self::RsaPssSha512 => "RSASSA-PSS with SHA-512",
        })
    }
}
