//! The part of a pass that lets a run go that is being deleted and could not be signed.
//!
//! Its finalizer must not depend on the good will of a registry: it stays for the grace of the settings
//! after the run was deleted, and for one pass at least. In a namespace that is being deleted, where
//! accounts and secrets are gone already, it goes after that pass.

use std::time::Duration;

use jiff::Timestamp;

use super::pass::Pass;
use crate::cluster::event::Told;
use crate::controller::record::{Change, WriteError};
use crate::controller::work::Outcome;

impl Pass<'_> {
    /// How much of its grace a run that is being deleted has left; none for any other run, and for one
    /// that does not wait for us.
    pub(super) fn grace_left(&self) -> Option<Duration> {
        let deleted = self.metadata.deletion_timestamp?;
        if !self.id.kind.is_protected(self.metadata) {
            return None;
        }
        let since = Timestamp::now().duration_since(deleted);
        let since = Duration::try_from(since).unwrap_or_default();
        Some(self.grace.saturating_sub(since))
    }

    /// Takes the finalizer off a run that could not be signed for this reason, if its grace is over or
    /// its namespace is being deleted.
    pub(super) async fn release_if_due(&self, reason: &str) -> Result<Option<Outcome>, WriteError> {
        let Some(left) = self.grace_left() else {
            return Ok(None);
        };
        if !left.is_zero() {
            let message = format!("the run is kept until it is signed, for a while: {reason}");
            match self.tell("DeletionDelayed", &message).await {
                Told::NamespaceEnds => {}
                Told::Recorded | Told::Failed => return Ok(None),
            }
        }
        self.release_unsigned(reason).await.map(Some)
    }

    /// Takes the finalizer off a run that could not be signed for this reason.
    pub(super) async fn release_unsigned(&self, reason: &str) -> Result<Outcome, WriteError> {
        tracing::error!("released unsigned, since it is being deleted: {reason}");
        // before the finalizer goes, since the run goes with it
        let message = format!("the run was deleted and its finalizer removed unsigned: {reason}");
        self.tell("ReleasedUnsigned", &message).await;
        let released = self.release().await?;
        self.reconciler.metrics.released_unsigned.inc();
        Ok(released)
    }

    /// Takes the finalizer off a run with which nothing is left to be done.
    pub(super) async fn release(&self) -> Result<Outcome, WriteError> {
        let change = Change::release(self.id.kind, self.metadata);
        self.write(&change).await?;
        self.note_release();
        Ok(Outcome::Written)
    }

    /// Remembers that the finalizer was taken off.
    pub(super) fn note_release(&self) {
        if self.id.kind.is_protected(self.metadata) {
            self.reconciler.released.add(self.id.uid.clone());
        }
    }
}
