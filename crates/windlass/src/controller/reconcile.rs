//! One pass over one run: look, decide, do the one thing that is to be done.
//!
//! A finished run takes one write and no read. Every write carries the uid and the version of the
//! run it was decided on; when the run changed meanwhile the API server refuses it, and only then
//! is the run read again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kube::Client;
use serde::Deserialize;
use tokio::sync::watch;
use windlass_core::annotation;
use windlass_core::config::Config;
use windlass_core::decide::{Decision, Facts, Scope, decide, next_retries};
use windlass_core::run::{Metadata, Run, TaskRun};

use super::event::{self, Regarding};
use super::record::{self, Change};
use super::settings::Settings;
use crate::cluster::call::{APPLY_PATCH, Call, CallError, MERGE_PATCH};
use crate::pipeline::{self, Record, Retry};
use crate::signer::Signer;
use crate::telemetry::Metrics;

/// How often in a row a pass is repeated because the run changed under it.
const CONFLICTS: usize = 5;

/// Names a run, across deletion and re-creation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RunId {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
}

/// What a pass works on.
#[derive(Debug)]
pub(crate) enum Work {
    /// The run as the watch showed it.
    Seen(Bytes),
    /// The run as it is now, which has to be read first.
    Fetch,
}

/// What is to be done with a run after a pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing, until it changes.
    Settled,
    /// Another pass, after this pause or one that grows.
    Later { after: Option<Duration> },
}

/// How one look at a run ended.
enum Pass {
    End(Outcome),
    /// The run is not what it was: look again.
    Changed,
}

const SETTLED: Pass = Pass::End(Outcome::Settled);
/// Nothing but a change of the settings helps, and that wakes the run up; this is for safety.
const RECHECK: Pass = Pass::End(Outcome::Later {
    after: Some(Duration::from_secs(1800)),
});

/// The metadata of an object, whatever else it is.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
}

/// The run that an object is, or `None` when it is not an object.
pub(crate) fn id_of(object: &[u8]) -> Option<RunId> {
    serde_json::from_slice::<Head<'_>>(object)
        .ok()
        .map(|head| id(&head.metadata))
}

/// Carries out passes.
pub(crate) struct Reconciler {
    pub(crate) client: Client,
    pub(crate) settings: watch::Receiver<Settings>,
    /// Namespaces to look at; empty means all.
    pub(crate) namespaces: std::collections::BTreeSet<String>,
    pub(crate) metrics: Metrics,
}

