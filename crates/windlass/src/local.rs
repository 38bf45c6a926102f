//! The built-in cluster with the controller in it, as `dev`, `demo` and the tests use it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use windlass_sandbox::{Cluster, Options as ClusterOptions};

use crate::controller::{self, Options};
use crate::telemetry::Metrics;

/// Runs worked on at once.
const CONCURRENCY: usize = 8;

/// A cluster in this process, and the controller that looks after it.
pub(crate) struct Local {
    /// The API server.
    pub(crate) cluster: Cluster,
    /// What the controller counted; for tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by tests"))]
    pub(crate) metrics: Metrics,
    controller: JoinHandle<()>,
    stop: CancellationToken,
}

impl Local {
    /// Starts the cluster with an empty `chains-config` in `system_namespace`, and the controller.
    pub(crate) async fn start(port: Option<u16>, system_namespace: &str) -> anyhow::Result<Self> {
        Self::with_patience(port, system_namespace, Options::PATIENCE).await
    }

    /// The same, with another time that a pipeline run waits before it says so.
    pub(crate) async fn with_patience(
        port: Option<u16>,
        system_namespace: &str,
        patience: Duration,
    ) -> anyhow::Result<Self> {
        let namespaces = vec![system_namespace.to_owned()];
        let options = ClusterOptions {
            port,
            namespaces,
            ..ClusterOptions::default()
        };
        let cluster = Cluster::start(options).await?;
        cluster.create(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "chains-config", "namespace": system_namespace },
            "data": {},
        }))?;
        let client = client(&cluster).await?;
        let metrics = Metrics::default();
        let stop = CancellationToken::new();
        let options = Options {
            system_namespace: system_namespace.to_owned(),
            namespaces: BTreeSet::new(),
            signing_secrets_path: None,
            concurrency: CONCURRENCY,
            patience,
        };
        let running = controller::run(client, options, metrics.clone(), stop.clone());
        let controller = tokio::spawn(running);
        Ok(Self {
            cluster,
            metrics,
            controller,
            stop,
        })
    }

    /// Writes the kubeconfig where `kubectl` can be pointed at; only its owner may read it.
    pub(crate) fn write_kubeconfig(&self, path: &Path) -> anyhow::Result<()> {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;

        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let mut options = std::fs::OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path);
        file.and_then(|mut file| file.write_all(self.cluster.kubeconfig().as_bytes()))
            .with_context(|| format!("cannot write the kubeconfig {}", path.display()))
    }

    /// Stops the controller, which finishes what is under way, and then the cluster.
    pub(crate) async fn shutdown(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.controller.await.context("the controller broke off")?;
        self.cluster.shutdown().await;
        Ok(())
    }
}

/// A client of the built-in cluster.
pub(crate) async fn client(cluster: &Cluster) -> anyhow::Result<Client> {
    let file = Kubeconfig::from_yaml(&cluster.kubeconfig())?;
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    Ok(Client::try_from(config)?)
}
