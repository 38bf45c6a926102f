//! The run, its task runs and the configuration, read from a cluster as the controller reads them.

use std::collections::BTreeMap;

use anyhow::Context as _;
use kube::Client;
use serde::Deserialize;
use windlass_core::config::Config;
use windlass_core::run::{Kind, PipelineRun};

use crate::cluster::call::{Call, CallError};
use crate::cluster::children;
use crate::cluster::runs::RunKind;
use crate::cluster::runs::{RunId, escaped};
use crate::inspect::files::Documents;
use crate::inspect::runs::Runs;

/// The reference's ConfigMap, and the one of our own settings.
const MAPS: [&str; 2] = ["chains-config", "windlass-config"];

/// A run, and the task runs that it refers to if it is a pipeline run.
pub(super) async fn documents(
    client: &Client,
    kind: Kind,
    namespace: &str,
    name: &str,
) -> anyhow::Result<Documents> {
    let runs = Runs::new(client, kind, Some(namespace))?;
    let run = runs.get(name).await?.to_string();
    let mut found = Vec::new();
    if kind == Kind::Pipeline {
        let parent = PipelineRun::parse(run.as_bytes())?;
        let id = RunId::new(RunKind::Pipeline, &parent.metadata);
        found = children::read(client, &id, &parent).await?;
    }
    let found = found.iter();
    let children = found.map(|child| String::from_utf8_lossy(child).into_owned());
    Ok(Documents {
        children: children.collect(),
        is_pipeline_run: kind == Kind::Pipeline,
        run,
    })
}

/// The configuration in force in `namespace`. Where it cannot be read the defaults are taken, and
/// a warning says so.
pub(super) async fn config(
    client: &Client,
    namespace: &str,
    warnings: &mut Vec<String>,
) -> anyhow::Result<Config> {
    let [chains, windlass] = MAPS;
    let chains = match map(client, namespace, chains).await? {
        Map::Found(entries) => entries,
        Map::Unseen(why) => {
            warnings.push(format!("{why}; the defaults are shown"));
            BTreeMap::new()
        }
    };
    let windlass = match map(client, namespace, windlass).await? {
        Map::Found(entries) => entries,
        Map::Unseen(_) => BTreeMap::new(),
    };
    let parsed = Config::parse(&chains, &windlass)
        .with_context(|| format!("cannot use config map {namespace}/{}", MAPS[0]))?;
    warnings.extend(parsed.warnings.iter().map(ToString::to_string));
    Ok(parsed.config)
}

enum Map {
    Found(BTreeMap<String, String>),
    /// Why it was not read.
    Unseen(String),
}

#[derive(Deserialize)]
struct ConfigMap {
    data: Option<BTreeMap<String, String>>,
}

async fn map(client: &Client, namespace: &str, name: &str) -> anyhow::Result<Map> {
    let what = format!("config map {namespace}/{name}");
    let namespace = escaped(namespace);
    let uri = format!("/api/v1/namespaces/{namespace}/configmaps/{name}");
    let call = Call::get(format!("read {what}"), uri);
    let body = match call.send(client).await {
        Ok(body) => body,
        Err(CallError::Refused { status: 404, .. }) => {
            let why = "does not exist; choose another namespace with --system-namespace";
            return Ok(Map::Unseen(format!("{what} {why}")));
        }
        Err(CallError::Refused { status: 403, .. }) => {
            return Ok(Map::Unseen(format!("your account may not read {what}")));
        }
        Err(error) => return Err(error.into()),
    };
    let read: ConfigMap = serde_json::from_slice(&body)
        .with_context(|| format!("cannot read {what}: the answer is not a config map"))?;
    Ok(Map::Found(read.data.unwrap_or_default()))
}
