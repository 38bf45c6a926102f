//! What becomes of a run: signed, signed in part, held or given up, each with one write, and with an
//! Event when there is something to tell.

use std::time::Duration;

use windlass_core::annotation;
use windlass_core::config::Config;
use windlass_core::decide::next_retries;
use windlass_core::extract;
use windlass_core::image::Image;
use windlass_core::run::{Metadata, Run};

use super::reconcile::{Outcome, Pass, Reconciler, SETTLED, text};
use super::record::{self, Change};
use super::write::Written;
use crate::cluster::event;
use crate::cluster::runs::RunId;
use crate::pipeline::{self, Record, Retry};
use crate::settings::InForce;
use crate::store::oci;

/// How long a run waits that only a change of the settings helps. Such a change wakes it up; this is
/// for safety.
pub(super) const RECHECK: Duration = Duration::from_secs(1800);

/// Comes back after a pause that grows with every attempt.
const GROWING: Option<Duration> = None;

const RECHECKED: Pass = Pass::End(Outcome::Later {
    after: Some(RECHECK),
});

impl Reconciler {
    /// Attests a run and records what came of it. `incomplete` says what is missing from the run
    /// itself.
    pub(super) async fn sign(
        &self,
        id: &RunId,
        run: &Run<'_>,
        InForce { config, signer }: InForce<'_>,
        incomplete: Option<String>,
    ) -> Pass {
        let metadata = run.metadata();
        let others = record::size_besides(run);
        let (listed, mut failures) = self.listed(run, config).await;
        let mut record = match pipeline::attest(run, &listed, config, signer, others) {
            Ok(record) => record.incomplete(incomplete),
            Err(error) => {
                self.metrics.of(id.kind).failures.inc();
                let retry = error.retry();
                let reason = text(error);
                return match retry {
                    Retry::Never => self.give_up(id, metadata, &reason).await,
                    Retry::Settings | Retry::Backoff | Retry::After(_) => {
                        self.hold(id, metadata, &reason).await
                    }
                };
            }
        };
        let storage = &config.storage;
        let stored = self.registries.store(run, &record.uploads, storage).await;
        record.warnings.extend(stored.warnings);
        failures.extend(stored.failures);
        if !failures.is_empty() {
            self.metrics.of(id.kind).failures.inc();
            let pause = pause_after(&failures);
            let reasons: Vec<String> = failures.into_iter().map(text).collect();
            let reason = reasons.join("; ");
            return self
                .record_in_part(id, metadata, &record, &reason, pause)
                .await;
        }
        if let Some(missing) = &record.missing {
            return self
                .record_in_part(id, metadata, &record, &missing.to_string(), Some(RECHECK))
                .await;
        }
        let change = Change::signed(id.kind, metadata, &record);
        match self.write(id, &change).await {
            Written::Done => {
                self.count(id, &record);
                self.metrics.of(id.kind).marked_signed.inc();
                tracing::info!(run = %id, key_id = signer.key_id(), "signed");
                self.tell_warnings(id, &record.warnings).await;
                SETTLED
            }
            Written::TooLarge(reason) => self.give_up(id, metadata, &reason).await,
            other => other.into_pass(),
        }
    }

    /// The images that the run's images list, if those are to be signed too.
    async fn listed(&self, run: &Run<'_>, config: &Config) -> (Vec<Image>, Vec<oci::UploadError>) {
        match run {
            Run::Task(task) if config.oci_recursive && config.oci.is_enabled() => {
                let (images, _) = extract::images(task);
                let storage = &config.storage;
                self.registries.listed(run, &images, storage).await
            }
            _ => (Vec::new(), Vec::new()),
        }
    }

    /// Records what could be made, without the mark, since something that is enabled is missing.
    async fn record_in_part(
        &self,
        id: &RunId,
        metadata: &Metadata<'_>,
        record: &Record,
        reason: &str,
        after: Option<Duration>,
    ) -> Pass {
        let again = Pass::End(Outcome::Later { after });
        let reason = annotation::reason(reason);
        if record::is_recorded(metadata, record, &reason) {
            return again;
        }
        let retries = next_retries(record::value_of(metadata, annotation::RETRIES));
        let change = Change::in_part(metadata, record, retries, &reason);
        match self.write(id, &change).await {
            Written::Done => {
                self.count(id, record);
                tracing::warn!(run = %id, "signed in part only: {reason}");
                event::warn(&self.client, &id.regarding(), "SigningIncomplete", &reason).await;
                again
            }
            Written::TooLarge(reason) => self.give_up(id, metadata, &reason).await,
            other => other.into_pass(),
        }
    }

    fn count(&self, id: &RunId, record: &Record) {
        let counts = self.metrics.of(id.kind);
        counts.signatures.inc_by(record.signatures);
        counts.stored.inc_by(record.signatures);
    }

    async fn tell_warnings(&self, id: &RunId, warnings: &[String]) {
        if warnings.is_empty() {
            return;
        }
        let message = warnings.join("; ");
        tracing::warn!(run = %id, "the provenance is incomplete: {message}");
        let reason = "ProvenanceIncomplete";
        event::warn(&self.client, &id.regarding(), reason, &message).await;
    }

    /// Takes the mark off a run that is not finished, and tells people that it was there.
    pub(super) async fn unmark(&self, id: &RunId, metadata: &Metadata<'_>) -> Pass {
        let reason = format!(
            "the run was marked {} before it was finished; the mark is taken off",
            annotation::SIGNED
        );
        tracing::warn!(run = %id, "{reason}");
        match self.write(id, &Change::unmarked(metadata)).await {
            Written::Done => {
                event::warn(&self.client, &id.regarding(), "MarkRemoved", &reason).await;
                SETTLED
            }
            other => other.into_pass(),
        }
    }

    /// Leaves the run unsigned for now, says why on it, and comes back.
    pub(super) async fn hold(&self, id: &RunId, metadata: &Metadata<'_>, reason: &str) -> Pass {
        let reason = annotation::reason(reason);
        if record::value_of(metadata, annotation::REASON) == Some(reason.as_str()) {
            return RECHECKED;
        }
        tracing::warn!(run = %id, "not signed yet: {reason}");
        let retries = next_retries(record::value_of(metadata, annotation::RETRIES));
        let change = Change::held(metadata, retries, &reason);
        match self.write(id, &change).await {
            Written::Done => {
                event::warn(&self.client, &id.regarding(), "SigningDelayed", &reason).await;
                RECHECKED
            }
            other => other.into_pass(),
        }
    }

    /// Marks the run as failed, for good, and says why.
    pub(super) async fn give_up(&self, id: &RunId, metadata: &Metadata<'_>, reason: &str) -> Pass {
        let reason = annotation::reason(reason);
        tracing::error!(run = %id, "given up: {reason}");
        let change = Change::failed(id.kind, metadata, &reason);
        match self.write(id, &change).await {
            Written::Done => {
                self.metrics.given_up.inc();
                event::warn(&self.client, &id.regarding(), "SigningFailed", &reason).await;
                SETTLED
            }
            other => other.into_pass(),
        }
    }
}

/// How long a run waits whose uploads failed like this.
fn pause_after(failures: &[oci::UploadError]) -> Option<Duration> {
    match oci::retry(failures) {
        windlass_registry::Retry::Never => Some(RECHECK),
        windlass_registry::Retry::Backoff => GROWING,
        windlass_registry::Retry::After(asked) => Some(asked.min(RECHECK)),
    }
}
