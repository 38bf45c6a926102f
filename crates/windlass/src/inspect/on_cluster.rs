//! The run, its task runs and the configuration, read from a cluster as the controller reads them.

use std::collections::BTreeMap;

use kube::Client;
use windlass_core::config::{CHAINS_CONFIG, Config, ConfigError, WINDLASS_CONFIG};
use windlass_core::run::{Kind, PipelineRun, RunError};

use super::documents::Documents;
use super::runs::{Runs, RunsError};
use crate::cluster::call::CallError;
use crate::cluster::children::{self, Children, ChildrenError};
use crate::cluster::config_map::{ConfigMap, ConfigMapError};
use crate::cluster::runs::RunId;

/// Why a run or the configuration could not be read from a cluster.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OnClusterError {
    /// The run could not be read.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// What was read is no run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Its task runs could not be read.
    #[error(transparent)]
    Children(#[from] ChildrenError),
    /// A ConfigMap could not be read.
    #[error(transparent)]
    ConfigMap(#[from] ConfigMapError),
    /// The configuration is not allowed.
    #[error("cannot use config map {namespace}/{CHAINS_CONFIG}")]
    Config {
        /// Namespace of the ConfigMap.
        namespace: String,
        /// What is not allowed.
        source: ConfigError,
    },
}

/// A run, and the task runs that it refers to if it is a pipeline run.
pub(crate) async fn documents(
    client: &Client,
    kind: Kind,
    namespace: &str,
    name: &str,
) -> Result<Documents, OnClusterError> {
    let run = run(client, kind, namespace, name).await?;
    let children = children(client, kind, &run).await?;
    Ok(with(kind, run, &children))
}

/// A run alone.
pub(crate) async fn run(
    client: &Client,
    kind: Kind,
    namespace: &str,
    name: &str,
) -> Result<String, RunsError> {
    let runs = Runs::new(client, kind, Some(namespace))?;
    Ok(runs.get(name).await?.to_string())
}

/// The task runs that a run refers to; none if it is a task run itself.
pub(crate) async fn children(
    client: &Client,
    kind: Kind,
    run: &str,
) -> Result<Children, OnClusterError> {
    if kind == Kind::Task {
        return Ok(Children::default());
    }
    let parent = PipelineRun::parse(run.as_bytes())?;
    let id = RunId::new(kind, &parent.metadata);
    Ok(children::read(client, &id, &parent, children::LIMIT).await?)
}

/// The run and these task runs as documents.
pub(crate) fn with(kind: Kind, run: String, children: &Children) -> Documents {
    let refused = children.refused.iter();
    let refused = refused.map(|(name, why)| format!("task run {name:?} {why}"));
    let objects = children.objects().iter();
    let objects = objects.map(|child| String::from_utf8_lossy(child).into_owned());
    Documents {
        children: objects.collect(),
        refused: refused.collect(),
        is_pipeline_run: kind == Kind::Pipeline,
        run,
    }
}

/// The configuration in `namespace`. Where it cannot be read the defaults are taken, and a warning
/// says so.
pub(crate) async fn config(
    client: &Client,
    namespace: &str,
    warnings: &mut Vec<String>,
) -> Result<Config, OnClusterError> {
    let chains = entries(client, namespace, CHAINS_CONFIG).await?;
    let chains = chains.unwrap_or_else(|why| {
        warnings.push(format!("{why}; the defaults are shown"));
        BTreeMap::new()
    });
    let windlass = entries(client, namespace, WINDLASS_CONFIG).await?;
    let windlass = windlass.unwrap_or_default();
    let parsed = Config::parse(&chains, &windlass).map_err(|source| OnClusterError::Config {
        namespace: namespace.to_owned(),
        source,
    })?;
    warnings.extend(parsed.warnings.iter().map(ToString::to_string));
    Ok(parsed.config)
}

/// The entries of a ConfigMap, or why it cannot be seen.
async fn entries(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Result<BTreeMap<String, String>, String>, ConfigMapError> {
    let what = format!("config map {namespace}/{name}");
    match ConfigMap::read(client, namespace, name).await {
        Ok(map) => Ok(Ok(map.data)),
        Err(ConfigMapError::Call(CallError::Refused { status: 404, .. })) => Ok(Err(format!(
            "{what} does not exist; choose another namespace with --system-namespace"
        ))),
        Err(ConfigMapError::Call(CallError::Refused { status: 403, .. })) => {
            Ok(Err(format!("your account may not read {what}")))
        }
        Err(error) => Err(error),
    }
}
