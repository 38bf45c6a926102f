//! Signers: what makes a signature of a payload.

use std::fmt;

use windlass_core::key::PrivateKey;

use self::entries::{Entries, EntriesError};

pub(crate) mod entries;
pub(crate) mod password;
pub(crate) mod reference;

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
    pub(crate) fn from_entries(entries: &Entries) -> Result<Self, EntriesError> {
        Ok(Self {
            private: entries::private_key(entries)?,
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
