//! What is known of a pipeline run at one moment: its tasks, and what became of their task runs.
//! Everything that is decided is decided from this, so that it can be tested without a cluster.

use serde_json::Value;

use super::graph::Graph;

/// A task of a pipeline.
#[derive(Debug, Clone)]
pub(super) struct PlannedTask {
    pub name: String,
    /// Whether it is in `finally`.
    pub is_final: bool,
    /// Its specification, parameters and context of the run filled in.
    pub spec: Value,
}

impl PlannedTask {
    /// Whether the run goes on when the task fails.
    pub(super) fn is_failure_ignored(&self) -> bool {
        self.spec["onError"] == "continue"
    }
}

/// A task run of a task.
#[derive(Debug, Clone, Default)]
pub(super) struct Child {
    /// None while it runs.
    pub end: Option<End>,
    /// Reason of its condition.
    pub reason: String,
    pub results: Vec<(String, Value)>,
}

/// How a task run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Succeeded,
    Failed,
    Cancelled,
    /// Cancelled, as the time of the pipeline run was over.
    OutOfTime,
}

/// What somebody asked of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// Cancel what runs, then run what is in `finally`.
    CancelRunFinally,
    /// Start nothing more, then run what is in `finally`.
    StopRunFinally,
}

/// Which times are over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Overdue {
    pub pipeline: bool,
    pub tasks: bool,
    pub finally: bool,
}

/// A pipeline run at one moment.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    /// Those in `finally` last.
    pub tasks: &'a [PlannedTask],
    pub graph: &'a Graph,
    /// The task runs of each task, in the order of their names.
    pub children: Vec<Vec<Child>>,
    pub request: Option<Request>,
    pub overdue: Overdue,
}
