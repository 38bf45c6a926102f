//! One pass over one run: look, decide, do the one thing that is to be done.
//!
//! A finished task run takes one write and no read; a pipeline run takes one read more, of its task
//! runs. Every write carries the uid and the version of the run it was decided on; when the run
//! changed meanwhile the API server refuses it, and only then is the run read again.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use kube::Client;
use tokio::sync::watch;
use windlass_core::annotation;
use windlass_core::decide::{Decision, Facts, Scope, decide, is_settled};
use windlass_core::error::Chain;
use windlass_core::run::{Metadata, Run, TaskRun};

use super::record::{self, Change};
use crate::cluster::call::{Call, CallError};
use crate::cluster::runs::{Head, RunId, RunKind};
use crate::settings::Settings;
use crate::store::oci::Registries;
use crate::telemetry::Metrics;

/// How often in a row a pass is repeated because the run changed under it.
const CONFLICTS: usize = 5;

/// What a pass works on.
#[derive(Debug)]
pub(crate) enum Work {
    /// The run as the watch showed it.
    Seen(Bytes),
    /// The run as it is now, which has to be read first.
    Fetch,
    /// The same, for a run that has waited so long that it should say why.
    Overdue,
}

/// What is to be done with a run after a pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing, until it changes.
    Settled,
    /// Another pass, after this pause or one that grows.
    Later { after: Option<Duration> },
    /// Another pass once all these task runs of its namespace are settled, or after this pause.
    Awaiting {
        children: BTreeSet<String>,
        after: Duration,
    },
}

/// How one look at a run ended.
pub(super) enum Pass {
    End(Outcome),
    /// The run is not what it was: look again.
    Changed,
}

pub(super) const SETTLED: Pass = Pass::End(Outcome::Settled);

/// What an object that the watch shows calls for.
#[derive(Debug, Default)]
pub(crate) struct Noticed {
    /// Something has to be done about this run.
    pub(crate) due: Option<RunId>,
    /// Nobody has to wait for this task run any longer.
    pub(crate) settled: Option<RunId>,
}

/// Carries out passes.
pub(crate) struct Reconciler {
    pub(crate) client: Client,
    pub(crate) settings: watch::Receiver<Settings>,
    /// Namespaces to look at; empty means all.
    pub(crate) namespaces: BTreeSet<String>,
    pub(crate) metrics: Metrics,
    /// How long a pipeline run waits for its task runs before it says so.
    pub(crate) patience: Duration,
    /// Where signatures and attestations go that belong beside an image.
    pub(crate) registries: Registries,
}

