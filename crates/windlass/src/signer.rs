//! The signing key: found among the entries of the secret, decrypted once, kept in wiped memory.
//!
//! The order in which keys are looked for is the reference's (behaviour reference, section 5.2):
//! `x509.pem`, then `cosign.key` with `cosign.password`. An `x509.pem` that is there but cannot be
//! used is an error and never falls through to the next.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};
use windlass_core::key::{KeyError, PrivateKey};
use zeroize::Zeroizing;

/// The entries of a secret, or the files of a directory, by name.
pub(crate) type Entries = BTreeMap<String, Zeroizing<Vec<u8>>>;

/// Name of an unencrypted private key.
pub(crate) const X509_KEY: &str = "x509.pem";
/// Name of a private key as cosign encrypts it.
pub(crate) const COSIGN_KEY: &str = "cosign.key";
/// Name of the password of [`COSIGN_KEY`].
pub(crate) const COSIGN_PASSWORD: &str = "cosign.password";
/// Name of the public key, for those who verify.
pub(crate) const COSIGN_PUB: &str = "cosign.pub";

/// Why no signing key could be made of what was found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignerError {
    /// There is nothing to look at.
    #[error("no signing key: neither {X509_KEY} nor {COSIGN_KEY} is there")]
    NoKey,
    /// The encrypted key is there without its password.
    #[error(
        "{COSIGN_KEY} is there but {COSIGN_PASSWORD} is not; \
         add it, also if the password is empty"
    )]
    NoPassword,
    /// The key is there and cannot be used.
    #[error("{file} cannot be used")]
    Unusable {
        file: &'static str,
        source: KeyError,
    },
}

/// A key that is ready to sign.
pub(crate) struct Signer {
    private: PrivateKey,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key_id", &self.key_id())
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// Makes a signer of the entries. Decrypting takes about 0.1 s and 64 MiB: do it once a key,
    /// and not on a thread that others wait for.
    pub(crate) fn from_entries(entries: &Entries) -> Result<Self, SignerError> {
        Ok(Self {
            private: private_key(entries)?,
        })
    }

    /// The private key, to sign with.
    pub(crate) fn key(&self) -> &PrivateKey {
        &self.private
    }

    /// OpenSSH fingerprint of the public key.
    pub(crate) fn key_id(&self) -> String {
        self.private.public_key().key_id()
    }
}

fn private_key(entries: &Entries) -> Result<PrivateKey, SignerError> {
    if let Some(pem) = entries.get(X509_KEY) {
        return PrivateKey::from_x509_pem(pem).map_err(|source| SignerError::Unusable {
            file: X509_KEY,
            source,
        });
    }
    let Some(pem) = entries.get(COSIGN_KEY) else {
        return Err(SignerError::NoKey);
    };
    let Some(password) = entries.get(COSIGN_PASSWORD) else {
        return Err(SignerError::NoPassword);
    };
    PrivateKey::from_cosign(pem, password).map_err(|source| SignerError::Unusable {
        file: COSIGN_KEY,
        source,
    })
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
