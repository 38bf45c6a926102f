//! Signing by hand: images and files that a person names, where the controller signs runs.
//!
//! As the pipeline does, it stands above the signers, the logs and the stores, and uses the same ones,
//! so that what it makes is what the controller makes. It uses no service that was not named:
//! [`services`] reads which ones are.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::payload::Payload;
use windlass_core::signed::{Artifact, Further, Signed, Stamped, message};

use crate::log::{Log, LogError, Stamper};
use crate::sign::{SignError, Signer};
use crate::store::oci::attached::AttachedError;
use crate::store::oci::{Layout, Target};

pub(crate) mod present;
pub(crate) mod roots;
pub(crate) mod services;
pub(crate) mod statement;

/// How long a timestamp and an entry of a log may take together.
const LOG_TIME: Duration = Duration::from_secs(60);

/// What signs, where that is logged, and who tells when it was: each of several logs and authorities, where
/// several are asked for.
pub(crate) struct SigningMeans {
    pub(crate) signer: Signer,
    pub(crate) logs: Vec<Log>,
    pub(crate) stampers: Vec<Stamper>,
    /// What timestamps are of, where the signature is put; there is one at least.
    pub(crate) stamped: &'static [Stamped],
}

/// Why something was not signed or not attached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningError {
    /// It was not signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// No authority tells when.
    #[error("signed, but without a timestamp; nothing was logged or attached")]
    Timestamp(#[source] LogError),
    /// A log has no entry of it.
    #[error("signed, but not logged; nothing was attached")]
    Log(#[from] LogError),
    /// It is not known what is attached already.
    #[error("cannot read what is attached already; nothing was signed")]
    Read(#[from] AttachedError),
}

impl SigningMeans {
    /// Signs a payload, gets timestamps, and adds it to the logs. Timestamps are asked for
    /// first: they can be made again, an entry cannot be taken back. It is given back once all authorities
    /// and all logs have it.
    pub(crate) async fn sign(
        &self,
        artifact: Artifact,
        payload: Payload,
    ) -> Result<Arc<Signed>, SigningError> {
        let signature = self.signer.sign(&message(&payload)).await?;
        let signed = Signed::new(artifact, payload, signature);
        let until = Instant::now() + LOG_TIME;
        let mut further = Further::default();
        for (number, stamper) in self.stampers.iter().enumerate() {
            for what in self.stamped {
                let timestamp = stamper.stamp_until((&signed, *what), until).await;
                let timestamp = timestamp.map_err(SigningError::Timestamp)?;
                if number == 0 {
                    signed.timestamp_of(*what).get_or_init(|| timestamp);
                } else if *what == Stamped::Signature {
                    further.timestamps.push(timestamp);
                }
            }
        }
        for log in &self.logs {
            let Some(entry) = log.entry_for(&signed, until).await? else {
                continue;
            };
            if signed.entry.get().is_some() {
                further.entries.push(entry);
            } else {
                signed.entry.get_or_init(|| entry);
            }
        }
        if further != Further::default() {
            signed.further.get_or_init(|| further);
        }
        Ok(Arc::new(signed))
    }

    /// Whether there is a log.
    pub(crate) fn is_logged(&self) -> bool {
        self.logs.iter().any(Log::is_on)
    }

    /// Whether this signer has signed the payload already, in this layout, logged and with a timestamp
    /// where that is asked for.
    pub(crate) async fn has_attached(
        &self,
        target: Target<'_>,
        payload: &Payload,
        layout: Layout,
    ) -> Result<bool, SigningError> {
        let wanted = present::Wanted {
            payload,
            layout,
            entries: self.logs.iter().filter(|log| log.is_on()).count(),
            timestamps: self.stampers.len(),
        };
        Ok(present::is_attached(target, &self.signer, wanted).await?)
    }
}
