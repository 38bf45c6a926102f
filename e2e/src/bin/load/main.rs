//! The load tool: makes the runs of a scenario and measures how a controller signs them.
//!
//! The scenarios are named as in the public performance tests of Tekton Chains. Nothing here is
//! windlass's own: the controller is any program that leaves Chains' mark on runs.
//!
//! `cargo run -p windlass-e2e --bin load -- signing-tr-tekton-bigbang --runs 2500`

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Parser;
use windlass_e2e::Cosign;
use windlass_e2e::{Api, Kind, Testbed};

mod measure;
mod own;
mod process;
mod report;
mod requests;
mod scenario;
mod watch;

use self::measure::{Load, Subject};
use self::process::Running;
use self::scenario::Scenario;

/// Measure how a controller signs the runs of a scenario
#[derive(Debug, Parser)]
#[command(name = "load", max_term_width = 100)]
pub(crate) struct Arguments {
    /// What is signed
    scenario: Scenario,
    /// How many runs are made; those of pipelines count once for all their tasks
    #[arg(long, default_value_t = 2500)]
    runs: usize,
    /// How many runs a second end in a scenario that is ongoing
    #[arg(long, default_value_t = 50)]
    rate: u32,
    /// How many namespaces the runs are in
    #[arg(long, default_value_t = 1)]
    namespaces: usize,
    /// How many runs are made at a time
    #[arg(long, default_value_t = 24)]
    at_once: usize,
    /// Cluster to use; without it, one is started, with a registry and windlass
    #[arg(long, requires = "pid")]
    kubeconfig: Option<PathBuf>,
    /// Process of the controller at that cluster; it is stopped while the runs of a bigbang are made
    #[arg(long, requires = "kubeconfig")]
    pid: Option<u32>,
    /// Registry, with a path, that images of the runs are in
    #[arg(long, requires = "kubeconfig")]
    registry: Option<String>,
    /// Program to start in place of windlass, with Chains' arguments and environment
    #[arg(long, conflicts_with = "kubeconfig")]
    controller: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let report = match (&arguments.kubeconfig, arguments.pid) {
        (Some(kubeconfig), Some(pid)) => at(&arguments, kubeconfig.clone(), pid)?,
        _ => own(&arguments)?,
    };
    std::io::stdout().write_all(report.as_bytes())?;
    Ok(())
}

/// Measures a controller that runs already.
fn at(arguments: &Arguments, kubeconfig: PathBuf, pid: u32) -> Result<String> {
    if arguments.scenario == Scenario::SignedRunsPresent {
        bail!(
            "{} starts the controller: it needs a cluster of its own",
            arguments.scenario.name()
        );
    }
    if arguments.scenario.has_images() && arguments.registry.is_none() {
        bail!("{} needs --registry", arguments.scenario.name());
    }
    let mut load = Load {
        arguments,
        kubeconfig,
        registry: arguments.registry.clone(),
        secret: None,
    };
    runtime()?.block_on(load.measure(Subject::Running(Running(pid))))
}

/// Measures a controller in a cluster that is made for it.
fn own(arguments: &Arguments) -> Result<String> {
    let mut report = String::new();
    Testbed::without_controller(Kind::Real, Cosign::Two, |testbed| {
        report = own::measure(arguments, testbed)?;
        Ok(())
    })?;
    Ok(report)
}

pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}

/// Connects to the cluster of a kubeconfig.
pub(crate) async fn connect(kubeconfig: &std::path::Path) -> Result<Api> {
    Api::connect(kubeconfig).await
}
