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
use windlass_e2e::{Cosign, Kind, Testbed};

mod arguments;
mod measure;
mod own;
mod process;
mod report;
mod requests;
mod runtime;
mod scenario;
mod watch;

use self::arguments::Arguments;
use self::measure::{Load, Subject};
use self::process::Running;
use self::runtime::runtime;
use self::scenario::Scenario;

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
