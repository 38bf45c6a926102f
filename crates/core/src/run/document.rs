//! A run's document, read.

use jiff::Timestamp;

use super::error::RunError;
use super::kind::Kind;
use super::metadata::Metadata;
use super::parts::{Condition, RunResult};
use super::pipeline::{PipelineRunSpec, PipelineRunStatus};
use super::read::{Raw, envelope, part, read};
use super::task::{TaskRunSpec, TaskRunStatus};

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
    ///
    /// ```
    /// use windlass_core::run::{Kind, Run};
    ///
    /// let document = br#"{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{"name":"build",
    ///     "uid":"u-1"},"status":{"conditions":[{"type":"Succeeded","status":"True"}]}}"#;
    /// let run = Run::parse(document)?;
    /// assert_eq!(run.kind(), Kind::Task);
    /// assert_eq!(run.short_key(), "taskrun-u-1");
    /// assert!(run.is_done());
    /// # Ok::<(), windlass_core::run::RunError>(())
    /// ```
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
