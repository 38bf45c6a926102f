//! `pipelinerun` (`pr`): shows pipeline runs, with the flags of `tkn pipelinerun`.

use std::process::ExitCode;

use windlass_core::run::Kind;

use super::run::RunVerb;
use crate::cluster::Connection;

/// Show pipeline runs and the state of their signatures
#[derive(Debug, clap::Args)]
#[command(
    alias = "pipelineruns",
    after_help = "Examples:
  windlass pr list
  windlass pr describe --last
  windlass pr describe release-9qmzt -n team-a -o jsonpath='{.metadata.uid}'"
)]
pub(crate) struct PipelineRun {
    #[command(subcommand)]
    verb: RunVerb,
}

impl PipelineRun {
    /// Shows what was asked for.
    pub(crate) async fn run(self, connection: &Connection) -> anyhow::Result<ExitCode> {
        self.verb.run(Kind::Pipeline, connection).await
    }
}
