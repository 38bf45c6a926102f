//! What the controller says of itself: log lines, metrics and health.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::cluster::runs::RunKind;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For a person at a terminal.
    Text,
}

/// Starts logging to standard error. `RUST_LOG` chooses what is logged; `info` by default.
pub(crate) fn log_to_stderr(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // a second call in one process keeps the first subscriber
    let _ = match format {
        LogFormat::Json => subscriber.json().try_init(),
        LogFormat::Text => subscriber.with_target(false).compact().try_init(),
    };
}

/// The counters of one kind of run, with the reference's names and meanings (behaviour reference,
/// section 8.1).
#[derive(Debug, Default, Clone)]
pub(crate) struct RunCounts {
    /// Signatures made.
    pub(crate) signatures: Counter,
    /// Stores that succeeded, one for each artifact and store.
    pub(crate) stored: Counter,
    /// Runs marked as signed.
    pub(crate) marked_signed: Counter,
    /// Passes over a run that failed.
    pub(crate) failures: Counter,
}

/// The counters of the controller.
#[derive(Debug, Default, Clone)]
pub(crate) struct Metrics {
    /// Task runs.
    pub(crate) task_runs: RunCounts,
    /// Pipeline runs.
    pub(crate) pipeline_runs: RunCounts,
    /// Runs given up for good.
    pub(crate) given_up: Counter,
    /// Configurations that came into force.
    pub(crate) config_accepted: Counter,
    /// Configurations that were refused, the last good one staying in force.
    pub(crate) config_refused: Counter,
    /// Signing secrets that were refused, the last good key staying in force.
    pub(crate) key_refused: Counter,
    /// Private keys read; each encrypted one costs one run of scrypt.
    pub(crate) keys_loaded: Counter,
    /// Runs that wait for another try.
    pub(crate) waiting: Gauge,
}

impl Metrics {
    /// The counters of runs of this kind.
    pub(crate) fn of(&self, kind: RunKind) -> &RunCounts {
        match kind {
            RunKind::Task => &self.task_runs,
            RunKind::Pipeline => &self.pipeline_runs,
        }
    }

    fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        for kind in [RunKind::Task, RunKind::Pipeline] {
            self.of(kind).register(kind, &mut registry);
        }
        let counters = [
            (
                "windlass_runs_given_up",
                "Runs marked as failed for good",
                &self.given_up,
            ),
            (
                "windlass_config_accepted",
                "Changes of chains-config in force",
                &self.config_accepted,
            ),
            (
                "windlass_config_refused",
                "Refused changes of chains-config",
                &self.config_refused,
            ),
            (
                "windlass_key_refused",
                "Refused changes of the signing secret",
                &self.key_refused,
            ),
            (
                "windlass_keys_loaded",
                "Private keys read and decrypted",
                &self.keys_loaded,
            ),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        registry.register(
            "windlass_runs_waiting",
            "Runs waiting to be tried again",
            self.waiting.clone(),
        );
        registry
    }
}

impl RunCounts {
    fn register(&self, kind: RunKind, registry: &mut Registry) {
        let runs = format!("{}s", kind.words());
        let counters = [
            ("sign_created", "Signatures made for", &self.signatures),
            ("payload_stored", "Payloads stored for", &self.stored),
            ("marked_signed", "Marked as signed:", &self.marked_signed),
            ("signing_failures", "Failed passes over", &self.failures),
        ];
        let kind = kind.name().to_ascii_lowercase();
        for (name, help, counter) in counters {
            let name = format!("watcher_{kind}_{name}");
            registry.register(name, format!("{help} {runs}"), counter.clone());
        }
    }
}

/// Why a port could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {what}; choose another with {flag}")]
pub(crate) struct ListenError {
    what: &'static str,
    flag: &'static str,
    address: SocketAddr,
    source: std::io::Error,
}

/// Serves `/metrics` until `stop`.
pub(crate) async fn serve_metrics(
    address: SocketAddr,
    metrics: &Metrics,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, ListenError> {
    let registry = Arc::new(metrics.registry());
    let routes = Router::new().route("/metrics", get(async move || exposition(&registry)));
    serve(("metrics", "--metrics-address"), address, routes, stop).await
}

fn exposition(registry: &Registry) -> impl IntoResponse + use<> {
    let mut text = String::new();
    let status = match encode(&mut text, registry) {
        Ok(()) => StatusCode::OK,
        Err(std::fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    (status, [(header::CONTENT_TYPE, kind)], text)
}

/// Serves `/health` and `/readiness` until `stop`, as the reference does.
pub(crate) async fn serve_health(
    address: SocketAddr,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, ListenError> {
    let routes = Router::new()
        .route("/health", get(async || StatusCode::OK))
        .route("/readiness", get(async || StatusCode::OK));
    serve(("health", "--health-address"), address, routes, stop).await
}

async fn serve(
    (what, flag): (&'static str, &'static str),
    address: SocketAddr,
    routes: Router,
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, ListenError> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| ListenError {
            what,
            flag,
            address,
            source,
        })?;
    Ok(async move {
        let served = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, "the {what} server ended");
        }
    })
}
