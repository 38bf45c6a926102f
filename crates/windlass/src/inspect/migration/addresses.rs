//! Addresses: registries that windlass does not connect to, since they are on its own machine or link,
//! or are the cluster's API.
//!
//! Names are resolved by this machine, which may see other addresses than the controller. A name that
//! it does not know is passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::{StreamExt, stream};
use reqwest::Url;
use windlass_core::config::CHAINS_CONFIG;
use windlass_core::network::{Policy, Refusal};
use windlass_registry::{Options, refusal};

use super::extent::{Cluster, Migration};
use super::finding::{Finding, Topic, several};
use super::runs::Seen;
use super::settings::Settings;

/// The key of `windlass-config` that lists what is connected to in any case.
const ALLOW: &str = "network.allow";
/// Names that are resolved at once.
const AT_ONCE: usize = 8;
/// How long the resolver of this machine has for a name.
const PATIENCE: Duration = Duration::from_secs(5);

/// Finds registries at addresses that are refused, and those that lose their exemption from TLS.
pub(super) async fn check(
    cluster: &Cluster<'_>,
    settings: &Settings,
    seen: &Seen,
    found: &mut Migration,
) {
    let central = settings.central().ok().flatten();
    let mut registries: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (pusher, repositories) in &seen.pushed {
        for repository in repositories {
            let users = registries.entry(repository.registry().to_owned());
            users.or_default().insert(&pusher.namespace);
        }
    }
    if let Some(central) = &central {
        registries.entry(central.registry().to_owned()).or_default();
    }
    let policy = Policy::default()
        .without_cluster(&cluster.api)
        .with(&settings.config.storage.network);
    let options = Options {
        network: policy,
        ..Options::default()
    };
    let judged = stream::iter(registries.keys().cloned()).map(|registry| {
        let options = &options;
        async move {
            let refused = refusal(options, &registry, PATIENCE).await;
            let refused = host_of(&registry).zip(refused);
            (registry, refused)
        }
    });
    let judged: Vec<(String, Option<(String, Refusal)>)> = judged.buffered(AT_ONCE).collect().await;
    for (registry, refused) in judged {
        let Some((host, why)) = refused else { continue };
        let users = &registries[&registry];
        found
            .findings
            .push(finding(settings, &registry, &host, why, users));
    }
    let is_other = |registry: &&String| {
        let central = central
            .as_ref()
            .map(windlass_registry::Repository::registry);
        central != Some(registry.as_str())
    };
    let others: Vec<&String> = registries.keys().filter(is_other).collect();
    let storage = &settings.config.storage;
    if storage.oci_insecure && central.is_some() && !others.is_empty() {
        found.findings.push(insecure(settings, &others));
    }
}

/// The host of a registry, as `network.allow` takes it.
fn host_of(registry: &str) -> Option<String> {
    let url = Url::parse(&format!("https://{registry}/")).ok()?;
    let host = url.host_str()?;
    Some(host.trim_matches(['[', ']']).to_owned())
}

fn finding(
    settings: &Settings,
    registry: &str,
    host: &str,
    why: Refusal,
    users: &BTreeSet<&str>,
) -> Finding {
    let named = if users.is_empty() {
        "storage.oci.repository names".to_owned()
    } else {
        format!("runs of {} name", several(users))
    };
    Finding {
        topic: Topic::Addresses,
        cause: format!(
            "{named} the registry {registry}, which windlass does not connect to: {why}"
        ),
        remedy: format!(
            "list it in {ALLOW} of windlass-config if the controller has to reach it there; \
             otherwise let the runs name the registry by an address outside the controller"
        ),
        command: Some(settings.add(ALLOW, ",", host)),
    }
}

/// Registries that Chains pushes to without TLS or without checking certificates.
fn insecure(settings: &Settings, others: &[&String]) -> Finding {
    Finding {
        topic: Topic::Settings,
        cause: format!(
            "storage.oci.repository.insecure is true, which Chains applies to every registry, and \
             windlass to that of storage.oci.repository only; runs also name {}",
            several(others)
        ),
        remedy: "give those registries certificates that are trusted, as docs/registries.md says \
                 under Certificates; nothing is needed where they have them"
            .to_owned(),
        command: Some(settings.set(CHAINS_CONFIG, "storage.oci.repository.insecure", "false")),
    }
}
