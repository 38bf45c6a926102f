//! `logs`: what the steps of a run write, with the flags of `tkn taskrun logs` and `tkn pipelinerun
//! logs`.

use std::process::ExitCode;

use clap::ArgAction;
use windlass_core::run::Kind;

use self::reader::{Reader, Wanted};
use super::target::ShownRun;
use crate::cluster::Connection;
use crate::inspect::runs::Runs;

mod line;
mod pipeline;
mod reader;
mod state;

/// Which run, and how its logs are shown.
#[derive(Debug, clap::Args)]
struct Common {
    #[command(flatten)]
    target: ShownRun,
    /// Go on with what is written later, until the run has ended
    #[arg(short, long)]
    follow: bool,
    /// Show what Tekton's own init containers write too
    #[arg(short, long)]
    all: bool,
    /// Print in front of each line what wrote it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true", action = ArgAction::Set)]
    prefix: bool,
    /// Namespace of the run (default: that of the kubeconfig context)
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
}

/// Show what the steps of a task run write
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass tr logs --last -f
  windlass tr logs build-7x2kq -s push -n team-a")]
pub(crate) struct TaskLogs {
    #[command(flatten)]
    common: Common,
    /// Only this step; may be repeated
    #[arg(short, long, value_name = "STEP", value_delimiter = ',')]
    step: Vec<String>,
    /// Print the time of each line
    #[arg(short, long)]
    timestamps: bool,
}

/// Show what the tasks of a pipeline run write
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  windlass pr logs --last -f
  windlass pr logs release-9qmzt -t build -n team-a")]
pub(crate) struct PipelineLogs {
    #[command(flatten)]
    common: Common,
    /// Only this task of the pipeline; may be repeated
    #[arg(short, long, value_name = "TASK", value_delimiter = ',')]
    task: Vec<String>,
    /// Print the time of each line
    #[arg(long)]
    timestamps: bool,
    /// Only tasks that failed
    #[arg(long)]
    log_failed: bool,
    /// Exit with 1 if the run failed, and with 2 if it has not ended
    #[arg(short = 'E', long)]
    exit_with_pipelinerun_error: bool,
}

impl TaskLogs {
    /// Shows the logs.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self {
            common,
            step: steps,
            timestamps,
        } = self;
        let wanted = common.wanted(steps, timestamps);
        let target = common.target.name();
        target.check(Kind::Task)?;
        let client = connection.connect().await?;
        let namespace = common.namespace.as_deref();
        let namespace = namespace.unwrap_or(client.default_namespace());
        let runs = Runs::new(&client, Kind::Task, Some(namespace))?;
        let name = target.read(&runs, Kind::Task, "logs").await?;
        let reader = Reader::new(&client, namespace, &runs, wanted);
        let _ = reader.task_run(&name, None).await?;
        Ok(reader.exit_code())
    }
}

impl PipelineLogs {
    /// Shows the logs.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        let Self {
            common,
            task: tasks,
            timestamps,
            log_failed,
            exit_with_pipelinerun_error: tells_outcome,
        } = self;
        let wanted = common.wanted(Vec::new(), timestamps);
        let target = common.target.name();
        target.check(Kind::Pipeline)?;
        let client = connection.connect().await?;
        let namespace = common.namespace.as_deref();
        let namespace = namespace.unwrap_or(client.default_namespace());
        let pipeline_runs = Runs::new(&client, Kind::Pipeline, Some(namespace))?;
        let name = target.read(&pipeline_runs, Kind::Pipeline, "logs").await?;
        let task_runs = Runs::new(&client, Kind::Task, Some(namespace))?;
        let reader = Reader::new(&client, namespace, &task_runs, wanted);
        let chosen = pipeline::Chosen { tasks, log_failed };
        let outcome = pipeline::show(&reader, &pipeline_runs, &name, &chosen).await?;
        Ok(match outcome {
            Some(code) if tells_outcome => ExitCode::from(code),
            _ => reader.exit_code(),
        })
    }
}

impl Common {
    fn wanted(&self, steps: Vec<String>, timestamps: bool) -> Wanted {
        Wanted {
            follow: self.follow,
            init_containers: self.all,
            prefix: self.prefix,
            timestamps,
            steps,
        }
    }
}
