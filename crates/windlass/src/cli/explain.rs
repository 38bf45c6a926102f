//! `windlass explain`: shows what will be signed for a run, which results and params name it, and
//! near misses.

use std::process::ExitCode;

use windlass_core::config::Config;
use windlass_core::explain::{Explanation, explain};
use windlass_core::format::Format;
use windlass_core::run::Run;

use super::output::{self, Format as OutputFormat};
use super::run_files;
use super::run_source::RunSource;
use crate::cluster::Connection;
use crate::unsupported;

mod text;

/// Explain what will be signed for a run, and which results are almost type hints
///
/// Shows the subjects and dependencies of the run's payload and the images to sign, each with the
/// results and params that name it, and results that look like type hints but are not used.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  # a run on the cluster, with the cluster's chains-config
  windlass explain taskrun/build -n team-a
  windlass explain pr/release --system-namespace openshift-pipelines

  windlass explain --last

  # a run in a file, with its task runs
  windlass explain -f pipelinerun.yaml --child taskruns.yaml --config chains-config.yaml

  # for programs
  windlass explain -f run.yaml -o json | jq -r '.warnings[]'

{}

The JSON form has images, subjects, dependencies and warnings; `from` lists the results and params
that name each one.",
run_files::HELP))]
pub(crate) struct Explain {
    #[command(flatten)]
    source: RunSource,
    /// Format to explain (default: the configured one)
    #[arg(long, value_name = "FORMAT", value_parser = run_files::run_format)]
    format: Option<Format>,
    /// json, yaml, name, jsonpath=TEMPLATE, jsonpath-as-json=TEMPLATE or go-template=TEMPLATE
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<OutputFormat>,
}

impl Explain {
    /// Prints the explanation.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let mut warnings = Vec::new();
        let (documents, config) = self.source.read(connection, &mut warnings).await?;
        let run = documents.run(&mut warnings)?;
        let explanation = self.explain(&run, config, warnings)?;
        output::write(self.text(&explanation)?)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Explains a run; `warnings` on how it was read come first.
    fn explain(
        &self,
        run: &Run<'_>,
        mut config: Config,
        mut warnings: Vec<String>,
    ) -> anyhow::Result<Explanation> {
        if let Some(format) = self.format {
            config.taskrun.format = format;
            config.pipelinerun.format = format;
        }
        let mut explanation = explain(run, &config)?;
        for signing in &mut explanation.artifacts {
            let policy = match signing.artifact {
                "oci" => &config.oci,
                _ => config.policy(run.kind()),
            };
            let missing = unsupported::of_artifact(signing.artifact, policy, &config);
            signing.refused = missing.first().map(ToString::to_string);
        }
        warnings.append(&mut explanation.warnings);
        explanation.warnings = warnings;
        Ok(explanation)
    }

    fn text(&self, explanation: &Explanation) -> anyhow::Result<Vec<u8>> {
        let Some(format) = &self.output else {
            return Ok(text::text(explanation).into_bytes());
        };
        let name = format!(
            "{}.tekton.dev/{}",
            explanation.run.kind.to_ascii_lowercase(),
            explanation.run.name
        );
        format.text(&serde_json::to_value(explanation)?, &[name])
    }
}
