//! windlass signs what Tekton builds: a Kubernetes controller and a command line in one program.
//!
//! The program is this library and a `main` that calls [`cli::main`]. Modules use each other in one
//! direction: the command line and the controller stand above the pipeline, the signers and the
//! stores, and those stand above the access to clusters and clouds. `pub` is what the program,
//! integration tests and benches use; there is no promise to anybody else.

mod apart;
pub mod cli;
mod cloud;
mod cluster;
pub mod controller;
#[cfg(feature = "sandbox")]
pub mod dev_cluster;
mod environment;
mod input;
mod inspect;
mod local_file;
mod log;
mod manifests;
mod pipeline;
mod process;
mod public_url;
mod service;
mod settings;
mod sign;
mod signing;
mod sigstore;
mod store;
pub mod telemetry;
mod transfer;
mod unsupported;
