//! A private key in memory, wiped when it is dropped.
//!
//! A signature that takes milliseconds is made on a thread for blocking work, so that no other run
//! waits for it.

use std::fmt;
use std::sync::Arc;

use tokio::task;
use windlass_core::key::{Effort, PrivateKey};
use windlass_core::signed::{Identity, Repeatability, Signature};

use super::error::SignError;

/// What its signatures are.
pub(super) const REPEATABILITY: Repeatability = Repeatability::Repeatable;

/// A private key that signs and is not given out.
pub struct KeySigner {
    key: Arc<PrivateKey>,
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
        let key = Arc::new(key);
        Self { key, identity }
    }

    pub(super) async fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let signed = match self.key.effort() {
            Effort::Short => self.key.sign(message),
            Effort::Long => {
                let (key, message) = (Arc::clone(&self.key), message.to_vec());
                let signed = task::spawn_blocking(move || key.sign(&message)).await;
                signed.map_err(SignError::Interrupted)?
            }
        };
        let bytes = signed.map_err(SignError::Key)?;
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

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/fixtures/keys");

    fn signer(folder: &str) -> KeySigner {
        let read = |name: &str| std::fs::read(format!("{KEYS}/{folder}/{name}")).unwrap();
        let key = PrivateKey::from_cosign(&read("cosign.key"), &read("cosign.password"));
        KeySigner::new(key.unwrap())
    }

    /// Signs while the only thread for blocking work is taken; whether that had to wait for it.
    async fn waits_for_the_thread(folder: &str) -> bool {
        let signer = signer(folder);
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let taken = task::spawn_blocking(move || gate.recv());
        let mut signing = Box::pin(signer.sign(b"message"));
        let at_once = signing.as_mut().now_or_never();
        drop(open);
        assert!(taken.await.unwrap().is_err());
        let waits = at_once.is_none();
        let signature = match at_once {
            Some(signature) => signature.unwrap(),
            None => signing.await.unwrap(),
        };
        let key = signer.identity().public_key();
        assert!(key.verify(b"message", &signature.bytes).is_ok(), "{folder}");
        waits
    }

    #[test]
    fn only_a_long_signature_is_made_on_a_thread_for_blocking_work() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.max_blocking_threads(1).build().unwrap();
        for (folder, is_long) in [
            ("cosign3-p256", false),
            ("import-p384", false),
            ("import-ed25519", false),
            ("import-p521", true),
            ("import-rsa4096", true),
        ] {
            let waits = runtime.block_on(waits_for_the_thread(folder));
            assert_eq!(waits, is_long, "{folder}");
        }
    }
}
