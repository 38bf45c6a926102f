//! The plan of a run: the task's specification with parameters filled in, or why it cannot run.

use std::time::Duration;

use serde_json::{Map, Value};

use super::record::Outcome;
use super::unknown;
use super::variables::Variables;
use crate::cluster::object;
use crate::cluster::state::State;
use crate::cluster::store::Key;

/// Tekton's default for runs.
const TIMEOUT: Duration = Duration::from_hours(1);

/// A run ready to start.
pub(super) struct Plan {
    /// The task's specification, parameters and context replaced: what the status shows.
    pub spec: Value,
    pub variables: Variables,
    /// `None` for no limit.
    pub timeout: Option<Duration>,
}

impl Plan {
    pub(super) fn make(state: &State, run: &Value) -> Result<Self, Outcome> {
        unknown::removed_fields(run)?;
        let (task, mut spec) = task_spec(state, run)?;
        let timeout = match run["spec"]["timeout"].as_str() {
            None => Some(TIMEOUT),
            Some(text) => Some(duration(text)?).filter(|timeout| !timeout.is_zero()),
        };
        let mut variables = Variables::default();
        variables.set("context.taskRun.name", object::name(run));
        variables.set("context.taskRun.namespace", object::meta(run, "namespace"));
        variables.set("context.taskRun.uid", object::meta(run, "uid"));
        variables.set("context.task.name", &task);
        variables.set("context.task.retry-count", "0");
        for (name, value) in params(&task, run, &spec)? {
            variables.set_value("params", &name, &value);
            variables.set_value("inputs.params", &name, &value);
        }
        unknown::variables(&spec, run, &variables)?;
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

pub(super) fn invalid(message: impl Into<String>) -> Outcome {
    Outcome::failed("TaskRunValidationFailed", message)
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
    if missing.is_empty() {
        return Ok(values);
    }
    Err(invalid(format!(
        "invalid input params for task {task}: missing values for these params which have no \
         default values: [{}]",
        missing.join(" ")
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

/// Reads a duration as Go writes it, such as `1h30m`, `1.5s` or `0`.
pub(super) fn duration(text: &str) -> Result<Duration, Outcome> {
    let refuse = || invalid(format!("\"{text}\" is not a duration such as 1h30m or 10s"));
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(refuse());
    }
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(refuse)?;
        let (number, after) = rest.split_at(end);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return Err(refuse()),
        };
        let number: f64 = number.parse().map_err(|_| refuse())?;
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| refuse())?;
        total = total.checked_add(part).ok_or_else(refuse)?;
        rest = after;
    }
    Ok(total)
}

/// The name of a step, made from its place if it has none.
pub(super) fn step_name(step: &Value, at: usize) -> String {
    let name = step["name"].as_str().filter(|name| !name.is_empty());
    name.map_or_else(|| format!("unnamed-{at}"), str::to_owned)
}
