//! A P-256 key that signs with a random nonce, for tests: no two of its signatures are the same, as
//! with a key service.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use getrandom::SysRng;
use p256::ecdsa::signature::{RandomizedSigner as _, SignatureEncoding as _};
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::DecodePrivateKey as _;
use windlass_core::key::{KeyError, PrivateKey};
use windlass_core::signed::{Identity, Repeatability, Signature};

use super::entries::{COSIGN_KEY, EntriesError};
use super::error::SignError;

/// What its signatures are.
pub(super) const REPEATABILITY: Repeatability = Repeatability::Unique;

/// A message with this text makes the first one who signs it panic.
pub(crate) const PANIC: &str = "panic, once";

/// A key whose signatures are never the same twice.
pub struct UniqueSigner {
    key: SigningKey,
    identity: Arc<Identity>,
    /// It has broken off once.
    has_panicked: AtomicBool,
}

impl fmt::Debug for UniqueSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UniqueSigner([redacted])")
    }
}

impl UniqueSigner {
    /// A signer with this key, which has to be one on P-256.
    pub(super) fn of(key: &PrivateKey) -> Result<Self, EntriesError> {
        let unusable = |source| EntriesError::Unusable {
            file: COSIGN_KEY,
            source,
        };
        let der = key.to_pkcs8_der().map_err(unusable)?;
        let signing = SigningKey::from_pkcs8_der(&der).map_err(|_| unusable(KeyError::Random))?;
        Ok(Self {
            key: signing,
            identity: Arc::new(Identity::Key(key.public_key().clone())),
            has_panicked: AtomicBool::new(false),
        })
    }

    pub(super) async fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        // a key service is asked over a network: others run meanwhile
        tokio::task::yield_now().await;
        let text = String::from_utf8_lossy(message);
        assert!(
            !text.contains(PANIC) || self.has_panicked.swap(true, Ordering::Relaxed),
            "asked for by a test"
        );
        let signature: Result<DerSignature, _> = self.key.try_sign_with_rng(&mut SysRng, message);
        let signature = signature.map_err(|error| SignError::Unique(error.to_string()))?;
        Ok(Signature {
            bytes: signature.to_vec(),
            identity: Arc::clone(&self.identity),
            repeatability: REPEATABILITY,
        })
    }

    pub(super) fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }
}
