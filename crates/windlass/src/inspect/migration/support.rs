//! Stores, signers and logs that the configuration asks for and that do not exist yet.

use windlass_core::config::{ArtifactPolicy, CHAINS_CONFIG, StoreKind};

use super::finding::{Finding, Topic};
use super::settings::Settings;
use crate::unsupported::{self, Unsupported};

/// The log that Chains uses unless it is told of another.
const PUBLIC_LOG: &str = "https://rekor.sigstore.dev";

/// Finds what does not exist.
pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    let config = &settings.config;
    let mut found: Vec<Finding> = Vec::new();
    for (name, policy) in unsupported::artifacts(config) {
        if !policy.is_enabled() {
            continue;
        }
        if let Some(what) = unsupported_stores(name, policy) {
            found.push(finding(settings, &what, &rest(name, policy)));
        }
        if let Some(what) = unsupported::signer(name, policy, config) {
            let instead = if what.setting.ends_with(".signer") {
                "x509"
            } else {
                "false"
            };
            let finding = finding(settings, &what, instead);
            // one setting may be that of several
            if !found.contains(&finding) {
                found.push(finding);
            }
        }
    }
    let log = unsupported::log(&config.transparency);
    found.extend(log.map(|what| finding(settings, &what, PUBLIC_LOG)));
    found
}

/// The stores of an artifact that do not exist, as one.
fn unsupported_stores(name: &str, policy: &ArtifactPolicy) -> Option<Unsupported> {
    let missing = policy.storage.iter().filter_map(|kind| {
        let missing = unsupported::store(name, *kind)?;
        Some((kind.as_str(), missing))
    });
    let (names, mut all): (Vec<_>, Vec<_>) = missing.unzip();
    let first = all.pop()?;
    Some(Unsupported {
        value: names.join(","),
        ..first
    })
}

/// The stores of an artifact that exist; annotations if there are none.
fn rest(name: &str, policy: &ArtifactPolicy) -> String {
    let kinds = policy.storage.iter().copied();
    let exist = kinds.filter(|kind| unsupported::store(name, *kind).is_none());
    let names: Vec<&str> = exist.map(StoreKind::as_str).collect();
    if names.is_empty() {
        return StoreKind::Tekton.as_str().to_owned();
    }
    names.join(",")
}

fn finding(settings: &Settings, what: &Unsupported, instead: &str) -> Finding {
    let Unsupported {
        setting,
        value,
        why,
        remedy,
    } = what;
    Finding {
        topic: Topic::Unsupported,
        cause: format!(
            "{setting} asks for {value:?}, {why}: runs are signed as far as possible, stay unmarked \
             and say so"
        ),
        remedy: (*remedy).to_owned(),
        command: Some(settings.set(CHAINS_CONFIG, setting, instead)),
    }
}
