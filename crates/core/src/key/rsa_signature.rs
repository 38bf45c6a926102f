//! RSA signatures. A key says neither which padding nor which hash its signatures have, so every
//! combination that a signer may have used is tried.
//!
//! Keys in memory and Vault sign as PKCS#1 v1.5 with SHA-256. The clouds' key services also use
//! SHA-384 and SHA-512, and RSASSA-PSS (RFC 8017, section 8.1). Their salts are as long as the hash; those
//! of Go's libraries are as long as they can be, and cosign takes every length.

use rsa::pkcs8::AssociatedOid;
use rsa::traits::PublicKeyParts as _;
use sha2::digest::FixedOutputReset;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::error::VerifyError;
use super::scheme::Scheme;

/// The scheme in which the signature is valid; none if there is none.
pub(super) fn verify(
    key: &rsa::PublicKey,
    message: &[u8],
    signature: &[u8],
) -> Result<Option<Scheme>, VerifyError> {
    if signature.len() != key.size() {
        return Err(VerifyError::Malformed {
            expected: "as long as its RSA modulus",
        });
    }
    let sha256 = || {
        with::<Sha256>(
            key,
            message,
            signature,
            [Scheme::RsaSha256, Scheme::RsaPssSha256],
        )
    };
    let sha384 = || {
        with::<Sha384>(
            key,
            message,
            signature,
            [Scheme::RsaSha384, Scheme::RsaPssSha384],
        )
    };
    let sha512 = || {
        with::<Sha512>(
            key,
            message,
            signature,
            [Scheme::RsaSha512, Scheme::RsaPssSha512],
        )
    };
    Ok(sha256().or_else(sha384).or_else(sha512))
}

/// Tries one hash with both paddings, PKCS#1 v1.5 first.
fn with<D>(
    key: &rsa::PublicKey,
    message: &[u8],
    signature: &[u8],
    [pkcs1, pss]: [Scheme; 2],
) -> Option<Scheme>
where
    D: Digest + AssociatedOid + FixedOutputReset,
{
    let digest = D::digest(message);
    if key
        .verify(rsa::Pkcs1v15Sign::new::<D>(), &digest, signature)
        .is_ok()
    {
        return Some(pkcs1);
    }
    let any_salt = rsa::Pss::<D> {
        blinded: true,
        digest: D::new(),
        salt_len: None,
    };
    key.verify(any_salt, &digest, signature)
        .is_ok()
        .then_some(pss)
}
