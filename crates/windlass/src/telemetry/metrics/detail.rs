//! Metrics that Chains does not have: failures by step, store and reason, the time until runs are
//! signed, the backlog, and registries that do not respond. No label is chosen by the author of a run,
//! but for the names of registry hosts, of which there are few (`circuits`).

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::time::Instant;

use crate::cluster::runs::RunKind;
use crate::telemetry::circuits::Circuits;
use crate::telemetry::failure::{Failure, FailureLabels};

/// Upper bounds of the time until a run is signed, in seconds: those of a live cluster, and those of
/// one whose controller or registry was away. The API server gives completion times in whole seconds.
const SECONDS: [f64; 15] = [
    0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0,
];

/// The metrics.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    failures: Family<FailureLabels, Counter>,
    latency: Family<KindLabels, Histogram, fn() -> Histogram>,
    /// Runs that are worked on.
    pub(crate) active: Gauge,
    /// Since when the oldest run waits.
    oldest: Arc<Mutex<Option<Instant>>>,
    oldest_age: Gauge<f64, AtomicU64>,
    /// Registry hosts that are left in peace.
    pub(crate) circuits: Circuits,
    open_circuits: Family<HostLabels, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HostLabels {
    host: String,
}

impl Default for Detail {
    fn default() -> Self {
        Self {
            failures: Family::default(),
            latency: Family::new_with_constructor(histogram),
            active: Gauge::default(),
            oldest: Arc::default(),
            oldest_age: Gauge::default(),
            circuits: Circuits::default(),
            open_circuits: Family::default(),
        }
    }
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

impl Detail {
    /// Counts a failure.
    pub(super) fn failed(&self, kind: RunKind, failure: Failure) {
        let labels = failure.labels(kind.singular());
        self.failures.get_or_create(&labels).inc();
    }

    /// Notes that a run that was complete at this time is signed now.
    pub(crate) fn signed(&self, kind: RunKind, completed: Timestamp) {
        let since = Timestamp::now().duration_since(completed).as_secs_f64();
        // the clock of the API server may be ahead
        self.of(kind).observe(since.max(0.0));
    }

    /// Notes since when the oldest run waits.
    pub(crate) fn note_oldest(&self, since: Option<Instant>) {
        *self.oldest.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// Works out what depends on the time of the scrape.
    pub(in super::super) fn measure(&self) {
        let oldest = *self.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        let age = oldest.map(|since| since.elapsed().as_secs_f64());
        self.oldest_age.set(age.unwrap_or_default());
        self.open_circuits.clear();
        for (host, namespaces) in self.circuits.shown() {
            let labels = HostLabels { host };
            self.open_circuits
                .get_or_create(&labels)
                .set(namespaces.into());
        }
    }

    fn of(&self, kind: RunKind) -> Histogram {
        let kind = kind.singular();
        self.latency.get_or_create_owned(&KindLabels { kind })
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        // series exist before anything happens, so that the first increase is one
        for kind in RunKind::ALL {
            self.of(kind);
        }
        registry.register(
            "windlass_failures",
            "Failed steps, by kind of run, step, store and reason",
            self.failures.clone(),
        );
        registry.register(
            "windlass_completion_to_signed_seconds",
            "Time from the completion of a run until it is marked as signed",
            self.latency.clone(),
        );
        registry.register(
            "windlass_runs_active",
            "Runs being worked on",
            self.active.clone(),
        );
        registry.register(
            "windlass_oldest_run_age_seconds",
            "Time since this controller first saw the run that has waited longest; 0 without one",
            self.oldest_age.clone(),
        );
        registry.register(
            "windlass_registry_circuits_open",
            "Namespaces whose pushes to a registry host are paused since it does not respond",
            self.open_circuits.clone(),
        );
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("windlass_build", "The version of windlass", version);
    }
}
