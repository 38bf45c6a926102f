//! The part of a pass that says something on a run that is not signed: that it waits, or never will be.

use std::collections::BTreeSet;
use std::time::Duration;

use windlass_core::annotation;
use windlass_core::error::Chain;

use super::pass::{Pass, RECHECK, pause_after, recheck};
use crate::controller::children;
use crate::controller::record::{Change, WriteError};
use crate::controller::work::Outcome;
use crate::pipeline::Progress;
use crate::sign::SignError;

impl Pass<'_> {
    /// Waits for task runs; says so on the pipeline run once that takes long.
    pub(super) async fn wait_for(&self, children: BTreeSet<String>) -> Result<Outcome, WriteError> {
        let metadata = self.metadata;
        let reason = children::reason(&children);
        // also where the namespace is being deleted: its task runs go first, signed or not
        if self.grace_left() == Some(Duration::ZERO) {
            return self.release_unsigned(&reason).await;
        }
        let awaiting = |after| Outcome::Awaiting { children, after };
        if metadata.annotation(annotation::REASON) == Some(reason.as_str()) {
            return Ok(awaiting(RECHECK));
        }
        if !self.is_overdue {
            return Ok(awaiting(self.reconciler.patience));
        }
        tracing::warn!("not signed yet: {reason}");
        self.write(&Change::waiting(metadata, &reason)).await?;
        self.tell("SigningDelayed", &reason).await;
        Ok(awaiting(RECHECK))
    }

    /// Takes the mark off a run that is not finished, and tells people that it was there.
    pub(super) async fn unmark(&self) -> Result<Outcome, WriteError> {
        let reason = format!(
            "the run was marked {} before it was finished; the mark was removed",
            annotation::SIGNED
        );
        tracing::warn!("{reason}");
        self.write(&Change::unmarked(self.metadata)).await?;
        self.tell("MarkRemoved", &reason).await;
        Ok(Outcome::Written)
    }

    /// Leaves the run unsigned for now, says why on it, and comes back.
    pub(super) async fn hold(&self, reason: &str) -> Result<Outcome, WriteError> {
        let metadata = self.metadata;
        let reason = annotation::reason(reason);
        if let Some(released) = self.release_if_due(&reason).await? {
            return Ok(released);
        }
        if metadata.annotation(annotation::REASON) == Some(reason.as_str()) {
            return Ok(recheck());
        }
        tracing::warn!("not signed yet: {reason}");
        self.write(&Change::held(metadata, &reason)).await?;
        self.tell("SigningDelayed", &reason).await;
        Ok(recheck())
    }

    /// Marks the run as failed, for good, and says why.
    pub(super) async fn give_up(&self, reason: &str) -> Result<Outcome, WriteError> {
        let settings = self.reconciler.settings.borrow().clone();
        let signer = match settings.sealer(self.id.kind) {
            Ok(signer) => signer,
            Err(_) if settings.awaits_sealer(self.id.kind) => return Ok(recheck()),
            // nobody would believe the mark
            Err(missing) => return self.hold(missing).await,
        };
        let seal = match self.seal("failed", None, signer).await {
            Ok(seal) => seal,
            Err(error) => return self.unsealed(&error).await,
        };
        let reason = annotation::reason(reason);
        tracing::error!("marked as failed: {reason}");
        let change = Change::failed(self.id.kind, self.metadata, &reason, &seal);
        self.write(&change).await?;
        self.note_release();
        self.note_mark().await;
        self.reconciler.metrics.given_up.inc();
        self.tell("SigningFailed", &reason).await;
        Ok(Outcome::Written)
    }

    /// Comes back to a run whose mark could not be sealed. Nothing was written.
    pub(super) async fn unsealed(&self, error: &SignError) -> Result<Outcome, WriteError> {
        let reason = format!("cannot seal the mark: {}", Chain(error));
        if let Some(released) = self.release_if_due(&annotation::reason(&reason)).await? {
            return Ok(released);
        }
        tracing::warn!("{reason}; trying again");
        Ok(Outcome::Later {
            after: pause_after(error.retry()),
            progress: Progress::default(),
        })
    }
}
