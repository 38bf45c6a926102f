//! A private key in memory, wiped when it is dropped.
//!
//! A signature that takes milliseconds is made on a thread of its own, so that no other run waits for
//! it, and it waits for nothing that others have begun.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Semaphore;
use windlass_core::key::{Effort, PrivateKey};
use windlass_core::signed::{Identity, Repeatability, Signature};

use super::error::SignError;
use crate::apart::apart;

/// What its signatures are.
pub(super) const REPEATABILITY: Repeatability = Repeatability::Repeatable;

/// Most long signatures that are made at once.
const AT_ONCE: usize = 4;

/// A private key that signs and is not given out.
pub struct KeySigner {
    key: Arc<PrivateKey>,
    identity: Arc<Identity>,
    /// The places of long signatures.
    places: Arc<Semaphore>,
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
        Self {
            key,
            identity,
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    pub(super) async fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let signed = match self.key.effort() {
            Effort::Short => self.key.sign(message),
            Effort::Long => {
                let (key, message) = (Arc::clone(&self.key), message.to_vec());
                // it is never closed
                let place = Arc::clone(&self.places).acquire_owned().await.ok();
                let signed = apart("sign", move || {
                    let _place = place;
                    key.sign(&message)
                });
                signed.await.map_err(SignError::Interrupted)?
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
    use tokio::task;

    use super::*;

    const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/fixtures/keys");

    fn signer(folder: &str) -> KeySigner {
        let read = |name: &str| std::fs::read(format!("{KEYS}/{folder}/{name}")).unwrap();
        let key = PrivateKey::from_cosign(&read("cosign.key"), &read("cosign.password"));
        KeySigner::new(key.unwrap())
    }

    /// Signs while the only thread for blocking work is taken; whether that was done at once.
    async fn signs_at_once(folder: &str) -> bool {
        let signer = signer(folder);
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let taken = task::spawn_blocking(move || gate.recv());
        let mut signing = Box::pin(signer.sign(b"message"));
        let at_once = signing.as_mut().now_or_never();
        let was_at_once = at_once.is_some();
        let signature = match at_once {
            Some(signature) => signature.unwrap(),
            None => signing.await.unwrap(),
        };
        let key = signer.identity().public_key();
        assert!(key.verify(b"message", &signature.bytes).is_ok(), "{folder}");
        assert!(!taken.is_finished());
        drop(open);
        assert!(taken.await.unwrap().is_err());
        was_at_once
    }

    #[test]
    fn no_signature_waits_for_a_thread_that_others_have_taken() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.max_blocking_threads(1).build().unwrap();
        for (folder, is_short) in [
            ("cosign3-p256", true),
            ("import-p384", true),
            ("import-ed25519", true),
            ("import-p521", false),
            ("import-rsa4096", false),
        ] {
            let at_once = runtime.block_on(signs_at_once(folder));
            // what takes long is not made on the thread that others wait for
            assert_eq!(at_once, is_short, "{folder}");
        }
    }
}
