//! A key in a service as a signer: tried when it is opened, and every signature verified with the
//! public key that is published.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Notify;
use windlass_core::dsse;
use windlass_core::signed::{Identity, Repeatability, Signature};

use super::Kms;
use super::error::KmsError;
use super::means::Means;
use super::reference::Reference;

/// What is signed to try a key: of a type of its own, so that it can be taken for nothing else.
const TRIAL: &str = "application/vnd.windlass.trial";

/// A key in a service that signs.
pub struct KmsSigner {
    kms: Kms,
    identity: Arc<Identity>,
    /// Told when a signature could not be had, so that the key is looked at.
    doubt: Arc<Notify>,
}

impl fmt::Debug for KmsSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsSigner")
            .field("name", &self.kms.name())
            .field("key_id", &self.identity.key_id())
            .finish_non_exhaustive()
    }
}

impl KmsSigner {
    /// Opens a key, and has it sign something that nobody has a use for.
    pub(crate) async fn open(
        reference: &Reference,
        means: &Means,
        doubt: &Arc<Notify>,
    ) -> Result<Self, KmsError> {
        let kms = Kms::open(reference, means).await?;
        Self::tried(kms, doubt).await
    }

    /// Looks at the key as it is now: another signer if it was replaced or has a new version.
    pub(crate) async fn look(&self) -> Result<Option<Self>, KmsError> {
        let kms = self.kms.reopen().await?;
        let is_same = kms.name() == self.kms.name() && kms.public_key() == self.kms.public_key();
        let tried = Self::tried(kms, &self.doubt).await?;
        Ok((!is_same).then_some(tried))
    }

    async fn tried(kms: Kms, doubt: &Arc<Notify>) -> Result<Self, KmsError> {
        let identity = Arc::new(Identity::Key(kms.public_key().clone()));
        let signer = Self {
            kms,
            identity,
            doubt: Arc::clone(doubt),
        };
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce)
            .map_err(|_| KmsError::failed("try the key", "the system gives no random numbers"))?;
        signer.signature(&dsse::pae(TRIAL, &nonce)).await?;
        Ok(signer)
    }

    /// Has the service sign. Each call is a request.
    pub(crate) async fn sign(&self, message: &[u8]) -> Result<Signature, KmsError> {
        let signed = self.signature(message).await;
        if signed.is_err() {
            self.doubt.notify_one();
        }
        Ok(Signature {
            bytes: signed?,
            identity: Arc::clone(&self.identity),
            repeatability: self.repeatability(),
        })
    }

    /// A signature that the public key verifies.
    async fn signature(&self, message: &[u8]) -> Result<Vec<u8>, KmsError> {
        let bytes = self.kms.sign(message).await?;
        let verified = self.identity.public_key().verify(message, &bytes);
        verified.map_err(|_| KmsError::Mismatch {
            key: self.kms.name(),
        })?;
        Ok(bytes)
    }

    /// The key and its version, for people.
    pub(crate) fn name(&self) -> String {
        self.kms.name()
    }

    /// Whose signatures these are.
    pub(crate) fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }

    /// Whether it makes the same signature again.
    pub(crate) fn repeatability(&self) -> Repeatability {
        self.kms.repeatability()
    }
}
