//! The audit: for every run, how far its signature is and why.
//!
//! Runs are read object by object and forgotten, so that a cluster of any size needs the memory of one.
//! Without a signer, marks and the traces of the controller count, as in lists; with one, a key or a name,
//! the seal of the mark and what is stored on the run are verified.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kube::Client;
use serde::Serialize;
use windlass_core::annotation;
use windlass_core::config::{Config, StoreKind};
use windlass_core::decide::{Facts, Trust};
use windlass_core::error::Chain;
use windlass_core::json::Flaw;
use windlass_core::run::{Kind, Run};
use windlass_core::seal::Seal;

use super::on_cluster;
use super::summary::{SignatureState, Summary};
use super::verify::report::Report;
use super::verify::{ExpectedSigner, VerifyRequest, run as verify_run, sealed};
use crate::cluster::peek::Identity;

/// How long a finished run may be without any trace before it counts as never seen.
const UNSEEN_AFTER: i64 = 60;

/// How far the signature of a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Signed, and with a key to verify with, valid.
    Signed,
    /// It is not finished.
    Running,
    /// Nothing is to be signed: nothing is enabled for its kind, or another controller manages it.
    Exempt,
    /// Finished and not yet signed.
    Waiting,
    /// Signing was given up.
    Failed,
    /// Marked as signed without a trace of a controller.
    Marked,
    /// Finished a while ago, and no controller wrote anything on it.
    Unseen,
    /// What is stored on it does not verify.
    Invalid,
    /// It cannot be read.
    Unreadable,
}

impl State {
    /// All of them, the good ones first.
    pub(crate) const ALL: [Self; 9] = [
        Self::Signed,
        Self::Running,
        Self::Exempt,
        Self::Waiting,
        Self::Failed,
        Self::Marked,
        Self::Unseen,
        Self::Invalid,
        Self::Unreadable,
    ];

    /// Its word in tables and documents.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Running => "running",
            Self::Exempt => "exempt",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Marked => "marked",
            Self::Unseen => "unseen",
            Self::Invalid => "invalid",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether nothing is left to do or to explain.
    pub(crate) const fn is_good(self) -> bool {
        matches!(self, Self::Signed | Self::Running | Self::Exempt)
    }
}

/// How many runs are in each state.
pub(crate) type Counts = BTreeMap<State, u64>;

/// One run.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) kind: &'static str,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) state: State,
    /// When it was finished.
    pub(crate) finished: Option<Timestamp>,
    /// Why it is in this state; empty if the state says it all.
    pub(crate) why: String,
}

/// What runs are judged by.
pub(crate) struct Auditor<'a> {
    pub(crate) client: &'a Client,
    pub(crate) config: &'a Config,
    /// Who has to have signed, any of them; none to believe marks with traces.
    pub(crate) signers: Vec<ExpectedSigner>,
    pub(crate) now: Timestamp,
}

