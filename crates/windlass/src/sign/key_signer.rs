//! A private key in memory, wiped when it is dropped.
//!
//! A signature that takes milliseconds is made on a thread of its own, so that no other run waits for
//! it, and it waits for nothing that others have begun.
//!
//! Signatures are repeatable, so ECDSA takes its nonces from the message (RFC 6979). What is written
//! together with the record of it need not be: those of P-256 are then made with random nonces, in a
//! fifth of the time.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use tokio::sync::Semaphore;
use windlass_core::key::{Effort, PrivateKey, Scheme};
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
    /// The same key, if it is one of P-256, for signatures that need not repeat.
    random: Option<EcdsaKeyPair>,
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
        let random = random(&key);
        let key = Arc::new(key);
        Self {
            key,
            random,
            identity,
            places: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// A signer with this key, whose certificate this is.
    pub(in crate::sign) fn certified(key: PrivateKey, identity: Arc<Identity>) -> Self {
        Self {
            identity,
            ..Self::new(key)
        }
    }

    /// A signature that is the same each time.
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
        Ok(self.signature(bytes, REPEATABILITY))
    }

    /// A signature that may be another each time.
    pub(in crate::sign) async fn sign_once(&self, message: &[u8]) -> Result<Signature, SignError> {
        let signed = self.random.as_ref().map(|key| {
            // the library draws from its own generator
            key.sign(&SystemRandom::new(), message)
        });
        match signed {
            Some(Ok(bytes)) => Ok(self.signature(bytes.as_ref().to_vec(), Repeatability::Unique)),
            Some(Err(_)) | None => self.sign(message).await,
        }
    }

    fn signature(&self, bytes: Vec<u8>, repeatability: Repeatability) -> Signature {
        Signature {
            bytes,
            identity: Arc::clone(&self.identity),
            repeatability,
        }
    }

    pub(in crate::sign) fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }
}

/// A P-256 key for signatures with random nonces. It wipes itself when it is dropped. Without it, as
/// with every other key, all signatures are repeatable ones.
fn random(key: &PrivateKey) -> Option<EcdsaKeyPair> {
    if !key.is_p256() || key.scheme() != Scheme::EcdsaSha256 {
        return None;
    }
    let document = key.to_pkcs8_der().ok()?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &document).ok()
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

    /// Signs while the only thread for blocking work is taken, and all places of long signatures at first;
    /// whether that was done at once.
    async fn signs_at_once(folder: &str) -> bool {
        let signer = signer(folder);
        let all = u32::try_from(AT_ONCE).unwrap();
        let places = Arc::clone(&signer.places).acquire_many_owned(all);
        let places = places.await.unwrap();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let taken = task::spawn_blocking(move || gate.recv());
        let mut signing = Box::pin(signer.sign(b"message"));
        let at_once = signing.as_mut().now_or_never();
        let was_at_once = at_once.is_some();
        drop(places);
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

    #[tokio::test]
    async fn what_need_not_repeat_verifies_and_is_another_each_time_with_p256() {
        for (folder, is_other) in [
            ("cosign3-p256", true),
            ("import-p384", false),
            ("import-ed25519", false),
            ("import-p521", false),
            ("import-rsa4096", false),
        ] {
            let signer = signer(folder);
            let key = signer.identity().public_key();
            let [first, second] = [
                signer.sign_once(b"message").await.unwrap(),
                signer.sign_once(b"message").await.unwrap(),
            ];
            for signature in [&first, &second] {
                assert!(key.verify(b"message", &signature.bytes).is_ok(), "{folder}");
                assert!(
                    key.verify(b"another", &signature.bytes).is_err(),
                    "{folder}"
                );
                let is_unique = signature.repeatability == Repeatability::Unique;
                assert_eq!(is_unique, is_other, "{folder}");
            }
            assert_eq!(first.bytes != second.bytes, is_other, "{folder}");
        }
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
