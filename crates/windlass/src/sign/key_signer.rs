//! A private key in memory, wiped when it is dropped.

use std::fmt;
use std::sync::Arc;

use windlass_core::key::PrivateKey;
use windlass_core::signed::{Identity, Repeatability, Signature};

use super::error::SignError;

/// What its signatures are.
pub(super) const REPEATABILITY: Repeatability = Repeatability::Repeatable;

/// A private key that signs and is not given out.
pub struct KeySigner {
    key: PrivateKey,
    identity: Arc<Identity>,
}

impl fmt::Debug for KeySigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySigner")
            .field("key_id", &self.identity.key_id())
            .finish_non_exhaustive()
    }
}

impl KeySigner {
    /// A signer with this key.
    pub(crate) fn new(key: PrivateKey) -> Self {
        let identity = Arc::new(Identity::Key(key.public_key().clone()));
        Self { key, identity }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let bytes = self.key.sign(message).map_err(SignError::Key)?;
        let identity = Arc::clone(&self.identity);
        Ok(Signature {
            bytes,
            identity,
            repeatability: REPEATABILITY,
        })
    }

    pub(super) fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }
}
