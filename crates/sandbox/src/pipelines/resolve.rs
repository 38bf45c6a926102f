//! Finds what a pipeline run refers to: its pipeline and that pipeline's tasks, on this cluster.

use serde_json::Value;

use super::refusal::Refusal;
use crate::cluster::object;
use crate::cluster::state::State;
use crate::cluster::store::Key;

/// The pipeline's name and its specification.
pub(super) fn pipeline(state: &State, run: &Value) -> Result<(String, Value), Refusal> {
    let spec = &run["spec"]["pipelineSpec"];
    let name = object::name(run);
    if spec.is_object() {
        return Ok((name.to_owned(), spec.clone()));
    }
    let namespace = object::meta(run, "namespace");
    let refuse = |why: String| {
        let message =
            format!("Error retrieving pipeline for pipelinerun {namespace}/{name}: {why}");
        Refusal::new("CouldntGetPipeline", message)
    };
    let reference = &run["spec"]["pipelineRef"];
    if let Some(resolver) = reference["resolver"].as_str() {
        return Err(refuse(format!(
            "this cluster resolves pipelines by name only, not with the resolver \"{resolver}\""
        )));
    }
    let Some(wanted) = reference["name"].as_str() else {
        return Err(refuse(
            "expected exactly one, got neither: spec.pipelineRef, spec.pipelineSpec".to_owned(),
        ));
    };
    let found = state.store().get(&Key::new("pipelines", namespace, wanted));
    let found =
        found.ok_or_else(|| refuse(format!("pipelines.tekton.dev \"{wanted}\" not found")))?;
    Ok((wanted.to_owned(), found["spec"].clone()))
}

/// The specification of a pipeline task's task.
pub(super) fn task(
    state: &State,
    namespace: &str,
    pipeline: &str,
    task: &Value,
) -> Result<Value, Refusal> {
    if task["taskSpec"].is_object() {
        return Ok(task["taskSpec"].clone());
    }
    let refuse = |wanted: &str, why: &str| {
        let message = format!(
            "Pipeline {namespace}/{pipeline} can't be Run; it contains Tasks that don't exist: \
             Couldn't retrieve Task \"{wanted}\": {why}"
        );
        Refusal::new("CouldntGetTask", message)
    };
    let reference = &task["taskRef"];
    if let Some(resolver) = reference["resolver"].as_str() {
        let why = "this cluster resolves tasks by name only";
        return Err(refuse(resolver, why));
    }
    let wanted = reference["name"].as_str().unwrap_or_default();
    let found = state.store().get(&Key::new("tasks", namespace, wanted));
    let found =
        found.ok_or_else(|| refuse(wanted, &format!("tasks.tekton.dev \"{wanted}\" not found")))?;
    Ok(found["spec"].clone())
}
