//! The connection to a Kubernetes API server: which kubeconfig, which context, which timeouts.
//!
//! Everything that talks to the cluster starts here, so that every call has the same time limits
//! and the same precedence as `kubectl`: `--kubeconfig`, `$KUBECONFIG`, `~/.kube/config`, then the
//! service account of the pod.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Uri;
use kube::client::ClientBuilder;
use kube::config::{InClusterError, KubeConfigOptions};
use kube::{Client, Config};
use windlass_core::network::Rules;

use self::login::Audience;
use self::rate::{Limit, Rate};

pub(crate) mod call;
pub(crate) mod cause;
pub(crate) mod children;
pub(crate) mod config_map;
mod connect_error;
pub(crate) mod event;
mod kubeconfig;
pub(crate) mod lease;
pub(crate) mod list;
mod login;
pub(crate) mod path;
pub(crate) mod peek;
pub(crate) mod pod;
pub(crate) mod rate;
pub(crate) mod run_writes;
pub(crate) mod runs;
pub(crate) mod secret;
mod setup;
pub(crate) mod time_of_day;
pub(crate) mod told;
pub(crate) mod watch;

pub(crate) use self::connect_error::ConnectError;

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
    #[arg(short, long, global = true, value_name = "FILE", help_heading = CLUSTER)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Kubeconfig context to use instead of the current one
    #[arg(short, long, global = true, value_name = "NAME", help_heading = CLUSTER)]
    pub(crate) context: Option<String>,
    /// The API server that was last spoken to, for errors.
    #[arg(skip)]
    server: Arc<OnceLock<String>>,
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

impl Connection {
    /// A client, and the namespace that the context selects (`default` when it selects none).
    pub(crate) async fn connect(&self) -> Result<Client, ConnectError> {
        let config = self.config(None).await?;
        let (config, renewal) = login::credential(config, Audience::Person).await?;
        let builder = setup::made(config, ClientBuilder::try_from)?;
        Ok(builder.with_layer(&renewal).build())
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
            config.cluster_url = address(&server, &config)?;
        }
        let of_pod = std::env::var("KUBERNETES_SERVICE_HOST").ok();
        let hosts = hosts(config.cluster_url.host().unwrap_or_default(), of_pod).await;
        let (config, renewal) = login::credential(config, Audience::Nobody).await?;
        let builder = setup::made(config, ClientBuilder::try_from)?;
        let builder = builder.with_layer(&renewal);
        let client = match rate {
            Some(rate) => builder.with_layer(&Limit::new(rate)).build(),
            None => builder.build(),
        };
        Ok((client, hosts))
    }

    /// What to do about an error of the API server, by its text: a person at a terminal reads it.
    pub(crate) fn advice(&self, error: &str) -> Option<String> {
        let server = self.server.get()?;
        if error.contains(call::SILENT) {
            return Some(format!(
                "the server is {server}: check that it runs, that it can be reached from here, and \
                 that this is the right context"
            ));
        }
        if error.contains(call::STRANGER) {
            return Some(format!(
                "the server is {server}: log in to the network or the proxy in front of it, or correct \
                 the server in the kubeconfig"
            ));
        }
        error.contains(call::UNAUTHORIZED).then(|| {
            format!(
                "the server {server} does not accept the credential of the kubeconfig: log in to \
                 the cluster again, or choose another context"
            )
        })
    }

    async fn config(&self, cluster: Option<String>) -> Result<Config, ConnectError> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            cluster,
            user: None,
        };
        let names_one = options.context.is_some() || options.cluster.is_some();
        let path = self.kubeconfig.as_deref();
        let loaded = kubeconfig::load(path, &options).await;
        let mut config = match loaded {
            Ok(config) => config,
            Err(error) if path.is_some() || names_one => return Err(error.into()),
            Err(error) => in_pod(error)?,
        };
        let context = self.context.as_deref();
        let context = context.map_or_else(String::new, |name| format!(" (context {name})"));
        // the first one is the one that a person reads about
        let server = kubeconfig::server::shown(&config.cluster_url);
        let _ = self.server.set(format!("{server}{context}"));
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.read_timeout = Some(READ_TIMEOUT);
        config.default_retry = false;
        Ok(config)
    }
}

/// The service account of the pod. Where this is none, the kubeconfig was meant, and is told of.
fn in_pod(kubeconfig: kubeconfig::FileError) -> Result<Config, ConnectError> {
    Config::incluster().map_err(|error| match error {
        InClusterError::ReadEnvironmentVariable(_) => ConnectError::Nowhere(kubeconfig),
        error => ConnectError::Pod(error),
    })
}

/// The address that a flag names, completed as one of a kubeconfig is.
fn address(server: &str, config: &Config) -> Result<Uri, ConnectError> {
    let has_tls = config.root_cert.is_some()
        || config.accept_invalid_certs
        || config.auth_info.client_certificate.is_some()
        || config.auth_info.client_certificate_data.is_some();
    let url = kubeconfig::server::completed(server, has_tls).parse();
    let url: Option<Uri> = url.ok().filter(kubeconfig::server::is_usable);
    url.ok_or(ConnectError::Server)
}

/// An API server by its host and what that resolves to; within the cluster also by the name and
/// address that every pod knows it by.
async fn hosts(host: &str, of_pod: Option<String>) -> Rules {
    let mut hosts = vec![host.to_owned()];
    if let Some(address) = of_pod {
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

#[cfg(test)]
mod tests {
    use windlass_core::network::{Policy, Reach, Refusal};

    use super::*;

    /// Whether a registry of this name and address is taken for the API server.
    fn is_api(api: &Rules, host: Option<&str>, address: &str) -> bool {
        let policy = Policy::of_workstation().without_cluster(api);
        let checked = policy.check(host, address.parse().unwrap(), Reach::Local);
        checked == Err(Refusal::Cluster)
    }

    #[tokio::test]
    async fn the_api_server_is_known_by_its_name_and_every_address_of_it() {
        let api = hosts("localhost", None).await;
        assert!(is_api(&api, None, "127.0.0.1"));
        assert!(is_api(&api, None, "::ffff:127.0.0.1"));
        assert!(is_api(&api, Some("LocalHost."), "192.0.2.7"));
        assert!(!is_api(&api, Some("r.io"), "192.0.2.7"));
        // no pod
        assert!(!is_api(&api, Some(IN_CLUSTER), "192.0.2.7"));
        for (host, address) in [("192.0.2.1", "192.0.2.1"), ("[2001:db8::1]", "2001:db8::1")] {
            let api = hosts(host, None).await;
            assert!(is_api(&api, Some("r.io"), address), "{host}");
            assert!(!is_api(&api, Some("r.io"), "192.0.2.7"), "{host}");
        }
    }

    #[tokio::test]
    async fn a_pod_knows_the_api_server_by_its_service_too() {
        let api = hosts("api.invalid", Some("10.96.0.1".to_owned())).await;
        assert!(is_api(&api, Some("r.io"), "10.96.0.1"));
        assert!(is_api(&api, Some("kubernetes.default.svc"), "192.0.2.7"));
        assert!(is_api(&api, Some("api.invalid"), "192.0.2.7"));
        let api = hosts("api.invalid", Some("fd00::1".to_owned())).await;
        assert!(is_api(&api, Some("r.io"), "fd00::1"));
    }
}
