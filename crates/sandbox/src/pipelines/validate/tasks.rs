//! Whether the tasks of a pipeline fit each other and the tasks that they name.

use serde_json::Value;

use super::list;
use crate::form::{declared_type, type_of};
use crate::pipelines::facts::PlannedTask;
use crate::pipelines::matrix;
use crate::pipelines::references::{self, ResultReference};
use crate::pipelines::refusal::Refusal;

/// A pipeline task with the specification of its task.
pub(in crate::pipelines) struct ResolvedTask<'a> {
    pub planned: &'a PlannedTask,
    pub spec: &'a Value,
}

/// Refuses parameters that a task lacks, references to results that no task has, and optional
/// workspaces where a task needs one.
pub(in crate::pipelines) fn check(
    run: &str,
    pipeline: &Value,
    tasks: &[ResolvedTask<'_>],
) -> Result<(), Refusal> {
    for task in tasks {
        params(task).map_err(|why| {
            let message = format!("Validation failed for pipelinerun {run} with error {why}");
            Refusal::new("PipelineValidationFailed", message)
        })?;
    }
    for task in tasks {
        for reference in references::results(&task.planned.spec) {
            result(tasks, &reference).map_err(|why| {
                let name = &task.planned.name;
                let message =
                    format!("invalid result reference in pipeline task \"{name}\": {why}");
                Refusal::new("InvalidTaskResultReference", message)
            })?;
        }
    }
    for declared in list(&pipeline["results"]) {
        for expression in references::expressions(&declared["value"]) {
            let mut roots = ["tasks.", "finally."].into_iter();
            let reference = roots.find_map(|root| references::result(expression, root));
            let Some(reference) = reference else { continue };
            result(tasks, &reference).map_err(|why| {
                let message = format!(
                    "Failed to resolve pipeline result reference for \"{run}\" with error invalid \
                     pipeline result {}: {why}",
                    declared["name"]
                );
                Refusal::new("InvalidPipelineResultReference", message)
            })?;
        }
    }
    workspaces(pipeline, tasks)
}

fn params(task: &ResolvedTask<'_>) -> Result<(), String> {
    let name = &task.planned.name;
    let spec = &task.planned.spec;
    let from_matrix: Vec<&str> = matrix::names(&spec["matrix"]).collect();
    let (mut missing, mut mistyped) = (Vec::new(), Vec::new());
    for declared in list(&task.spec["params"]) {
        let wanted = declared["name"].as_str().unwrap_or_default();
        if from_matrix.contains(&wanted) {
            continue;
        }
        match list(&spec["params"]).find(|param| param["name"] == wanted) {
            None if declared.get("default").is_none() => missing.push(wanted),
            None => {}
            Some(param) => {
                // a reference may become anything
                let is_open = !references::expressions(&param["value"]).is_empty();
                if !is_open && type_of(&param["value"]) != declared_type(declared) {
                    mistyped.push(wanted);
                }
            }
        }
    }
    let refuse = |why: &str, names: &[&str]| {
        Err(format!(
            "invalid input params for task {name}: {why}: [{}]",
            names.join(" ")
        ))
    };
    if !missing.is_empty() {
        let why = "missing values for these params which have no default values";
        return refuse(why, &missing);
    }
    if !mistyped.is_empty() {
        return refuse("param types don't match the user-specified type", &mistyped);
    }
    Ok(())
}

fn result(tasks: &[ResolvedTask<'_>], reference: &ResultReference) -> Result<(), String> {
    let ResultReference { task, result, .. } = reference;
    let Some(source) = tasks.iter().find(|one| one.planned.name == *task) else {
        return Err(format!(
            "referenced pipeline task \"{task}\" does not exist"
        ));
    };
    if list(&source.spec["results"]).any(|declared| declared["name"] == result.as_str()) {
        return Ok(());
    }
    Err(format!(
        "\"{result}\" is not a named result returned by pipeline task \"{task}\""
    ))
}

fn workspaces(pipeline: &Value, tasks: &[ResolvedTask<'_>]) -> Result<(), Refusal> {
    let optional: Vec<&Value> = list(&pipeline["workspaces"])
        .filter(|declared| declared["optional"] == true)
        .map(|declared| &declared["name"])
        .collect();
    for task in tasks {
        for bound in list(&task.planned.spec["workspaces"]) {
            let from = if bound["workspace"].is_string() {
                &bound["workspace"]
            } else {
                &bound["name"]
            };
            let declared = list(&task.spec["workspaces"]).find(|one| one["name"] == bound["name"]);
            let is_needed = declared.is_some_and(|declared| declared["optional"] != true);
            if optional.contains(&from) && is_needed {
                let name = &task.planned.name;
                return Err(Refusal::new(
                    "RequiredWorkspaceMarkedOptional",
                    format!(
                        "Optional workspace not supported by task: pipeline workspace {from} is marked \
                     optional but pipeline task \"{name}\" requires it be provided"
                    ),
                ));
            }
        }
    }
    Ok(())
}