impl Auditor<'_> {
    /// Judges a run, given as the API server sent it.
    pub(crate) async fn judge(&self, kind: Kind, object: &[u8]) -> Row {
        let unreadable = |why: String| {
            let (namespace, name) = Identity::peek(object).into_place();
            Row {
                kind: kind.name(),
                namespace,
                name,
                state: State::Unreadable,
                finished: None,
                why,
            }
        };
        let run = match kind.parse(object) {
            Ok(run) => run,
            Err(error) => return unreadable(Chain(&error).to_string()),
        };
        let summary: Summary = match serde_json::from_slice(object) {
            Ok(summary) => summary,
            Err(error) => return unreadable(Flaw::from(error).to_string()),
        };
        let (mut state, mut why) = self.state(&run, &summary);
        if state == State::Signed && !self.signers.is_empty() {
            (state, why) = self.verified(kind, &run, object).await;
        }
        Row {
            kind: kind.name(),
            namespace: summary.metadata.namespace,
            name: summary.metadata.name,
            state,
            finished: summary.status.completion_time,
            why,
        }
    }

    fn state(&self, run: &Run<'_>, summary: &Summary) -> (State, String) {
        let facts = Facts::of(run, Some(self.config), &Trust::default());
        let reason = run.metadata().annotation(annotation::REASON);
        let reason = reason.unwrap_or_default().to_owned();
        match facts.managed_by {
            None | Some("" | "tekton.dev/pipeline") => {}
            Some(other) if self.config.managed_by.contains(other) => {}
            Some(other) => return (State::Exempt, format!("managed by {other}")),
        }
        if !facts.done {
            return (State::Running, String::new());
        }
        match summary.signature() {
            SignatureState::Signed => (State::Signed, String::new()),
            SignatureState::Failed => (State::Failed, reason),
            SignatureState::Marked => {
                let why = "marked as signed, without a trace of a controller";
                (State::Marked, why.to_owned())
            }
            _ if !facts.enabled => {
                let why = format!("nothing is enabled for {}s", run.kind().words());
                (State::Exempt, why)
            }
            SignatureState::Retrying => (State::Waiting, reason),
            SignatureState::None if !reason.is_empty() => (State::Waiting, reason),
            SignatureState::None => self.untouched(summary),
        }
    }

    /// A finished run on which nothing was written.
    fn untouched(&self, summary: &Summary) -> (State, String) {
        let finished = summary.status.completion_time;
        let age = finished.map(|at| self.now.as_second() - at.as_second());
        match age {
            Some(age) if age <= UNSEEN_AFTER => {
                (State::Waiting, format!("finished {} s ago", age.max(0)))
            }
            _ => {
                let why =
                    "no controller wrote anything on it; is it running, and for this namespace?";
                (State::Unseen, why.to_owned())
            }
        }
    }

    /// Verifies the seal of a run's mark, and what is stored on the run.
    async fn verified(&self, kind: Kind, run: &Run<'_>, object: &[u8]) -> (State, String) {
        let metadata = run.metadata();
        let own = annotation::signature(&run.short_key());
        if metadata.annotation(&own).is_some() {
            return self.verified_on_run(kind, run, object).await;
        }
        let is_kept_on_run = self
            .config
            .policy(kind)
            .storage
            .contains(&StoreKind::Tekton);
        match sealed::by_any(&self.signers, kind, metadata) {
            Err(finding) => (State::Invalid, finding),
            Ok(Seal { payload: None }) => {
                let why = "sealed: nothing of the run itself was to be signed";
                (State::Signed, why.to_owned())
            }
            Ok(_) if is_kept_on_run => {
                let why = "the seal is valid, but the signature is not on the run, where \
                           chains-config stores it";
                (State::Invalid, why.to_owned())
            }
            Ok(_) => {
                let why = "sealed; what is stored elsewhere was not read";
                (State::Signed, why.to_owned())
            }
        }
    }

    /// Verifies what is stored on a run; one signer has to be the right one for all of it.
    async fn verified_on_run(&self, kind: Kind, run: &Run<'_>, object: &[u8]) -> (State, String) {
        let text = String::from_utf8_lossy(object).into_owned();
        let children = on_cluster::children(self.client, kind, &text).await;
        let documents = on_cluster::with(kind, text, &children.unwrap_or_default());
        let target = format!("{}/{}", kind.singular(), run.metadata().name);
        let mut why = String::new();
        for signer in &self.signers {
            let request = VerifyRequest::of(signer.clone());
            match verify_run::verify(target.clone(), &documents, &request).await {
                Ok(report) => match report.verdict() {
                    Ok(()) => return (State::Signed, String::new()),
                    Err(verdict) if why.is_empty() => why = finding(verdict, &report),
                    Err(_) => {}
                },
                Err(error) => return (State::Unreadable, Chain(&error).to_string()),
            }
        }
        (State::Invalid, why)
    }
}

/// Why a run is not verified: the verdict, and the first thing that is wrong.
fn finding(verdict: &str, report: &Report) -> String {
    let mut findings = report
        .entries
        .iter()
        .flat_map(|entry| &entry.outcome.findings);
    match findings.next() {
        Some(first) => format!("{verdict}: {first}"),
        None => verdict.to_owned(),
    }
}
