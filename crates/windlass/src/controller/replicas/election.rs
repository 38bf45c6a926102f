//! What the operator sets for leader election: a ConfigMap with the number of buckets, from which the
//! names of the leases of Tekton Chains follow, and the ordinal of a pod.
//!
//! Source: knative.dev/pkg, `leaderelection`: a lease is named after component, queue and bucket, in
//! lower case; the ordinal is what follows the last hyphen of a pod of a `StatefulSet`.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::Client;
use windlass_core::error::Chain;

use crate::cluster::config_map::{ConfigMap, ConfigMapError};

/// The queues of Chains, as its leases are named after them.
const QUEUES: [&str; 2] = [
    "watcher.github.com.tektoncd.chains.pkg.reconciler.taskrun.Reconciler",
    "watcher.github.com.tektoncd.chains.pkg.reconciler.pipelinerun.Reconciler",
];
/// Most buckets, as in Chains.
const MOST: u32 = 10;
/// Beginning of the key that renames the leases of a queue.
const PREFIX: &str = "map-lease-prefix.";
/// How often the ConfigMap is asked for, and the pause between.
const ATTEMPTS: (usize, Duration) = (5, Duration::from_millis(500));
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Election {
    /// Into how many parts the work is divided.
    pub(super) buckets: u32,
    /// The leases of Chains.
    pub(super) leases: Vec<String>,
}

impl Election {
    /// Reads the first of these ConfigMaps that exists.
    pub(super) async fn read(client: &Client, namespace: &str, names: &[String]) -> Self {
        for name in names {
            if let Some(map) = entries(client, namespace, name).await {
                return Self::of(&map, &format!("{namespace}/{name}"));
            }
        }
        Self::of(&BTreeMap::new(), namespace)
    }

    /// What these entries say. Chains ends at an invalid number; here the default counts.
    fn of(entries: &BTreeMap<String, String>, place: &str) -> Self {
        let stated = entries.get("buckets").map(|text| text.trim().parse());
        let buckets = match stated {
            None => 1,
            Some(Ok(buckets)) if (1..=MOST).contains(&buckets) => buckets,
            Some(_) => {
                tracing::error!("{place}: buckets is not a number from 1 to {MOST}; using 1");
                1
            }
        };
        let lease = |queue: &str, bucket: u32| {
            let renamed = entries.get(&format!("{PREFIX}{queue}"));
            let stem = renamed.map_or(queue, |name| name.as_str());
            format!("{stem}.{bucket:02}-of-{buckets:02}").to_lowercase()
        };
        let leases = QUEUES
            .into_iter()
            .flat_map(|queue| (0..buckets).map(move |bucket| (queue, bucket)));
        Self {
            buckets,
            leases: leases.map(|(queue, bucket)| lease(queue, bucket)).collect(),
        }
    }
}

async fn entries(client: &Client, namespace: &str, name: &str) -> Option<BTreeMap<String, String>> {
    for _ in 0..ATTEMPTS.0 {
        let read = ConfigMap::read(client, namespace, name);
        match tokio::time::timeout(PATIENCE, read).await {
            Ok(Ok(map)) => return Some(map.data),
            Ok(Err(ConfigMapError::Call(error))) if error.status() == Some(404) => return None,
            Ok(Err(ConfigMapError::Call(error))) if error.is_transient() => {}
            Ok(Err(error)) => {
                tracing::warn!(
                    "{}; leader election has its default settings",
                    Chain(&error)
                );
                return None;
            }
            Err(_) => {}
        }
        tokio::time::sleep(ATTEMPTS.1).await;
    }
    tracing::warn!(
        "cannot read config map {namespace}/{name}; leader election has its default settings"
    );
    None
}

/// Why a pod has no ordinal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "STATEFUL_CONTROLLER_ORDINAL is not the name of a pod of a StatefulSet, such as controller-0"
)]
pub struct OrdinalError;

/// The ordinal in the name of a pod of a `StatefulSet`.
pub fn ordinal(pod: &str) -> Result<u32, OrdinalError> {
    let (_, number) = pod.rsplit_once('-').ok_or(OrdinalError)?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { number.parse().ok() } else { None };
    number.ok_or(OrdinalError)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[(&str, &str)]) -> Election {
        let entries = entries
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()));
        Election::of(&entries.collect(), "ns/name")
    }

    #[test]
    fn the_leases_of_chains_are_named_after_queue_and_bucket() {
        let plain = [
            "watcher.github.com.tektoncd.chains.pkg.reconciler.taskrun.reconciler.00-of-01",
            "watcher.github.com.tektoncd.chains.pkg.reconciler.pipelinerun.reconciler.00-of-01",
        ];
        assert_eq!(of(&[]).leases, plain);
        let three = of(&[("buckets", "3"), ("lease-duration", "60s")]);
        assert_eq!((three.buckets, three.leases.len()), (3, 6));
        assert!(three.leases[5].ends_with(".pipelinerun.reconciler.02-of-03"));
        let renamed = of(&[(&format!("{PREFIX}{}", QUEUES[0]), "Chains-A")]);
        assert_eq!(renamed.leases, ["chains-a.00-of-01", plain[1]]);
    }

    #[test]
    fn a_number_of_buckets_that_is_none_counts_as_one() {
        for odd in ["0", "11", "-1", "many", ""] {
            assert_eq!(of(&[("buckets", odd)]), of(&[]), "{odd}");
        }
    }

    #[test]
    fn the_ordinal_follows_the_last_hyphen_of_the_pod() {
        assert_eq!(ordinal("tekton-chains-controller-0"), Ok(0));
        assert_eq!(ordinal("a-12"), Ok(12));
        for odd in [
            "",
            "controller",
            "controller-",
            "controller-x",
            "a-+1",
            "a--1x",
            "a-99999999999",
        ] {
            assert_eq!(ordinal(odd), Err(OrdinalError), "{odd}");
        }
    }
}
