//! `taskrun` (`tr`): shows task runs, with the flags of `tkn taskrun`.

use std::process::ExitCode;

use windlass_core::run::Kind;

use super::run::RunVerb;
use crate::cluster::Connection;

/// Show task runs and the state of their signatures
#[derive(Debug, clap::Args)]
#[command(
    alias = "taskruns",
    after_help = "Examples:
  windlass tr list
  windlass tr describe --last
  windlass tr describe build-7x2kq -n team-a -o jsonpath='{.metadata.uid}'"
)]
pub(crate) struct TaskRun {
    #[command(subcommand)]
    verb: RunVerb,
}

impl TaskRun {
    /// Shows what was asked for.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        self.verb.run(Kind::Task, connection).await
    }
}
