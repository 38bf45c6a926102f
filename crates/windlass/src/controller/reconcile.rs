//! One pass over one run: look, decide, attest, record.
//!
//! A finished task run takes one write and no read, and one more write if something of it goes to a
//! registry; a pipeline run takes one more read, of its task runs. Every write carries the uid and the
//! version of the run that was read. If the run has changed since, the API server refuses the write,
//! and the run is read again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use windlass_core::annotation;
use windlass_core::config::{ArtifactPolicy, Config, FINALIZER_GRACE};
use windlass_core::decide::{Decision, Facts, Scope, Trust, decide, is_settled};
use windlass_core::error::Chain;
use windlass_core::run::{Adopted, Kind, Metadata, PipelineRun, Run, RunError, TaskRun, adopt};

pub(crate) use self::pass::Reconciler;
use self::pass::{Pass, RECHECK, recheck};
use super::children::{incomplete, unsettled};
use super::flight::{Boarded, FlightError};
use super::record::{self, WriteError};
use super::work::{Outcome, Snapshot, Work};
use crate::cluster::call::CallError;
use crate::cluster::children::{Children, ChildrenError};
use crate::cluster::runs::{Head, RunId, RunKind};
use crate::cluster::watch::ListError;
use crate::pipeline::{self, Progress, Reach};
use crate::settings::{InForce, Settings};

mod delay;
mod pass;
mod release;
mod sign;

/// How often in a row a pass is repeated because the run changed under it.
const CONFLICTS: usize = 5;
/// What an object that the watch shows calls for.
#[derive(Debug, Default)]
pub(crate) struct Triage {
    /// Something has to be done about this run.
    pub(crate) due: Option<RunId>,
    /// The run is being deleted, and waits for us.
    pub(crate) is_leaving: bool,
    /// Nobody has to wait for this task run any longer.
    pub(crate) settled: Option<RunId>,
}

/// How a pass goes about a run.
#[derive(Debug, Clone, Copy)]
struct Manner {
    reach: Reach,
    is_overdue: bool,
}

impl Reconciler {
    /// Whether anything has to be done about an object that the watch shows.
    pub(crate) fn triage(&self, kind: RunKind, object: &[u8]) -> Triage {
        let settings = self.settings.borrow().clone();
        let Ok(run) = kind.parse(object) else {
            return self.triage_unreadable(kind, object, &settings);
        };
        let id = RunId::new(kind, run.metadata());
        let facts = self.facts(&run, &settings);
        let scope = self.scope(&settings);
        let rests = match decide(&facts, &scope) {
            Decision::Wait | Decision::Skip(_) => true,
            Decision::Release(_) => self.leaves_finalizer(&facts, &id),
            Decision::Protect | Decision::Unmark | Decision::Sign => false,
        };
        let settled = kind == RunKind::Task && is_settled(&facts, &scope);
        Triage {
            due: (!rests).then(|| id.clone()),
            is_leaving: facts.deleting && facts.protected,
            settled: settled.then_some(id),
        }
    }

