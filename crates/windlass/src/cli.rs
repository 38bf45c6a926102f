//! The command line: one file a verb, one enum that lists them.
//!
//! Exit status of every verb: 0 done or valid, 1 checked and not valid, 2 could not be done or
//! checked.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::arguments::Place;
use self::failure::Reader;
use crate::cluster::Connection;

mod access;
mod arguments;
mod attest;
mod claims;
mod completions;
mod controller;
#[cfg(feature = "sandbox")]
mod demo;
mod describe;
#[cfg(feature = "sandbox")]
mod dev;
mod explain;
mod failure;
mod generate_key_pair;
mod key;
mod list;
mod output;
mod payload;
mod pipelinerun;
mod public_key;
mod registry;
mod report;
mod run;
mod run_files;
mod sign_blob;
mod taskrun;
mod tree;
mod verdict;
mod verify;
mod verify_attestation;
mod verify_blob;
mod verify_blob_attestation;

/// windlass signs what Tekton builds
#[derive(Debug, Parser)]
#[command(name = "windlass", version, about, max_term_width = 100)]
#[command(after_help = "Try it on this machine without installing anything:  windlass demo")]
struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    GenerateKeyPair(generate_key_pair::GenerateKeyPair),
    PublicKey(public_key::PublicKey),
    SignBlob(sign_blob::SignBlob),
    Verify(verify::Verify),
    VerifyAttestation(verify_attestation::VerifyAttestation),
    Tree(tree::Tree),
    Registry(registry::Registry),
    VerifyBlob(verify_blob::VerifyBlob),
    VerifyBlobAttestation(verify_blob_attestation::VerifyBlobAttestation),
    #[command(visible_alias = "tr")]
    Taskrun(taskrun::TaskRun),
    #[command(visible_alias = "pr")]
    Pipelinerun(pipelinerun::PipelineRun),
    Explain(explain::Explain),
    Attest(attest::Attest),
    Payload(payload::PayloadOf),
    Controller(controller::Controller),
    #[cfg(feature = "sandbox")]
    Dev(dev::Dev),
    #[cfg(feature = "sandbox")]
    Demo(demo::Demo),
    Completions(completions::Completions),
}

impl Verb {
    async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        match self {
            Self::GenerateKeyPair(verb) => verb.run(connection).await,
            Self::PublicKey(verb) => verb.run(connection).await,
            Self::SignBlob(verb) => verb.run(connection).await,
            Self::Verify(verb) => Box::pin(verb.run(connection)).await,
            Self::VerifyAttestation(verb) => Box::pin(verb.run(connection)).await,
            Self::Registry(verb) => Box::pin(verb.run(connection)).await,
            Self::Tree(verb) => Box::pin(verb.run()).await,
            Self::VerifyBlob(verb) => verb.run(connection).await,
            Self::VerifyBlobAttestation(verb) => verb.run(connection).await,
            Self::Taskrun(verb) => verb.run(connection).await,
            Self::Pipelinerun(verb) => verb.run(connection).await,
            Self::Explain(verb) => verb.run(connection).await,
            Self::Attest(verb) => verb.run(connection).await,
            Self::Payload(verb) => verb.run(),
            Self::Controller(verb) => Box::pin(verb.run(connection)).await,
            #[cfg(feature = "sandbox")]
            Self::Dev(verb) => verb.run(connection).await,
            #[cfg(feature = "sandbox")]
            Self::Demo(verb) => verb.run().await,
            Self::Completions(verb) => verb.run(Arguments::command()),
        }
    }
}

/// Reads the arguments, runs the verb and turns its outcome into an exit code.
pub fn main() -> ExitCode {
    let command = Arguments::command();
    let typed: Vec<OsString> = std::env::args_os().collect();
    let line = arguments::read(typed, Place::here(), &command);
    let reader = Reader::of(&line, &command);
    let arguments = match Arguments::try_parse_from(line) {
        Ok(arguments) => arguments,
        Err(error) => return reader.usage(&error),
    };
    // the only user of the process-wide provider; an earlier one would be the same
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return reader.fail(&anyhow::Error::new(error).context("cannot start")),
    };
    let outcome = runtime.block_on(arguments.verb.run(&arguments.connection));
    // a prompt or a file read that never ends must not hold the process back
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| reader.fail(&error))
}
