//! Specification and status of a task run, as far as they are read.

use jiff::Timestamp;
use serde::Deserialize;

use super::parts::{Condition, Param, ParamSpec, PodTemplate, Provenance, Reference, RunResult};
use super::text::{Text, list, object, object_or_default, objects, time};

/// What was asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TaskRunSpec<'a> {
    /// Params given to the run.
    #[serde(borrow, deserialize_with = "objects")]
    pub params: Vec<Param<'a>>,
    /// The task, if it is not inline.
    #[serde(borrow, deserialize_with = "object")]
    pub task_ref: Option<Reference<'a>>,
    /// Service account of the pod.
    #[serde(borrow)]
    pub service_account_name: Text<'a>,
    /// What is laid down for the pod.
    #[serde(borrow, deserialize_with = "object_or_default")]
    pub pod_template: PodTemplate<'a>,
    /// The controller in charge, if it is not Tekton's own.
    #[serde(borrow)]
    pub managed_by: Option<Text<'a>>,
}

/// What happened.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct TaskRunStatus<'a> {
    /// Conditions.
    #[serde(borrow, deserialize_with = "objects")]
    pub conditions: Vec<Condition<'a>>,
    /// When it started.
    #[serde(deserialize_with = "time")]
    pub start_time: Option<Timestamp>,
    /// When it ended.
    #[serde(deserialize_with = "time")]
    pub completion_time: Option<Timestamp>,
    /// Steps that have a container.
    #[serde(borrow, deserialize_with = "objects")]
    pub steps: Vec<StepState<'a>>,
    /// Sidecars that have a container.
    #[serde(borrow, deserialize_with = "objects")]
    pub sidecars: Vec<SidecarState<'a>>,
    /// Results.
    #[serde(borrow, deserialize_with = "objects")]
    pub results: Vec<RunResult<'a>>,
    /// The task that was carried out.
    #[serde(borrow, deserialize_with = "object")]
    pub task_spec: Option<TaskSpec<'a>>,
    /// Where the task came from.
    #[serde(borrow, deserialize_with = "object")]
    pub provenance: Option<Provenance<'a>>,
}

/// What became of a step.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct StepState<'a> {
    /// Name; `unnamed-N` when the task gives none.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Image with digest, as the node reports it; empty when it was never pulled.
    #[serde(borrow, rename = "imageID")]
    pub image_id: Text<'a>,
    /// Results of the step.
    #[serde(borrow, deserialize_with = "objects")]
    pub results: Vec<RunResult<'a>>,
    /// Where the step's definition came from.
    #[serde(borrow, deserialize_with = "object")]
    pub provenance: Option<Provenance<'a>>,
}

/// What became of a sidecar.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SidecarState<'a> {
    /// Name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Image with digest, as the node reports it.
    #[serde(borrow, rename = "imageID")]
    pub image_id: Text<'a>,
}

/// A task.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TaskSpec<'a> {
    /// Params it declares.
    #[serde(borrow, deserialize_with = "objects")]
    pub params: Vec<ParamSpec<'a>>,
    /// Steps.
    #[serde(borrow, deserialize_with = "objects")]
    pub steps: Vec<Container<'a>>,
    /// Sidecars.
    #[serde(borrow, deserialize_with = "objects")]
    pub sidecars: Vec<Container<'a>>,
}

/// A step or a sidecar of a task.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Container<'a> {
    /// Name; may be empty.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Image.
    #[serde(borrow)]
    pub image: Text<'a>,
    /// When to pull the image.
    #[serde(borrow)]
    pub image_pull_policy: Text<'a>,
    /// Script to run instead of a command.
    #[serde(borrow)]
    pub script: Text<'a>,
    /// Working directory.
    #[serde(borrow)]
    pub working_dir: Text<'a>,
    /// Command.
    #[serde(borrow, deserialize_with = "list")]
    pub command: Vec<Text<'a>>,
    /// Arguments; an absent list and an empty one are written differently.
    #[serde(borrow)]
    pub args: Option<Vec<Text<'a>>>,
    /// Environment.
    #[serde(borrow, deserialize_with = "objects")]
    pub env: Vec<EnvVar<'a>>,
}

/// A variable of a container's environment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EnvVar<'a> {
    /// Value.
    #[serde(borrow)]
    pub value: Text<'a>,
    /// Where the value comes from instead.
    #[serde(borrow, deserialize_with = "object_or_default")]
    pub value_from: EnvSource<'a>,
}

/// Source of a variable.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EnvSource<'a> {
    /// A key of a secret.
    #[serde(borrow, deserialize_with = "object")]
    pub secret_key_ref: Option<KeyReference<'a>>,
    /// A key of a config map.
    #[serde(borrow, deserialize_with = "object")]
    pub config_map_key_ref: Option<KeyReference<'a>>,
}

/// A key of a secret or a config map.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct KeyReference<'a> {
    /// Name of the object.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// Key in it.
    #[serde(borrow)]
    pub key: Text<'a>,
}
