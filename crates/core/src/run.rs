//! A run: a finished or unfinished `TaskRun` or `PipelineRun` of the API version `tekton.dev/v1`.
//!
//! A run is read from the JSON document of one object and borrows from it. Only the fields that
//! are needed are read; `metadata`, `spec` and `status` stay available as the text they were, so
//! that nothing is lost when they are copied into a payload. `null` counts as empty wherever an
//! array, a map or a string is expected. Unknown fields are skipped without being kept.
//!
//! Limits: a document has at most [`MAX_DOCUMENT`] bytes; recursion is bounded by `serde_json`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

pub use self::children::{Adopted, adopt};
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
pub use self::task::{
    Container, EnvSource, EnvVar, KeyReference, SidecarState, StepState, TaskRunSpec,
    TaskRunStatus, TaskSpec,
};
pub(crate) use self::text::timestamp;
pub use self::text::{Map, Text};

mod children;
mod kind;
mod metadata;
mod parts;
mod pipeline;
mod task;
mod text;

#[cfg(test)]
mod tests;

/// Largest document accepted, in bytes. An API server accepts a tenth of it.
pub const MAX_DOCUMENT: usize = 32 << 20;

/// Label of a child that names the pipeline's task it carries out.
pub const PIPELINE_TASK_LABEL: &str = "tekton.dev/pipelineTask";

/// Why a document is not a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The document is larger than [`MAX_DOCUMENT`].
    #[error("the run has {size} bytes, more than the {MAX_DOCUMENT} that are accepted")]
    TooLarge {
        /// Size in bytes.
        size: usize,
    },
    /// The document is not valid JSON, or a field has a wrong type or occurs twice.
    #[error("cannot read the run at {path}: {reason}")]
    Field {
        /// Path of the field from the document's root.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The document is of another kind.
    #[error("expected a {expected}, found kind {found:.80?}")]
    Kind {
        /// Kind that was asked for.
        expected: &'static str,
        /// Kind of the document.
        found: String,
    },
    /// The document is of another API version.
    #[error("expected apiVersion tekton.dev/v1, found {found:.80?}; convert the run first")]
    ApiVersion {
        /// API version of the document.
        found: String,
    },
}

/// A `TaskRun`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TaskRun<'a> {
    /// Metadata.
    pub metadata: Metadata<'a>,
    /// What was asked for.
    pub spec: TaskRunSpec<'a>,
    /// What happened.
    pub status: TaskRunStatus<'a>,
    /// The document's text.
    pub raw: Raw<'a>,
}

/// A `PipelineRun`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PipelineRun<'a> {
    /// Metadata.
    pub metadata: Metadata<'a>,
    /// What was asked for.
    pub spec: PipelineRunSpec<'a>,
    /// What happened.
    pub status: PipelineRunStatus<'a>,
    /// The document's text.
    pub raw: Raw<'a>,
}

/// A run of either kind.
#[derive(Debug, Clone)]
pub enum Run<'a> {
    /// A task run.
    Task(TaskRun<'a>),
    /// A pipeline run and its children that are task runs, in the order of its child references.
    Pipeline(PipelineRun<'a>, Vec<TaskRun<'a>>),
}

/// A run's document, its parts as they were written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Raw<'a> {
    /// `kind`; empty in lists.
    #[serde(borrow)]
    pub kind: Text<'a>,
    /// `apiVersion`; empty in lists.
    #[serde(borrow)]
    pub api_version: Text<'a>,
    /// `metadata`.
    #[serde(borrow)]
    pub metadata: Option<&'a RawValue>,
    /// `spec`.
    #[serde(borrow)]
    pub spec: Option<&'a RawValue>,
    /// `status`.
    #[serde(borrow)]
    pub status: Option<&'a RawValue>,
}

