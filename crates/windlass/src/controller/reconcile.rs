//! One pass over one run: look, decide, attest, record.
//!
//! A finished task run takes one write and no read; a pipeline run takes one more read, of its task
//! runs. Every write carries the uid and the version of the run that was read. If the run has
//! changed since, the API server refuses the write, and the run is read again.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use kube::Client;
use tokio::sync::watch;
use windlass_core::annotation;
use windlass_core::config::StoreKind;
use windlass_core::decide::{Decision, Facts, Scope, Trust, decide, is_settled};
use windlass_core::error::Chain;
use windlass_core::retry::Retry;
use windlass_core::run::{Adopted, Metadata, PipelineRun, Run, adopt};
use windlass_core::seal;

use super::children::{self, incomplete, unsettled};
use super::flight::{Boarded, Flight, FlightError};
use super::record::{self, Change, WriteError};
use crate::cluster::call::CallError;
use crate::cluster::children::{Children, ChildrenError};
use crate::cluster::event;
use crate::cluster::runs::{Head, RunId, RunKind};
use crate::cluster::watch::ListError;
use crate::log::Log;
use crate::pipeline::{self, Means, Progress, Record, State};
use crate::settings::{InForce, Settings};
use crate::sign::{SignError, Signer};
use crate::store::oci::Oci;
use crate::telemetry::Metrics;

/// How often in a row a pass is repeated because the run changed under it.
const CONFLICTS: usize = 5;
/// How long a run waits that only a change of the settings helps. Such a change wakes it up; this is
/// for safety.
const RECHECK: Duration = Duration::from_secs(1800);

/// What a pass works on.
#[derive(Debug)]
pub(crate) enum Work {
    /// The run as the watch showed it.
    Seen(Bytes),
    /// The run as it is now, which has to be read first, with what earlier passes did.
    Fetch(Progress),
    /// The same, for a run that has waited so long that it should say why.
    Overdue,
    /// The run as an earlier pass knew it, some of which has to be read back from stores.
    Confirm(Bytes, Progress),
}

/// What is to be done with a run after a pass.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing, until it changes.
    Settled,
    /// Another pass, after this pause or one that grows.
    Later {
        after: Option<Duration>,
        progress: Progress,
    },
    /// The same pass, once what was written has settled.
    Confirm {
        after: Duration,
        object: Bytes,
        progress: Progress,
    },
    /// Another pass once all these task runs of its namespace are settled, or after this pause.
    Awaiting {
        children: BTreeSet<String>,
        after: Duration,
    },
}

/// What an object that the watch shows calls for.
#[derive(Debug, Default)]
pub(crate) struct Triage {
    /// Something has to be done about this run.
    pub(crate) due: Option<RunId>,
    /// Nobody has to wait for this task run any longer.
    pub(crate) settled: Option<RunId>,
}

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
    /// The log to use whatever the configuration says.
    pub(crate) log: Option<Log>,
    /// The memory of the runs that are worked on.
    pub(crate) flight: Flight,
}

/// One pass over one run.
struct Pass<'a> {
    reconciler: &'a Reconciler,
    id: &'a RunId,
    /// The run as the API server sent it.
    object: &'a Bytes,
    /// The run has waited so long that it should say why.
    is_overdue: bool,
}

