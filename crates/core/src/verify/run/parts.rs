//! What a difference between a statement and its run means.

use serde_json::Value;

use super::differences::Difference;
use crate::config::BuildType;
use crate::run::{Kind, Run};

/// Prefix of the labels with which Tekton says what a run belongs to. Nobody else writes them.
const TEKTON_LABELS: &str = "tekton.dev/";

/// What a difference means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The statement is not about the run as it is.
    Essential,
    /// A label or an annotation that somebody wrote after the run was signed.
    Written(String),
    /// Something that comes from task runs, some of which are gone.
    OfChildren,
    /// Something that an older release of Chains wrote in another way.
    OfOlderRelease,
}

/// Which differences are possible for a run though nothing was forged.
#[derive(Debug)]
pub(super) struct Allowance {
    lacks_children: bool,
    is_older: bool,
}

impl Allowance {
    pub(super) fn new(run: &Run<'_>, build_type: &str) -> Self {
        let known = format!("tekton.dev/v1/{}", run.kind());
        Self {
            lacks_children: lacks_children(run),
            is_older: build_type != known && BuildType::from_uri(build_type).is_none(),
        }
    }

    /// What a difference means.
    pub(super) fn part(&self, difference: &Difference<'_>) -> Part {
        let steps = difference.steps();
        if let Some(part) = metadata(&steps, difference) {
            return part;
        }
        let is_from_children = match steps.as_slice() {
            ["subject", ..] => is_superset(difference),
            ["predicate", "materials", ..]
            | ["predicate", "buildConfig", "tasks", ..]
            | ["predicate", "invocation", "configSource", "digest", ..]
            | ["predicate", "buildDefinition", "resolvedDependencies", ..]
            | ["predicate", "runDetails", "byproducts", ..] => true,
            _ => false,
        };
        if self.lacks_children && is_from_children {
            return Part::OfChildren;
        }
        let is_compared = matches!(
            steps.as_slice(),
            ["_type" | "predicateType" | "subject", ..]
                | [
                    "predicate",
                    "metadata",
                    "buildStartedOn" | "buildFinishedOn",
                    ..
                ]
                | ["predicate", "runDetails", "metadata", ..]
        );
        if self.is_older && !is_compared {
            return Part::OfOlderRelease;
        }
        Part::Essential
    }
}

/// Whether a task run that a pipeline run refers to was not found.
fn lacks_children(run: &Run<'_>) -> bool {
    let Run::Pipeline(run, children) = run else {
        return false;
    };
    let references = run.status.child_references.iter();
    let mut references = references.filter(|child| matches!(&*child.kind, "TaskRun" | ""));
    references.any(|reference| {
        let mut children = children.iter();
        !children.any(|child| child.metadata.name == reference.name)
    })
}

/// A difference of labels or annotations. Those can be written at any time, but for the labels by
/// which Tekton says what the run belongs to.
fn metadata(steps: &[&str], difference: &Difference<'_>) -> Option<Part> {
    let (map, name) = match steps {
        ["predicate", "invocation", "environment", map, name]
        | [
            "predicate",
            "buildConfig",
            "tasks",
            _,
            "invocation",
            "environment",
            map,
            name,
        ]
        | [
            "predicate",
            "buildDefinition",
            "internalParameters",
            map,
            name,
        ] => (*map, *name),
        ["predicate", "buildDefinition", "internalParameters", map] => (*map, ""),
        ["predicate", "metadata", "reproducible"] => ("labels", "chains.tekton.dev/reproducible"),
        _ => return None,
    };
    let is_lasting = name.starts_with(TEKTON_LABELS) && difference.signed.is_some();
    match map {
        "labels" if is_lasting => Some(Part::Essential),
        "labels" | "annotations" => Some(Part::Written(name.to_owned())),
        _ => None,
    }
}

/// Whether the signed subjects are those of the run and more.
fn is_superset(difference: &Difference<'_>) -> bool {
    match (difference.signed, difference.now) {
        (Some(Value::Array(signed)), Some(Value::Array(now))) => {
            now.iter().all(|subject| signed.contains(subject))
        }
        // the run has no subject of its own
        (Some(Value::Array(_)), None | Some(Value::Null)) => true,
        _ => false,
    }
}

/// A member of a signed status that only the other kind of run has.
pub(super) fn foreign_member(kind: Kind, status: &[u8]) -> Option<&'static str> {
    let status: Value = serde_json::from_slice(status).ok()?;
    let foreign: &[&str] = match kind {
        Kind::Task => &["pipelineSpec", "childReferences", "skippedTasks"],
        Kind::Pipeline => &["taskSpec", "podName", "steps", "sidecars"],
    };
    foreign
        .iter()
        .find(|member| status.get(**member).is_some())
        .copied()
}
