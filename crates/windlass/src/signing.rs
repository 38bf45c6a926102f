//! Signing by hand: images and files that a person names, where the controller signs runs.
//!
//! As the pipeline does, it stands above the signers, the logs and the stores, and uses the same ones,
//! so that what it makes is what the controller makes. It uses no service that was not named:
//! [`services`] reads which ones are.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::payload::Payload;
use windlass_core::signed::{Artifact, Signed, message};

use crate::log::{Claimed, Log, LogError};
use crate::sign::{SignError, Signer};
use crate::store::oci::attached::AttachedError;
use crate::store::oci::{Layout, Target};

pub(crate) mod present;
pub(crate) mod services;
pub(crate) mod statement;

/// How long a log may take to add an entry.
const LOG_TIME: Duration = Duration::from_secs(60);

/// What signs, and where that is logged.
pub(crate) struct SigningMeans {
    pub(crate) signer: Signer,
    pub(crate) log: Log,
}

/// Why something was not signed or not attached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningError {
    /// It was not signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The log has no entry of it.
    #[error("signed, but not logged; nothing was attached")]
    Log(#[from] LogError),
    /// It is not known what is attached already.
    #[error("cannot read what is attached already; nothing was signed")]
    Read(#[from] AttachedError),
}

impl SigningMeans {
    /// Signs a payload, and adds the signature to the log.
    pub(crate) async fn sign(
        &self,
        artifact: Artifact,
        payload: Payload,
    ) -> Result<Arc<Signed>, SigningError> {
        let signature = self.signer.sign(&message(&payload)).await?;
        let signed = Signed::new(artifact, payload, signature);
        let until = Instant::now() + LOG_TIME;
        self.log
            .add_for("", &signed, Claimed::default(), until)
            .await?;
        Ok(Arc::new(signed))
    }

    /// Whether this signer has signed the payload already, in this layout, logged where that is asked
    /// for.
    pub(crate) async fn has_attached(
        &self,
        target: Target<'_>,
        payload: &Payload,
        layout: Layout,
    ) -> Result<bool, SigningError> {
        let wanted = present::Wanted {
            payload,
            layout,
            is_logged: self.log.is_on(),
        };
        Ok(present::is_attached(target, &self.signer, wanted).await?)
    }
}