impl Reconciler {
    /// Whether anything has to be done about an object that the watch shows.
    pub(crate) fn triage(&self, kind: RunKind, object: &[u8]) -> Triage {
        let head: Head<'_> = match serde_json::from_slice(object) {
            Ok(head) => head,
            Err(error) => {
                tracing::error!(%error, "the API server sent something that is not an object");
                return Triage::default();
            }
        };
        let id = RunId::new(kind, &head.metadata);
        let settings = self.settings.borrow().clone();
        let Ok(run) = kind.parse(object) else {
            // whoever may write a run's status can make it unreadable; that gets an outcome too
            let mark = head.metadata.annotation(annotation::SIGNED);
            let is_marked = matches!(mark, Some("true" | "failed"))
                && settings.trust().believes(kind, &head.metadata, None);
            return Triage {
                settled: (is_marked && kind == RunKind::Task).then(|| id.clone()),
                due: (!is_marked).then_some(id),
            };
        };
        let facts = Facts::of(&run, settings.config(), &settings.trust());
        let scope = self.scope(&settings);
        let rests = matches!(decide(&facts, &scope), Decision::Wait | Decision::Skip(_));
        let settled = kind == RunKind::Task && is_settled(&facts, &scope);
        Triage {
            due: (!rests).then(|| id.clone()),
            settled: settled.then_some(id),
        }
    }

    /// Makes passes over a run until there is an outcome.
    pub(crate) async fn reconcile(&self, id: &RunId, work: Work) -> Outcome {
        let is_overdue = matches!(work, Work::Overdue);
        let (mut known, mut progress) = match work {
            Work::Seen(object) => (Some(object), Progress::default()),
            Work::Confirm(object, progress) => (Some(object), progress),
            Work::Fetch(progress) => (None, progress),
            Work::Overdue => (None, Progress::default()),
        };
        for _ in 0..CONFLICTS {
            let boarded = match known.take() {
                Some(object) => self.flight.take(id, object).await,
                None => self.flight.read(&self.client, id).await,
            };
            let Boarded {
                object,
                room: _room,
            } = match boarded {
                Ok(boarded) => boarded,
                Err(FlightError::Call(error)) if error.status() == Some(404) => {
                    return Outcome::Settled;
                }
                Err(FlightError::Call(error)) => return later(&error, progress),
                Err(FlightError::Full) => break,
            };
            let pass = Pass {
                reconciler: self,
                id,
                object: &object,
                is_overdue,
            };
            match pass.run(&mut progress).await {
                Ok(outcome) => return outcome,
                Err(WriteError::Gone) => return Outcome::Settled,
                Err(WriteError::Changed) => {}
                Err(WriteError::TooLarge(reason)) => {
                    tracing::error!("{reason}");
                    break;
                }
                Err(WriteError::Failed(error)) => return later(&error, progress),
            }
        }
        Outcome::Later {
            after: None,
            progress: progress.without_confirmations(),
        }
    }

    fn scope(&self, settings: &Settings) -> Scope {
        Scope::new(self.namespaces.clone(), settings.config())
    }
}

/// When to come back after a request that failed.
fn later(error: &CallError, progress: Progress) -> Outcome {
    let text = Chain(error).to_string();
    if error.is_transient() {
        tracing::warn!("{text}; trying again");
    } else {
        tracing::error!("{text}; trying again, though this looks permanent");
    }
    Outcome::Later {
        after: error.retry_after().map(|asked| asked.min(RECHECK)),
        progress: progress.without_confirmations(),
    }
}

/// Comes back when the settings have changed.
fn recheck() -> Outcome {
    Outcome::Later {
        after: Some(RECHECK),
        progress: Progress::default(),
    }
}

