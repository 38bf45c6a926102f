//! The runs: whose marks are believed, and which repositories they push to under which account.

use std::collections::{BTreeMap, BTreeSet};

use windlass_core::config::{Config, StoreKind};
use windlass_core::decide::{Decision, Facts, Scope, decide};
use windlass_core::error::Chain;
use windlass_core::extract;
use windlass_core::image::Image;
use windlass_core::payload::Payload;
use windlass_core::run::{Kind, Run};
use windlass_registry::Repository;
use windlass_registry::keychain::Account;

use super::evidence::Evidence;
use super::extent::{Cluster, Migration};
use super::settings::Settings;
use crate::inspect::runs::Runs;
use crate::store::oci::{credentials, repository_of};

/// Most repositories that are looked at, of all accounts together.
const MOST: usize = 10_000;

/// An account, and the secrets that its runs name for their pods.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pusher {
    pub(super) namespace: String,
    pub(super) account: String,
    pub(super) pull_secrets: Vec<String>,
}

impl Pusher {
    fn of(run: &Run<'_>) -> Self {
        let Account { namespace, name } = credentials::account(run);
        Self {
            namespace,
            account: name,
            pull_secrets: run.image_pull_secrets().map(str::to_owned).collect(),
        }
    }
}

/// What is of interest in the runs.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The repositories of images that are signed, by whom they are named.
    pub(super) pushed: BTreeMap<Pusher, BTreeSet<Repository>>,
    /// How many marks of a namespace are not believed.
    pub(super) unproven: BTreeMap<String, usize>,
    repositories: usize,
}

/// Reads all runs, one after the other.
pub(super) async fn read(
    cluster: &Cluster<'_>,
    settings: &Settings,
    evidence: &Evidence,
    found: &mut Migration,
) -> Seen {
    let mut seen = Seen::default();
    for kind in [Kind::Task, Kind::Pipeline] {
        let runs = match Runs::new(cluster.client, kind, cluster.namespace) {
            Ok(runs) => runs,
            Err(error) => {
                found.unread.push(Chain(&error).to_string());
                return seen;
            }
        };
        let mut count = 0;
        let read = runs.each(None, |object| {
            count += 1;
            // one that cannot be read is told by the controller
            if let Ok(run) = kind.parse(object) {
                seen.take(&run, settings, evidence);
            }
            Ok(())
        });
        match read.await {
            Ok(passed_over) => found.unread.extend(passed_over),
            Err(error) => {
                let what = format!("{}s {}", kind, runs.place());
                found.unread.push(format!("{what}: {}", Chain(&error)));
            }
        }
        found.runs += count;
    }
    if seen.repositories > MOST {
        found.unread.push(format!(
            "runs name more than {MOST} repositories, of which the first were looked at; look at \
             one namespace at a time with -n"
        ));
    }
    seen
}

impl Seen {
    fn take(&mut self, run: &Run<'_>, settings: &Settings, evidence: &Evidence) {
        let config = &settings.config;
        let facts = Facts::of(run, Some(config), &evidence.trust());
        let is_marked = matches!(facts.signed, Some("true" | "failed"));
        let scope = Scope::new(BTreeSet::new(), Some(config));
        if is_marked && facts.done && decide(&facts, &scope) == Decision::Sign {
            let namespace = facts.namespace.to_owned();
            *self.unproven.entry(namespace).or_default() += 1;
        }
        // what Chains gave up was never pushed
        if !facts.done || facts.signed == Some("failed") {
            return;
        }
        let repositories = repositories(run, config);
        if repositories.is_empty() {
            return;
        }
        if !self.pushed.contains_key(&Pusher::of(run)) && self.repositories >= MOST {
            self.repositories = MOST + 1;
            return;
        }
        let known = self.pushed.entry(Pusher::of(run)).or_default();
        for repository in repositories {
            if self.repositories > MOST {
                return;
            }
            self.repositories += usize::from(known.insert(repository));
        }
    }
}

/// The repositories of the images that something is attached to for a run.
fn repositories(run: &Run<'_>, config: &Config) -> BTreeSet<Repository> {
    let mut images: Vec<Image> = Vec::new();
    if let Run::Task(task) = run
        && config.oci.is_enabled()
        && config.oci.storage.contains(&StoreKind::Oci)
    {
        images.extend(extract::images(task).0);
    }
    let policy = config.policy(run.kind());
    if policy.is_enabled() && policy.storage.contains(&StoreKind::Oci) {
        let payload = Payload::of_run(run, config, policy.format);
        let subjects = payload.map(|payload| payload.subjects).unwrap_or_default();
        images.extend(subjects.iter().filter_map(|subject| {
            let sha256 = subject.digest.get("sha256")?;
            Image::parse(&format!("{}@sha256:{sha256}", subject.name)).ok()
        }));
    }
    let repositories = images.iter().map(repository_of);
    repositories.filter_map(Result::ok).collect()
}
