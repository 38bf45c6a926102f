//! The verbs that `taskrun` and `pipelinerun` share.

use std::process::ExitCode;

use super::describe::Describe;
use super::list::List;
use crate::cluster::Connection;

pub(crate) mod read;
pub(crate) mod summary;

/// Which runs a verb is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    TaskRun,
    PipelineRun,
}

impl Kind {
    /// The Kubernetes kind.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TaskRun => "TaskRun",
            Self::PipelineRun => "PipelineRun",
        }
    }

    /// The resource in URLs.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::TaskRun => "taskruns",
            Self::PipelineRun => "pipelineruns",
        }
    }

    /// What the artifact annotations of a run start with.
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::TaskRun => "taskrun",
            Self::PipelineRun => "pipelinerun",
        }
    }

    /// A run as `kubectl -o name` prints it.
    pub(crate) fn object_name(self, name: &str) -> String {
        format!("{}.tekton.dev/{name}", self.singular())
    }
}

/// What to do with runs.
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
