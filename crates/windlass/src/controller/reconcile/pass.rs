//! What passes are made with, and what each of them knows.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Client;
use tokio::sync::watch;
use windlass_core::retry::Retry;
use windlass_core::run::Metadata;
use windlass_core::seal;

use crate::cluster::event::{self, Told};
use crate::cluster::runs::RunId;
use crate::controller::conceded::Conceded;
use crate::controller::flight::Flight;
use crate::controller::record::{self, Change, WriteError};
use crate::controller::released::Released;
use crate::controller::work::{Outcome, Snapshot};
use crate::log::Logs;
use crate::pipeline::{Progress, Reach};
use crate::settings::Settings;
use crate::sign::{SignError, Signer};
use crate::store::oci::Oci;
use crate::telemetry::Metrics;

/// How long a run waits that only a change of the settings helps. Such a change wakes it up; this is
/// for safety.
pub(super) const RECHECK: Duration = Duration::from_secs(1800);

/// Makes passes.
pub(crate) struct Reconciler {
    pub(crate) client: Client,
    pub(crate) settings: watch::Receiver<Settings>,
    /// Namespaces to look at; empty means all.
    pub(crate) namespaces: BTreeSet<String>,
    pub(crate) metrics: Metrics,
    /// How long a pipeline run waits for its task runs before it says so.
    pub(crate) patience: Duration,
    /// Where signatures and attestations go that belong to an image.
    pub(crate) registries: Oci,
    /// Where entries of signatures are added.
    pub(crate) logs: Logs,
    /// The memory of the runs that are worked on.
    pub(crate) flight: Flight,
    /// Runs whose finalizer was taken off.
    pub(crate) released: Released,
    /// Runs that another controller signs too.
    pub(crate) conceded: Conceded,
}

/// One pass over one run.
pub(super) struct Pass<'a> {
    pub(super) reconciler: &'a Reconciler,
    pub(super) id: &'a RunId,
    pub(super) run: &'a Snapshot,
    /// The metadata of the run as the API server has it, as far as is known.
    pub(super) metadata: &'a Metadata<'a>,
    /// How far what is signed is taken.
    pub(super) reach: Reach,
    /// How long a deleted run is kept.
    pub(super) grace: Duration,
    /// The run has waited so long that it should say why.
    pub(super) is_overdue: bool,
}

/// Comes back when the settings have changed.
pub(super) fn recheck() -> Outcome {
    Outcome::Later {
        after: Some(RECHECK),
        progress: Progress::default(),
    }
}

impl Pass<'_> {
    /// The seal of a mark that is about to be written, and of what was signed.
    pub(super) async fn seal(
        &self,
        mark: &str,
        payload: Option<&str>,
        signer: &Signer,
    ) -> Result<String, SignError> {
        let message = seal::message(self.id.kind, self.metadata, mark, payload);
        let signature = signer.sign_once(&message).await?;
        let (identity, uid) = (&signature.identity, &self.metadata.uid);
        let seal = seal::annotation_by(identity, &signature.bytes, uid, payload);
        // the watch shows it again once it is written
        let known = &self.reconciler.settings.borrow().seals;
        known.add(seal::digest(self.id.kind, self.metadata, mark, &seal));
        Ok(seal)
    }

    /// Notes that a mark was written over one that is sealed with a key that nobody here knows.
    pub(super) async fn note_mark(&self) {
        let settings = self.reconciler.settings.borrow().clone();
        let is_foreign = settings
            .trust()
            .has_foreign_seal(self.id.kind, self.metadata);
        if !is_foreign {
            return;
        }
        self.reconciler.conceded.add(&self.id.uid);
        let message = "the mark was sealed with a key that this controller does not know, so the run \
                       was signed again, this once; if another controller signs here with another \
                       key, stop one of the two or give them the same key";
        tracing::warn!("{message}");
        self.tell("SealUnknown", message).await;
    }

    pub(super) async fn write(&self, change: &Change<'_>) -> Result<(), WriteError> {
        record::write(&self.reconciler.client, self.id, change).await
    }

    pub(super) async fn tell(&self, reason: &str, message: &str) -> Told {
        let regarding = self.id.regarding();
        event::warn(&self.reconciler.client, &regarding, reason, message).await
    }
}

/// How long a run waits that could not be stored everywhere.
pub(super) fn pause_after(retry: Retry) -> Option<Duration> {
    match retry {
        Retry::Never | Retry::Settings => Some(RECHECK),
        // a pause that grows with every attempt
        Retry::Backoff => None,
        Retry::After(asked) => Some(asked.min(RECHECK)),
    }
}
