//! The built-in cluster together with the controller, for `dev`, `demo` and the tests.
//!
//! Both are in this process and end with it. The controller talks to the cluster as to any other:
//! through a kubeconfig, over TLS, with a token.

use std::path::Path;

use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use windlass_core::config::{CHAINS_CONFIG, SharedCredentials};
use windlass_core::network::Policy;
use windlass_sandbox::{Cluster, Options as ClusterOptions, StartError, Status};

use crate::cluster::call::{Call, MERGE_PATCH};
use crate::cluster::path::{ApiPath, Resource};
use crate::controller::{self, Options};
use crate::telemetry::Metrics;

pub mod examples;
pub mod keyless;
mod kubeconfig_file;

use self::keyless::Keyless;
pub use self::kubeconfig_file::{KubeconfigFile, KubeconfigFileError};

/// Runs that push to registries at once.
const CONCURRENCY: usize = 32;

/// What its controller is called among others that are started for the cluster.
const POD: &str = "windlass-dev";

/// A cluster in this process, and its controller.
pub struct DevCluster {
    /// The API server.
    pub cluster: Cluster,
    /// The counters of the controller that runs now.
    pub metrics: Metrics,
    options: Options,
    controller: JoinHandle<()>,
    stop: CancellationToken,
}

/// Why the built-in cluster could not be started, used or stopped.
#[derive(Debug, thiserror::Error)]
pub enum DevClusterError {
    /// The API server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The first ConfigMap was refused.
    #[error("cannot create a config map of the controller")]
    Configure(#[source] Status),
    /// The settings were refused.
    #[error("cannot configure the controller")]
    Settings(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An example was refused.
    #[error("cannot create the example {0}")]
    Example(&'static str),
    /// The kubeconfig that the cluster gives cannot be read.
    #[error("cannot use the kubeconfig of the built-in cluster")]
    Kubeconfig(#[from] KubeconfigError),
    /// No client could be made of it.
    #[error("cannot set up the connection to the built-in cluster")]
    Client(#[source] Box<kube::Error>),
    /// The kubeconfig could not be written.
    #[error(transparent)]
    File(#[from] KubeconfigFileError),
    /// The controller ended before it was told to.
    #[error("the controller ended unexpectedly")]
    Controller(#[source] JoinError),
}

impl DevCluster {
    /// Starts the cluster, on `port` or a free one, with an empty `chains-config` in
    /// `system_namespace`, and the controller. Whoever starts it is the only tenant, so all runs share
    /// the credentials of this machine unless the configuration says otherwise.
    pub async fn start(port: Option<u16>, system_namespace: &str) -> Result<Self, DevClusterError> {
        let mut options = Options::new(system_namespace.to_owned(), CONCURRENCY);
        options.identity.shared = SharedCredentials::everywhere();
        // this program has the only controller of this name
        options.replication.pod = Some(POD.to_owned());
        // its registries are on this machine too
        options.registries.network = Policy::of_workstation();
        Self::with(port, options).await
    }

    /// The same with a controller set up like this.
    pub async fn with(port: Option<u16>, options: Options) -> Result<Self, DevClusterError> {
        let system_namespace = &options.system_namespace;
        let cluster = Cluster::start(ClusterOptions {
            port,
            namespaces: vec![system_namespace.clone()],
            ..ClusterOptions::default()
        });
        let cluster = cluster.await?;
        let chains_config = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": CHAINS_CONFIG, "namespace": system_namespace },
            "data": {},
        });
        let created = cluster.create(chains_config);
        created.map_err(DevClusterError::Configure)?;
        let metrics = Metrics::default();
        let stop = CancellationToken::new();
        let client = client(&cluster).await?;
        let running = controller::run(client, options.clone(), metrics.clone(), stop.clone());
        Ok(Self {
            cluster,
            metrics,
            options,
            controller: tokio::spawn(running),
            stop,
        })
    }

    /// Has the controller sign without a key, with these servers.
    pub async fn sign_without_key(&self, keyless: &Keyless) -> Result<(), DevClusterError> {
        let own = self.cluster.create(keyless.windlass_config());
        own.map_err(DevClusterError::Configure)?;
        self.configure(&keyless.chains_config()).await
    }

    /// Puts these settings into `chains-config`, and leaves the others.
    pub async fn configure(&self, data: &Value) -> Result<(), DevClusterError> {
        let namespace = &self.options.system_namespace;
        let map = ApiPath::within(namespace, Resource::CONFIG_MAPS).object(CHAINS_CONFIG);
        let patch = json!({ "data": data }).to_string().into_bytes();
        let action = format!("patch config map {CHAINS_CONFIG}");
        let patched = Call::patch(action, map, MERGE_PATCH, patch);
        let patched = patched.send(&client(&self.cluster).await?).await;
        patched
            .map(drop)
            .map_err(|error| DevClusterError::Settings(Box::new(error)))
    }

    /// Puts the examples of the repository on the cluster, in the namespace `default`.
    pub fn create_examples(&self) -> Result<(), DevClusterError> {
        for example in examples::ALL {
            let object = serde_saphyr::from_str(example.text);
            let object = object.map_err(|_| DevClusterError::Example(example.file))?;
            let created = self.cluster.create(object);
            created.map_err(|_| DevClusterError::Example(example.file))?;
        }
        Ok(())
    }

    /// Ends the controller wherever it is, as a power cut would, and starts another one, whose
    /// counters begin at zero.
    pub async fn kill_and_start_controller(&mut self) -> Result<(), DevClusterError> {
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

    /// Ends the controller wherever it is, and then the cluster: for a test whose work never ends.
    #[cfg(test)]
    pub(crate) async fn kill_and_end(mut self) {
        self.controller.abort();
        // it was aborted, or ended before that
        let _ = (&mut self.controller).await;
        self.cluster.shutdown().await;
    }

    /// Writes the kubeconfig where `kubectl` can be pointed at; only its owner may read it.
    pub fn write_kubeconfig(&self, path: &Path) -> Result<KubeconfigFile, DevClusterError> {
        Ok(KubeconfigFile::write(path, &self.cluster.kubeconfig())?)
    }

    /// Stops the controller, which finishes what is under way. The cluster goes on.
    pub async fn stop_controller(&mut self) -> Result<(), DevClusterError> {
        self.stop.cancel();
        let ended = (&mut self.controller).await;
        ended.map_err(DevClusterError::Controller)
    }

    /// Stops the controller, which finishes what is under way, and then the cluster.
    pub async fn shutdown(mut self) -> Result<(), DevClusterError> {
        self.stop_controller().await?;
        self.cluster.shutdown().await;
        Ok(())
    }
}

/// A client of the built-in cluster.
pub async fn client(cluster: &Cluster) -> Result<Client, DevClusterError> {
    let file = Kubeconfig::from_yaml(&cluster.kubeconfig())?;
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    Client::try_from(config).map_err(|error| DevClusterError::Client(Box::new(error)))
}
