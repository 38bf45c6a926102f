//! Whether `chains-config` and `windlass-config` are there, allowed, and supported.

use std::collections::BTreeMap;

use kube::Client;
use windlass_core::config::{CHAINS_CONFIG, Config, WINDLASS_CONFIG};
use windlass_core::error::Chain;

use super::finding::{Finding, Help, Level};
use crate::cluster::config_map::{ConfigMap, ConfigMapError};
use crate::unsupported;

const AREA: &str = "configuration";

/// The configuration, if there is one that the controller accepts.
pub(super) async fn check(client: &Client, namespace: &str) -> (Option<Config>, Vec<Finding>) {
    let chains = match read(client, namespace, CHAINS_CONFIG).await {
        Ok(Some(entries)) => entries,
        Ok(None) => {
            let what = format!("config map {namespace}/{CHAINS_CONFIG} does not exist");
            let help = Help::new(
                "the controller signs nothing without it, or runs in another namespace",
                "create it, it may be empty; or name the other namespace with -n",
                format!("kubectl create configmap {CHAINS_CONFIG} -n {namespace}"),
            );
            return (None, vec![Finding::new(AREA, Level::Problem, what, help)]);
        }
        Err(finding) => return (None, vec![finding]),
    };
    let windlass = match read(client, namespace, WINDLASS_CONFIG).await {
        Ok(entries) => entries.unwrap_or_default(),
        Err(finding) => return (None, vec![finding]),
    };
    let edit = format!("kubectl edit configmap {CHAINS_CONFIG} -n {namespace}");
    let parsed = match Config::parse(&chains, &windlass) {
        Ok(parsed) => parsed,
        Err(error) => {
            let help = Help::new(
                Chain(&error).to_string(),
                "correct these keys; until then the last valid configuration stays loaded",
                edit,
            );
            let what = "the configuration is refused";
            return (None, vec![Finding::new(AREA, Level::Problem, what, help)]);
        }
    };
    let mut findings: Vec<Finding> = parsed
        .warnings
        .iter()
        .map(|warning| {
            let help = Help::new(
                "nothing acts on it as it is written",
                "correct or remove this key",
                edit.clone(),
            );
            Finding::new(AREA, Level::Advice, warning.to_string(), help)
        })
        .collect();
    findings.extend(unsupported::of(&parsed.config).into_iter().map(|missing| {
        let help = Help::new(
            "runs stay unsigned rather than signed with less than what was asked for",
            missing.remedy,
            edit.clone(),
        );
        Finding::new(AREA, Level::Problem, missing.to_string(), help)
    }));
    if findings.is_empty() {
        let what = format!("{namespace}/{CHAINS_CONFIG} is accepted");
        findings.push(Finding::ok(AREA, what));
    }
    (Some(parsed.config), findings)
}

async fn read(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<BTreeMap<String, String>>, Finding> {
    let what = format!("cannot read config map {namespace}/{name}");
    let look = format!("kubectl get configmap {name} -n {namespace} -o yaml");
    match ConfigMap::read(client, namespace, name).await {
        Ok(map) => Ok(Some(map.data)),
        Err(ConfigMapError::Call(error)) if error.status() == Some(404) => Ok(None),
        Err(ConfigMapError::Call(error)) => Err(Finding::unknown(AREA, what, &error, look)),
        Err(error @ ConfigMapError::Malformed { .. }) => {
            let remedy = "make every entry under data a text";
            let help = Help::new(Chain(&error).to_string(), remedy, look);
            Err(Finding::new(AREA, Level::Problem, what, help))
        }
    }
}
