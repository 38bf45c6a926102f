//! The two ConfigMaps: values that windlass refuses, and values that mean something else to it.

use std::collections::BTreeMap;

use windlass_core::config::{CHAINS_CONFIG, Config, Storage, WINDLASS_CONFIG};
use windlass_core::error::Chain;
use windlass_core::run::Kind;
use windlass_registry::Repository;

use super::extent::{Cluster, Migration};
use super::finding::{Finding, Topic, set};
use crate::cluster::config_map::{ConfigMap, ConfigMapError};

type Data = BTreeMap<String, String>;

/// The configuration as windlass reads it, without the values that it refuses.
pub(super) struct Settings {
    pub(super) config: Config,
    /// Namespace of the ConfigMaps.
    pub(super) namespace: String,
    /// The entries of `windlass-config`; none if it does not exist.
    windlass: Option<Data>,
}

impl Settings {
    /// Reads both maps. A value that is refused is a finding, and its default is taken from there on.
    pub(super) async fn read(cluster: &Cluster<'_>, found: &mut Migration) -> Self {
        let namespace = cluster.system_namespace;
        let chains = read(cluster, CHAINS_CONFIG, found).await;
        let windlass = read(cluster, WINDLASS_CONFIG, found).await;
        if matches!(chains, Ok(None)) {
            found.findings.push(Finding {
                topic: Topic::Settings,
                cause: format!(
                    "config map {namespace}/{CHAINS_CONFIG} does not exist, and without it nothing \
                     is signed"
                ),
                remedy:
                    "create it, it may be empty; if it is in another namespace, name that with \
                         --system-namespace"
                        .to_owned(),
                command: Some(format!(
                    "kubectl create configmap {CHAINS_CONFIG} -n {namespace}"
                )),
            });
        }
        let mut chains = chains.ok().flatten().unwrap_or_default();
        let windlass = windlass.ok().flatten();
        let mut own = windlass.clone().unwrap_or_default();
        if let Err(error) = Config::parse(&chains, &own) {
            for problem in error.problems {
                let map = match problem.config_map {
                    WINDLASS_CONFIG => &mut own,
                    _ => &mut chains,
                };
                map.remove(&problem.key);
                found.findings.push(Finding {
                    topic: Topic::Settings,
                    cause: problem.to_string(),
                    remedy: "correct it: windlass reports it in an Event, and uses no part of a \
                             configuration with such a value"
                        .to_owned(),
                    command: Some(format!(
                        "kubectl edit configmap {} -n {namespace}",
                        problem.config_map
                    )),
                });
            }
        }
        let parsed = Config::parse(&chains, &own);
        let (config, warnings) = match parsed {
            Ok(parsed) => (parsed.config, parsed.warnings),
            Err(error) => {
                found.unread.push(error.to_string());
                (Config::default(), Vec::new())
            }
        };
        found
            .findings
            .extend(warnings.iter().map(|warning| Finding {
                topic: Topic::Settings,
                cause: warning.to_string(),
                remedy: "correct it, or remove it: Chains does not tell".to_owned(),
                command: Some(format!(
                    "kubectl edit configmap {CHAINS_CONFIG} -n {namespace}"
                )),
            }));
        Self {
            config,
            namespace: namespace.to_owned(),
            windlass,
        }
    }

    /// Finds the values that mean something else to windlass than to Chains.
    pub(super) fn check(&self, found: &mut Migration) {
        let Self { config, .. } = self;
        for kind in [Kind::Task, Kind::Pipeline] {
            if config.policy(kind).is_enabled() {
                continue;
            }
            found.findings.push(Finding {
                topic: Topic::Settings,
                cause: format!(
                    "nothing is enabled for {}: Chains marks them as signed all the same, and \
                     windlass leaves them unmarked",
                    kind.plural()
                ),
                remedy: "let nothing wait for their mark, or enable their attestations".to_owned(),
                command: Some(self.set(
                    CHAINS_CONFIG,
                    &format!("artifacts.{}.storage", kind.singular()),
                    "tekton",
                )),
            });
        }
        let Storage {
            oci_repository,
            oci_encoding,
            ..
        } = &config.storage;
        if oci_encoding.in_bundles() && !oci_repository.is_empty() {
            found.findings.push(Finding {
                topic: Topic::Settings,
                cause: format!(
                    "storage.oci.repository is {oci_repository:?} and bundles are written: Chains \
                     ignores the repository then, and windlass uses it for images that are in it \
                     too"
                ),
                remedy: "remove storage.oci.repository if bundles belong next to their images"
                    .to_owned(),
                command: Some(self.set(CHAINS_CONFIG, "storage.oci.repository", "")),
            });
        }
        if let Err(error) = self.central() {
            found.findings.push(Finding {
                topic: Topic::Settings,
                cause: format!("storage.oci.repository is {oci_repository:?}: {error}"),
                remedy: "write REGISTRY/PATH".to_owned(),
                command: Some(format!(
                    "kubectl edit configmap {CHAINS_CONFIG} -n {}",
                    self.namespace
                )),
            });
        }
    }

    /// `storage.oci.repository`, if it is set.
    pub(super) fn central(&self) -> Result<Option<Repository>, String> {
        let written = &self.config.storage.oci_repository;
        if written.is_empty() {
            return Ok(None);
        }
        let read = Repository::parse(written);
        read.map(Some).map_err(|error| error.to_string())
    }

    /// The command that sets a key.
    pub(super) fn set(&self, config_map: &str, key: &str, value: &str) -> String {
        set(&self.namespace, config_map, key, value)
    }

    /// The command that adds to a key of `windlass-config`, whose parts are joined by this.
    pub(super) fn add(&self, key: &str, joint: &str, value: &str) -> String {
        let Some(known) = &self.windlass else {
            let namespace = super::finding::word(&self.namespace);
            let literal = super::finding::word(&format!("{key}={value}"));
            return format!(
                "kubectl create configmap {WINDLASS_CONFIG} -n {namespace} --from-literal {literal}"
            );
        };
        let value = match known.get(key).map(|known| known.trim()) {
            None | Some("") => value.to_owned(),
            Some(known) => format!("{known}{joint}{value}"),
        };
        self.set(WINDLASS_CONFIG, key, &value)
    }
}

/// The entries of a map; none if it does not exist. The error is told.
async fn read(
    cluster: &Cluster<'_>,
    name: &str,
    found: &mut Migration,
) -> Result<Option<Data>, ()> {
    match ConfigMap::read(cluster.client, cluster.system_namespace, name).await {
        Ok(map) => Ok(Some(map.data)),
        Err(ConfigMapError::Call(error)) if error.status() == Some(404) => Ok(None),
        Err(error) => {
            found.unread.push(Chain(&error).to_string());
            Err(())
        }
    }
}
