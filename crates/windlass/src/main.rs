//! windlass signs what Tekton builds: a Kubernetes controller and a command line in one binary.

use std::process::ExitCode;

mod cli;
mod cloud;
mod cluster;
mod controller;
mod key_ref;
#[cfg(feature = "sandbox")]
mod local;
mod pipeline;
mod settings;
mod signer;
mod store;
mod telemetry;

fn main() -> ExitCode {
    cli::main()
}
