//! `windlass payload`: prints the exact bytes that would be signed for a run, without a cluster.

use std::process::ExitCode;

use clap::ValueHint;
use windlass_core::format::Format;
use windlass_core::payload::Payload;

use super::output;
use super::run_files::{self, RunFiles};
use crate::inspect::input::Input;

/// Print the payload of a finished run: the bytes that would be signed
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  # what would be signed for a run, with the default configuration
  kubectl get taskrun build -o yaml | windlass payload -f -

  # a pipeline run with its task runs, in another format
  windlass payload -f pipelinerun.yaml --child taskruns.yaml --format slsa/v2alpha4

  # the same from one List
  kubectl get pipelinerun,taskrun -l tekton.dev/pipeline=release -o yaml |
    windlass payload -f - --name pipelinerun/release-x7k2

  # with the configuration of a cluster
  windlass payload -f run.json --config chains-config.yaml

{}

The payload is printed without a newline at its end; warnings go to standard error.",
run_files::HELP))]
pub(crate) struct PayloadOf {
    /// File with the run, - for standard input
    #[arg(short = 'f', long = "filename", value_name = "RUN", value_hint = ValueHint::FilePath)]
    run: Input,
    #[command(flatten)]
    files: RunFiles,
    /// Format of the payload (default: the configured one)
    #[arg(long, value_name = "FORMAT", value_parser = run_files::run_format)]
    format: Option<Format>,
}

impl PayloadOf {
    /// Prints the payload; a run that has none is an error.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut warnings = Vec::new();
        let payload = self.payload(&mut warnings)?;
        output::warn(&warnings);
        output::write(payload.bytes)?;
        Ok(ExitCode::SUCCESS)
    }

    fn payload(&self, warnings: &mut Vec<String>) -> anyhow::Result<Payload> {
        let config = self.files.config(warnings)?;
        let documents = self.files.documents(&self.run)?;
        let run = documents.run(warnings)?;
        if !run.is_done() {
            warnings.push("the run is not finished: its payload will change".to_owned());
        }
        run_files::payload(&run, &config, self.format, warnings)
    }
}
