//! Refuses variables that nothing defines, wherever in a pipeline they are written: a shell would
//! take them for commands.

use serde_json::Value;

use super::list;
use crate::pipelines::facts::PlannedTask;
use crate::pipelines::{matrix, references};
use crate::steps::unknown::{is_variable, parts};

/// Names of variables that can be used in one place.
#[derive(Debug, Clone, Default)]
struct Scope<'a> {
    params: Vec<&'a str>,
    workspaces: Vec<&'a str>,
    results: Vec<&'a str>,
    steps: Vec<&'a str>,
    /// Of all tasks that have results.
    tasks: Vec<&'a str>,
    kind: Place,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Task,
    FinalTask,
    TaskSpec,
}

/// The variables of the fields of a task, and of the task that it embeds or names.
pub(in crate::pipelines) fn check(
    run: &Value,
    pipeline: &Value,
    tasks: &[(&PlannedTask, &Value)],
) -> Result<(), String> {
    let names = |value: &'_ Value| -> Vec<String> {
        let all = list(value).filter_map(|one| one["name"].as_str());
        all.map(str::to_owned).collect()
    };
    let params = [names(&run["spec"]["params"]), names(&pipeline["params"])].concat();
    let bound = [
        names(&run["spec"]["workspaces"]),
        names(&pipeline["workspaces"]),
    ]
    .concat();
    let outer = Scope {
        params: params.iter().map(String::as_str).collect(),
        workspaces: bound.iter().map(String::as_str).collect(),
        tasks: tasks.iter().map(|(task, _)| task.name.as_str()).collect(),
        ..Scope::default()
    };
    for result in list(&pipeline["results"]) {
        let name = result["name"].as_str().unwrap_or_default();
        outer.check(&result["value"], &format!("result \"{name}\""))?;
    }
    for (task, spec) in tasks {
        let shown = format!("pipeline task \"{}\"", task.name);
        let kind = if task.is_final {
            Place::FinalTask
        } else {
            Place::Task
        };
        let scope = Scope {
            kind,
            ..outer.clone()
        };
        let fields = task.spec.as_object().into_iter().flatten();
        for (field, value) in fields {
            if !matches!(field.as_str(), "taskSpec" | "description") {
                scope.check(value, &shown)?;
            }
        }
        let is_embedded = task.spec["taskSpec"].is_object();
        let from = if is_embedded {
            outer.clone()
        } else {
            Scope::default()
        };
        inner(task, spec, from).check_spec(spec, &shown)?;
    }
    Ok(())
}

/// What a task can use: an embedded one also what its pipeline has.
fn inner<'a>(task: &'a PlannedTask, spec: &'a Value, outer: Scope<'a>) -> Scope<'a> {
    let names = |value: &'a Value| list(value).filter_map(|one| one["name"].as_str());
    let mut scope = outer;
    scope.kind = Place::TaskSpec;
    scope.params.extend(names(&spec["params"]));
    scope.params.extend(names(&task.spec["params"]));
    scope.params.extend(matrix::names(&task.spec["matrix"]));
    scope.workspaces.extend(names(&spec["workspaces"]));
    scope.workspaces.extend(names(&task.spec["workspaces"]));
    scope.results = names(&spec["results"]).collect();
    scope.steps = names(&spec["steps"]).collect();
    scope
}

impl Scope<'_> {
    fn check_spec(&self, spec: &Value, place: &str) -> Result<(), String> {
        let fields = spec.as_object().into_iter().flatten();
        for (field, value) in fields {
            if !matches!(field.as_str(), "params" | "description" | "metadata") {
                self.check(value, place)?;
            }
        }
        Ok(())
    }

    fn check(&self, value: &Value, place: &str) -> Result<(), String> {
        let unknown = references::expressions(value)
            .into_iter()
            .find(|expression| is_variable(expression) && !self.has(expression));
        let Some(unknown) = unknown else {
            return Ok(());
        };
        let shown: String = unknown.chars().take(120).collect();
        Err(format!("non-existent variable in {place}: $({shown})"))
    }

    fn has(&self, expression: &str) -> bool {
        let parts = parts(expression);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let in_task = self.kind == Place::TaskSpec;
        // a task that is only named knows nothing of its pipeline
        let in_pipeline = !self.tasks.is_empty();
        match parts.as_slice() {
            ["params", name, ..] | ["inputs", "params", name, ..] => {
                self.has_param(name, expression)
            }
            ["context", "pipelineRun", "name" | "namespace" | "uid"]
            | ["context", "pipeline", "name"] => in_pipeline,
            ["context", "pipelineTask", "retries"] => in_pipeline && !in_task,
            ["context", "taskRun", "name" | "namespace" | "uid"]
            | ["context", "task", "name" | "retry-count"]
            | ["credentials", "path"]
            | ["step", "results", _, "path"] => in_task,
            ["workspaces", name, "bound"] => self.workspaces.contains(name),
            ["workspaces", name, "path" | "claim" | "volume"] => {
                in_task && self.workspaces.contains(name)
            }
            ["results", name, "path"] => in_task && self.results.contains(name),
            ["results", _, _, "path"] => in_task && self.has_dotted_result(expression),
            ["steps", step, "results", ..] => in_task && self.steps.contains(step),
            ["steps", step, "exitCode", "path"] => {
                let step = step.strip_prefix("step-").unwrap_or(step);
                in_task && (self.steps.contains(&step) || step.starts_with("unnamed-"))
            }
            ["tasks", "status"] => self.kind == Place::FinalTask,
            ["tasks", task, "status" | "reason"] => {
                self.kind == Place::FinalTask && self.tasks.contains(task)
            }
            ["tasks" | "finally", task, "results", ..]
            | ["tasks", task, "matrix", .., "length"] => self.tasks.contains(task),
            _ => false,
        }
    }

    /// A name may have dots of its own.
    fn has_param(&self, name: &str, expression: &str) -> bool {
        let name = name.split('[').next().unwrap_or(name);
        self.params.contains(&name)
            || self
                .params
                .iter()
                .any(|known| known.contains('.') && expression.contains(known))
    }

    fn has_dotted_result(&self, expression: &str) -> bool {
        let mut results = self.results.iter();
        results.any(|known| known.contains('.') && expression.contains(known))
    }
}
