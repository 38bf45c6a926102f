//! The connection to a Kubernetes API server: which kubeconfig, which context, which timeouts.
//!
//! Everything that talks to the cluster starts here, so that every call has the same time limits
//! and the same precedence as `kubectl`: `--kubeconfig`, `$KUBECONFIG`, `~/.kube/config`, then the
//! service account of the pod.

use std::path::PathBuf;
use std::time::Duration;

use kube::client::ClientBuilder;
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use windlass_core::network::Rules;

use self::rate::{Limit, Rate};

pub(crate) mod call;
pub(crate) mod children;
pub(crate) mod config_map;
pub(crate) mod event;
pub(crate) mod lease;
pub(crate) mod list;
pub(crate) mod path;
pub(crate) mod peek;
pub(crate) mod rate;
pub(crate) mod runs;
pub(crate) mod secret;
pub(crate) mod watch;

/// Bound on establishing a connection to the API server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Bound on one request, the wait for a watch's next event excepted.
const READ_TIMEOUT: Duration = Duration::from_secs(300);

/// The heading of these flags in the help of every verb.
pub(crate) const CLUSTER: &str = "Cluster";

/// The API server's name within every cluster.
const IN_CLUSTER: &str = "kubernetes.default.svc";

/// Flags shared by every verb that talks to a cluster.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Connection {
    /// Path of the kubeconfig file (default: $KUBECONFIG, then ~/.kube/config, then the pod's service account)
    #[arg(long, global = true, value_name = "FILE", help_heading = CLUSTER)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Kubeconfig context to use instead of the current one
    #[arg(long, global = true, value_name = "NAME", help_heading = CLUSTER)]
    pub(crate) context: Option<String>,
}

/// What a long-running program changes of a connection.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    /// URL of the API server.
    pub(crate) server: Option<String>,
    /// Cluster of the kubeconfig.
    pub(crate) cluster: Option<String>,
    /// How many requests are sent.
    pub(crate) rate: Option<Rate>,
}

/// Why no connection could be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// The kubeconfig is missing, unreadable or names an unknown context.
    #[error("cannot load the kubeconfig; check --kubeconfig, $KUBECONFIG and --context")]
    Kubeconfig(#[source] KubeconfigError),
    /// No flag names a kubeconfig, none was found in its usual places, and this is not a pod.
    #[error(
        "no cluster to connect to: this is not a pod, and there is no usable kubeconfig; name one \
         with --kubeconfig or $KUBECONFIG"
    )]
    Nowhere(#[source] KubeconfigError),
    /// This is a pod, and its service account is of no use.
    #[error("cannot use the service account of this pod; check that its token is mounted")]
    Pod(#[source] InClusterError),
    /// The URL of the API server is none.
    #[error("cannot use the address of the API server; write --server as https://HOST:PORT")]
    Server(#[source] http::uri::InvalidUri),
    /// The configuration was read but no client could be made of it.
    #[error("cannot set up the connection to the cluster")]
    Client(#[source] kube::Error),
}

impl Connection {
    /// A client, and the namespace that the context selects (`default` when it selects none).
    pub(crate) async fn connect(&self) -> Result<Client, ConnectError> {
        let config = self.config(None).await?;
        Client::try_from(config).map_err(ConnectError::Client)
    }

    /// A client with these changes, and the names and addresses of the API server.
    pub(crate) async fn connect_with_hosts(
        &self,
        overrides: Overrides,
    ) -> Result<(Client, Rules), ConnectError> {
        let Overrides {
            server,
            cluster,
            rate,
        } = overrides;
        let mut config = self.config(cluster).await?;
        if let Some(server) = server {
            config.cluster_url = server.parse().map_err(ConnectError::Server)?;
        }
        let hosts = hosts(config.cluster_url.host().unwrap_or_default()).await;
        let builder = ClientBuilder::try_from(config).map_err(ConnectError::Client)?;
        let client = match rate {
            Some(rate) => builder.with_layer(&Limit::new(rate)).build(),
            None => builder.build(),
        };
        Ok((client, hosts))
    }

    async fn config(&self, cluster: Option<String>) -> Result<Config, ConnectError> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            cluster,
            user: None,
        };
        let names_one = options.context.is_some() || options.cluster.is_some();
        let mut config = match &self.kubeconfig {
            Some(path) => {
                let file = Kubeconfig::read_from(path).map_err(ConnectError::Kubeconfig)?;
                Config::from_custom_kubeconfig(file, &options)
                    .await
                    .map_err(ConnectError::Kubeconfig)?
            }
            None if names_one => Config::from_kubeconfig(&options)
                .await
                .map_err(ConnectError::Kubeconfig)?,
            None => infer(&options).await?,
        };
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        Ok(config)
    }
}

/// The kubeconfig in its usual places, else the service account of the pod. When both fail, the one
/// that was meant to be used tells why.
async fn infer(options: &KubeConfigOptions) -> Result<Config, ConnectError> {
    let kubeconfig = match Config::from_kubeconfig(options).await {
        Ok(config) => return Ok(config),
        Err(error) => error,
    };
    Config::incluster().map_err(|error| match error {
        InClusterError::ReadEnvironmentVariable(_) => ConnectError::Nowhere(kubeconfig),
        error => ConnectError::Pod(error),
    })
}

/// An API server by its host and what that resolves to; within the cluster also by the name and
/// address that every pod knows it by.
async fn hosts(host: &str) -> Rules {
    let mut hosts = vec![host.to_owned()];
    if let Ok(address) = std::env::var("KUBERNETES_SERVICE_HOST") {
        hosts.extend([address, IN_CLUSTER.to_owned()]);
    }
    let mut rules = Rules::default();
    for host in hosts {
        match Rules::host(&host) {
            Ok(rule) => rules = rules.with(&rule),
            Err(error) => {
                tracing::warn!("cannot keep registries apart from the API server: {error}");
            }
        }
        let found = tokio::net::lookup_host((host.trim_matches(['[', ']']), 0)).await;
        let found = found.map(|found| found.map(|address| address.ip()).collect::<Vec<_>>());
        rules = rules.with(&Rules::addresses(found.unwrap_or_default()));
    }
    rules
}
