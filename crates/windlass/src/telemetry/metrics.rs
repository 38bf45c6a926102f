//! The counters of the controller, with the names and meanings of Tekton Chains where it has them
//! (docs/behaviour.md, "Metrics").

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use windlass_core::config::StoreKind;

use super::failure::{ErrorLabels, Failure, Stage};
use crate::cluster::runs::RunKind;

pub(crate) use self::detail::Detail;

mod detail;
#[cfg(test)]
mod tests;

/// The counters of one kind of run, with Chains' names and meanings (docs/behaviour.md, "Metrics").
#[derive(Debug, Default, Clone)]
pub(crate) struct RunCounts {
    /// Signatures made.
    pub(crate) signatures: Counter,
    /// Entries added to a transparency log.
    pub(crate) uploaded: Counter,
    /// Stores that succeeded, one for each artifact and store.
    pub(crate) stored: Counter,
    /// Runs marked as signed.
    pub(crate) marked_signed: Counter,
    /// Steps that failed.
    failures: Family<ErrorLabels, Counter>,
}

/// The counters of the controller.
#[derive(Debug, Default, Clone)]
pub struct Metrics {
    /// Task runs.
    pub(crate) task_runs: RunCounts,
    /// Pipeline runs.
    pub(crate) pipeline_runs: RunCounts,
    /// Runs given up for good.
    pub(crate) given_up: Counter,
    /// Deleted runs whose finalizer was removed though they could not be signed.
    pub(crate) released_unsigned: Counter,
    /// Passes that broke off with a panic.
    pub(crate) panics: Counter,
    /// Passes that were cut since they took too long.
    pub(crate) cut: Counter,
    /// Configurations that were loaded.
    pub(crate) config_accepted: Counter,
    /// Configurations that were refused; the last valid one stays loaded.
    pub(crate) config_refused: Counter,
    /// Signing secrets that were refused; the last valid key stays loaded.
    pub(crate) key_refused: Counter,
    /// Private keys read; each encrypted one costs one run of scrypt.
    pub keys_loaded: Counter,
    /// Runs that wait for a retry.
    pub(crate) waiting: Gauge,
    /// Objects that a list or watch passed over since they could not be read.
    pub(crate) skipped: Counter,
    /// Runs that wait for a place.
    pub(crate) queued: Gauge,
    /// Replicas that are seen, this one among them.
    pub(crate) replicas: Gauge,
    /// The part of all namespaces that is this replica's, from 0 to 1.
    pub(crate) share: Gauge<f64, AtomicU64>,
    /// Artifacts stored, by kind of run and store.
    pub(crate) stored: Family<StoreLabels, Counter>,
    /// What Chains does not have.
    pub(crate) detail: Detail,
}

/// Which runs, and which store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct StoreLabels {
    /// `taskrun` or `pipelinerun`.
    kind: &'static str,
    /// The store, by its name in the configuration.
    store: &'static str,
}

impl Metrics {
    /// The counters of runs of this kind.
    pub(crate) fn of(&self, kind: RunKind) -> &RunCounts {
        match kind {
            RunKind::Task => &self.task_runs,
            RunKind::Pipeline => &self.pipeline_runs,
        }
    }

    /// Notes how many replicas there are, and how much of the work is this one's.
    pub(crate) fn see_replicas(&self, replicas: usize, share: f64) {
        self.replicas
            .set(i64::try_from(replicas).unwrap_or(i64::MAX));
        self.share.set(share);
    }

    /// Counts artifacts that were stored, and were not before.
    pub(crate) fn stored(&self, kind: RunKind, store: StoreKind, artifacts: u64) {
        if artifacts == 0 {
            return;
        }
        self.of(kind).stored.inc_by(artifacts);
        self.stored_in(kind, store).inc_by(artifacts);
    }

    fn stored_in(&self, kind: RunKind, store: StoreKind) -> Counter {
        let labels = StoreLabels {
            kind: kind.singular(),
            store: store.as_str(),
        };
        self.stored.get_or_create_owned(&labels)
    }

    /// Shows how many runs wait for a place, for their time, and are worked on.
    pub(crate) fn backlog(&self, queued: usize, waiting: usize, active: usize) {
        let gauge = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        self.queued.set(gauge(queued));
        self.waiting.set(gauge(waiting));
        self.detail.active.set(gauge(active));
    }

    /// Counts a step that failed.
    pub(crate) fn failed(&self, kind: RunKind, failure: Failure) {
        self.of(kind).error(failure.stage.error_type()).inc();
        self.detail.failed(kind, failure);
    }

    /// The counters under their names.
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        for kind in [RunKind::Task, RunKind::Pipeline] {
            self.of(kind).register(kind, &mut registry);
            // series exist before anything happens, so that the first increase is one
            for store in [StoreKind::Tekton, StoreKind::Oci] {
                self.stored_in(kind, store);
            }
        }
        let counters = [
            (
                "windlass_runs_given_up",
                "Runs marked as failed for good",
                &self.given_up,
            ),
            (
                "windlass_runs_released_unsigned",
                "Deleted runs let go unsigned",
                &self.released_unsigned,
            ),
            (
                "windlass_pass_panics",
                "Passes over a run that broke off with a panic",
                &self.panics,
            ),
            (
                "windlass_passes_cut",
                "Passes over a run that were cut since they took too long",
                &self.cut,
            ),
            (
                "windlass_config_accepted",
                "Configurations loaded",
                &self.config_accepted,
            ),
            (
                "windlass_config_refused",
                "Configurations refused",
                &self.config_refused,
            ),
            (
                "windlass_key_refused",
                "Signing keys refused",
                &self.key_refused,
            ),
            (
                "windlass_keys_loaded",
                "Private keys read and decrypted",
                &self.keys_loaded,
            ),
            (
                "windlass_objects_skipped",
                "Runs passed over since they are too large or cannot be read",
                &self.skipped,
            ),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        registry.register(
            "windlass_artifacts_stored",
            "Artifacts stored, by kind of run and store",
            self.stored.clone(),
        );
        registry.register(
            "windlass_runs_waiting",
            "Runs waiting for a retry",
            self.waiting.clone(),
        );
        registry.register(
            "windlass_runs_queued",
            "Runs waiting for a place",
            self.queued.clone(),
        );
        registry.register(
            "windlass_replicas",
            "Replicas seen, this one among them",
            self.replicas.clone(),
        );
        registry.register(
            "windlass_share",
            "Part of the namespaces that this replica works on, from 0 to 1",
            self.share.clone(),
        );
        self.detail.register(&mut registry);
        registry
    }
}

impl RunCounts {
    fn error(&self, error_type: &'static str) -> Counter {
        self.failures
            .get_or_create_owned(&ErrorLabels { error_type })
    }

    fn register(&self, kind: RunKind, registry: &mut Registry) {
        let runs = format!("{}s", kind.words());
        let counters = [
            ("sign_created", "Signatures made for", &self.signatures),
            ("payload_uploaded", "Log entries for", &self.uploaded),
            ("payload_stored", "Payloads stored for", &self.stored),
            ("marked_signed", "Marked as signed:", &self.marked_signed),
        ];
        let kind = kind.singular();
        for (name, help, counter) in counters {
            let name = format!("watcher_{kind}_{name}");
            registry.register(name, format!("{help} {runs}"), counter.clone());
        }
        // series exist before anything happens, so that the first increase is one
        for error_type in Stage::ERROR_TYPES {
            self.error(error_type);
        }
        registry.register(
            format!("watcher_{kind}_signing_failures"),
            format!("Failed steps for {runs}"),
            self.failures.clone(),
        );
    }
}