impl Reconciler {
    /// Whether anything has to be done about an object that the watch shows, and about which run.
    pub(crate) fn look(&self, object: &[u8]) -> Option<RunId> {
        let head: Head<'_> = match serde_json::from_slice(object) {
            Ok(head) => head,
            Err(error) => {
                tracing::error!(%error, "the API server sent something that is not an object");
                return None;
            }
        };
        let id = id(&head.metadata);
        let settings = self.settings.borrow().clone();
        match TaskRun::parse(object) {
            Ok(run) => {
                let decision = self.decide(&Run::Task(run), &settings);
                (!matches!(decision, Decision::Wait | Decision::Skip(_))).then_some(id)
            }
            // whoever may write a run's status can make it unreadable; that gets an outcome too
            Err(_) => (mark(&head.metadata).is_none()).then_some(id),
        }
    }

    /// Makes passes over a run until there is an outcome.
    pub(crate) async fn reconcile(&self, id: &RunId, work: Work) -> Outcome {
        let mut seen = match work {
            Work::Seen(object) => Some(object),
            Work::Fetch => None,
        };
        for _ in 0..CONFLICTS {
            let object = match seen.take() {
                Some(object) => object,
                None => match self.fetch(id).await {
                    Ok(object) => object,
                    Err(outcome) => return outcome,
                },
            };
            match self.pass(id, &object).await {
                Pass::End(outcome) => return outcome,
                Pass::Changed => {}
            }
        }
        Outcome::Later { after: None }
    }

    async fn fetch(&self, id: &RunId) -> Result<Bytes, Outcome> {
        let call = Call::get(format!("read task run {id}"), id.path());
        match call.send(&self.client).await {
            Ok(object) => Ok(object),
            Err(error) if error.status() == Some(404) => Err(Outcome::Settled),
            Err(error) => Err(later(error)),
        }
    }

    fn decide(&self, run: &Run<'_>, settings: &Settings) -> Decision {
        let metadata = run.metadata();
        let config = settings.config.get().ok();
        let facts = Facts {
            namespace: &metadata.namespace,
            managed_by: run.managed_by(),
            done: run.is_done(),
            deleting: metadata.deletion_timestamp.is_some(),
            protected: record::is_protected(metadata),
            signed: record::value_of(metadata, annotation::SIGNED),
            enabled: config.is_none_or(|config| pipeline::is_enabled(config)),
        };
        let managed_by = config
            .map(|config| config.managed_by.clone())
            .unwrap_or_default();
        decide(
            &facts,
            &Scope {
                namespaces: self.namespaces.clone(),
                managed_by,
            },
        )
    }

    async fn pass(&self, id: &RunId, object: &[u8]) -> Pass {
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
        let settings = self.settings.borrow().clone();
        let run = match TaskRun::parse(object) {
            Ok(run) => Run::Task(run),
            Err(error) => return self.give_up(id, metadata, &text(error)).await,
        };
        match self.decide(&run, &settings) {
            Decision::Wait | Decision::Skip(_) => SETTLED,
            Decision::Protect => self.protect(id, metadata).await,
            Decision::Release(reason) => {
                tracing::debug!(run = %id, ?reason, "finalizer taken off");
                self.write(id, &Change::release(metadata)).await.into_pass()
            }
            Decision::Sign => match (settings.config.get(), settings.signer.get()) {
                (Ok(config), Ok(signer)) => self.sign(id, &run, config, signer).await,
                (Err(reason), _) | (_, Err(reason)) => self.hold(id, metadata, reason).await,
            },
        }
    }

    async fn sign(
        &self,
        id: &RunId,
        run: &Run<'_>,
        config: &Arc<Config>,
        signer: &Arc<Signer>,
    ) -> Pass {
        let metadata = run.metadata();
        let others = record::size_besides(metadata);
        let record = match pipeline::attest(run, config, signer, others) {
            Ok(record) => record,
            Err(error) => {
                self.metrics.failures.inc();
                let retry = error.retry();
                let reason = text(error);
                return match retry {
                    Retry::Never => self.give_up(id, metadata, &reason).await,
                    Retry::Settings => self.hold(id, metadata, &reason).await,
                };
            }
        };
        if let Some(missing) = &record.missing {
            return self
                .record_in_part(id, metadata, &record, &missing.to_string())
                .await;
        }
        match self.write(id, &Change::signed(metadata, &record)).await {
            Written::Done => {
                self.metrics.signatures.inc_by(record.signatures);
                self.metrics.stored.inc_by(record.signatures);
                self.metrics.marked_signed.inc();
                tracing::info!(run = %id, key_id = signer.key_id(), "signed");
                self.tell_warnings(id, &record.warnings).await;
                SETTLED
            }
            Written::TooLarge(reason) => self.give_up(id, metadata, &reason).await,
            other => other.into_pass(),
        }
    }

    /// Records what could be made, without the mark, since something that is enabled is missing.
    async fn record_in_part(
        &self,
        id: &RunId,
        metadata: &Metadata<'_>,
        record: &Record,
        reason: &str,
    ) -> Pass {
        let reason = annotation::reason(reason);
        if record::is_recorded(metadata, record, &reason) {
            return RECHECK;
        }
        let retries = next_retries(record::value_of(metadata, annotation::RETRIES));
        match self
            .write(id, &Change::in_part(metadata, record, retries, &reason))
            .await
        {
            Written::Done => {
                self.metrics.signatures.inc_by(record.signatures);
                self.metrics.stored.inc_by(record.signatures);
                tracing::warn!(run = %id, "signed in part only: {reason}");
                event::warn(&self.client, &id.regarding(), "SigningIncomplete", &reason).await;
                RECHECK
            }
            Written::TooLarge(reason) => self.give_up(id, metadata, &reason).await,
            other => other.into_pass(),
        }
    }

    async fn tell_warnings(&self, id: &RunId, warnings: &[String]) {
        if !warnings.is_empty() {
            let message = warnings.join("; ");
            event::warn(
                &self.client,
                &id.regarding(),
                "ProvenanceIncomplete",
                &message,
            )
            .await;
        }
    }

    /// Leaves the run unsigned for now, says why on it, and comes back.
    async fn hold(&self, id: &RunId, metadata: &Metadata<'_>, reason: &str) -> Pass {
        let reason = annotation::reason(reason);
        if record::value_of(metadata, annotation::REASON) == Some(reason.as_str()) {
            return RECHECK;
        }
        tracing::warn!(run = %id, "not signed yet: {reason}");
        let retries = next_retries(record::value_of(metadata, annotation::RETRIES));
        match self
            .write(id, &Change::held(metadata, retries, &reason))
            .await
        {
            Written::Done => {
                event::warn(&self.client, &id.regarding(), "SigningDelayed", &reason).await;
                RECHECK
            }
            other => other.into_pass(),
        }
    }

    /// Marks the run as failed, for good, and says why.
    async fn give_up(&self, id: &RunId, metadata: &Metadata<'_>, reason: &str) -> Pass {
        let reason = annotation::reason(reason);
        tracing::error!(run = %id, "given up: {reason}");
        match self.write(id, &Change::failed(metadata, &reason)).await {
            Written::Done => {
                self.metrics.given_up.inc();
                event::warn(&self.client, &id.regarding(), "SigningFailed", &reason).await;
                SETTLED
            }
            other => other.into_pass(),
        }
    }

    async fn protect(&self, id: &RunId, metadata: &Metadata<'_>) -> Pass {
        let manager = query(annotation::FINALIZER_FIELD_MANAGER);
        let uri = format!("{}?fieldManager={manager}&force=false", id.path());
        let body = record::finalizer_apply(metadata);
        let call = Call::patch(format!("protect task run {id}"), uri, APPLY_PATCH, body);
        Written::from(call.send(&self.client).await).into_pass()
    }

    async fn write(&self, id: &RunId, change: &Change) -> Written {
        let manager = query(annotation::FIELD_MANAGER);
        let uri = format!("{}?fieldManager={manager}", id.path());
        let call = Call::patch(
            format!("record task run {id}"),
            uri,
            MERGE_PATCH,
            change.body(),
        );
        Written::from(call.send(&self.client).await)
    }
}

