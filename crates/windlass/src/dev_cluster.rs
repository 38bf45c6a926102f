//! The built-in cluster with the controller in it, as `dev`, `demo` and the tests use it.

use std::path::Path;

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
pub(crate) struct DevCluster {
    /// The API server.
    pub(crate) cluster: Cluster,
    /// What the controller counted; for tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by tests"))]
    pub(crate) metrics: Metrics,
    #[cfg(test)]
    options: Options,
    controller: JoinHandle<()>,
    stop: CancellationToken,
}

impl DevCluster {
    /// Starts the cluster with an empty `chains-config` in `system_namespace`, and the controller.
    pub(crate) async fn start(port: Option<u16>, system_namespace: &str) -> anyhow::Result<Self> {
        let options = Options::new(system_namespace.to_owned(), CONCURRENCY);
        Self::with(port, options).await
    }

    /// The same with a controller set up like this.
    pub(crate) async fn with(port: Option<u16>, options: Options) -> anyhow::Result<Self> {
        let system_namespace = &options.system_namespace;
        let cluster = Cluster::start(ClusterOptions {
            port,
            namespaces: vec![system_namespace.clone()],
            ..ClusterOptions::default()
        });
        let cluster = cluster.await?;
        cluster.create(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": "chains-config", "namespace": system_namespace },
            "data": {},
        }))?;
        let metrics = Metrics::default();
        let stop = CancellationToken::new();
        let client = client(&cluster).await?;
        let running = controller::run(client, options.clone(), metrics.clone(), stop.clone());
        Ok(Self {
            cluster,
            metrics,
            #[cfg(test)]
            options,
            controller: tokio::spawn(running),
            stop,
        })
    }

    /// Ends the controller wherever it is, as a power cut would, and starts another.
    #[cfg(test)]
    pub(crate) async fn kill_and_start_controller(&mut self) -> anyhow::Result<()> {
        self.controller.abort();
        // it was aborted, or ended before that
        let _ = (&mut self.controller).await;
        let (options, metrics) = (self.options.clone(), Metrics::default());
        self.metrics = metrics.clone();
        let client = client(&self.cluster).await?;
        let running = controller::run(client, options, metrics, self.stop.clone());
        self.controller = tokio::spawn(running);
        Ok(())
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
