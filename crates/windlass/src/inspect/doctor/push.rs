//! Whether the accounts of runs may push to the registries of the images they built: of the first runs
//! in the list a few different ones.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::Client;
use windlass_core::config::{Config, StoreKind};
use windlass_core::error::Chain;
use windlass_core::explain::explain;
use windlass_core::run::{Kind, Run};
use windlass_registry::Reference;
use windlass_registry::keychain::Account;

use super::finding::{Finding, Help, Level};
use crate::cluster::list::{List, Listed, Source};
use crate::cluster::runs::collection;
use crate::inspect::push_access::PushAccess;
use crate::store::oci::{Exemptions, credentials};

const AREA: &str = "registry";
/// Runs that are looked at.
const MOST_RUNS: usize = 500;
/// Pairs of an account and a repository that are tried.
const MOST_TRIED: usize = 3;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn check(client: &Client, config: &Config) -> Vec<Finding> {
    let stores = [&config.oci, &config.taskrun, &config.pipelinerun];
    if !stores
        .iter()
        .any(|one| one.storage.contains(&StoreKind::Oci))
    {
        return vec![Finding::ok(AREA, "nothing is stored in registries")];
    }
    let mut findings = Vec::new();
    for (account, image) in built(client, config).await {
        findings.push(probe(client, &account, &image).await);
    }
    if findings.is_empty() {
        let what = format!("none of the first {MOST_RUNS} task runs built an image");
        let help = Help::new(
            "credentials are those of accounts of runs, for the images that they built",
            "name an image, a namespace and an account",
            "windlass registry check IMAGE -n NAMESPACE --service-account ACCOUNT",
        );
        findings.push(Finding::new(AREA, Level::Unknown, what, help));
    }
    findings
}

/// Accounts of runs, each with an image that one of its runs built.
async fn built(client: &Client, config: &Config) -> Vec<(Account, Reference)> {
    let source = Source {
        what: "task runs".to_owned(),
        path: collection(Kind::Task, None),
        name: None,
        labels: None,
    };
    let mut list = List::new(client, &source).in_pages_of(50);
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for _ in 0..MOST_RUNS {
        // what cannot be listed is told by the findings on Tekton
        let Ok(Some(listed)) = list.next().await else {
            break;
        };
        let Listed::Object(object) = listed else {
            continue;
        };
        let Ok(run) = Kind::Task.parse(&object) else {
            continue;
        };
        let Some(image) = image(&run, config) else {
            continue;
        };
        let account = credentials::account(&run);
        let pair = (
            account.namespace.clone(),
            account.name.clone(),
            image.repository.to_string(),
        );
        if seen.insert(pair) {
            found.push((account, image));
        }
        if found.len() == MOST_TRIED {
            break;
        }
    }
    found
}

fn image(run: &Run<'_>, config: &Config) -> Option<Reference> {
    let explanation = explain(run, config).ok()?;
    let image = explanation.images.first()?;
    Reference::parse(&image.reference).ok()
}

async fn probe(client: &Client, account: &Account, image: &Reference) -> Finding {
    let Account { namespace, name } = account;
    let repository = &image.repository;
    let command =
        format!("windlass registry check {repository} -n {namespace} --service-account {name}");
    let probing = PushAccess::probe(client, account, image, Exemptions::default());
    let what = format!("cannot try the credentials of {namespace}/{name} at {repository}");
    let remedy = "see whether the registry responds, and how it is reached";
    let unknown = |cause: String, command| {
        Finding::new(
            AREA,
            Level::Unknown,
            what,
            Help::new(cause, remedy, command),
        )
    };
    match tokio::time::timeout(PATIENCE, Box::pin(probing)).await {
        Err(_) => unknown(
            format!("no result within {} s", PATIENCE.as_secs()),
            command,
        ),
        Ok(Err(error)) => unknown(Chain(&error).to_string(), command),
        Ok(Ok(access)) if access.pushing().is_some() => Finding::ok(
            AREA,
            format!("runs of {namespace}/{name} may push to {repository}"),
        ),
        Ok(Ok(_)) => {
            let what = format!("runs of {namespace}/{name} may not push to {repository}");
            let help = Help::new(
                "no credential of the account has push access",
                "see what each of them may do, and grant one: windlass registry grant",
                command,
            );
            Finding::new(AREA, Level::Problem, what, help)
        }
    }
}
