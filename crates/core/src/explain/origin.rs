//! An origin: the results, params or images of a run that name an artifact.

use std::fmt;

use serde::Serialize;

/// The part of a run that names something in a payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Origin {
    /// `TaskRun` or `PipelineRun`.
    pub kind: &'static str,
    /// Name of that run.
    pub run: String,
    /// The pipeline's task that the run is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline_task: Option<String>,
    /// The step of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What said it, in order: one result, or the two of a pair.
    pub via: Vec<Part>,
}

/// One result, param or image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Its name; for one of several references in `IMAGES` with its position: `IMAGES[2]`.
    pub name: String,
}

/// What said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum PartKind {
    /// A result.
    Result,
    /// A param of the run.
    Param,
    /// The default of a param that the task or the pipeline declares.
    ParamDefault,
    /// The image of a step.
    StepImage,
    /// The image of a sidecar.
    SidecarImage,
    /// The source of a remote task, pipeline or step action, as Tekton recorded it.
    Definition,
    /// A whole task run.
    Copy,
}

impl PartKind {
    fn words(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Param => "param",
            Self::ParamDefault => "default of param",
            Self::StepImage => "image of step",
            Self::SidecarImage => "image of sidecar",
            Self::Definition => "source of the",
            Self::Copy => "copy of the",
        }
    }
}

/// Where hints are looked for: a run, or one of its steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) kind: &'static str,
    pub(super) run: &'p str,
    pub(super) pipeline_task: Option<&'p str>,
    pub(super) step: Option<&'p str>,
    /// The place is the run that is explained, and need not be named.
    pub(super) is_top: bool,
}

impl Place<'_> {
    pub(super) fn origin(&self, via: Vec<Part>) -> Origin {
        Origin {
            kind: self.kind,
            run: self.run.to_owned(),
            pipeline_task: self.pipeline_task.map(str::to_owned),
            step: self.step.map(str::to_owned),
            via,
        }
    }

    /// A sentence about something in this place.
    pub(super) fn says(&self, sentence: &str) -> String {
        match (self.is_top, self.step) {
            (true, None) => sentence.to_owned(),
            (true, Some(step)) => format!("step {step:?}: {sentence}"),
            (false, None) => format!("{} {:?}: {sentence}", self.kind, self.run),
            (false, Some(step)) => {
                format!("{} {:?}, step {step:?}: {sentence}", self.kind, self.run)
            }
        }
    }
}

pub(super) fn part(kind: PartKind, name: impl Into<String>) -> Part {
    Part {
        kind,
        name: name.into(),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.via.iter().enumerate() {
            let and = if index == 0 { "" } else { " and " };
            write!(f, "{and}{} {}", part.kind.words(), part.name)?;
        }
        if let Some(step) = &self.step {
            write!(f, " of step {step}")?;
        }
        write!(f, " of {} {}", self.kind, self.run)?;
        match &self.pipeline_task {
            Some(task) => write!(f, " (task {task})"),
            None => Ok(()),
        }
    }
}
