//! `windlass controller`: signs finished runs until it is stopped.
//!
//! It has the flags and reads the variables of the controller of Tekton Chains, so that a Deployment
//! of Chains runs windlass once its image is changed. What has no effect here is said once in the log.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::ArgAction;
use futures::future::OptionFuture;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use self::klog::{Klog, boolean};
use self::observability::{ConfigNames, metrics_address};
use super::namespaces::{self, OfSettings};
use super::number;
use crate::cluster::path::check_label;
use crate::cluster::rate::Rate;
use crate::cluster::{CLUSTER, Connection, Overrides};
use crate::controller::{self, Options, OrdinalError, Replication};
use crate::environment::variable;
use crate::telemetry::{self, Address, Health, LogFormat, Metrics, Tls, Traces};
use crate::{process, settings};

mod klog;
mod observability;
mod plugins;
mod replication;

/// Requests that may be sent at once under a limit, unless it is set: as many as in Chains.
const BURST: f64 = 10.0;

/// Default number of runs that push to registries at the same time. They mostly wait: of the quarter
/// that is a namespace's share, fewer than 64 would push fewer signatures per second
/// (`docs/performance.md`).
const CONCURRENCY: usize = 256;

/// Heading of the flags in the help.
const PLUGINS: &str = "Plugins of key services";
/// What their flags mean.
const PLUGIN_DIR: &str = "Folder whose programs sigstore-kms-NAME may be run as plugins (default: WINDLASS_KMS_PLUGIN_DIR, or none)";
const PLUGIN_ENV: &str =
    "Variables that plugins get, separated by commas (default: WINDLASS_KMS_PLUGIN_ENV, or none)";

/// What its flag means for the controller.
const SYSTEM_NAMESPACE: &str =
    "Namespace of chains-config and signing-secrets [default: tekton-chains]";

/// Watch task runs and pipeline runs and sign each finished one
#[derive(Debug, clap::Args)]
#[command(args_override_self = true)]
#[command(mut_arg("system_namespace", |argument| argument.help(SYSTEM_NAMESPACE)))]
#[command(after_help = "Examples:
  # in a pod: the service account's rights, the pod's own namespace
  windlass controller

  # from a laptop, for one namespace
  SYSTEM_NAMESPACE=openshift-pipelines windlass controller --kubeconfig ~/.kube/config \\
      --namespace builds")]
pub(crate) struct Controller {
    #[command(flatten)]
    settings: OfSettings,
    /// Namespaces whose runs are signed, separated by commas (default: all)
    #[arg(long, value_delimiter = ',', value_name = "NAMESPACES")]
    namespace: Vec<String>,
    /// Directory with the signing key, instead of the secret signing-secrets
    #[arg(long, value_name = "DIRECTORY")]
    signing_secrets_path: Option<PathBuf>,
    #[arg(long, value_name = "DIRECTORY", help_heading = PLUGINS, help = PLUGIN_DIR)]
    kms_plugin_dir: Option<PathBuf>,
    #[arg(long, value_delimiter = ',', value_name = "NAMES", help_heading = PLUGINS, help = PLUGIN_ENV)]
    kms_plugin_env: Vec<String>,
    /// Runs that push to registries at once (at least 32), a quarter of them of one namespace
    #[arg(long, alias = "threads-per-controller", default_value_t = CONCURRENCY, value_name = "N", allow_negative_numbers = true, value_parser = number::count::<usize>)]
    concurrency: usize,
    /// Address that serves /metrics (default: that of Tekton Chains' variables and ConfigMap, else :9090)
    #[arg(long, value_name = "ADDRESS")]
    metrics_address: Option<Address>,
    /// Address that serves /health and /readiness
    #[arg(long, default_value = ":8080", value_name = "ADDRESS")]
    health_address: Address,
    /// Format of log lines
    #[arg(long, value_enum, default_value = "json")]
    log_format: LogFormat,
    /// Requests per second to the API server (default: no limit)
    #[arg(long, env = "KUBE_API_QPS", value_parser = limit, value_name = "N", hide_env = true)]
    kube_api_qps: Option<f64>,
    /// Requests to the API server that may be sent at once under --kube-api-qps (default: 10)
    #[arg(long, env = "KUBE_API_BURST", value_parser = limit, value_name = "N", hide_env = true)]
    kube_api_burst: Option<f64>,
    /// Do not agree with other replicas on who signs which runs
    #[arg(long, action = ArgAction::Set, value_parser = boolean, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_value_t = false)]
    #[arg(default_missing_value = "true", hide_default_value = true)]
    disable_ha: bool,
    /// Address of the API server, instead of that of the kubeconfig
    #[arg(long, value_name = "URL", help_heading = CLUSTER)]
    server: Option<String>,
    /// Kubeconfig cluster to use instead of that of the context
    #[arg(long, value_name = "NAME", help_heading = CLUSTER)]
    cluster: Option<String>,
    #[command(flatten)]
    klog: Klog,
}

/// The namespaces that are looked at, for people.
fn shown(namespaces: &BTreeSet<String>) -> String {
    if namespaces.is_empty() {
        return "all".to_owned();
    }
    let names: Vec<&str> = namespaces.iter().map(String::as_str).collect();
    names.join(",")
}

