//! `delete` (`rm`): deletes runs, with the flags and questions of `tkn taskrun delete` and `tkn
//! pipelinerun delete`.

use std::process::ExitCode;

use anyhow::ensure;
use clap::ArgAction;
use futures::{StreamExt as _, stream};
use kube::Client;
use windlass_core::error::Chain;
use windlass_core::run::Kind;

use self::consent::ask;
use self::selection::{Selected, Selection, names};
use super::number;
use super::output::{self, clean};
use super::target::own_name;
use crate::cluster::Connection;
use crate::cluster::run_writes;
use crate::inspect::runs::{Runs, RunsError};

mod consent;
mod selection;

/// Runs that are deleted at once.
const AT_ONCE: usize = 8;

/// Which runs are deleted.
#[derive(Debug, clap::Args)]
struct Common {
    /// Names of the runs
    #[arg(value_name = "NAME", conflicts_with_all = ["all", "keep", "keep_since"])]
    names: Vec<String>,
    /// All runs in the namespace
    #[arg(long)]
    all: bool,
    /// Keep this many of the newest runs
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true, value_parser = number::count::<usize>)]
    keep: Option<usize>,
    /// Keep runs that ended in the last so many minutes
    #[arg(long, value_name = "MINUTES", allow_negative_numbers = true, value_parser = number::count::<u32>)]
    keep_since: Option<u32>,
    /// Leave runs that have not ended, unless they are named
    #[arg(short, long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = ArgAction::Set)]
    ignore_running: bool,
    /// Do not ask
    #[arg(short, long)]
    force: bool,
    /// Namespace of the runs (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
}

/// Delete task runs
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass tr delete build-7x2kq build-9qmzt -n team-a
  windlass tr delete --keep 5 --task build -f")]
pub(crate) struct DeleteTasks {
    #[command(flatten)]
    common: Common,
    /// Only runs of this Task, which stays itself
    #[arg(short, long, value_name = "TASK", conflicts_with = "names")]
    task: Option<String>,
    /// Leave runs whose PipelineRun has not ended, unless they are named
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = ArgAction::Set)]
    ignore_running_pipelinerun: bool,
}

/// Delete pipeline runs
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass pr delete release-9qmzt -n team-a
  windlass pr delete --all --label app=shop -f")]
pub(crate) struct DeletePipelines {
    #[command(flatten)]
    common: Common,
    /// Only runs of this Pipeline, which stays itself
    #[arg(short, long, value_name = "PIPELINE", conflicts_with = "names")]
    pipeline: Option<String>,
    /// Only runs whose labels match: a=b, a!=b, a in (b,c)
    #[arg(
        short = 'l',
        long,
        visible_alias = "selector",
        value_name = "SELECTOR",
        conflicts_with = "names"
    )]
    label: Option<String>,
}

impl DeleteTasks {
    /// Deletes the runs.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self {
            common,
            task,
            ignore_running_pipelinerun: spares_children,
        } = self;
        let parent = task.map(|name| ("Task", name));
        let labels = parent
            .as_ref()
            .map(|(_, name)| format!("tekton.dev/task={name}"));
        let selection = common.selection(labels, spares_children);
        run(connection, Kind::Task, &common, parent, &selection).await
    }
}

impl DeletePipelines {
    /// Deletes the runs.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self {
            common,
            pipeline,
            label,
        } = self;
        let parent = pipeline.map(|name| ("Pipeline", name));
        let of = parent
            .as_ref()
            .map(|(_, name)| format!("tekton.dev/pipeline={name}"));
        let labels: Vec<String> = label.into_iter().chain(of).collect();
        let labels = (!labels.is_empty()).then(|| labels.join(","));
        let selection = common.selection(labels, false);
        run(connection, Kind::Pipeline, &common, parent, &selection).await
    }
}

impl Common {
    fn selection(&self, labels: Option<String>, spares_children: bool) -> Selection {
        Selection {
            labels,
            keep: self.keep.unwrap_or(0),
            keep_minutes: self.keep_since.unwrap_or(0),
            spares_running: self.ignore_running,
            spares_children,
        }
    }
}

async fn run(
    connection: &Connection,
    kind: Kind,
    common: &Common,
    parent: Option<(&str, String)>,
    selection: &Selection,
) -> anyhow::Result<ExitCode> {
    let is_selective = common.all
        || common.keep.is_some()
        || common.keep_since.is_some()
        || selection.labels.is_some();
    ensure!(
        is_selective || !common.names.is_empty(),
        "name the {kind}s to delete, or use --all"
    );
    let typed = common.names.iter();
    let typed = typed.map(|name| own_name(kind, name, "delete"));
    let typed: Vec<String> = typed.collect::<Result<_, _>>()?;
    let client = connection.connect().await?;
    let namespace = common.namespace.as_deref();
    let namespace = namespace.unwrap_or(client.default_namespace());
    let runs = Runs::new(&client, kind, Some(namespace))?;
    let (selected, mut failed) = if is_selective {
        (selection.of(&client, &runs, kind, namespace).await?, 0)
    } else {
        named(&client, &runs, kind, namespace, &typed).await?
    };
    if selected.is_empty() {
        if failed == 0 {
            output::note(&format!("no {kind} to delete {}", runs.place()));
        }
        return Ok(exit_code(failed));
    }
    if !common.force {
        let what = match (&parent, is_selective) {
            (Some((kind_of_parent, name)), _) => format!(
                "all {kind}s related to {kind_of_parent}(s) {:?}, {} of them",
                clean::line(name),
                selected.len()
            ),
            (None, true) => format!("{} {kind}s in namespace {namespace:?}", selected.len()),
            (None, false) => format!("{kind}(s): {}", names(&selected)),
        };
        ask(&what, &selected)?;
    }
    let mut deleted = Vec::new();
    let mut each = stream::iter(&selected)
        .map(async |run| (run, run_writes::delete(&client, &run.id).await))
        .buffered(AT_ONCE);
    while let Some((run, outcome)) = each.next().await {
        match outcome {
            Ok(()) => deleted.push(run),
            Err(error) => {
                failed += 1;
                output::error(&Chain(&error).to_string());
            }
        }
    }
    report(kind, &deleted, is_selective.then_some(namespace))?;
    Ok(exit_code(failed))
}

/// The runs of these names; how many do not exist.
async fn named(
    client: &Client,
    runs: &Runs<'_>,
    kind: Kind,
    namespace: &str,
    names: &[String],
) -> anyhow::Result<(Vec<Selected>, usize)> {
    let (mut found, mut missing): (Vec<Selected>, usize) = (Vec::new(), 0);
    for name in names {
        match runs.get(name).await {
            Ok(run) => {
                let selected = Selected::read(kind, run.to_string().as_bytes())?;
                if found.iter().all(|known| known.id != selected.id) {
                    found.push(selected);
                }
            }
            Err(error @ RunsError::Missing { .. }) => {
                missing += 1;
                output::error(&error.to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
    selection::mark_children(client, namespace, &mut found).await?;
    Ok((found, missing))
}

fn report(kind: Kind, deleted: &[&Selected], selective: Option<&str>) -> anyhow::Result<()> {
    if deleted.is_empty() {
        return Ok(());
    }
    output::write(match selective {
        Some(namespace) => format!(
            "{} {kind}s deleted in namespace {namespace:?}\n",
            deleted.len()
        ),
        None => format!("{kind}s deleted: {}\n", names(deleted.iter().copied())),
    })
}

fn exit_code(failed: usize) -> ExitCode {
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}
