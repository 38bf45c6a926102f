//! `windlass payload`: exactly the bytes that would be signed for a run, without a cluster.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use windlass_core::config::{Config, Parsed};
use windlass_core::format::{self, Format, Payload};
use windlass_core::run::{PipelineRun, Run, TaskRun, adopt};

mod document;

#[cfg(test)]
mod tests;

use document::{Documents, Source};

/// Print the payload of a finished run: the bytes that would be signed
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  # what would be signed for a run, with the default configuration
  kubectl get taskrun build -o yaml | windlass payload -f -

  # a pipeline run with its task runs, in another format
  windlass payload -f pipelinerun.yaml --child taskruns.yaml --format slsa/v2alpha4

  # with the configuration of a cluster
  windlass payload -f run.json --config chains-config.yaml

Files are YAML or JSON: one object, or a List. The payload is printed without a newline at its end;
warnings go to standard error.")]
pub(crate) struct PayloadOf {
    /// File with the run, - for standard input
    #[arg(short = 'f', long = "filename", value_name = "RUN")]
    run: Source,
    /// File with task runs of a pipeline run; may be repeated
    #[arg(long, value_name = "FILE")]
    child: Vec<PathBuf>,
    /// File with the config map chains-config
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Format of the payload (default: the configured one)
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
}

impl PayloadOf {
    /// Prints the payload; a run that has none is an error.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut warnings = Vec::new();
        let payload = self.payload(&mut warnings)?;
        warn(&warnings);
        let mut out = io::stdout().lock();
        out.write_all(&payload.bytes)
            .and_then(|()| out.flush())
            .context("cannot write")?;
        Ok(ExitCode::SUCCESS)
    }

    fn payload(&self, warnings: &mut Vec<String>) -> anyhow::Result<Payload> {
        let config = self.config(warnings)?;
        let mut documents = Documents::default();
        documents.read_run(&self.run)?;
        for path in &self.child {
            documents.read_children(path)?;
        }
        let run = assemble(&documents, warnings)?;
        if !run.is_done() {
            warnings.push("the run has not ended: its payload will change".to_owned());
        }
        let configured = match run {
            Run::Task(_) => config.taskrun.format,
            Run::Pipeline(..) => config.pipelinerun.format,
        };
        let payload = format::payload(&run, &config, self.format.unwrap_or(configured))?;
        warnings.extend(payload.warnings.iter().map(ToString::to_string));
        Ok(payload)
    }

    fn config(&self, warnings: &mut Vec<String>) -> anyhow::Result<Config> {
        let Some(path) = &self.config else {
            return Ok(Config::default());
        };
        let chains = document::read_config(path)?;
        let Parsed {
            config,
            warnings: found,
        } = Config::parse(&chains, &BTreeMap::new())
            .with_context(|| format!("cannot use {}", path.display()))?;
        warnings.extend(found.iter().map(ToString::to_string));
        Ok(config)
    }
}

/// The run with its children, in the order in which the pipeline run refers to them.
fn assemble<'a>(documents: &'a Documents, warnings: &mut Vec<String>) -> anyhow::Result<Run<'a>> {
    let children = documents
        .children()
        .iter()
        .map(|child| TaskRun::parse(child.as_bytes()));
    let children = children
        .collect::<Result<Vec<_>, _>>()
        .context("cannot use a child")?;
    let document = documents.run().as_bytes();
    if !documents.is_pipeline_run() {
        if !children.is_empty() {
            bail!("children were given but the run is a TaskRun, which has none");
        }
        return Ok(Run::Task(TaskRun::parse(document)?));
    }
    let adopted = adopt(PipelineRun::parse(document)?, children);
    for name in adopted.missing {
        warnings.push(format!(
            "task run {name:?} is not among the files and is left out"
        ));
    }
    for name in adopted.strangers {
        warnings.push(format!(
            "task run {name:?} is not a child of the run and is not used"
        ));
    }
    Ok(adopted.run)
}

#[expect(clippy::print_stderr, reason = "the command line talks to a person")]
fn warn(warnings: &[String]) {
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
}
