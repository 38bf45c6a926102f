//! What becomes of a task of a pipeline.

use serde_json::Value;

use super::facts::{Child, End, PlannedTask};

/// What becomes of a task.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    /// For other tasks.
    Waiting,
    /// It is started now; its specification with the results of other tasks filled in.
    Ready(Box<Value>),
    Running,
    Succeeded,
    /// Also when the time of the pipeline run was over.
    Failed,
    /// It failed, and the run goes on.
    IgnoredFailure,
    Cancelled,
    Skipped(Skip),
    /// It refers to a result that a finished task does not have.
    Invalid(String),
}

impl State {
    pub(super) fn is_done(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Ready(_) | Self::Running)
    }
}

/// Why a task is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Skip {
    WhenExpressions,
    ParentTasks,
    Stopping,
    GracefullyCancelled,
    GracefullyStopped,
    MissingResults,
    PipelineTimeout,
    TasksTimeout,
    FinallyTimeout,
    EmptyMatrix,
}

impl Skip {
    /// In Tekton's words.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::WhenExpressions => "When Expressions evaluated to false",
            Self::ParentTasks => "Parent Tasks were skipped",
            Self::Stopping => "PipelineRun was stopping",
            Self::GracefullyCancelled => "PipelineRun was gracefully cancelled",
            Self::GracefullyStopped => "PipelineRun was gracefully stopped",
            Self::MissingResults => "Results were missing",
            Self::PipelineTimeout => "PipelineRun timeout has been reached",
            Self::TasksTimeout => "PipelineRun Tasks timeout has been reached",
            Self::FinallyTimeout => "PipelineRun Finally timeout has been reached",
            Self::EmptyMatrix => "Matrix Parameters have an empty array",
        }
    }

    /// Whether the run fails for it.
    pub(super) fn is_timeout(self) -> bool {
        matches!(
            self,
            Self::PipelineTimeout | Self::TasksTimeout | Self::FinallyTimeout
        )
    }
}

/// The state of a task by its task runs; none before it has any.
pub(super) fn of_children(task: &PlannedTask, children: &[Child]) -> Option<State> {
    if children.is_empty() {
        return None;
    }
    let Some(ends) = children
        .iter()
        .map(|child| child.end)
        .collect::<Option<Vec<_>>>()
    else {
        return Some(State::Running);
    };
    Some(if ends.iter().all(|end| *end == End::Succeeded) {
        State::Succeeded
    } else if ends.contains(&End::OutOfTime) {
        State::Failed
    } else if ends.contains(&End::Cancelled) {
        State::Cancelled
    } else if task.is_failure_ignored() {
        State::IgnoredFailure
    } else {
        State::Failed
    })
}
