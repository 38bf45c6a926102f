//! Refuses a pipeline run that cannot be run as it is written, before anything of it runs.
//! Rule sources: the validation of Tekton's own types, and the "Pipelines" page of its documentation.

use serde_json::Value;

use super::limits;
use super::refusal::Refusal;
use super::{matrix, references};
use crate::form::{is_label, type_of};

pub(super) mod params;
pub(super) mod tasks;
pub(super) mod variables;

/// Fields that version 1 does not have, by the pointers to them.
const REMOVED: [&str; 7] = [
    "/spec/resources",
    "/spec/pipelineRef/bundle",
    "/spec/pipelineSpec/resources",
    "/spec/serviceAccountNames",
    "/spec/serviceAccountName",
    "/spec/podTemplate",
    "/spec/timeout",
];
/// The same of a task in a pipeline.
const REMOVED_OF_TASK: [&str; 7] = [
    "resources",
    "conditions",
    "inputs",
    "outputs",
    "taskRef/bundle",
    "taskSpec/resources",
    "taskSpec/inputs",
];
/// What is part of a newer or an optional Tekton only.
const OTHERS: [(&str, &str); 2] = [
    ("pipelineRef", "pipelines in pipelines"),
    ("pipelineSpec", "pipelines in pipelines"),
];

pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("PipelineValidationFailed", message)
}

/// Refuses a run with fields that were removed.
pub(super) fn run(run: &Value) -> Result<(), Refusal> {
    let is_set = |field: &&&str| run.pointer(field).is_some_and(|value| !value.is_null());
    let set: Vec<String> = REMOVED
        .iter()
        .filter(is_set)
        .map(|field| named(field))
        .collect();
    if set.is_empty() {
        return Ok(());
    }
    Err(invalid(format!(
        "must not set the field(s): {}",
        set.join(", ")
    )))
}

