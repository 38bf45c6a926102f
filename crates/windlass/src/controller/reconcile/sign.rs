//! The part of a pass that signs: attest, and record what came of it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use windlass_core::annotation;
use windlass_core::config::StoreKind;
use windlass_core::error::Chain;
use windlass_core::retry::Retry;
use windlass_core::run::Run;

use super::pass::{Pass, Reconciler, pause_after};
use crate::controller::record::{self, Change, WriteError};
use crate::controller::work::Outcome;
use crate::pipeline::{self, Means, Progress, Record, State};
use crate::settings::InForce;
use crate::sign::Signer;
use crate::store::run::Annotations;
use crate::telemetry::{Failure, Stage};

impl Pass<'_> {
    /// Attests a run and records what came of it: the mark only if every step is confirmed.
    /// `incomplete` says what is missing from the run itself.
    pub(super) async fn sign(
        &self,
        run: &Run<'_>,
        loaded: InForce<'_>,
        incomplete: Option<String>,
        progress: &mut Progress,
    ) -> Result<Outcome, WriteError> {
        let Reconciler {
            metrics,
            registries,
            logs,
            ..
        } = self.reconciler;
        let InForce {
            config,
            signers,
            sealer,
        } = loaded;
        let means = Means {
            config,
            signers,
            log: &logs.of(config, run),
            registries,
            metrics,
            reach: self.reach,
        };
        let attested = pipeline::attest(run, means, std::mem::take(progress)).await;
        let mut record = match attested {
            Ok(record) => record,
            Err(error) => {
                let failure = Failure::at(Stage::Payload, error.retry().into());
                metrics.failed(self.id.kind, failure);
                let reason = Chain(&error).to_string();
                return match error.retry() {
                    Retry::Never => self.give_up(&reason).await,
                    _ => self.hold(&reason).await,
                };
            }
        };
        record.incomplete(incomplete);
        *progress = std::mem::take(&mut record.progress);
        match record.state() {
            State::Postponed(hosts) => self.record_first(&record, hosts, progress).await,
            State::Complete => {
                let completed = run.completion_time();
                self.record_signed(&record, sealer, completed).await
            }
            State::Confirm(after) => Ok(Outcome::Confirm {
                after,
                run: self.run.clone(),
                progress: std::mem::take(progress),
            }),
            State::Incomplete {
                retry,
                reason,
                confirm,
            } => {
                if let Some(ended) = self.record_in_part(&record, &reason).await? {
                    return Ok(ended);
                }
                let kept = std::mem::take(progress);
                // what was written is read back soon, whatever else failed
                let (after, progress) = match confirm {
                    Some(after) => (Some(after), kept),
                    None => (pause_after(retry), kept.without_confirmations()),
                };
                Ok(Outcome::Later { after, progress })
            }
        }
    }

    /// Marks the run, with everything that is stored on it, in one write.
    async fn record_signed(
        &self,
        record: &Record,
        sealer: &Signer,
        completed: Option<Timestamp>,
    ) -> Result<Outcome, WriteError> {
        let (kind, metadata) = (self.id.kind, self.metadata);
        let (annotations, cut) = match record.annotations(metadata) {
            Ok(annotations) => annotations,
            Err(error) => return self.give_up(&error.to_string()).await,
        };
        let notes: Vec<&str> = [record.note.as_deref(), cut.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        let leftovers = record.leftovers(&annotations);
        let seal = match self.seal("true", record.payload.as_deref(), sealer).await {
            Ok(seal) => seal,
            Err(error) => return self.unsealed(&error).await,
        };
        let mut change = Change::signed(kind, metadata, &annotations, note.as_deref(), &seal);
        change.remove(metadata, &leftovers);
        match self.write(&change).await {
            Err(WriteError::TooLarge(reason)) => return self.give_up(&reason).await,
            written => written?,
        }
        self.note_release();
        self.note_mark().await;
        self.note_stored(record, &annotations);
        let metrics = &self.reconciler.metrics;
        metrics.of(kind).marked_signed.inc();
        if let Some(completed) = completed {
            metrics.detail.signed(kind, completed);
        }
        tracing::info!(key_id = sealer.key_id(), "signed");
        if !record.warnings.is_empty() {
            let message = record.warnings.join("; ");
            tracing::warn!("the provenance is incomplete: {message}");
            self.tell("ProvenanceIncomplete", &message).await;
        }
        Ok(Outcome::Written)
    }

    /// Records what goes on the run itself, before any registry is asked. Nothing is written if the run
    /// has it.
    async fn record_first(
        &self,
        record: &Record,
        hosts: BTreeSet<String>,
        progress: &mut Progress,
    ) -> Result<Outcome, WriteError> {
        let annotations = match record.annotations_in_part(self.metadata) {
            Ok(annotations) => annotations,
            Err(error) => return self.give_up(&error.to_string()).await,
        };
        let mut run = self.run.clone();
        if !record::has_all(self.metadata, &annotations) {
            let change = Change::begun(self.metadata, &annotations);
            let client = &self.reconciler.client;
            run.written = match record::write_and_read(client, self.id, &change).await {
                Err(WriteError::TooLarge(reason)) => return self.give_up(&reason).await,
                written => Some(written?),
            };
            self.note_stored(record, &annotations);
        }
        Ok(Outcome::Push {
            hosts,
            run,
            progress: std::mem::take(progress),
        })
    }

    /// Records what could be made, without the mark, since something that is enabled is missing. The
    /// outcome if the run is not tried again.
    async fn record_in_part(
        &self,
        record: &Record,
        reason: &str,
    ) -> Result<Option<Outcome>, WriteError> {
        let metadata = self.metadata;
        let reason = annotation::reason(reason);
        if let Some(released) = self.release_if_due(&reason).await? {
            return Ok(Some(released));
        }
        let annotations = match record.annotations_in_part(metadata) {
            Ok(annotations) => annotations,
            Err(error) => return self.give_up(&error.to_string()).await.map(Some),
        };
        if record::is_recorded(metadata, &annotations, &reason) {
            return Ok(None);
        }
        match self
            .write(&Change::in_part(metadata, &annotations, &reason))
            .await
        {
            Err(WriteError::TooLarge(reason)) => {
                return self.give_up(&reason).await.map(Some);
            }
            written => written?,
        }
        self.note_stored(record, &annotations);
        tracing::warn!("signed in part: {reason}");
        self.tell("SigningIncomplete", &reason).await;
        Ok(None)
    }

    /// Counts what this pass stored on the run.
    fn note_stored(&self, record: &Record, annotations: &Annotations) {
        let new = record::new_ones(self.metadata, annotations, record.on_run());
        let metrics = &self.reconciler.metrics;
        metrics.stored(self.id.kind, StoreKind::Tekton, new);
    }
}
