//! `windlass uninstall --check`: says what would be left if the controller were removed now.

use std::process::ExitCode;

use super::output::{self, clean};
use crate::cli::namespaces::OfController;
use crate::cluster::Connection;
use crate::inspect::leftovers::{Leftovers, RunCount};

/// Say what would be left behind if the controller were removed now
///
/// Changes nothing. Exit status: 0 nothing would be in the way, 1 runs have a finalizer that only the
/// controller takes off, 2 could not be checked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass uninstall --check
  windlass uninstall --check -n openshift-pipelines

  # then, once no finalizer is left
  windlass install | kubectl delete --ignore-not-found -f -")]
pub(crate) struct Uninstall {
    /// Look only; removing is left to kubectl
    #[arg(long, alias = "dry-run", required = true)]
    check: bool,
    #[command(flatten)]
    controller: OfController,
}

impl Uninstall {
    /// Prints what would be left.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let client = connection.connect().await?;
        let system = self.controller.find(&client).await?;
        let leftovers = Leftovers::find(&client, &system.name).await?;
        output::write(text(&system.name, &leftovers))?;
        Ok(match leftovers.protected.total() {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::from(1),
        })
    }
}

fn text(namespace: &str, found: &Leftovers) -> String {
    let Leftovers {
        protected,
        annotated,
        leases,
        settings,
    } = found;
    [
        finalizers(protected),
        annotations(annotated),
        held(namespace, leases),
        kept(namespace, settings),
    ]
    .concat()
}

fn finalizers(protected: &RunCount) -> String {
    if protected.total() == 0 {
        return "Finalizers: none. No run needs the controller to be deleted.\n".to_owned();
    }
    let runs = protected.first.iter().map(|(kind, namespace, name)| {
        let (namespace, name) = (clean::line(namespace), clean::line(name));
        format!("  {}/{name} -n {namespace}\n", kind.singular())
    });
    let runs: String = runs.collect();
    format!(
        "Finalizers: {} cannot be deleted without the controller:\n{runs}  Let the controller run \
         until they are finished and signed, and check again. What keeps them:\n  windlass audit -A \
         --state waiting,running\n",
        count(protected)
    )
}

fn annotations(annotated: &RunCount) -> String {
    if annotated.total() == 0 {
        return "Annotations: none.\n".to_owned();
    }
    format!(
        "Annotations: on {}. Signatures, payloads and marks (chains.tekton.dev/*) are the evidence; \
         nothing removes them, and they verify without the controller.\n",
        count(annotated)
    )
}

fn held(namespace: &str, leases: &[String]) -> String {
    if leases.is_empty() {
        return "Leases: none.\n".to_owned();
    }
    let names = leases.join(" ");
    let names = clean::line(&names);
    format!(
        "Leases: {names}\n  They remember since when and with which keys windlass signs. Keep them if \
         it is to come back; otherwise:\n  kubectl delete lease {names} -n {namespace}\n"
    )
}

fn kept(namespace: &str, settings: &[&str]) -> String {
    if settings.is_empty() {
        return "Settings and keys: none.\n".to_owned();
    }
    let names = settings.join(" ");
    format!(
        "Settings and keys: {names}\n  Deleting the namespace {namespace} deletes them, and nothing can \
         be signed with that key again. Save them first:\n  kubectl get {names} -n {namespace} -o yaml\n"
    )
}

/// `3 TaskRuns and 1 PipelineRun`.
fn count(runs: &RunCount) -> String {
    let part = |count: u64, kind: &str| match count {
        1 => format!("1 {kind}"),
        count => format!("{count} {kind}s"),
    };
    let parts = [
        (runs.task_runs, "TaskRun"),
        (runs.pipeline_runs, "PipelineRun"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, kind)| part(count, kind)).collect();
    parts.join(" and ")
}
