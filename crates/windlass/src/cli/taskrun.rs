//! `taskrun` (`tr`): shows, cancels and deletes task runs, with the flags of `tkn taskrun`.

use std::process::ExitCode;

use windlass_core::run::Kind;

use super::cancel::CancelTask;
use super::delete::DeleteTasks;
use super::logs::TaskLogs;
use super::run::RunVerb;
use crate::cluster::Connection;

/// Show task runs, their logs and the state of their signatures; cancel and delete them
#[derive(Debug, clap::Args)]
#[command(
    alias = "taskruns",
    after_help = "Examples:
  windlass tr list
  windlass tr describe --last
  windlass tr logs --last -f
  windlass tr describe build-7x2kq -n team-a -o jsonpath='{.metadata.uid}'"
)]
pub(crate) struct TaskRun {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    #[command(flatten)]
    Shared(RunVerb),
    Logs(TaskLogs),
    Cancel(CancelTask),
    #[command(visible_alias = "rm")]
    Delete(DeleteTasks),
}

impl TaskRun {
    /// Does what was asked for.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::Shared(verb) => verb.run(Kind::Task, connection).await,
            Verb::Logs(verb) => verb.run(connection).await,
            Verb::Cancel(verb) => verb.run(connection).await,
            Verb::Delete(verb) => verb.run(connection).await,
        }
    }
}