impl<'a> TaskRun<'a> {
    /// Reads a task run. `kind` and `apiVersion` may be missing, as they are in lists.
    pub fn parse(document: &'a [u8]) -> Result<Self, RunError> {
        let raw = envelope(document, Kind::Task)?;
        Ok(Self {
            metadata: part("metadata", raw.metadata)?,
            spec: part("spec", raw.spec)?,
            status: part("status", raw.status)?,
            raw,
        })
    }

    /// The condition `Succeeded` is there and no longer `Unknown`.
    pub fn is_done(&self) -> bool {
        is_done(&self.status.conditions)
    }
}

impl<'a> PipelineRun<'a> {
    /// Reads a pipeline run. `kind` and `apiVersion` may be missing, as they are in lists.
    pub fn parse(document: &'a [u8]) -> Result<Self, RunError> {
        let raw = envelope(document, Kind::Pipeline)?;
        Ok(Self {
            metadata: part("metadata", raw.metadata)?,
            spec: part("spec", raw.spec)?,
            status: part("status", raw.status)?,
            raw,
        })
    }

    /// The condition `Succeeded` is there and no longer `Unknown`.
    pub fn is_done(&self) -> bool {
        is_done(&self.status.conditions)
    }
}

impl Kind {
    /// Reads a run of this kind; a pipeline run gets no children. `kind` and `apiVersion` may be
    /// missing, as they are in lists.
    pub fn parse(self, document: &[u8]) -> Result<Run<'_>, RunError> {
        match self {
            Self::Task => TaskRun::parse(document).map(Run::Task),
            Self::Pipeline => {
                PipelineRun::parse(document).map(|run| Run::Pipeline(run, Vec::new()))
            }
        }
    }
}

impl<'a> Run<'a> {
    /// Reads a run of either kind by what its `kind` says; a pipeline run gets no children.
    pub fn parse(document: &'a [u8]) -> Result<Self, RunError> {
        match &*read::<Raw<'a>>(document)?.kind {
            "TaskRun" => Kind::Task.parse(document),
            "PipelineRun" => Kind::Pipeline.parse(document),
            other => Err(RunError::Kind {
                expected: "TaskRun or PipelineRun",
                found: other.to_owned(),
            }),
        }
    }

    /// Which kind of run it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Task(_) => Kind::Task,
            Self::Pipeline(..) => Kind::Pipeline,
        }
    }

    /// Key of the run's payload and signature where space is short: `taskrun-UID`.
    pub fn short_key(&self) -> String {
        format!("{}-{}", self.kind().singular(), self.metadata().uid)
    }

    /// Key of the run's payload and signature where names may be long.
    pub fn full_key(&self) -> String {
        format!("tekton.dev-v1-{}-{}", self.kind(), self.metadata().uid)
    }

    /// Metadata.
    pub fn metadata(&self) -> &Metadata<'a> {
        match self {
            Self::Task(run) => &run.metadata,
            Self::Pipeline(run, _) => &run.metadata,
        }
    }

    /// The document's text.
    pub fn raw(&self) -> &Raw<'a> {
        match self {
            Self::Task(run) => &run.raw,
            Self::Pipeline(run, _) => &run.raw,
        }
    }

    /// Conditions of the status.
    pub fn conditions(&self) -> &[Condition<'a>] {
        match self {
            Self::Task(run) => &run.status.conditions,
            Self::Pipeline(run, _) => &run.status.conditions,
        }
    }

    /// The condition `Succeeded` is there and no longer `Unknown`.
    pub fn is_done(&self) -> bool {
        is_done(self.conditions())
    }

    /// When it started.
    pub fn start_time(&self) -> Option<Timestamp> {
        match self {
            Self::Task(run) => run.status.start_time,
            Self::Pipeline(run, _) => run.status.start_time,
        }
    }

    /// When it ended.
    pub fn completion_time(&self) -> Option<Timestamp> {
        match self {
            Self::Task(run) => run.status.completion_time,
            Self::Pipeline(run, _) => run.status.completion_time,
        }
    }

    /// Results of the run itself.
    pub fn results(&self) -> &[RunResult<'a>] {
        match self {
            Self::Task(run) => &run.status.results,
            Self::Pipeline(run, _) => &run.status.results,
        }
    }

    /// `spec.managedBy`.
    pub fn managed_by(&self) -> Option<&str> {
        match self {
            Self::Task(run) => run.spec.managed_by.as_deref(),
            Self::Pipeline(run, _) => run.spec.managed_by.as_deref(),
        }
    }

    /// Service account under which the run's pods ran.
    pub fn service_account(&self) -> &str {
        match self {
            Self::Task(run) => &run.spec.service_account_name,
            Self::Pipeline(run, _) => &run.spec.task_run_template.service_account_name,
        }
    }

    /// Names of the secrets that the run's pods pull images with.
    pub fn image_pull_secrets(&self) -> impl Iterator<Item = &str> {
        let template = match self {
            Self::Task(run) => &run.spec.pod_template,
            Self::Pipeline(run, _) => &run.spec.task_run_template.pod_template,
        };
        let secrets = template.image_pull_secrets.iter();
        secrets.map(|secret| &*secret.name)
    }
}