impl Controller {
    /// Runs until SIGTERM or Ctrl-C.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let namespace = self.system_namespace();
        check_label(&namespace).context("cannot use the system namespace")?;
        let traces = Traces::of(&variable)?;
        let level = telemetry::log_to_stderr(self.log_format, &traces);
        process::forbid_dumps();
        let tls = Tls::of_chains(&variable)?;
        let replication = self.replication()?;
        self.note_what_has_no_effect();
        let (client, api) = connection.connect_with_hosts(self.overrides()).await?;
        let (health, metrics) = (Health::default(), Metrics::default());
        let stop = CancellationToken::new();
        let asked = asked_to_stop(stop.clone())?;
        let health_server =
            telemetry::serve_health(&self.health_address, &health, stop.clone()).await?;
        let names = ConfigNames::of(variable);
        let address = self.metrics_address.clone();
        let address = metrics_address(address, &client, &namespace, &names.observability).await?;
        let metrics_server = match address {
            Some(address) => {
                let served = telemetry::serve_metrics(&address, tls, &metrics, stop.clone());
                Some(served.await?)
            }
            None => None,
        };
        let mut options = self.options(health, replication);
        options.registries.network = options.registries.network.without_cluster(&api);
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            system_namespace = options.system_namespace,
            namespaces = shown(&options.namespaces),
            concurrency = options.concurrency,
            "started"
        );
        let logging = settings::logging::run(&client, &namespace, &names.logging, &level);
        let logging = stop.run_until_cancelled(logging);
        // on a thread of the runtime, where a pass that ends wakes the queue without another thread
        let signing = controller::run(client.clone(), options, metrics, stop.clone());
        let signing = AbortOnDropHandle::new(tokio::spawn(signing));
        let controller = async {
            if let Err(error) = signing.await {
                tracing::error!(%error, "the controller broke off");
            }
            let was_asked = stop.is_cancelled();
            // nothing else is worth running without it
            stop.cancel();
            was_asked
        };
        let metrics_server = OptionFuture::from(metrics_server);
        let (was_asked, ..) =
            tokio::join!(controller, metrics_server, health_server, logging, asked);
        ensure!(
            was_asked,
            "the controller ended though nobody asked it to; start it again"
        );
        traces.end().await;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}

impl Controller {
    /// Where its settings are: it does not look for them, since whoever made them first would have it.
    fn system_namespace(&self) -> String {
        self.settings
            .named()
            .unwrap_or(namespaces::DEFAULT)
            .to_owned()
    }

    /// What the controller is to do.
    fn options(self, health: Health, replication: Replication) -> Options {
        let system_namespace = self.system_namespace();
        Options {
            namespaces: namespaces(&self.namespace),
            plugins: plugins::of(self.kms_plugin_dir, &self.kms_plugin_env, variable),
            signing_secrets_path: self.signing_secrets_path,
            health,
            replication,
            ..Options::new(system_namespace, self.concurrency)
        }
    }

    /// How it shares the work with other replicas.
    fn replication(&self) -> Result<Replication, OrdinalError> {
        if self.disable_ha {
            return Ok(replication::alone());
        }
        replication::of(variable)
    }

    /// What the flags change of the connection.
    fn overrides(&self) -> Overrides {
        Overrides {
            server: self.server.clone(),
            cluster: self.cluster.clone(),
            rate: self.rate(),
        }
    }

    /// The limit on requests; 0 stands for none, as in Chains.
    fn rate(&self) -> Option<Rate> {
        let is_set = |limit: &f64| *limit > 0.0;
        Some(Rate {
            per_second: self.kube_api_qps.filter(is_set)?,
            burst: self.kube_api_burst.filter(is_set).unwrap_or(BURST),
        })
    }

    /// Says once which flags of Chains are read in vain.
    fn note_what_has_no_effect(&self) {
        let mut flags = self.klog.set.clone();
        if self.kube_api_burst.is_some() && self.rate().is_none() {
            flags.push("kube-api-burst");
        }
        if !flags.is_empty() {
            let flags = flags.join(", ");
            tracing::info!(flags, "these flags of Tekton Chains have no effect here");
        }
        let variables = Tls::left_out(&variable);
        if !variables.is_empty() {
            let variables = variables.join(", ");
            tracing::warn!(
                variables,
                "these variables of Tekton Chains have no effect here"
            );
        }
    }
}

/// Reads a limit. An empty variable is none.
fn limit(text: &str) -> Result<f64, String> {
    if text.is_empty() {
        return Ok(0.0);
    }
    match text.parse() {
        Ok(limit) if (0.0..=f64::from(f32::MAX)).contains(&limit) => Ok(limit),
        _ => Err("expected a number, at least 0".to_owned()),
    }
}

fn namespaces(listed: &[String]) -> BTreeSet<String> {
    // spaces are dropped as Chains drops them
    let names = listed.iter().map(|name| name.replace(' ', ""));
    names.filter(|name| !name.is_empty()).collect()
}

/// Cancels `stop` at the first SIGTERM or Ctrl-C.
pub(crate) fn asked_to_stop(
    stop: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + use<>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stop.cancelled() => {}
        }
        stop.cancel();
    })
}
