//! What names a run, and how the API server is asked about it.

use serde::Deserialize;
use windlass_core::annotation;
use windlass_core::config::Config;
use windlass_core::run::{Metadata, PipelineRun, Run, RunError, TaskRun};

use super::event::Regarding;

/// Which of Tekton's runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RunKind {
    Task,
    Pipeline,
}

/// Names a run, across deletion and re-creation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RunId {
    pub(crate) kind: RunKind,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
}

/// The metadata of an object, whatever else it is.
#[derive(Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(borrow)]
    pub(crate) metadata: Metadata<'a>,
}

impl RunKind {
    /// `TaskRun` or `PipelineRun`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Task => "TaskRun",
            Self::Pipeline => "PipelineRun",
        }
    }

    /// Its name in paths.
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Task => "taskruns",
            Self::Pipeline => "pipelineruns",
        }
    }

    /// Its name in sentences.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Task => "task run",
            Self::Pipeline => "pipeline run",
        }
    }

    /// The finalizer that keeps an unsigned run from going.
    pub(crate) fn finalizer(self) -> &'static str {
        match self {
            Self::Task => annotation::TASKRUN_FINALIZER,
            Self::Pipeline => annotation::PIPELINERUN_FINALIZER,
        }
    }

    /// Whether a finalizer is ours, the reference's, or that of its old releases.
    pub(crate) fn owns_finalizer(self, name: &str) -> bool {
        name == self.finalizer() || self == Self::Task && name == annotation::LEGACY_FINALIZER
    }

    /// Reads a run of this kind; a pipeline run gets no children.
    pub(crate) fn parse(self, object: &[u8]) -> Result<Run<'_>, RunError> {
        match self {
            Self::Task => TaskRun::parse(object).map(Run::Task),
            Self::Pipeline => PipelineRun::parse(object).map(|run| Run::Pipeline(run, Vec::new())),
        }
    }

    /// Whether anything is enabled for runs of this kind.
    pub(crate) fn is_enabled(self, config: &Config) -> bool {
        match self {
            Self::Task => config.taskrun.is_enabled() || config.oci.is_enabled(),
            Self::Pipeline => config.pipelinerun.is_enabled(),
        }
    }

    /// Path of the collection in one namespace, or in all.
    pub(crate) fn collection(self, namespace: Option<&str>) -> String {
        let plural = self.plural();
        match namespace {
            None => format!("/apis/tekton.dev/v1/{plural}"),
            Some(namespace) => {
                let namespace = escaped(namespace);
                format!("/apis/tekton.dev/v1/namespaces/{namespace}/{plural}")
            }
        }
    }
}

impl RunId {
    /// The run that has this metadata.
    pub(crate) fn new(kind: RunKind, metadata: &Metadata<'_>) -> Self {
        Self {
            kind,
            namespace: metadata.namespace.to_string(),
            name: metadata.name.to_string(),
            uid: metadata.uid.to_string(),
        }
    }

    /// The run that an object is, or `None` when it is not an object.
    pub(crate) fn of(kind: RunKind, object: &[u8]) -> Option<Self> {
        let head = serde_json::from_slice::<Head<'_>>(object).ok()?;
        Some(Self::new(kind, &head.metadata))
    }

    /// API path.
    pub(crate) fn path(&self) -> String {
        let collection = self.kind.collection(Some(&self.namespace));
        format!("{collection}/{}", escaped(&self.name))
    }

    /// The run as the object of an Event.
    pub(crate) fn regarding(&self) -> Regarding {
        Regarding {
            api_version: "tekton.dev/v1",
            kind: self.kind.name(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            uid: self.uid.clone(),
        }
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.kind.words(), self.namespace, self.name)
    }
}

/// A value as it may stand in a path or a query.
pub(crate) fn escaped(value: &str) -> String {
    form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
