//! Specification and status of a pipeline run, as far as they are read.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::parts::{
    Condition, Param, ParamSpec, PodTemplate, Provenance, Reference, RunResult, When,
};
use super::task::TaskSpec;
use super::text::{Text, list, object, object_or_default, objects, time};

/// What was asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PipelineRunSpec<'a> {
    /// Params given to the run.
    #[serde(borrow, deserialize_with = "objects")]
    pub params: Vec<Param<'a>>,
    /// The pipeline, if it is not inline.
    #[serde(borrow, deserialize_with = "object")]
    pub pipeline_ref: Option<Reference<'a>>,
    /// What every task run of it gets.
    #[serde(borrow, deserialize_with = "object_or_default")]
    pub task_run_template: TaskRunTemplate<'a>,
    /// The controller in charge, if it is not Tekton's own.
    #[serde(borrow)]
    pub managed_by: Option<Text<'a>>,
}

/// What every task run of a pipeline run gets.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TaskRunTemplate<'a> {
    /// Service account of the pods.
    #[serde(borrow)]
    pub service_account_name: Text<'a>,
    /// What is laid down for the pods.
    #[serde(borrow, deserialize_with = "object_or_default")]
    pub pod_template: PodTemplate<'a>,
}

/// What happened.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PipelineRunStatus<'a> {
    /// Conditions.
    #[serde(borrow, deserialize_with = "objects")]
    pub conditions: Vec<Condition<'a>>,
    /// When it started.
    #[serde(deserialize_with = "time")]
    pub start_time: Option<Timestamp>,
    /// When it ended.
    #[serde(deserialize_with = "time")]
    pub completion_time: Option<Timestamp>,
    /// Results.
    #[serde(borrow, deserialize_with = "objects")]
    pub results: Vec<RunResult<'a>>,
    /// The pipeline that was carried out.
    #[serde(borrow, deserialize_with = "object")]
    pub pipeline_spec: Option<PipelineSpec<'a>>,
    /// Its children, of whatever kind.
    #[serde(borrow, deserialize_with = "objects")]
    pub child_references: Vec<ChildReference<'a>>,
    /// Where the pipeline came from.
    #[serde(borrow, deserialize_with = "object")]
    pub provenance: Option<Provenance<'a>>,
}

/// A child of a pipeline run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ChildReference<'a> {
    /// Kind: `TaskRun`, `CustomRun` or `PipelineRun`.
    #[serde(borrow)]
    pub kind: Text<'a>,
    /// Name, in the namespace of the pipeline run.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The pipeline's task that it carries out.
    #[serde(borrow)]
    pub pipeline_task_name: Text<'a>,
}

impl ChildReference<'_> {
    /// Whether the child is a task run. Old versions of Tekton leave the kind out.
    pub fn is_task_run(&self) -> bool {
        matches!(&*self.kind, "TaskRun" | "")
    }
}

/// A pipeline.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PipelineSpec<'a> {
    /// Params it declares.
    #[serde(borrow, deserialize_with = "objects")]
    pub params: Vec<ParamSpec<'a>>,
    /// Tasks.
    #[serde(borrow, deserialize_with = "objects")]
    pub tasks: Vec<PipelineTask<'a>>,
    /// Tasks that run at the end, whatever happens.
    #[serde(borrow, deserialize_with = "objects")]
    pub finally: Vec<PipelineTask<'a>>,
}

/// A task of a pipeline.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct PipelineTask<'a> {
    /// Name within the pipeline.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// The task's reference, unread.
    #[serde(borrow)]
    pub task_ref: Option<&'a RawValue>,
    /// The task itself, if it is inline.
    #[serde(borrow, deserialize_with = "object")]
    pub task_spec: Option<TaskSpec<'a>>,
    /// Tasks that must end before this one starts.
    #[serde(borrow, deserialize_with = "list")]
    pub run_after: Vec<Text<'a>>,
    /// Params given to the task.
    #[serde(borrow, deserialize_with = "objects")]
    pub params: Vec<Param<'a>>,
    /// Params that fan the task out.
    #[serde(borrow, deserialize_with = "object")]
    pub matrix: Option<Matrix<'a>>,
    /// Conditions for running it.
    #[serde(borrow, deserialize_with = "objects")]
    pub when: Vec<When<'a>>,
}

/// Params that fan a task out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Matrix<'a> {
    /// Params whose items are combined.
    #[serde(borrow, deserialize_with = "objects")]
    pub params: Vec<Param<'a>>,
    /// Further combinations.
    #[serde(borrow, deserialize_with = "objects")]
    pub include: Vec<Include<'a>>,
}

/// A further combination of a matrix.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Include<'a> {
    /// Its params.
    #[serde(borrow, deserialize_with = "objects")]
    pub params: Vec<Param<'a>>,
}
