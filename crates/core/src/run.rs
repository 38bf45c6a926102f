//! A run: a finished or unfinished `TaskRun` or `PipelineRun` of the API version `tekton.dev/v1`.
//!
//! A run is read from the JSON document of one object and borrows from it. Only the fields that are
//! needed are read; `metadata`, `spec` and `status` stay available as their JSON text, so that
//! nothing is lost when they are copied into a payload. `null` counts as empty where an array, a
//! map or a string is expected. Unknown fields are skipped.
//!
//! Limits: a document has at most [`MAX_DOCUMENT`] bytes; recursion is bounded by `serde_json`.

pub use self::children::{Adopted, adopt};
pub use self::document::{PipelineRun, Run, TaskRun};
pub(crate) use self::error::version_found;
pub use self::error::{MAX_DOCUMENT, RunError, kind_found};
pub use self::kind::Kind;
pub use self::metadata::{Metadata, OwnerReference};
pub use self::parts::{
    Condition, NamedSecret, Param, ParamSpec, PodTemplate, Provenance, RefSource, Reference,
    RunResult, When,
};
pub use self::pipeline::{
    ChildReference, Include, Matrix, PipelineRunSpec, PipelineRunStatus, PipelineSpec,
    PipelineTask, TaskRunTemplate,
};
pub use self::read::Raw;
pub use self::task::{
    Container, EnvSource, EnvVar, KeyReference, SidecarState, StepState, TaskRunSpec,
    TaskRunStatus, TaskSpec,
};
pub(crate) use self::text::timestamp;
pub use self::text::{Map, Text};
pub use self::value::ParamValue;

mod children;
mod document;
mod error;
mod kind;
mod metadata;
mod parts;
mod pipeline;
mod read;
mod task;
mod text;
mod value;

#[cfg(test)]
mod tests;