/// How a write ended.
enum Written {
    Done,
    /// The run is gone.
    Gone,
    /// The run is not what it was.
    Changed,
    /// The run would be larger than the API server allows, which no repetition changes.
    TooLarge(String),
    Failed(CallError),
}

impl From<Result<Bytes, CallError>> for Written {
    fn from(answer: Result<Bytes, CallError>) -> Self {
        let Err(error) = answer else {
            return Self::Done;
        };
        let CallError::Refused {
            status, message, ..
        } = &error
        else {
            return Self::Failed(error);
        };
        let lower = message.to_lowercase();
        match status {
            404 => Self::Gone,
            409 => Self::Changed,
            422 if lower.contains("uid") && lower.contains("immutable") => Self::Gone,
            413 | 422 | 500 if lower.contains("too long") || lower.contains("too large") => {
                Self::TooLarge(error.to_string())
            }
            _ => Self::Failed(error),
        }
    }
}

impl Written {
    fn into_pass(self) -> Pass {
        match self {
            Self::Done | Self::Gone => SETTLED,
            Self::Changed => Pass::Changed,
            Self::TooLarge(reason) => {
                tracing::error!("{reason}");
                Pass::End(Outcome::Later { after: None })
            }
            Self::Failed(error) => Pass::End(later(error)),
        }
    }
}

fn later(error: CallError) -> Outcome {
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

fn text(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

fn query(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

fn mark<'m>(metadata: &'m Metadata<'_>) -> Option<&'m str> {
    let mark = record::value_of(metadata, annotation::SIGNED);
    mark.filter(|mark| matches!(*mark, "true" | "failed"))
}

fn id(metadata: &Metadata<'_>) -> RunId {
    RunId {
        namespace: metadata.namespace.to_string(),
        name: metadata.name.to_string(),
        uid: metadata.uid.to_string(),
    }
}

impl RunId {
    fn path(&self) -> String {
        let (namespace, name) = (query(&self.namespace), query(&self.name));
        format!("/apis/tekton.dev/v1/namespaces/{namespace}/taskruns/{name}")
    }

    fn regarding(&self) -> Regarding {
        Regarding {
            api_version: "tekton.dev/v1",
            kind: "TaskRun",
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            uid: self.uid.clone(),
        }
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
