//! An exported run: files as `kubectl get -o yaml` or `-o json` writes them, from which a run, its
//! task runs and the configuration are read without a cluster.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use windlass_core::config::{Config, Parsed};
use windlass_core::format::{self, Format};
use windlass_core::payload::Payload;
use windlass_core::run::{PipelineRun, Run, TaskRun, adopt};

use crate::inspect::input::Input;

mod choose;
mod document;
mod wanted;
mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use wanted::{Wanted, kind_of};

/// What the verbs' help says of the files and formats.
pub(crate) const HELP: &str =
    "Files are YAML or JSON as kubectl get writes them: one object, or a \
List. Of a List it is the run
that belongs to no other, with its task runs; --name chooses if there are several.

Formats are in-toto (or slsa/v1, slsa-provenance/v0.2), slsa/v2alpha4 (or slsa-provenance/v1),
slsa/v2alpha3 and tekton.";

/// Longest list of names in a message.
const NAMED: usize = 5;

/// The files besides the one with the run, and what to take of them.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct RunFiles {
    /// File with task runs of a pipeline run; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) child: Vec<PathBuf>,
    /// Which run of a List: a name, or taskrun/NAME, or pipelinerun/NAME
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<Wanted>,
    /// File with the config map chains-config
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl RunFiles {
    /// Reads the run and its task runs.
    pub(crate) fn documents(&self, run: &Input) -> anyhow::Result<Documents> {
        let mut documents = document::read_run(run, self.name.as_ref())?;
        for path in &self.child {
            documents.children.extend(document::read_children(path)?);
        }
        Ok(documents)
    }

    /// The configuration in the file, or else the defaults.
    pub(crate) fn config(&self, warnings: &mut Vec<String>) -> anyhow::Result<Config> {
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

/// The documents of a run and of its task runs, as compact JSON of v1.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) run: String,
    pub(crate) is_pipeline_run: bool,
    pub(crate) children: Vec<String>,
}

impl Documents {
    /// The run with its task runs, in the order in which the pipeline run refers to them.
    pub(crate) fn run<'a>(&'a self, warnings: &mut Vec<String>) -> anyhow::Result<Run<'a>> {
        let children = self.children.iter();
        let children = children.map(|child| TaskRun::parse(child.as_bytes()));
        let children = children
            .collect::<Result<Vec<_>, _>>()
            .context("cannot use a child")?;
        let document = self.run.as_bytes();
        if !self.is_pipeline_run {
            if !children.is_empty() {
                bail!("children were given but the run is a TaskRun, which has none");
            }
            return Ok(Run::Task(TaskRun::parse(document)?));
        }
        let adopted = adopt(PipelineRun::parse(document)?, children);
        warnings.extend(told(&adopted.missing, "not among the files and left out"));
        let strangers = told(
            &adopted.strangers,
            "not a child that the run refers to and not used",
        );
        warnings.extend(strangers);
        Ok(adopted.run)
    }
}

/// The only run in a file, as JSON of v1.
pub(crate) fn read_one(path: &Path) -> anyhow::Result<String> {
    let source = Input::File(path.to_owned());
    let documents = document::read_run(&source, None)?;
    Ok(documents.run)
}

/// A warning about some task runs, of which the first are named.
fn told(names: &[String], what: &str) -> Option<String> {
    let shown: Vec<String> = names
        .iter()
        .take(NAMED)
        .map(|name| format!("{name:?}"))
        .collect();
    let shown = shown.join(", ");
    match names.len() {
        0 => None,
        1 => Some(format!("task run {shown} is {what}")),
        count if count <= NAMED => Some(format!("task runs {shown} are {what}")),
        count => Some(format!(
            "task runs {shown} and {} more are {what}",
            count - NAMED
        )),
    }
}

/// The payload in a format, or else in the configured one, with its warnings.
pub(crate) fn payload(
    run: &Run<'_>,
    config: &Config,
    format: Option<Format>,
    warnings: &mut Vec<String>,
) -> anyhow::Result<Payload> {
    let configured = match run {
        Run::Task(_) => config.taskrun.format,
        Run::Pipeline(..) => config.pipelinerun.format,
    };
    let payload = Payload::of_run(run, config, format.unwrap_or(configured))?;
    warnings.extend(payload.warnings.iter().map(ToString::to_string));
    Ok(payload)
}

/// Reads the name of a format for runs.
pub(crate) fn run_format(name: &str) -> Result<Format, String> {
    if name == Format::SimpleSigning.as_str() {
        return Err(
            "simplesigning describes an image, not a run; images are signed when \
                    their task run is"
                .to_owned(),
        );
    }
    name.parse()
        .map_err(|error: format::UnknownFormat| error.to_string())
}

/// Prints warnings for a person.
#[expect(clippy::print_stderr, reason = "the command line talks to a person")]
pub(crate) fn warn(warnings: &[String]) {
    for warning in warnings {
        eprintln!("warning: {}", crate::cli::output::clean::line(warning));
    }
}
