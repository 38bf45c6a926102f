//! windlass signs what Tekton builds: a Kubernetes controller and a command line in one binary.

use std::process::ExitCode;

mod cli;
mod cloud;
mod cluster;
mod controller;
#[cfg(feature = "sandbox")]
mod local;
mod log;
mod pipeline;
mod settings;
mod sign;
mod store;
mod telemetry;
mod unsupported;

fn main() -> ExitCode {
    cli::main()
}