fn named(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// Refuses a pipeline that is none, in what it says of itself and of its tasks.
pub(super) fn pipeline(shown: &str, spec: &Value) -> Result<(), Refusal> {
    specification(spec).map_err(|why| {
        let message = format!("Pipeline {shown} can't be Run; it has an invalid spec: {why}");
        invalid(message)
    })
}

fn specification(spec: &Value) -> Result<(), String> {
    let (tasks, finally) = (list(&spec["tasks"]).count(), list(&spec["finally"]).count());
    if tasks == 0 {
        return Err("missing field(s): tasks".to_owned());
    }
    if tasks + finally > limits::TASKS {
        return Err(format!(
            "{} tasks; this cluster runs at most {}",
            tasks + finally,
            limits::TASKS
        ));
    }
    if spec["resources"].is_array() {
        return Err("must not set the field(s): resources".to_owned());
    }
    for (field, is_final) in [("tasks", false), ("finally", true)] {
        for (at, task) in list(&spec[field]).enumerate() {
            let name = task["name"].as_str().unwrap_or_default();
            one(task, is_final).map_err(|why| format!("{why}: {field}[{at}] ({name})"))?;
        }
    }
    results(spec)
}

fn one(task: &Value, is_final: bool) -> Result<(), String> {
    let name = task["name"].as_str().unwrap_or_default();
    if !is_label(name) {
        return Err("invalid value: the name must be a valid DNS label".to_owned());
    }
    let is_set = |field: &&&str| {
        let pointer = format!("/{field}");
        task.pointer(&pointer).is_some_and(|value| !value.is_null())
    };
    if let Some(field) = REMOVED_OF_TASK.iter().find(is_set) {
        return Err(format!("must not set the field(s): {}", named(field)));
    }
    if let Some((_, what)) = OTHERS.iter().find(|(field, _)| !task[*field].is_null()) {
        return Err(format!("this cluster does not run {what}"));
    }
    let is_custom = |from: &Value| {
        let version = from["apiVersion"].as_str().unwrap_or_default();
        !version.is_empty() && !version.starts_with("tekton.dev/")
    };
    if is_custom(&task["taskRef"]) || is_custom(&task["taskSpec"]) {
        return Err("custom tasks have controllers of their own, and this cluster has none".into());
    }
    match (task["taskRef"].is_object(), task["taskSpec"].is_object()) {
        (true, false) | (false, true) => {}
        (true, true) => return Err("expected exactly one, got both: taskRef, taskSpec".to_owned()),
        (false, false) => {
            return Err("expected exactly one, got neither: taskRef, taskSpec".to_owned());
        }
    }
    if is_final && list(&task["runAfter"]).next().is_some() {
        return Err("no runAfter allowed under spec.finally: it has no order".to_owned());
    }
    let retries = &task["retries"];
    if !retries.is_null() && retries.as_u64().is_none_or(|count| count > limits::RETRIES) {
        let most = limits::RETRIES;
        return Err(format!("expected 0 <= {retries} <= {most}: retries"));
    }
    if task["onError"] == "continue" && retries.as_u64().is_some_and(|count| count > 0) {
        return Err(
            "PipelineTask OnError cannot be set to \"continue\" when Retries is greater than 0"
                .into(),
        );
    }
    when(&task["when"])?;
    matrix_of(task)
}

fn when(when: &Value) -> Result<(), String> {
    for expression in list(when) {
        if !expression["cel"].is_null() {
            return Err(
                "feature flag enable-cel-in-whenexpression should be set to true to use CEL".into(),
            );
        }
        let operator = expression["operator"].as_str().unwrap_or_default();
        if !matches!(operator, "in" | "notin") {
            return Err(format!(
                "invalid value: operator \"{operator}\" is not recognized. valid operators: in,notin"
            ));
        }
        if list(&expression["values"]).next().is_none() {
            return Err("expecting non-empty values field: when".to_owned());
        }
    }
    Ok(())
}

fn matrix_of(task: &Value) -> Result<(), String> {
    let given: Vec<&str> = list(&task["params"])
        .filter_map(|param| param["name"].as_str())
        .collect();
    if let Some(twice) = matrix::names(&task["matrix"]).find(|name| given.contains(name)) {
        return Err(format!(
            "expected exactly one, got both: params[{twice}], matrix.params[{twice}]"
        ));
    }
    combinations(&task["matrix"])
}

/// Refuses a matrix whose parameters are not lists once everything is filled in, and one of too many
/// combinations.
pub(super) fn matrix(task: &str, matrix: &Value) -> Result<(), Refusal> {
    if let Some(param) = list(&matrix["params"]).find(|param| !param["value"].is_array()) {
        return Err(not_a_list(task, param));
    }
    combinations(matrix).map_err(invalid)
}

/// A parameter of a matrix that is no list.
pub(super) fn not_a_list(task: &str, param: &Value) -> Refusal {
    let message = format!(
        "parameters of type array only are allowed, but param {} has type \"{}\" in pipelineTask \
         \"{task}\"",
        param["name"],
        type_of(&param["value"])
    );
    Refusal::new("InvalidMatrixParameterTypes", message)
}

/// Refuses a matrix of too many combinations.
fn combinations(matrix: &Value) -> Result<(), String> {
    let count = matrix::count(matrix);
    if count > matrix::COMBINATIONS {
        let most = matrix::COMBINATIONS;
        return Err(format!("expected 0 <= {count} <= {most}: matrix"));
    }
    Ok(())
}

fn results(spec: &Value) -> Result<(), String> {
    let is_result = |expression: &str| {
        let mut roots = ["tasks.", "finally."].into_iter();
        roots.any(|root| references::result(expression, root).is_some())
    };
    let is_given =
        |expression: &str| expression.starts_with("params") || expression.starts_with("context.");
    for result in list(&spec["results"]) {
        let name = result["name"].as_str().unwrap_or_default();
        let expressions = references::expressions(&result["value"]);
        let refers = |expression: &&str| is_result(expression) || is_given(expression);
        if !expressions.iter().all(refers) || !expressions.iter().any(|one| is_result(one)) {
            return Err(format!(
                "invalid pipeline result value: \"{name}\" must be a reference to a result of a task"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
