//! `windlass explain`: shows what will be signed for a run, which results and params name it, and
//! near misses.

use std::process::ExitCode;

use anyhow::bail;
use clap::ValueHint;
use windlass_core::config::Config;
use windlass_core::explain::{Explanation, explain};
use windlass_core::format::Format;
use windlass_core::run::{Kind, Run};

use super::output::{self, Format as OutputFormat};
use super::run_files::{self, RunFiles};
use crate::cluster::Connection;
use crate::inspect::input::Input;
use crate::inspect::on_cluster;
use crate::inspect::selector::{RunSelector, kind_of};
use crate::unsupported;

mod text;

#[cfg(test)]
mod tests;

/// Explain what will be signed for a run, and which results are almost type hints
///
/// Shows the subjects and dependencies of the run's payload and the images to sign, each with the
/// results and params that name it, and results that look like type hints but are not used.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("Examples:
  # a run on the cluster, with the cluster's chains-config
  windlass explain taskrun/build -n team-a
  windlass explain pr/release --system-namespace openshift-pipelines

  # a run in a file, with its task runs
  windlass explain -f pipelinerun.yaml --child taskruns.yaml --config chains-config.yaml

  # for programs
  windlass explain -f run.yaml -o json | jq -r '.warnings[]'

{}

The JSON form has images, subjects, dependencies and warnings; `from` lists the results and params
that name each one.",
run_files::HELP))]
pub(crate) struct Explain {
    /// The run on a cluster: taskrun/NAME (tr/NAME) or pipelinerun/NAME (pr/NAME)
    #[arg(value_name = "KIND/NAME", num_args = 1..=2, required_unless_present = "run", conflicts_with = "run")]
    target: Vec<String>,
    /// File with the run, - for standard input
    #[arg(short = 'f', long = "filename", value_name = "RUN", value_hint = ValueHint::FilePath)]
    run: Option<Input>,
    #[command(flatten)]
    files: RunFiles,
    /// Format to explain (default: the configured one)
    #[arg(long, value_name = "FORMAT", value_parser = run_files::run_format)]
    format: Option<Format>,
    /// Namespace of the run (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE", conflicts_with = "run")]
    namespace: Option<String>,
    /// Namespace of chains-config
    #[arg(
        long,
        env = "SYSTEM_NAMESPACE",
        default_value = "tekton-chains",
        value_name = "NAMESPACE"
    )]
    system_namespace: String,
    /// json, yaml, jsonpath=TEMPLATE or jsonpath-as-json=TEMPLATE
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<OutputFormat>,
}

impl Explain {
    /// Prints the explanation.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let mut warnings = Vec::new();
        let explanation = match &self.run {
            Some(source) => {
                let config = self.files.config(&mut warnings)?;
                let documents = self.files.documents(source)?;
                let run = documents.run(&mut warnings)?;
                self.explain(&run, config, warnings)?
            }
            None => self.on_cluster(connection).await?,
        };
        output::write(self.text(&explanation)?)?;
        Ok(ExitCode::SUCCESS)
    }

    async fn on_cluster(&self, connection: &Connection) -> anyhow::Result<Explanation> {
        let RunFiles { child, name, .. } = &self.files;
        if !child.is_empty() || name.is_some() {
            bail!(
                "--child and --name need --filename; on a cluster, windlass finds the task runs \
                 itself"
            );
        }
        let (kind, name) = target(&self.target)?;
        let client = connection.connect().await?;
        let namespace = self.namespace.as_deref();
        let namespace = namespace.unwrap_or(client.default_namespace());
        let mut warnings = Vec::new();
        let config = match &self.files.config {
            Some(_) => self.files.config(&mut warnings)?,
            None => on_cluster::config(&client, &self.system_namespace, &mut warnings).await?,
        };
        let documents = on_cluster::documents(&client, kind, namespace, &name).await?;
        let run = documents.run(&mut warnings)?;
        self.explain(&run, config, warnings)
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

    fn text(&self, explanation: &Explanation) -> anyhow::Result<String> {
        let Some(format) = &self.output else {
            return Ok(text::text(explanation));
        };
        let name = format!(
            "{}.tekton.dev/{}",
            explanation.run.kind.to_ascii_lowercase(),
            explanation.run.name
        );
        format.text(&serde_json::to_value(explanation)?, &[name])
    }
}

/// The run that `taskrun/NAME` or `taskrun NAME` names.
fn target(words: &[String]) -> anyhow::Result<(Kind, String)> {
    const HOW: &str = "name the run as taskrun/NAME or pipelinerun/NAME";
    match words {
        [one] => {
            let selector: RunSelector = one.parse()?;
            let Some(kind) = selector.kind else {
                bail!("{one:?} does not say which kind of run it is; {HOW}");
            };
            Ok((kind, selector.name))
        }
        [kind, name] => Ok((kind_of(kind)?, name.clone())),
        _ => bail!("{HOW}"),
    }
}