impl Pass<'_> {
    /// Decides what is to be done, and does it.
    async fn run(&self, progress: &mut Progress) -> Result<Outcome, WriteError> {
        let head = match serde_json::from_slice::<Head<'_>>(self.object) {
            Ok(head) if *head.metadata.uid == *self.id.uid => head,
            // deleted and made anew under the same name: the watch shows the new one
            Ok(_) => return Ok(Outcome::Settled),
            Err(error) => {
                tracing::error!(%error, "the API server sent something that is not a run");
                return Ok(Outcome::Later {
                    after: None,
                    progress: Progress::default(),
                });
            }
        };
        let metadata = &head.metadata;
        let run = match self.id.kind.parse(self.object) {
            Ok(run) => run,
            Err(error) => {
                let reason = Chain(&error).to_string();
                return self.give_up(metadata, &reason).await;
            }
        };
        let settings = self.reconciler.settings.borrow().clone();
        let facts = Facts::of(&run, settings.config(), &settings.trust());
        match decide(&facts, &self.reconciler.scope(&settings)) {
            Decision::Wait | Decision::Skip(_) => Ok(Outcome::Settled),
            Decision::Protect => {
                record::protect(&self.reconciler.client, self.id, metadata).await?;
                Ok(Outcome::Settled)
            }
            Decision::Unmark => self.unmark(metadata).await,
            Decision::Release(reason) => {
                tracing::debug!(?reason, "finalizer removed");
                self.write(&Change::release(self.id.kind, metadata)).await?;
                Ok(Outcome::Settled)
            }
            Decision::Sign => match (settings.in_force(), run) {
                (Err(reason), _) => self.hold(metadata, reason).await,
                (Ok(loaded), Run::Pipeline(run, _)) => {
                    let scope = self.reconciler.scope(&settings);
                    let judge = (&settings.trust(), &scope);
                    self.pipeline_run(run, loaded, judge, progress).await
                }
                (Ok(loaded), run) => self.sign(&run, loaded, None, progress).await,
            },
        }
    }

    /// A finished pipeline run is attested together with its task runs, once nobody has to wait for
    /// these any longer.
    async fn pipeline_run(
        &self,
        run: PipelineRun<'_>,
        loaded: InForce<'_>,
        (trust, scope): (&Trust<'_>, &Scope),
        progress: &mut Progress,
    ) -> Result<Outcome, WriteError> {
        let client = &self.reconciler.client;
        let flight = &self.reconciler.flight;
        let (mut children, _room) = match flight.read_children(client, self.id, &run).await {
            Ok(Some(children)) => children,
            Ok(None) => {
                let progress = std::mem::take(progress);
                return Ok(Outcome::Later {
                    after: None,
                    progress,
                });
            }
            Err(ChildrenError::List(ListError::Call(error))) => {
                return Err(WriteError::Failed(error));
            }
            Err(error @ ChildrenError::TooLarge) => {
                return self.give_up(&run.metadata, &error.to_string()).await;
            }
            Err(error) => {
                tracing::error!("{}; retrying", Chain(&error));
                let progress = std::mem::take(progress);
                return Ok(Outcome::Later {
                    after: None,
                    progress,
                });
            }
        };
        let mut refused = std::mem::take(&mut children.refused);
        let children = Children::parse(children.objects(), &mut refused);
        let waiting = unsettled(&children, loaded.config, trust, scope);
        if !waiting.is_empty() {
            return self.wait_for(&run.metadata, waiting).await;
        }
        let Adopted { run, missing, .. } = adopt(run, children);
        let incomplete = incomplete(&missing, &refused);
        self.sign(&run, loaded, incomplete, progress).await
    }

    /// Attests a run and records what came of it: the mark only if every step is confirmed.
    /// `incomplete` says what is missing from the run itself.
    async fn sign(
        &self,
        run: &Run<'_>,
        loaded: InForce<'_>,
        incomplete: Option<String>,
        progress: &mut Progress,
    ) -> Result<Outcome, WriteError> {
        let Reconciler {
            metrics,
            registries,
            log,
            ..
        } = self.reconciler;
        let InForce { config, signer } = loaded;
        let means = Means {
            config,
            signer,
            log: &log.clone().unwrap_or_else(|| Log::of(config, run)),
            registries,
            metrics,
        };
        let attested = pipeline::attest(run, means, std::mem::take(progress)).await;
        let mut record = match attested {
            Ok(record) => record,
            Err(error) => {
                metrics.of(self.id.kind).failures.inc();
                let reason = Chain(&error).to_string();
                return match error.retry() {
                    Retry::Never => self.give_up(run.metadata(), &reason).await,
                    _ => self.hold(run.metadata(), &reason).await,
                };
            }
        };
        record.incomplete(incomplete);
        *progress = std::mem::take(&mut record.progress);
        match record.state() {
            State::Complete => self.record_signed(run, &record, signer).await,
            State::Confirm(after) => Ok(Outcome::Confirm {
                after,
                object: self.object.clone(),
                progress: std::mem::take(progress),
            }),
            State::Incomplete {
                retry,
                reason,
                confirm,
            } => {
                metrics.of(self.id.kind).failures.inc();
                if let Some(given_up) = self.record_in_part(run, &record, &reason).await? {
                    return Ok(given_up);
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
        run: &Run<'_>,
        record: &Record,
        signer: &Signer,
    ) -> Result<Outcome, WriteError> {
        let (kind, metadata) = (self.id.kind, run.metadata());
        let (annotations, cut) = match record.annotations(metadata) {
            Ok(annotations) => annotations,
            Err(error) => return self.give_up(metadata, &error.to_string()).await,
        };
        let notes: Vec<&str> = [record.note.as_deref(), cut.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        let leftovers = record.leftovers(&annotations);
        let seal = match self.seal(metadata, "true", signer).await {
            Ok(seal) => seal,
            Err(error) => return Ok(unsealed(&error)),
        };
        let mut change = Change::signed(kind, metadata, &annotations, note.as_deref(), &seal);
        change.remove(metadata, &leftovers);
        match self.write(&change).await {
            Err(WriteError::TooLarge(reason)) => return self.give_up(metadata, &reason).await,
            written => written?,
        }
        let metrics = &self.reconciler.metrics;
        let new = record::new_ones(metadata, &annotations, record.on_run());
        metrics.stored(kind, StoreKind::Tekton, new);
        metrics.of(kind).marked_signed.inc();
        tracing::info!(key_id = signer.key_id(), "signed");
        if !record.warnings.is_empty() {
            let message = record.warnings.join("; ");
            tracing::warn!("the provenance is incomplete: {message}");
            self.tell("ProvenanceIncomplete", &message).await;
        }
        Ok(Outcome::Settled)
    }

    /// Records what could be made, without the mark, since something that is enabled is missing. The
    /// outcome if even that is too large.
    async fn record_in_part(
        &self,
        run: &Run<'_>,
        record: &Record,
        reason: &str,
    ) -> Result<Option<Outcome>, WriteError> {
        let metadata = run.metadata();
        let reason = annotation::reason(reason);
        let annotations = match record.annotations_in_part(metadata) {
            Ok(annotations) => annotations,
            Err(error) => return self.give_up(metadata, &error.to_string()).await.map(Some),
        };
        if record::is_recorded(metadata, &annotations, &reason) {
            return Ok(None);
        }
        match self
            .write(&Change::in_part(metadata, &annotations, &reason))
            .await
        {
            Err(WriteError::TooLarge(reason)) => {
                return self.give_up(metadata, &reason).await.map(Some);
            }
            written => written?,
        }
        let metrics = &self.reconciler.metrics;
        let new = record::new_ones(metadata, &annotations, record.on_run());
        metrics.stored(self.id.kind, StoreKind::Tekton, new);
        tracing::warn!("signed in part: {reason}");
        self.tell("SigningIncomplete", &reason).await;
        Ok(None)
    }

    /// Waits for task runs; says so on the pipeline run once that takes long.
    async fn wait_for(
        &self,
        metadata: &Metadata<'_>,
        children: BTreeSet<String>,
    ) -> Result<Outcome, WriteError> {
        let reason = children::reason(&children);
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
    async fn unmark(&self, metadata: &Metadata<'_>) -> Result<Outcome, WriteError> {
        let reason = format!(
            "the run was marked {} before it was finished; the mark was removed",
            annotation::SIGNED
        );
        tracing::warn!("{reason}");
        self.write(&Change::unmarked(metadata)).await?;
        self.tell("MarkRemoved", &reason).await;
        Ok(Outcome::Settled)
    }

    /// Leaves the run unsigned for now, says why on it, and comes back.
    async fn hold(&self, metadata: &Metadata<'_>, reason: &str) -> Result<Outcome, WriteError> {
        let reason = annotation::reason(reason);
        if metadata.annotation(annotation::REASON) == Some(reason.as_str()) {
            return Ok(recheck());
        }
        tracing::warn!("not signed yet: {reason}");
        self.write(&Change::held(metadata, &reason)).await?;
        self.tell("SigningDelayed", &reason).await;
        Ok(recheck())
    }

    /// Marks the run as failed, for good, and says why.
    async fn give_up(&self, metadata: &Metadata<'_>, reason: &str) -> Result<Outcome, WriteError> {
        let settings = self.reconciler.settings.borrow().clone();
        let signer = match settings.signer.get() {
            Ok(signer) => signer,
            // nobody would believe the mark
            Err(missing) => return self.hold(metadata, missing).await,
        };
        let seal = match self.seal(metadata, "failed", signer).await {
            Ok(seal) => seal,
            Err(error) => return Ok(unsealed(&error)),
        };
        let reason = annotation::reason(reason);
        tracing::error!("marked as failed: {reason}");
        let change = Change::failed(self.id.kind, metadata, &reason, &seal);
        self.write(&change).await?;
        self.reconciler.metrics.given_up.inc();
        self.tell("SigningFailed", &reason).await;
        Ok(Outcome::Settled)
    }

    /// The seal of a mark that is about to be written.
    async fn seal(
        &self,
        metadata: &Metadata<'_>,
        mark: &str,
        signer: &Signer,
    ) -> Result<String, SignError> {
        let message = seal::message(self.id.kind, metadata, mark);
        let signature = signer.sign(&message).await?;
        Ok(seal::annotation(
            &signature.identity.key_id(),
            &signature.bytes,
        ))
    }

    async fn write(&self, change: &Change) -> Result<(), WriteError> {
        record::write(&self.reconciler.client, self.id, change).await
    }

    async fn tell(&self, reason: &str, message: &str) {
        let regarding = self.id.regarding();
        event::warn(&self.reconciler.client, &regarding, reason, message).await;
    }
}

/// When to come back to a run whose mark could not be sealed. Nothing was written.
fn unsealed(error: &SignError) -> Outcome {
    tracing::warn!("cannot seal the mark: {}; trying again", Chain(error));
    Outcome::Later {
        after: pause_after(error.retry()),
        progress: Progress::default(),
    }
}

/// How long a run waits that could not be stored everywhere.
fn pause_after(retry: Retry) -> Option<Duration> {
    match retry {
        Retry::Never | Retry::Settings => Some(RECHECK),
        // a pause that grows with every attempt
        Retry::Backoff => None,
        Retry::After(asked) => Some(asked.min(RECHECK)),
    }
}