fn is_done(conditions: &[Condition<'_>]) -> bool {
    conditions
        .iter()
        .find(|condition| &*condition.kind == "Succeeded")
        .is_some_and(|condition| &*condition.status != "Unknown")
}

fn envelope<'a>(document: &'a [u8], expected: Kind) -> Result<Raw<'a>, RunError> {
    if document.len() > MAX_DOCUMENT {
        return Err(RunError::TooLarge {
            size: document.len(),
        });
    }
    let raw: Raw<'a> = read(document)?;
    if !raw.kind.is_empty() && raw.kind != expected.name() {
        return Err(RunError::Kind {
            expected: expected.name(),
            found: raw.kind.to_string(),
        });
    }
    if !matches!(&*raw.api_version, "" | "tekton.dev/v1") {
        return Err(RunError::ApiVersion {
            found: raw.api_version.to_string(),
        });
    }
    Ok(raw)
}

fn read<'a, T: Default + Deserialize<'a>>(document: &'a [u8]) -> Result<T, RunError> {
    match serde_json::from_slice::<text::Object<T>>(document) {
        Ok(read) => Ok(read.0),
        Err(_) => Err(located::<T>("", document)),
    }
}

fn part<'a, T>(name: &str, raw: Option<&'a RawValue>) -> Result<T, RunError>
where
    T: Default + Deserialize<'a>,
{
    let Some(raw) = raw else {
        return Ok(T::default());
    };
    match serde_json::from_str::<text::Object<T>>(raw.get()) {
        Ok(read) => Ok(read.0),
        Err(_) => Err(located::<T>(name, raw.get().as_bytes())),
    }
}

/// Reads a document that could not be read once more, to learn where it is wrong. The path is
/// tracked only here because it costs time that a good document need not pay.
fn located<'a, T: Default + Deserialize<'a>>(prefix: &str, document: &'a [u8]) -> RunError {
    let mut json = serde_json::Deserializer::from_slice(document);
    let Err(error) = serde_path_to_error::deserialize::<_, text::Object<T>>(&mut json) else {
        let reason = json
            .end()
            .err()
            .map_or_else(String::new, |error| error.to_string());
        return RunError::Field {
            path: "the end".to_owned(),
            reason,
        };
    };
    let path = match (prefix, error.path().to_string().as_str()) {
        ("", ".") => "the top".to_owned(),
        ("", path) => path.to_owned(),
        (prefix, ".") => prefix.to_owned(),
        (prefix, path) if path.starts_with('[') => format!("{prefix}{path}"),
        (prefix, path) => format!("{prefix}.{path}"),
    };
    RunError::Field {
        path,
        reason: error.inner().to_string(),
    }
}
