//! The plan of a run: the task's specification with parameters filled in, or why it cannot run.

use std::time::Duration;

use serde_json::{Map, Value};

use super::duration::{self, HOUR};
use super::record::{Outcome, invalid};
use super::variables::Variables;
use super::{shape, unknown};
use crate::cluster::object;
use crate::cluster::state::State;
use crate::cluster::store::Key;
use crate::form::{declared_type, type_of};

/// Most bytes of a task once its variables are replaced.
const SIZE: usize = 3 << 19;

/// A run ready to start.
pub(super) struct Plan {
    /// The task's specification, parameters and context replaced: what the status shows.
    pub spec: Value,
    pub variables: Variables,
    /// `None` for no limit.
    pub timeout: Option<Duration>,
}

impl Plan {
    /// Plans an attempt after so many others.
    pub(super) fn make(state: &State, run: &Value, retries: usize) -> Result<Self, Outcome> {
        unknown::removed_fields(run)?;
        shape::run(run)?;
        let (task, mut spec) = task_spec(state, run)?;
        let is_embedded = run["spec"]["taskSpec"].is_object();
        shape::task(&spec, if is_embedded { "spec.taskSpec" } else { "spec" })?;
        let timeout = match run["spec"]["timeout"].as_str() {
            None => Some(HOUR),
            Some(text) => {
                Some(duration::parse(text).map_err(invalid)?).filter(|timeout| !timeout.is_zero())
            }
        };
        let mut variables = Variables::default();
        variables.set("context.taskRun.name", object::name(run));
        variables.set("context.taskRun.namespace", object::meta(run, "namespace"));
        variables.set("context.taskRun.uid", object::meta(run, "uid"));
        variables.set("context.task.name", &task);
        variables.set("context.task.retry-count", retries.to_string());
        for (name, value) in params(&task, run, &spec)? {
            variables.set_value("params", &name, &value);
            variables.set_value("inputs.params", &name, &value);
        }
        unknown::variables(&spec, run, &variables)?;
        if variables.size(&spec) > SIZE {
            return Err(invalid(format!(
                "the task has more than {SIZE} bytes with its parameters filled in"
            )));
        }
        if let Value::Object(fields) = &mut spec {
            for (_, value) in fields.iter_mut().filter(|(name, _)| *name != "params") {
                variables.replace_all(value);
            }
        }
        check(&spec)?;
        Ok(Self {
            spec,
            variables,
            timeout,
        })
    }

    pub(super) fn steps(&self) -> &[Value] {
        self.spec["steps"].as_array().map_or(&[], Vec::as_slice)
    }
}

fn resolution(message: String) -> Outcome {
    Outcome::failed("TaskRunResolutionFailed", message)
}

/// The task's name and its specification.
fn task_spec(state: &State, run: &Value) -> Result<(String, Value), Outcome> {
    if run["spec"]["taskSpec"].is_object() {
        return Ok((
            object::name(run).to_owned(),
            run["spec"]["taskSpec"].clone(),
        ));
    }
    let reference = &run["spec"]["taskRef"];
    if let Some(resolver) = reference["resolver"].as_str() {
        return Err(resolution(format!(
            "this cluster resolves tasks by name only, not with the resolver \"{resolver}\""
        )));
    }
    let name = reference["name"].as_str().unwrap_or_default();
    let key = Key::new("tasks", object::meta(run, "namespace"), name);
    let Some(task) = state.store().get(&key) else {
        return Err(resolution(format!("tasks.tekton.dev \"{name}\" not found")));
    };
    Ok((name.to_owned(), task["spec"].clone()))
}

fn params(task: &str, run: &Value, spec: &Value) -> Result<Map<String, Value>, Outcome> {
    let mut values = Map::new();
    for given in run["spec"]["params"].as_array().into_iter().flatten() {
        values.insert(object_name(given), given["value"].clone());
    }
    let mut missing = Vec::new();
    for declared in spec["params"].as_array().into_iter().flatten() {
        let name = object_name(declared);
        match (values.get_mut(&name), declared.get("default")) {
            (Some(Value::Object(value)), Some(Value::Object(default))) => {
                for (field, default) in default {
                    value.entry(field).or_insert_with(|| default.clone());
                }
            }
            (Some(_), _) => {}
            (None, Some(default)) => drop(values.insert(name, default.clone())),
            (None, None) => missing.push(name),
        }
    }
    if !missing.is_empty() {
        return Err(invalid(format!(
            "invalid input params for task {task}: missing values for these params which have no \
             default values: [{}]",
            missing.join(" ")
        )));
    }
    let declared = spec["params"].as_array().into_iter().flatten();
    let has_another_type = |declared: &&Value| {
        let value = values.get(&object_name(declared));
        value.is_some_and(|value| type_of(value) != declared_type(declared))
    };
    let wrong: Vec<String> = declared.filter(has_another_type).map(object_name).collect();
    if wrong.is_empty() {
        return Ok(values);
    }
    Err(invalid(format!(
        "invalid input params for task {task}: param types don't match the user-specified type: [{}]",
        wrong.join(" ")
    )))
}

fn object_name(value: &Value) -> String {
    value["name"].as_str().unwrap_or_default().to_owned()
}

/// Refuses what this runner cannot do, rather than leave it out.
fn check(spec: &Value) -> Result<(), Outcome> {
    let steps = spec["steps"].as_array().map_or(&[][..], Vec::as_slice);
    if steps.is_empty() {
        return Err(invalid("the task has no steps"));
    }
    for (field, what) in [
        ("ref", "step actions"),
        ("envFrom", "envFrom"),
        ("when", "when"),
    ] {
        if steps.iter().any(|step| !step[field].is_null()) {
            return Err(invalid(format!(
                "this runner does not run steps with {what}"
            )));
        }
    }
    if spec["sidecars"]
        .as_array()
        .is_some_and(|list| !list.is_empty())
    {
        return Err(invalid("this runner does not run tasks with sidecars"));
    }
    Ok(())
}
