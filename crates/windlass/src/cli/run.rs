//! Verbs shared by `taskrun` and `pipelinerun`.

use std::process::ExitCode;

use windlass_core::run::Kind;

use super::describe::Describe;
use super::list::List;
use crate::cluster::Connection;

/// What both kinds of runs have in common.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RunVerb {
    Describe(Describe),
    List(List),
}

impl RunVerb {
    /// Does it with runs of one kind.
    pub(crate) async fn run(self, kind: Kind, connection: &Connection) -> anyhow::Result<ExitCode> {
        match self {
            Self::Describe(verb) => verb.run(kind, connection).await,
            Self::List(verb) => verb.run(kind, connection).await,
        }
    }
}
