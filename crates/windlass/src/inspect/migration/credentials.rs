//! Credentials: repositories for which an account has none of its own.
//!
//! Chains offers its own Docker configuration and cloud identity to every run. windlass does so for
//! `storage.oci.repository` and for what `registries.shared-credentials` lists.

use std::collections::BTreeSet;

use windlass_core::error::Chain;
use windlass_core::terminal::quoted;
use windlass_registry::keychain::{Account, Source, find};
use windlass_registry::{Credential, Repository};

use super::extent::{Cluster, Migration};
use super::finding::{Finding, Topic, several, word};
use super::runs::{Pusher, Seen};
use super::settings::Settings;
use crate::cluster::path::check_name;
use crate::store::oci::credentials;

/// The key of `windlass-config` with which the controller's own credentials are shared.
const SHARED: &str = "registries.shared-credentials";

/// Finds accounts that pushed with the credentials of the controller, or where anybody may push.
pub(super) async fn check(
    cluster: &Cluster<'_>,
    settings: &Settings,
    seen: &Seen,
    found: &mut Migration,
) {
    let central = settings.central().ok().flatten();
    let storage = &settings.config.storage;
    for (pusher, named) in &seen.pushed {
        // with tags alone, everything goes to the repository of the settings
        let goes_home = central.is_none() || storage.oci_encoding.in_bundles();
        let lacking: Vec<&Repository> = named
            .iter()
            .filter(|_| goes_home)
            .filter(|repository| !is_shared(settings, pusher, repository))
            .filter(|repository| central.as_ref() != Some(*repository))
            .collect();
        if lacking.is_empty() {
            continue;
        }
        let sources = match sources(cluster, pusher).await {
            Ok(sources) => sources,
            Err(why) => {
                found.unread.push(why);
                continue;
            }
        };
        let lacking: Vec<&Repository> = lacking
            .into_iter()
            .filter(|repository| !has_own(&sources, repository))
            .collect();
        if !lacking.is_empty() {
            found.findings.push(finding(settings, pusher, &lacking));
        }
    }
}

fn is_shared(settings: &Settings, pusher: &Pusher, repository: &Repository) -> bool {
    let shared = settings.config.storage.shared_credentials.as_ref();
    let (registry, path) = (repository.registry(), repository.path());
    shared.is_some_and(|shared| shared.include(&pusher.namespace, registry, path))
}

/// Whether there is more than what everybody has, which is none.
fn has_own(sources: &[Source], repository: &Repository) -> bool {
    let found = find(sources, repository);
    let mut credentials = found.candidates.iter().map(|one| &one.credential);
    credentials.any(|one| !matches!(one, Credential::Anonymous | Credential::Unavailable(_)))
}

async fn sources(cluster: &Cluster<'_>, pusher: &Pusher) -> Result<Vec<Source>, String> {
    let account = Account {
        namespace: pusher.namespace.clone(),
        name: pusher.account.clone(),
    };
    let place = format!(
        "the credentials of service account {}/{}",
        pusher.namespace,
        shown(&pusher.account)
    );
    if let Some(why) = credentials::why_unreadable(cluster.client, &account).await {
        return Err(format!("{place}: {why}"));
    }
    let of_pods = pusher.pull_secrets.iter().map(String::as_str);
    let sources = credentials::of_account(cluster.client, &account, of_pods).await;
    let sources = sources.map_err(|error| format!("{place}: {}", Chain(&error)))?;
    let mut refused = sources.iter().filter_map(|source| match source {
        Source::Missing { name, why } if why == "HTTP 403" => Some(name),
        _ => None,
    });
    match refused.next() {
        Some(name) => Err(format!("{place}: your account may not read secret {name}")),
        None => Ok(sources),
    }
}

fn finding(settings: &Settings, pusher: &Pusher, lacking: &[&Repository]) -> Finding {
    let Pusher {
        namespace, account, ..
    } = pusher;
    let lines: BTreeSet<String> = lacking.iter().map(ToString::to_string).collect();
    let line = format!("{namespace} {}", several_patterns(&lines));
    Finding {
        topic: Topic::Credentials,
        cause: format!(
            "runs of service account {namespace}/{} push to {}, for which the account has no \
             credential: Chains pushes there with its own, and windlass does not",
            shown(account),
            several(lacking)
        ),
        remedy: format!(
            "give the account a credential of its own; or, if the whole namespace may push there, \
             share the controller's: {}. Neither is needed where anybody may push",
            settings.add(SHARED, "\n", &line)
        ),
        command: Some(format!(
            "windlass registry grant --docker-config ~/.docker/config.json -n {} \
             --service-account {} {}",
            word(namespace),
            word(account),
            lacking
                .iter()
                .map(|repository| format!("--registry {}", word(&repository.to_string())))
                .collect::<Vec<_>>()
                .join(" ")
        )),
    }
}

/// The name of an account, quoted if it is none that an object can have.
fn shown(name: &str) -> String {
    match check_name(name) {
        Ok(()) => name.to_owned(),
        Err(_) => quoted(name),
    }
}

/// The repositories as patterns of one line.
fn several_patterns(repositories: &BTreeSet<String>) -> String {
    let each: Vec<&str> = repositories.iter().map(String::as_str).collect();
    each.join(",")
}
