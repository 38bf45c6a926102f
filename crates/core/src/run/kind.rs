//! The kind of a run, and its names in documents, URLs and sentences.

use std::fmt;

/// Which of Tekton's runs.
///
/// ```
/// use windlass_core::run::Kind;
///
/// assert_eq!(Kind::Pipeline.name(), "PipelineRun");
/// assert_eq!(Kind::Task.object_name("build"), "taskrun.tekton.dev/build");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A `TaskRun`.
    Task,
    /// A `PipelineRun`.
    Pipeline,
}

impl Kind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Task, Self::Pipeline];

    /// The Kubernetes kind: `TaskRun` or `PipelineRun`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Task => "TaskRun",
            Self::Pipeline => "PipelineRun",
        }
    }

    /// The kind in lower case, with which the keys of a run's artifacts start.
    pub const fn singular(self) -> &'static str {
        match self {
            Self::Task => "taskrun",
            Self::Pipeline => "pipelinerun",
        }
    }

    /// The resource in URLs.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Task => "taskruns",
            Self::Pipeline => "pipelineruns",
        }
    }

    /// Its name in sentences.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Task => "task run",
            Self::Pipeline => "pipeline run",
        }
    }

    /// A run of this kind as `kubectl -o name` prints it.
    pub fn object_name(self, name: &str) -> String {
        format!("{}.tekton.dev/{name}", self.singular())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
