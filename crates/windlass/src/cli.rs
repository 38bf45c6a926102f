//! The command line: one file a verb, one enum that lists them.
//!
//! Exit status of every verb: 0 done or valid, 1 checked and not valid, 2 could not be done or
//! checked.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::arguments::Place;
use self::failure::Reader;
use crate::cluster::Connection;

mod access;
mod arguments;
mod attaching;
mod attest;
mod attest_blob;
mod audit;
mod cancel;
mod chain;
mod choice;
mod claims;
mod complete;
mod completions;
mod controller;
mod copy;
mod delete;
#[cfg(feature = "sandbox")]
mod demo;
mod describe;
mod detached;
#[cfg(feature = "sandbox")]
mod dev;
mod doctor;
mod download;
mod env;
mod explain;
mod failure;
mod flags;
mod generate_key_pair;
mod given;
mod habits;
mod help;
mod import_key_pair;
mod install;
mod key;
mod list;
mod load;
mod login;
mod logs;
mod man;
mod migrate;
mod namespaces;
mod number;
mod original;
mod output;
mod payload;
mod pipelinerun;
mod predicate_flags;
mod public_key;
mod redacted;
mod registry;
mod report;
mod resign;
mod run;
mod run_files;
mod run_source;
mod save;
mod saved;
mod several_signers;
mod sign;
mod sign_blob;
mod signer_flags;
mod signing_flags;
mod story;
mod target;
mod taskrun;
mod trace;
mod tree;
mod triangulate;
mod trust;
mod trusted_root;
mod uninstall;
mod verdict;
mod verify;
mod verify_attestation;
mod verify_blob;
mod verify_blob_attestation;
mod version;

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
    ImportKeyPair(import_key_pair::ImportKeyPair),
    PublicKey(public_key::PublicKey),
    Sign(sign::Sign),
    SignBlob(sign_blob::SignBlob),
    AttestBlob(attest_blob::AttestBlob),
    Verify(verify::Verify),
    VerifyAttestation(verify_attestation::VerifyAttestation),
    Trace(trace::TraceVerb),
    Tree(tree::Tree),
    Triangulate(triangulate::Triangulate),
    Download(download::Download),
    Copy(copy::Copy),
    Save(save::Save),
    Load(load::Load),
    Registry(registry::Registry),
    Trust(trust::Trust),
    VerifyBlob(verify_blob::VerifyBlob),
    VerifyBlobAttestation(verify_blob_attestation::VerifyBlobAttestation),
    #[command(visible_alias = "tr")]
    Taskrun(taskrun::TaskRun),
    #[command(visible_alias = "pr")]
    Pipelinerun(pipelinerun::PipelineRun),
    Chain(chain::Chain),
    Explain(explain::Explain),
    Attest(attest::Attest),
    Payload(payload::PayloadOf),
    Migrate(migrate::Migrate),
    Resign(resign::Resign),
    Controller(controller::Controller),
    Install(install::Install),
    Doctor(doctor::Doctor),
    Audit(audit::Audit),
    Uninstall(uninstall::Uninstall),
    #[cfg(feature = "sandbox")]
    Dev(dev::Dev),
    #[cfg(feature = "sandbox")]
    Demo(demo::Demo),
    Completions(completions::Completions),
    Man(man::Man),
    #[command(name = "__complete", hide = true)]
    Complete(complete::Complete),
    Login(login::Login),
    Version(version::Version),
    Env(env::Env),
}

