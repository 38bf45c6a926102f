//! The entries of a key secret, or the files of a mounted one: the only reader of `x509.pem`,
//! `cosign.key`, `cosign.password` and `cosign.pub`, for the controller and the command line alike.
//!
//! The order is that of Tekton Chains (docs/behaviour.md, "Key secret"): `x509.pem`, then
//! `cosign.key` with `cosign.password`. An `x509.pem` that exists and cannot be used is an error
//! and never falls through to the next. The public key is that of the key which signs.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use windlass_core::key::{KeyError, PrivateKey, PublicKey};
use zeroize::Zeroizing;

/// Entries by name.
pub(crate) type Entries = BTreeMap<String, Zeroizing<Vec<u8>>>;

/// Name of an unencrypted private key.
pub(crate) const X509_KEY: &str = "x509.pem";
/// Name of a private key as cosign encrypts it.
pub(crate) const COSIGN_KEY: &str = "cosign.key";
/// Name of the password of [`COSIGN_KEY`], byte for byte.
pub(crate) const COSIGN_PASSWORD: &str = "cosign.password";
/// Name of the public key, for those who verify.
pub(crate) const COSIGN_PUB: &str = "cosign.pub";
/// All names that are read.
pub(crate) const NAMES: [&str; 4] = [X509_KEY, COSIGN_KEY, COSIGN_PASSWORD, COSIGN_PUB];

/// Why the entries give no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EntriesError {
    /// Neither kind of private key exists.
    #[error("it contains no key: {X509_KEY} and {COSIGN_KEY} were not found")]
    NoKey,
    /// The encrypted key exists without its password.
    #[error(
        "{COSIGN_KEY} exists but {COSIGN_PASSWORD} does not; \
         add {COSIGN_PASSWORD}, even if the password is empty"
    )]
    NoPassword,
    /// The key exists and cannot be used.
    #[error("{file} cannot be used")]
    Unusable {
        /// Name of the entry.
        file: &'static str,
        /// What is wrong with it.
        source: KeyError,
    },
}

/// The private key that signs. Decrypting takes about 0.1 s and 64 MiB: do it once a key, and not
/// on a thread that others wait for.
pub(crate) fn private_key(entries: &Entries) -> Result<PrivateKey, EntriesError> {
    if let Some(pem) = entries.get(X509_KEY) {
        return PrivateKey::from_x509_pem(pem).map_err(|source| unusable(X509_KEY, source));
    }
    let pem = entries.get(COSIGN_KEY).ok_or(EntriesError::NoKey)?;
    let password = entries
        .get(COSIGN_PASSWORD)
        .ok_or(EntriesError::NoPassword)?;
    PrivateKey::from_cosign(pem, password).map_err(|source| unusable(COSIGN_KEY, source))
}

/// The public key of the one that signs: from `cosign.pub` where the key of cosign signs or only
/// the public key is kept, else from the private key.
pub(crate) fn public_key(entries: &Entries) -> Result<PublicKey, EntriesError> {
    let published = entries.get(COSIGN_PUB).filter(|pem| !pem.is_empty());
    match published {
        Some(pem) if !entries.contains_key(X509_KEY) => {
            PublicKey::from_pem(pem).map_err(|source| unusable(COSIGN_PUB, source))
        }
        _ => private_key(entries).map(|key| key.public_key().clone()),
    }
}

/// The name of a second key, which does not sign: the pair of cosign beside an `x509.pem` of another
/// key.
pub(crate) fn second_key(entries: &Entries) -> Option<&'static str> {
    let pem = entries.get(X509_KEY)?;
    let published = entries.get(COSIGN_PUB).filter(|pem| !pem.is_empty());
    match published.map(|published| PublicKey::from_pem(published)) {
        Some(Ok(published)) => {
            let signs = PrivateKey::from_x509_pem(pem).ok()?;
            (published != *signs.public_key()).then_some(COSIGN_PUB)
        }
        Some(Err(_)) => Some(COSIGN_PUB),
        None => entries.contains_key(COSIGN_KEY).then_some(COSIGN_KEY),
    }
}

fn unusable(file: &'static str, source: KeyError) -> EntriesError {
    EntriesError::Unusable { file, source }
}

/// Tells whether two sets of entries hold the same key material, without keeping either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Fingerprint of the entries a signer is made of.
    pub(crate) fn of(entries: &Entries) -> Self {
        let mut hash = Sha256::new();
        for name in [X509_KEY, COSIGN_KEY, COSIGN_PASSWORD] {
            let entry = entries.get(name);
            // presence and length keep apart what concatenation would run together
            let length = entry.map_or(u64::MAX, |value| value.len() as u64);
            hash.update(length.to_be_bytes());
            hash.update(entry.map_or(&[][..], |value| value.as_slice()));
        }
        Self(hash.finalize().into())
    }
}