impl Reconciler {
    /// Whether anything has to be done about an object that the watch shows.
    pub(crate) fn look(&self, kind: RunKind, object: &[u8]) -> Noticed {
        let head: Head<'_> = match serde_json::from_slice(object) {
            Ok(head) => head,
            Err(error) => {
                tracing::error!(%error, "the API server sent something that is not an object");
                return Noticed::default();
            }
        };
        let id = RunId::new(kind, &head.metadata);
        let settings = self.settings.borrow().clone();
        let Ok(run) = kind.parse(object) else {
            // whoever may write a run's status can make it unreadable; that gets an outcome too
            return if is_marked(&head.metadata) {
                Noticed::settled(id)
            } else {
                Noticed::due(id)
            };
        };
        let facts = Facts::of(&run, settings.config());
        let scope = self.scope(&settings);
        let rests = matches!(decide(&facts, &scope), Decision::Wait | Decision::Skip(_));
        let settled = kind == RunKind::Task && is_settled(&facts, &scope);
        Noticed {
            due: (!rests).then(|| id.clone()),
            settled: settled.then_some(id),
        }
    }

    /// Makes passes over a run until there is an outcome.
    pub(crate) async fn reconcile(&self, id: &RunId, work: Work) -> Outcome {
        let overdue = matches!(work, Work::Overdue);
        let mut seen = match work {
            Work::Seen(object) => Some(object),
            Work::Fetch | Work::Overdue => None,
        };
        for _ in 0..CONFLICTS {
            let object = match seen.take() {
                Some(object) => object,
                None => match self.fetch(id).await {
                    Ok(object) => object,
                    Err(outcome) => return outcome,
                },
            };
            match self.pass(id, &object, overdue).await {
                Pass::End(outcome) => return outcome,
                Pass::Changed => {}
            }
        }
        Outcome::Later { after: None }
    }

    async fn fetch(&self, id: &RunId) -> Result<Bytes, Outcome> {
        let call = Call::get(format!("read {id}"), id.path());
        match call.send(&self.client).await {
            Ok(object) => Ok(object),
            Err(error) if error.status() == Some(404) => Err(Outcome::Settled),
            Err(error) => Err(later(error)),
        }
    }

    async fn pass(&self, id: &RunId, object: &[u8], overdue: bool) -> Pass {
        let head = match serde_json::from_slice::<Head<'_>>(object) {
            Ok(head) if *head.metadata.uid == *id.uid => head,
            // deleted and made anew under the same name: the watch shows the new one
            Ok(_) => return SETTLED,
            Err(error) => {
                tracing::error!(%error, run = %id, "the API server sent something that is not a run");
                return Pass::End(Outcome::Later { after: None });
            }
        };
        let metadata = &head.metadata;
        let run = match id.kind.parse(object) {
            Ok(run) => run,
            Err(error) => return self.give_up(id, metadata, &text(error)).await,
        };
        let settings = self.settings.borrow().clone();
        match decide(&Facts::of(&run, settings.config()), &self.scope(&settings)) {
            Decision::Wait | Decision::Skip(_) => SETTLED,
            Decision::Protect => self.protect(id, metadata).await,
            Decision::Unmark => self.unmark(id, metadata).await,
            Decision::Release(reason) => {
                tracing::debug!(run = %id, ?reason, "finalizer taken off");
                let change = Change::release(id.kind, metadata);
                self.write(id, &change).await.into_pass()
            }
            Decision::Sign => match (settings.in_force(), run) {
                (Err(reason), _) => self.hold(id, metadata, reason).await,
                (Ok(in_force), Run::Pipeline(run, _)) => {
                    let unsettled = |children: &[TaskRun<'_>]| self.unsettled(children, &settings);
                    self.sign_pipeline_run(id, run, in_force, unsettled, overdue)
                        .await
                }
                (Ok(in_force), run) => self.sign(id, &run, in_force, None).await,
            },
        }
    }

    fn scope(&self, settings: &Settings) -> Scope {
        Scope::new(self.namespaces.clone(), settings.config())
    }

    /// Names of the children that a pipeline run still has to wait for.
    fn unsettled(&self, children: &[TaskRun<'_>], settings: &Settings) -> BTreeSet<String> {
        let scope = self.scope(settings);
        let waiting = children
            .iter()
            .filter(|child| !is_settled(&Facts::of_task(child, settings.config()), &scope));
        waiting
            .map(|child| child.metadata.name.to_string())
            .collect()
    }
}

impl Noticed {
    fn due(id: RunId) -> Self {
        Self {
            due: Some(id),
            settled: None,
        }
    }

    fn settled(id: RunId) -> Self {
        Self {
            due: None,
            settled: (id.kind == RunKind::Task).then_some(id),
        }
    }
}

/// When to come back after a request that failed.
pub(super) fn later(error: CallError) -> Outcome {
    let after = error.retry_after();
    let transient = error.is_transient();
    let error = text(error);
    if transient {
        tracing::warn!("{error}; trying again");
    } else {
        tracing::error!("{error}; trying again, though this looks permanent");
    }
    Outcome::Later { after }
}

/// An error with its causes, in one line.
pub(super) fn text(error: impl std::error::Error + 'static) -> String {
    Chain(&error).to_string()
}

fn is_marked(metadata: &Metadata<'_>) -> bool {
    let mark = record::value_of(metadata, annotation::SIGNED);
    matches!(mark, Some("true" | "failed"))
}