impl Verb {
    async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        match self {
            Self::GenerateKeyPair(verb) => verb.run(connection).await,
            Self::ImportKeyPair(verb) => verb.run(),
            Self::PublicKey(verb) => verb.run(connection).await,
            Self::Sign(verb) => Box::pin(verb.run(connection)).await,
            Self::SignBlob(verb) => Box::pin(verb.run(connection)).await,
            Self::AttestBlob(verb) => Box::pin(verb.run(connection)).await,
            Self::Verify(verb) => Box::pin(verb.run(connection)).await,
            Self::VerifyAttestation(verb) => Box::pin(verb.run(connection)).await,
            Self::Registry(verb) => Box::pin(verb.run(connection)).await,
            Self::Trace(verb) => Box::pin(verb.run(connection)).await,
            Self::Tree(verb) => Box::pin(verb.run()).await,
            Self::Triangulate(verb) => Box::pin(verb.run()).await,
            Self::Download(verb) => Box::pin(verb.run()).await,
            Self::Copy(verb) => Box::pin(verb.run()).await,
            Self::Save(verb) => Box::pin(verb.run()).await,
            Self::Load(verb) => Box::pin(verb.run()).await,
            Self::Trust(verb) => Box::pin(verb.run(connection)).await,
            Self::Login(verb) => verb.run(),
            Self::Version(verb) => verb.run(),
            Self::Env(verb) => verb.run(),
            Self::VerifyBlob(verb) => Box::pin(verb.run(connection)).await,
            Self::VerifyBlobAttestation(verb) => Box::pin(verb.run(connection)).await,
            Self::Taskrun(verb) => Box::pin(verb.run(connection)).await,
            Self::Pipelinerun(verb) => Box::pin(verb.run(connection)).await,
            Self::Chain(verb) => Box::pin(verb.run(connection)).await,
            Self::Explain(verb) => verb.run(connection).await,
            Self::Attest(verb) => verb.run(connection).await,
            Self::Payload(verb) => verb.run(connection).await,
            Self::Migrate(verb) => Box::pin(verb.run(connection)).await,
            Self::Resign(verb) => Box::pin(verb.run(connection)).await,
            Self::Install(verb) => verb.run(),
            Self::Audit(verb) => Box::pin(verb.run(connection)).await,
            Self::Doctor(verb) => Box::pin(verb.run(connection)).await,
            Self::Uninstall(verb) => verb.run(connection).await,
            Self::Controller(verb) => Box::pin(verb.run(connection)).await,
            #[cfg(feature = "sandbox")]
            Self::Dev(verb) => verb.run(connection).await,
            #[cfg(feature = "sandbox")]
            Self::Demo(verb) => verb.run().await,
            Self::Completions(verb) => verb.run(&flags::with_all(Arguments::command())),
            Self::Man(verb) => verb.run(Arguments::command()),
            Self::Complete(verb) => verb.run(connection, &Arguments::command()).await,
        }
    }
}

/// Why the arguments are of no use.
enum Usage {
    Clap(clap::Error),
    Refused(String),
}

/// The arguments, in whichever spelling they are typed.
fn read(typed: Vec<OsString>, command: clap::Command) -> Result<Arguments, Usage> {
    let words = flags::normal(typed, &command).map_err(Usage::Refused)?;
    // what cannot be done is told even if something else is missing
    let lenient = command.clone().ignore_errors(true);
    let partial = lenient.try_get_matches_from(words.clone());
    if let Some(why) = partial.ok().and_then(|matches| flags::refusal(&matches)) {
        return Err(Usage::Refused(why));
    }
    let matches = command.try_get_matches_from(words).map_err(Usage::Clap)?;
    Arguments::from_arg_matches(&matches).map_err(Usage::Clap)
}

/// Reads the arguments, runs the verb and turns its outcome into an exit code.
pub fn main() -> ExitCode {
    let typed: Vec<OsString> = std::env::args_os().collect();
    let called = typed.first().cloned();
    original::status(run(typed), called.as_deref())
}

/// The same for what was typed, the program first.
fn run(typed: Vec<OsString>) -> ExitCode {
    let command = flags::with_all(Arguments::command()).args_override_self(true);
    let command = help::prepared(command);
    let command = original::slice(command, typed.first().map(OsString::as_os_str));
    let line = arguments::read(typed, Place::here(), &command);
    let reader = Reader::of(&line, &command);
    let arguments = match read(line, command) {
        Ok(arguments) => arguments,
        Err(Usage::Clap(error)) => match habits::instead(&error) {
            Some(why) => return reader.fail(&anyhow::Error::msg(why)),
            None => {
                return reader.usage(&redacted::without_secrets(habits::with_better_guesses(
                    error,
                )));
            }
        },
        Err(Usage::Refused(why)) => return reader.fail(&anyhow::Error::msg(why)),
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
    outcome.unwrap_or_else(|error| reader.fail_at(&arguments.connection, &error))
}
