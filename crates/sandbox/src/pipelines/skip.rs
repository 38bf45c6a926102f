//! Whether a task is skipped. Rule source: "skippedTasks" on the "PipelineRuns" page of the Tekton
//! documentation; the order of the reasons is that of Tekton's own controller.

use serde_json::Value;

use super::facts::{Overdue, PlannedTask, Request};
use super::state::{Skip, State};
use super::{matrix, when};

/// Somebody asked that nothing more is started.
pub(super) fn by_request(request: Option<Request>) -> Option<Skip> {
    request.map(|request| match request {
        Request::CancelRunFinally => Skip::GracefullyCancelled,
        Request::StopRunFinally => Skip::GracefullyStopped,
    })
}

pub(super) fn by_when(spec: &Value) -> Option<Skip> {
    (!when::allows(&spec["when"])).then_some(Skip::WhenExpressions)
}

/// A task that a when expression skips takes only those with it that need its results.
pub(super) fn by_parents(parents: &[usize], states: &[State]) -> Option<Skip> {
    let mut states = parents.iter().map(|parent| &states[*parent]);
    let is_skipped =
        |state: &State| matches!(state, State::Skipped(why) if *why != Skip::WhenExpressions);
    states.any(is_skipped).then_some(Skip::ParentTasks)
}

pub(super) fn by_time(overdue: Overdue, task: &PlannedTask) -> Option<Skip> {
    if overdue.pipeline {
        Some(Skip::PipelineTimeout)
    } else if overdue.tasks && !task.is_final {
        Some(Skip::TasksTimeout)
    } else if overdue.finally && task.is_final {
        Some(Skip::FinallyTimeout)
    } else {
        None
    }
}

pub(super) fn by_matrix(spec: &Value) -> Option<Skip> {
    matrix::is_empty(&spec["matrix"]).then_some(Skip::EmptyMatrix)
}