    /// The same of one that cannot be read: whoever may write a run's status can make it unreadable, and that gets an
    /// outcome too.
    fn triage_unreadable(&self, kind: RunKind, object: &[u8], settings: &Settings) -> Triage {
        let head: Head<'_> = match serde_json::from_slice(object) {
            Ok(head) => head,
            Err(error) => {
                tracing::error!(%error, "the API server sent something that is not an object");
                return Triage::default();
            }
        };
        let metadata = &head.metadata;
        let id = RunId::new(kind, metadata);
        let is_leaving = metadata.deletion_timestamp.is_some() && kind.is_protected(metadata);
        let mark = metadata.annotation(annotation::SIGNED);
        let is_marked =
            matches!(mark, Some("true" | "failed")) && self.believes(settings, kind, metadata);
        Triage {
            settled: (is_marked && kind == RunKind::Task).then(|| id.clone()),
            due: (!is_marked || is_leaving).then_some(id),
            is_leaving,
        }
    }

    /// What is known of a run.
    fn facts<'r>(&self, run: &'r Run<'_>, settings: &Settings) -> Facts<'r> {
        let trust = settings.trust();
        let facts = Facts::of(run, settings.config(), &trust);
        self.conceded
            .apply(facts, run.kind(), run.metadata(), &trust)
    }

    /// Whether the mark of a run that cannot be read is believed.
    fn believes(&self, settings: &Settings, kind: RunKind, metadata: &Metadata<'_>) -> bool {
        let trust = settings.trust();
        trust.believes(kind, metadata, None) || self.conceded.covers(kind, metadata, &trust)
    }

    /// Whether the finalizer of a run stays, since somebody put it back.
    fn leaves_finalizer(&self, facts: &Facts<'_>, id: &RunId) -> bool {
        !facts.deleting && self.released.has(&id.uid)
    }

    /// A pass that ends in time; registries have five sixths of it. What it has written stays; what it
    /// had in memory is made anew.
    pub(crate) async fn pass_in_time(
        self: Arc<Self>,
        id: Arc<RunId>,
        work: Work,
        deadline: Duration,
    ) -> Outcome {
        let until = Instant::now() + deadline * 5 / 6;
        let pass = self.reconcile(&id, work, until);
        if let Ok(outcome) = tokio::time::timeout(deadline, pass).await {
            return outcome;
        }
        tracing::warn!("a pass was cut after {deadline:?}; it goes on later");
        self.metrics.cut.inc();
        Outcome::again(Progress::default())
    }

    /// Makes passes over a run until there is an outcome. Registries have until then.
    async fn reconcile(&self, id: &RunId, work: Work, until: Instant) -> Outcome {
        let manner = Manner {
            reach: if work.reaches_registries() {
                Reach::Registries(until)
            } else {
                Reach::Run
            },
            is_overdue: matches!(work, Work::Overdue),
        };
        let (mut known, mut progress) = match work {
            Work::Seen(object) => (Some(object.into()), Progress::default()),
            Work::Confirm(run, progress) => (Some(run), progress),
            Work::Push(run, progress) => (run, progress),
            Work::Fetch(progress) => (None, progress),
            Work::Overdue => (None, Progress::default()),
        };
        for _ in 0..CONFLICTS {
            let (written, boarded) = match known.take() {
                Some(run) => (run.written, self.flight.take(id, run.object).await),
                None => (None, self.flight.read(&self.client, id).await),
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
            let run = Snapshot { object, written };
            match self.pass(id, &run, manner, &mut progress).await {
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
        Outcome::again(progress.without_confirmations())
    }

    /// One pass. A deleted run whose grace is over is let go whatever goes wrong.
    async fn pass(
        &self,
        id: &RunId,
        run: &Snapshot,
        manner: Manner,
        progress: &mut Progress,
    ) -> Result<Outcome, WriteError> {
        let head = match serde_json::from_slice::<Head<'_>>(run.latest()) {
            Ok(head) if *head.metadata.uid == *id.uid => head,
            // deleted and made anew under the same name: the watch shows the new one
            Ok(_) => return Ok(Outcome::Settled),
            Err(error) => {
                tracing::error!(%error, "the API server sent something that is not a run");
                return Ok(Outcome::again(Progress::default()));
            }
        };
        let settings = self.settings.borrow().clone();
        let grace = |config: &Config| config.finalizer_grace;
        let pass = Pass {
            reconciler: self,
            id,
            run,
            metadata: &head.metadata,
            reach: manner.reach,
            grace: settings.config().map_or(FINALIZER_GRACE, grace),
            is_overdue: manner.is_overdue,
        };
        let ended = pass.run(&settings, progress).await;
        let is_over = pass.grace_left() == Some(Duration::ZERO);
        match ended {
            Err(WriteError::TooLarge(reason)) if is_over => pass.release_unsigned(&reason).await,
            Err(WriteError::Failed(error)) if is_over => {
                let reason = Chain(&error).to_string();
                pass.release_unsigned(&annotation::reason(&reason)).await
            }
            ended => ended,
        }
    }

    fn scope(&self, settings: &Settings) -> Scope {
        Scope::new(self.namespaces.clone(), settings.config())
    }
}

/// Whether a signer that a run needs is about to be loaded.
fn awaits_signer(run: &Run<'_>, settings: &Settings) -> bool {
    let Some(config) = settings.config() else {
        return false;
    };
    let awaits = |policy: &ArtifactPolicy| policy.is_enabled() && settings.awaits(policy.signer);
    // the images of a run are looked for only while their signer is missing
    awaits(config.policy(run.kind())) || awaits(&config.oci) && pipeline::has_images(run)
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

impl Pass<'_> {
    /// Decides what is to be done, and does it.
    async fn run(
        &self,
        settings: &Settings,
        progress: &mut Progress,
    ) -> Result<Outcome, WriteError> {
        let run = match self.id.kind.parse(&self.run.object) {
            Ok(run) => run,
            Err(error) => return self.unreadable(settings, &error).await,
        };
        let facts = self.reconciler.facts(&run, settings);
        match decide(&facts, &self.reconciler.scope(settings)) {
            Decision::Wait | Decision::Skip(_) => Ok(Outcome::Settled),
            Decision::Protect => {
                record::protect(&self.reconciler.client, self.id, self.metadata).await?;
                Ok(Outcome::Written)
            }
            Decision::Unmark => self.unmark().await,
            Decision::Release(_) if self.reconciler.leaves_finalizer(&facts, self.id) => {
                Ok(Outcome::Settled)
            }
            Decision::Release(reason) => {
                tracing::debug!(?reason, "finalizer removed");
                self.release().await
            }
            // it is looked at again once the key service has responded, or failed to
            Decision::Sign if awaits_signer(&run, settings) => Ok(recheck()),
            Decision::Sign => match (settings.in_force(self.id.kind), run) {
                (Err(reason), _) => self.hold(reason).await,
                (Ok(loaded), Run::Pipeline(run, _)) => {
                    let scope = self.reconciler.scope(settings);
                    let judge = (&settings.trust(), &scope);
                    Box::pin(self.pipeline_run(run, loaded, judge, progress)).await
                }
                (Ok(loaded), run) => Box::pin(self.sign(&run, loaded, None, progress)).await,
            },
        }
    }

    /// A run that cannot be read is never signed. One that says so already only waits to be let go.
    async fn unreadable(
        &self,
        settings: &Settings,
        error: &RunError,
    ) -> Result<Outcome, WriteError> {
        let mark = self.metadata.annotation(annotation::SIGNED);
        if matches!(mark, Some("true" | "failed"))
            && self
                .reconciler
                .believes(settings, self.id.kind, self.metadata)
        {
            return self.release().await;
        }
        let reason = Chain(error).to_string();
        self.give_up(&reason).await
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
            Ok(None) => return Ok(Outcome::again(std::mem::take(progress))),
            Err(ChildrenError::List(ListError::Call(error))) => {
                return Err(WriteError::Failed(error));
            }
            Err(error @ ChildrenError::TooLarge) => {
                return self.give_up(&error.to_string()).await;
            }
            Err(error) => {
                let reason = Chain(&error).to_string();
                tracing::error!("{reason}; retrying");
                let released = self.release_if_due(&annotation::reason(&reason)).await?;
                let again = || Outcome::again(std::mem::take(progress));
                return Ok(released.unwrap_or_else(again));
            }
        };
        let mut refused = std::mem::take(&mut children.refused);
        let children = Children::parse(children.objects(), &mut refused);
        let conceded = &self.reconciler.conceded;
        let waiting = unsettled(&children, loaded.config, (trust, conceded), scope);
        if !waiting.is_empty() {
            // another replica may have seen a new key of the service before this one
            let is_sealed =
                |child: &TaskRun<'_>| trust.has_foreign_seal(Kind::Task, &child.metadata);
            if children.iter().any(is_sealed) {
                self.reconciler.settings.borrow().doubt_signers();
            }
            return self.wait_for(waiting).await;
        }
        let Adopted { run, missing, .. } = adopt(run, children);
        let incomplete = incomplete(&missing, &refused);
        self.sign(&run, loaded, incomplete, progress).await
    }
}
