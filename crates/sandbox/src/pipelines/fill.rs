//! Fills in what is known only while a pipeline run runs: results, states and counts of its tasks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::facts::{Child, End, Facts, PlannedTask};
use super::references::{self, ResultReference};
use super::state::{Skip, State, of_children};
use super::{matrix, when};
use crate::steps::variables::Variables;

/// A task with what is known filled in.
pub(super) struct Filled {
    pub spec: Value,
    /// The first result that does not exist; then no result is filled in.
    pub missing: Option<ResultReference>,
}

/// The results of all finished tasks, and the sizes of their matrices.
pub(super) fn of_tasks(facts: &Facts<'_>) -> Variables {
    let mut variables = Variables::default();
    for (task, children) in facts.tasks.iter().zip(&facts.children) {
        let is_matrix = task.spec["matrix"].is_object();
        if is_matrix {
            let size = matrix::count(&task.spec["matrix"]).max(children.len());
            variables.set(
                format!("tasks.{}.matrix.length", task.name),
                size.to_string(),
            );
        }
        if !of_children(task, children).is_some_and(|state| state.is_done()) {
            continue;
        }
        let root = if task.is_final { "finally" } else { "tasks" };
        let results = if is_matrix {
            lists(children)
        } else {
            let first = children.first();
            first.map_or_else(Vec::new, |child| child.results.clone())
        };
        for (name, value) in results {
            if let (true, Some(items)) = (is_matrix, value.as_array()) {
                let name = format!("tasks.{}.matrix.{name}.length", task.name);
                variables.set(name, items.len().to_string());
            }
            variables.set_value(&format!("{root}.{}.results", task.name), &name, &value);
        }
    }
    variables
}

/// The results of a matrix: for each name the list of those of its task runs.
fn lists(children: &[Child]) -> Vec<(String, Value)> {
    let all = children
        .iter()
        .flat_map(|child| child.results.iter().cloned());
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (name, value) in all {
        lists.entry(name).or_default().push(value);
    }
    lists
        .into_iter()
        .map(|(name, list)| (name, json!(list)))
        .collect()
}

/// Adds how the tasks ended, for those in `finally`.
pub(super) fn set_states(facts: &Facts<'_>, states: &[State], variables: &mut Variables) {
    let mut all = "Succeeded";
    for (at, task) in facts
        .tasks
        .iter()
        .enumerate()
        .filter(|(_, task)| !task.is_final)
    {
        let state = match &states[at] {
            State::Succeeded => "Succeeded",
            State::Failed | State::IgnoredFailure | State::Cancelled => "Failed",
            _ => "None",
        };
        if state == "Failed" {
            all = "Failed";
        } else if matches!(states[at], State::Skipped(_)) && all == "Succeeded" {
            all = "Completed";
        }
        variables.set(format!("tasks.{}.status", task.name), state);
        let children = &facts.children[at];
        let told = children
            .iter()
            .find(|child| child.end != Some(End::Succeeded))
            .or(children.first());
        let reason = told.map_or("", |child| &child.reason);
        variables.set(format!("tasks.{}.reason", task.name), reason);
    }
    variables.set("tasks.status", all);
}

/// Fills results into a task; if one is missing, what is no result only.
pub(super) fn task(spec: &Value, variables: &Variables) -> Filled {
    let mut spec = spec.clone();
    let missing = ["params", "when", "matrix"]
        .into_iter()
        .flat_map(|field| references::results(&spec[field]))
        .find(|reference| !variables.has(&reference.expression));
    if missing.is_none() {
        replace(&mut spec, variables);
    }
    Filled { spec, missing }
}

/// Fills variables into the fields of a pipeline task that may have them.
pub(super) fn replace(spec: &mut Value, variables: &Variables) {
    let Value::Object(fields) = spec else { return };
    for (name, field) in fields.iter_mut() {
        match name.as_str() {
            "when" => when::replace(field, variables),
            "params" => params(field, variables),
            "matrix" => matrix_params(field, variables),
            "displayName" | "onError" | "timeout" | "taskRef" | "workspaces" => {
                variables.replace_all(field);
            }
            "taskSpec" => task_spec(field, variables),
            _ => {}
        }
    }
}

fn matrix_params(matrix: &mut Value, variables: &Variables) {
    for (name, field) in matrix.as_object_mut().into_iter().flatten() {
        match name.as_str() {
            "params" => params(field, variables),
            "include" => {
                let included = field.as_array_mut().into_iter().flatten();
                included
                    .filter_map(|one| one.get_mut("params"))
                    .for_each(|field| params(field, variables));
            }
            _ => {}
        }
    }
}

/// Fills variables into values; a value that is nothing but a list or an object becomes that.
pub(super) fn params(params: &mut Value, variables: &Variables) {
    for param in params.as_array_mut().into_iter().flatten() {
        let Some(value) = param.get_mut("value") else {
            continue;
        };
        match value.as_str().and_then(|text| variables.whole(text)) {
            Some(whole) => *value = whole,
            None => variables.replace_all(value),
        }
    }
}

/// Fills variables into an embedded task; its own parameters keep their declarations.
pub(super) fn task_spec(spec: &mut Value, variables: &Variables) {
    let fields = spec.as_object_mut().into_iter().flatten();
    for (_, value) in fields.filter(|(name, _)| !matches!(name.as_str(), "params" | "description"))
    {
        variables.replace_all(value);
    }
}

/// What is told of a task that was skipped.
pub(super) fn skipped(task: &PlannedTask, skip: Skip, spec: &Value) -> Value {
    let mut told = json!({"name": task.name, "reason": skip.reason()});
    let shows = !task.is_final || skip == Skip::WhenExpressions;
    if shows && spec["when"].is_array() {
        told["whenExpressions"] = spec["when"].clone();
    }
    told
}
