//! Many task runs at once, by one client that keeps its connections. kubectl would start a process for
//! each change, or read every object before it changes it, which takes longer than what a scenario
//! is about.

use std::path::Path;

use anyhow::{Context, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::api::Api;

/// Requests that are under way at once.
const AT_ONCE: usize = 8;

/// A client for many task runs.
#[derive(Debug)]
pub struct Bulk {
    runtime: Runtime,
    api: Api,
}

impl Bulk {
    /// Connects as the user of a kubeconfig.
    pub fn connect(kubeconfig: &Path) -> Result<Self> {
        let runtime = Runtime::new()?;
        let api = runtime.block_on(Api::connect(kubeconfig))?;
        Ok(Self { runtime, api })
    }

    /// Creates the runs of a list in a namespace.
    pub fn create(&self, namespace: &str, list: &Value) -> Result<()> {
        let path = collection(namespace);
        let runs = list["items"].as_array().context("a list without items")?;
        self.for_each(runs, &async |run| {
            let name = &run["metadata"]["name"];
            let created = self.api.create(&path, run).await;
            created.with_context(|| format!("cannot create {name} in {namespace}"))
        })
    }

    /// Writes a status, as `{"status": …}`, to each of these runs.
    pub fn write_status(&self, namespace: &str, names: &[String], status: &Value) -> Result<()> {
        let path = collection(namespace);
        self.for_each(names, &async |name| {
            let path = format!("{path}/{name}/status");
            let changed = self.api.merge(&path, status).await;
            changed.with_context(|| format!("cannot change {name} in {namespace}"))
        })
    }

    /// The metadata of the runs of a namespace that have these labels.
    pub fn metadata(&self, namespace: &str, labels: &str) -> Result<Vec<Value>> {
        let path = format!("{}?labelSelector={labels}", collection(namespace));
        self.runtime.block_on(self.api.metadata(&path))
    }

    fn for_each<T>(&self, all: &[T], change: &impl AsyncFn(&T) -> Result<Value>) -> Result<()> {
        let changes = stream::iter(all).map(|one| change(one));
        let changes = changes.buffer_unordered(AT_ONCE);
        self.runtime
            .block_on(changes.try_for_each(async |_| Ok(())))
    }
}

/// The task runs of a namespace.
fn collection(namespace: &str) -> String {
    format!("/apis/tekton.dev/v1/namespaces/{namespace}/taskruns")
}
