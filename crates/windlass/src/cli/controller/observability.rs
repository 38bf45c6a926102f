//! What a Deployment of Tekton Chains says of metrics and log lines, by its variables and ConfigMaps.

use std::collections::BTreeMap;
use std::time::Duration;

use kube::Client;
use tokio::time::timeout;
use windlass_core::error::Chain;

use crate::cluster::config_map::{ConfigMap, ConfigMapError};
use crate::environment::variable;
use crate::telemetry::{Address, MetricsPlace, PortError};

/// How long the controller waits at its start for the ConfigMap of metrics.
const PATIENCE: Duration = Duration::from_secs(5);

/// Names of the ConfigMaps in the system namespace.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ConfigNames {
    /// The level of the log.
    pub(super) logging: String,
    /// Where metrics are served.
    pub(super) observability: String,
}

impl ConfigNames {
    /// The names in these variables, and Chains' own for the others.
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let name = |name, default: &str| variable(name).unwrap_or_else(|| default.to_owned());
        Self {
            logging: name("CONFIG_LOGGING_NAME", "config-logging"),
            observability: name("CONFIG_OBSERVABILITY_NAME", "config-observability"),
        }
    }
}

/// Where metrics are served: where the flag says, or else where Chains would.
pub(super) async fn metrics_address(
    flag: Option<Address>,
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<Address>, PortError> {
    if flag.is_some() {
        return Ok(flag);
    }
    let data = match timeout(PATIENCE, ConfigMap::read(client, namespace, name)).await {
        Ok(Ok(map)) => map.data,
        Ok(Err(ConfigMapError::Call(error))) if error.status() == Some(404) => BTreeMap::new(),
        Ok(Err(error)) => {
            tracing::warn!("{}; metrics are served as without it", Chain(&error));
            BTreeMap::new()
        }
        Err(_) => {
            tracing::warn!(
                "cannot read config map {namespace}/{name} within {PATIENCE:?}; metrics are served \
                 as without it"
            );
            BTreeMap::new()
        }
    };
    let MetricsPlace { address, warnings } = MetricsPlace::of_chains(&data, &variable)?;
    for warning in warnings {
        tracing::warn!("{namespace}/{name}: {warning}");
    }
    if address.is_none() {
        tracing::info!("metrics are turned off by config map {namespace}/{name}");
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_maps_have_the_names_that_the_variables_of_chains_give_them() {
        let names = ConfigNames::of(|name| Some(format!("from {name}")));
        assert_eq!(names.logging, "from CONFIG_LOGGING_NAME");
        assert_eq!(names.observability, "from CONFIG_OBSERVABILITY_NAME");
        let names = ConfigNames::of(|_| None);
        assert_eq!(names.logging, "config-logging");
        assert_eq!(names.observability, "config-observability");
    }
}
