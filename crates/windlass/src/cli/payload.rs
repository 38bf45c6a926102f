//! `windlass payload`: prints the exact bytes that would be signed for a run.

use std::process::ExitCode;

use windlass_core::format::Format;

use super::output::{self, Format as OutputFormat};
use super::run_files;
use super::run_source::RunSource;
use crate::cluster::Connection;

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

  # a run on the cluster, with the cluster's chains-config
  windlass payload taskrun/build -n team-a -o json
  windlass payload --last

  # with the configuration of a cluster
  windlass payload -f run.json --config chains-config.yaml

{}

The payload is printed without a newline at its end; warnings go to standard error.",
run_files::HELP))]
pub(crate) struct PayloadOf {
    #[command(flatten)]
    source: RunSource,
    /// Format of the payload (default: the configured one)
    #[arg(long, value_name = "FORMAT", value_parser = run_files::run_format)]
    format: Option<Format>,
    /// json, yaml, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE or go-template=TEMPLATE, instead of the bytes as they are
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<OutputFormat>,
}

impl PayloadOf {
    /// Prints the payload; a run that has none is an error.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let mut warnings = Vec::new();
        let (documents, config) = self.source.read(connection, &mut warnings).await?;
        let run = documents.run(&mut warnings)?;
        if !run.is_done() {
            warnings.push("the run is not finished: its payload will change".to_owned());
        }
        let payload = run_files::payload(&run, &config, self.format, &mut warnings)?;
        output::warn(&warnings);
        let Some(format) = &self.output else {
            output::write(payload.bytes)?;
            return Ok(ExitCode::SUCCESS);
        };
        let document = serde_json::from_slice(&payload.bytes)?;
        let name = run.kind().object_name(&run.metadata().name);
        output::write(format.text(&document, &[name])?)?;
        Ok(ExitCode::SUCCESS)
    }
}
