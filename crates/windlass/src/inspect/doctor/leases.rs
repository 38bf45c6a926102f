//! Who works here, by the leases that are held: the replicas of windlass, which share the namespaces, and
//! Tekton Chains, which keeps windlass from signing.

use jiff::{SignedDuration, Timestamp};
use kube::Client;
use windlass_core::error::Chain;

use super::finding::{Finding, Help, Level};
use crate::cluster::lease::Lease;
use crate::cluster::list::{List, ListError, Listed, Source};
use crate::cluster::path::{ApiPath, Resource};
use crate::manifests::rights::CONTROLLER;

const AREA: &str = "leases";
/// Beginning of the names of Chains' leases, which windlass holds while it runs.
const OF_CHAINS: &str = "watcher.github.com.tektoncd.chains.";
/// Beginning of the names of the leases of replicas.
const OF_REPLICAS: &str = "windlass-replica-";
/// Beginning of the names of those who are windlass.
const OURS: &str = "windlass/";
/// On the lease of a replica: the namespace whose TaskRuns it divides among all.
const DIVIDES: &str = "chains.tekton.dev/divides";
/// How long a lease lasts that does not say so; the default of Chains.
const DURATION: SignedDuration = SignedDuration::from_secs(60);

pub(super) async fn check(client: &Client, namespace: &str) -> Vec<Finding> {
    let held = match held(client, namespace).await {
        Ok(held) => held,
        Err(error) => {
            let (what, command) = (
                "cannot list leases",
                format!("kubectl get leases -n {namespace}"),
            );
            return vec![match error {
                ListError::Call(error) => Finding::unknown(AREA, what, &error, command),
                error => {
                    let remedy = "see whether the API server responds, and ask again";
                    let help = Help::new(Chain(&error).to_string(), remedy, command);
                    Finding::new(AREA, Level::Unknown, what, help)
                }
            }];
        }
    };
    let mut findings: Vec<Finding> = held.iter().filter_map(of_chains).collect();
    if findings.is_empty() {
        findings.push(Finding::ok(AREA, "Tekton Chains holds no lease"));
    }
    findings.push(replicas(namespace, &held));
    findings
}

/// The leases that somebody holds now.
async fn held(client: &Client, namespace: &str) -> Result<Vec<Lease>, ListError> {
    let source = Source {
        what: format!("leases of namespace {namespace}"),
        path: ApiPath::within(namespace, Resource::LEASES),
        name: None,
        labels: None,
    };
    let mut list = List::new(client, &source);
    let (mut held, now) = (Vec::new(), Timestamp::now());
    while let Some(listed) = list.next().await? {
        // one that is too large, or no lease, is held by nobody
        if let Listed::Object(object) = listed
            && let Ok(lease) = Lease::of(&object)
            && is_held(&lease, now)
        {
            held.push(lease);
        }
    }
    Ok(held)
}

fn is_held(lease: &Lease, now: Timestamp) -> bool {
    let term = lease.term();
    let duration = term.duration.map(SignedDuration::try_from);
    let duration = duration.and_then(Result::ok).unwrap_or(DURATION);
    let is_live = term
        .renewed
        .is_some_and(|at| now.duration_since(at) < duration);
    is_live && !term.holder.is_empty()
}

/// What it means if Chains holds this lease.
fn of_chains(lease: &Lease) -> Option<Finding> {
    let holder = lease.term().holder;
    if !lease.name().starts_with(OF_CHAINS) || holder.starts_with(OURS) {
        return None;
    }
    let (namespace, name) = (lease.namespace(), lease.name());
    let what = format!("Tekton Chains holds the lease {namespace}/{name}: {holder}");
    let help = Help::new(
        "windlass signs nothing while Chains works",
        "stop Chains; windlass takes over within a minute",
        format!("kubectl get pods -n {namespace} -l app={CONTROLLER} -o wide"),
    );
    Some(Finding::new(AREA, Level::Problem, what, help))
}

/// How many replicas share the namespaces.
fn replicas(namespace: &str, leases: &[Lease]) -> Finding {
    let replicas = leases
        .iter()
        .filter(|one| one.name().starts_with(OF_REPLICAS) && one.term().holder.starts_with(OURS));
    let replicas: Vec<&Lease> = replicas.collect();
    let names: Vec<&str> = replicas.iter().map(|one| one.name()).collect();
    let names = names.join(", ");
    let divided: Vec<&str> = replicas
        .iter()
        .filter_map(|one| one.annotation(DIVIDES))
        .filter(|divided| !divided.is_empty())
        .collect();
    let divided = match &*divided {
        [] => String::new(),
        namespaces => format!(
            "; TaskRuns of {} are divided one by one",
            namespaces.join(", ")
        ),
    };
    match replicas.len() {
        0 => {
            let help = Help::new(
                "the controller does not run, runs with --disable-ha or with ordinals, or may not write \
                 leases",
                "read its log, unless it is meant to be so",
                format!("kubectl logs deployment/{CONTROLLER} -n {namespace} --tail=20"),
            );
            let what = format!("no replica of windlass holds a lease in {namespace}");
            Finding::new(AREA, Level::Advice, what, help)
        }
        1 => Finding::ok(AREA, format!("1 replica works on all namespaces: {names}")),
        count => {
            let what = format!("{count} replicas share the namespaces: {names}{divided}");
            Finding::ok(AREA, what)
        }
    }
}
