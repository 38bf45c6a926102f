//! `cancel`: ends a run that has not ended yet, as `tkn taskrun cancel` and `tkn pipelinerun cancel` do.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use windlass_core::run::Kind;

use super::output::{self, clean};
use super::target::RunName;
use crate::cluster::Connection;
use crate::cluster::run_writes;
use crate::cluster::runs::RunId;
use crate::inspect::runs::Runs;
use crate::inspect::summary::Summary;

/// End a task run
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass tr cancel build-7x2kq -n team-a
  windlass tr cancel --last")]
pub(crate) struct CancelTask {
    #[command(flatten)]
    target: RunName,
    /// Namespace of the run (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
}

/// End a pipeline run
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass pr cancel release-9qmzt -n team-a
  windlass pr cancel release-9qmzt --grace StoppedRunFinally")]
pub(crate) struct CancelPipeline {
    #[command(flatten)]
    target: RunName,
    /// Run the finally tasks: at once, or when the tasks that run have ended
    #[arg(long, value_name = "HOW", value_enum, ignore_case = true)]
    grace: Option<Grace>,
    /// Namespace of the run (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
}

/// What is run before a pipeline run ends.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Grace {
    /// Cancel what runs, then run the finally tasks.
    #[value(name = "CancelledRunFinally")]
    Cancelled,
    /// Start nothing more, then run the finally tasks.
    #[value(name = "StoppedRunFinally")]
    Stopped,
}

impl CancelTask {
    /// Cancels the run.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self { target, namespace } = self;
        let namespace = namespace.as_deref();
        cancel(
            connection,
            Kind::Task,
            namespace,
            &target,
            "TaskRunCancelled",
        )
        .await
    }
}

impl CancelPipeline {
    /// Cancels the run.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self {
            target,
            grace,
            namespace,
        } = self;
        let status = match grace {
            None => "Cancelled",
            Some(Grace::Cancelled) => "CancelledRunFinally",
            Some(Grace::Stopped) => "StoppedRunFinally",
        };
        let namespace = namespace.as_deref();
        cancel(connection, Kind::Pipeline, namespace, &target, status).await
    }
}

async fn cancel(
    connection: &Connection,
    kind: Kind,
    namespace: Option<&str>,
    target: &RunName,
    status: &str,
) -> anyhow::Result<ExitCode> {
    target.check(kind)?;
    let client = connection.connect().await?;
    let namespace = namespace.unwrap_or(client.default_namespace());
    let runs = Runs::new(&client, kind, Some(namespace))?;
    let name = &target.read(&runs, kind, "cancel").await?;
    let run = runs.get(name).await?;
    let text = run.to_string();
    let id = RunId::of(kind, text.as_bytes());
    let id = id.context("the API server sent something that is not a run")?;
    let summary: Summary = serde_json::from_str(&text)?;
    let condition = summary.status.condition();
    if let Some(condition) = condition.filter(|condition| condition.status != "Unknown") {
        bail!(
            "cannot cancel {kind} {name}: it has already ended ({})",
            clean::line(&condition.text())
        );
    }
    run_writes::cancel(&client, &id, status).await?;
    output::write(format!("{kind} cancelled: {}\n", clean::line(&id.name)))?;
    Ok(ExitCode::SUCCESS)
}
