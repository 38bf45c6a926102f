//! `describe` (`desc`): one run, for people or in a format for programs.

use std::collections::HashMap;
use std::process::ExitCode;

use jiff::Timestamp;
use kube::Client;
use windlass_core::run::Kind;

use super::output::look::Look;
use super::output::{self, ObjectFormat};
use super::target::ShownRun;
use crate::cluster::Connection;
use crate::inspect::runs::Runs;
use crate::inspect::summary::Summary;

mod binding;
mod field;
mod section;
mod signature;
mod view;

/// Show one run
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "desc",
    after_help = "Examples:
  windlass tr describe --last
  windlass tr describe build-7x2kq -n team-a
  windlass tr describe --last -o jsonpath='{.metadata.uid}'
  windlass tr describe --last -o jsonpath='{.metadata.annotations.chains\\.tekton\\.dev/signed}'
  windlass tr describe --last -o go-template='{{range .status.results}}{{.name}}={{.value}} {{end}}'"
)]
pub(crate) struct Describe {
    #[command(flatten)]
    target: ShownRun,
    /// Namespace of the run (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    #[command(flatten)]
    output: ObjectFormat,
    /// Keep metadata.managedFields in json and yaml
    #[arg(long)]
    show_managed_fields: bool,
    /// Use neither colours nor pictograms on a terminal
    #[arg(short = 'C', long, alias = "nocolor")]
    no_color: bool,
}

impl Describe {
    /// Reads the run and shows it.
    pub(crate) async fn run(self, kind: Kind, connection: &Connection) -> anyhow::Result<ExitCode> {
        let format = self.output.read()?;
        let target = self.target.name();
        target.check(kind)?;
        let client = connection.connect().await?;
        let namespace = self
            .namespace
            .as_deref()
            .unwrap_or(client.default_namespace());
        let runs = Runs::new(&client, kind, Some(namespace))?;
        let name = target.read(&runs, kind, "describe").await?;
        let mut run = runs.get(&name).await?;
        if let Some(format) = format {
            if !self.show_managed_fields {
                format.without_managed_fields(&mut run);
            }
            output::write(format.text(&run, &[kind.object_name(&name)])?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let children = match kind {
            Kind::Task => HashMap::new(),
            Kind::Pipeline => children(&client, namespace, &name).await?,
        };
        let look = Look::wanted(self.no_color);
        let text = view::text(kind, &run, &children, Timestamp::now(), look);
        output::write(text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The task runs of a pipeline run, by name.
async fn children(
    client: &Client,
    namespace: &str,
    name: &str,
) -> anyhow::Result<HashMap<String, Summary>> {
    let runs = Runs::new(client, Kind::Task, Some(namespace))?;
    let mut children = HashMap::new();
    let selector = format!("tekton.dev/pipelineRun={name}");
    let passed_over = runs.each(Some(&selector), |object| {
        let child: Summary = serde_json::from_slice(object)?;
        children.insert(child.metadata.name.clone(), child);
        Ok(())
    });
    output::warn(&passed_over.await?);
    Ok(children)
}
