//! `pipelinerun` (`pr`): shows, cancels and deletes pipeline runs, with the flags of `tkn pipelinerun`.

use std::process::ExitCode;

use windlass_core::run::Kind;

use super::cancel::CancelPipeline;
use super::delete::DeletePipelines;
use super::logs::PipelineLogs;
use super::run::RunVerb;
use crate::cluster::Connection;

/// Show pipeline runs, their logs and the state of their signatures; cancel and delete them
#[derive(Debug, clap::Args)]
#[command(
    alias = "pipelineruns",
    after_help = "Examples:
  windlass pr list
  windlass pr describe --last
  windlass pr logs --last -f
  windlass pr describe release-9qmzt -n team-a -o jsonpath='{.metadata.uid}'"
)]
pub(crate) struct PipelineRun {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    #[command(flatten)]
    Shared(RunVerb),
    Logs(PipelineLogs),
    Cancel(CancelPipeline),
    #[command(visible_alias = "rm")]
    Delete(DeletePipelines),
}

impl PipelineRun {
    /// Does what was asked for.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::Shared(verb) => verb.run(Kind::Pipeline, connection).await,
            Verb::Logs(verb) => verb.run(connection).await,
            Verb::Cancel(verb) => verb.run(connection).await,
            Verb::Delete(verb) => verb.run(connection).await,
        }
    }
}
