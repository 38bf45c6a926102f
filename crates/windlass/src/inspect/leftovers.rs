//! What would be left in a cluster if the controller were removed now.
//!
//! Only the metadata of runs is read, object by object, so that a cluster of any size needs the memory
//! of one.

use kube::Client;
use serde::Deserialize;
use windlass_core::annotation;
use windlass_core::config::{CHAINS_CONFIG, WINDLASS_CONFIG};
use windlass_core::run::{Kind, Metadata};

use super::runs::{Runs, RunsError};
use crate::cluster::call::{Call, CallError, METADATA_ONLY};
use crate::cluster::list::{List, ListError, Listed, METADATA_LIST, Source};
use crate::cluster::path::{ApiPath, Resource};
use crate::cluster::peek::Identity;
use crate::settings::keys::SIGNING_SECRETS;

/// Runs that are named.
const MOST_NAMES: usize = 5;
/// Beginnings of the names of leases that windlass or Chains keeps.
const LEASES: [&str; 2] = ["windlass", "watcher.github.com.tektoncd.chains."];

/// Why it is not known what would be left.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeftoversError {
    /// The runs could not be listed.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// The leases could not be listed.
    #[error(transparent)]
    List(#[from] ListError),
    /// An object could not be asked for.
    #[error(transparent)]
    Call(#[from] CallError),
}

/// What would be left.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    /// Runs that have a finalizer of the controller, which nobody else takes off.
    pub(crate) protected: RunCount,
    /// Runs with annotations of the controller.
    pub(crate) annotated: RunCount,
    /// Names of leases in the controller's namespace.
    pub(crate) leases: Vec<String>,
    /// Objects with settings or keys in that namespace, as `kind/name`.
    pub(crate) settings: Vec<&'static str>,
}

/// Runs of which some are named.
#[derive(Debug, Default)]
pub(crate) struct RunCount {
    pub(crate) task_runs: u64,
    pub(crate) pipeline_runs: u64,
    /// The first of them, as kind, namespace and name.
    pub(crate) first: Vec<(Kind, String, String)>,
}

impl RunCount {
    fn add(&mut self, kind: Kind, metadata: &Metadata<'_>) {
        match kind {
            Kind::Task => self.task_runs += 1,
            Kind::Pipeline => self.pipeline_runs += 1,
        }
        if self.first.len() < MOST_NAMES {
            let (namespace, name) = (&metadata.namespace, &metadata.name);
            self.first
                .push((kind, namespace.to_string(), name.to_string()));
        }
    }

    /// How many they are.
    pub(crate) fn total(&self) -> u64 {
        self.task_runs + self.pipeline_runs
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
}

impl Leftovers {
    /// Looks at all runs, and at the namespace of the controller.
    pub(crate) async fn find(client: &Client, namespace: &str) -> Result<Self, LeftoversError> {
        let mut found = Self::default();
        for kind in Kind::ALL {
            let runs = Runs::new(client, kind, None)?;
            let look = |object: &[u8]| {
                let Head { metadata } = serde_json::from_slice(object)?;
                found.add(kind, &metadata);
                Ok(())
            };
            match runs.each_metadata(look).await {
                // without Tekton there are no runs
                Err(RunsError::NotServed { .. }) => {}
                read => drop(read?),
            }
        }
        found.leases = leases(client, namespace).await?;
        for (name, resource, kind_and_name) in [
            (
                CHAINS_CONFIG,
                Resource::CONFIG_MAPS,
                "configmap/chains-config",
            ),
            (
                WINDLASS_CONFIG,
                Resource::CONFIG_MAPS,
                "configmap/windlass-config",
            ),
            (SIGNING_SECRETS, Resource::SECRETS, "secret/signing-secrets"),
        ] {
            if exists(client, ApiPath::within(namespace, resource).object(name)).await? {
                found.settings.push(kind_and_name);
            }
        }
        Ok(found)
    }

    fn add(&mut self, kind: Kind, metadata: &Metadata<'_>) {
        if kind.is_protected(metadata) {
            self.protected.add(kind, metadata);
        }
        let mut names = metadata.annotations.keys();
        if names.any(|name| name.starts_with(annotation::PREFIX)) {
            self.annotated.add(kind, metadata);
        }
    }
}

async fn leases(client: &Client, namespace: &str) -> Result<Vec<String>, LeftoversError> {
    let source = Source {
        what: format!("leases of namespace {namespace}"),
        path: ApiPath::within(namespace, Resource::LEASES),
        name: None,
        labels: None,
    };
    let mut list = List::new(client, &source).accept(METADATA_LIST);
    let mut found = Vec::new();
    while let Some(listed) = list.next().await? {
        let name = match listed {
            Listed::Object(object) => Identity::peek(&object).into_name(),
            Listed::TooLarge(object) => object.name,
        };
        if LEASES.iter().any(|start| name.starts_with(start)) {
            found.push(name);
        }
    }
    Ok(found)
}

/// Whether there is an object. Only its metadata is sent: it may be a key.
async fn exists(client: &Client, path: ApiPath) -> Result<bool, CallError> {
    let call = Call::get(format!("look for {}", path.as_str()), path).accept(METADATA_ONLY);
    match call.send(client).await {
        Ok(_) => Ok(true),
        Err(error) if error.status() == Some(404) => Ok(false),
        Err(error) => Err(error),
    }
}
