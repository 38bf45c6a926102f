//! Keys: a [`PrivateKey`] signs payloads, a [`PublicKey`] verifies them.
//!
//! Keys come from two entries of the secret `signing-secrets`, `x509.pem` and cosign's encrypted
//! `cosign.key`; the entry decides the hash (docs/behaviour.md, "Key secret"). This module reads no
//! files and draws no random numbers: bytes, salts and nonces are passed in. ECDSA signatures are
//! deterministic (RFC 6979), so that signing the same payload again gives the same bytes.

mod certificate;
pub mod cosign;
mod details;
mod error;
mod fingerprint;
mod jwk;
mod p1363;
mod p256_signature;
mod pem;
mod private;
mod public;
mod rsa_signature;
mod scheme;
mod secretbox;

pub use certificate::Certificate;
pub use error::{CosignError, KeyError, SignError, VerifyError};
pub use pem::{END_OF_CERTIFICATE, END_OF_PUBLIC_KEY, blocks as pem_blocks};
pub use private::{Effort, PrivateKey};
pub use public::PublicKey;
pub use scheme::Scheme;

#[cfg(test)]
mod tests;
