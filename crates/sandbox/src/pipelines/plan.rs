//! The plan of a run: its pipeline with all that is known before it starts, or why it cannot run.

use serde_json::Value;

use super::facts::PlannedTask;
use super::graph::Graph;
use super::limits::{SIZE, Timeouts};
use super::refusal::Refusal;
use super::validate::params::Shown;
use super::validate::tasks::ResolvedTask;
use super::{references, resolve, substitute, validate};
use crate::cluster::object;
use crate::cluster::state::State;

/// A run ready to start.
#[derive(Debug)]
pub(super) struct Plan {
    /// The pipeline, parameters and context replaced: what the status shows.
    pub spec: Value,
    /// Those in `finally` last.
    pub tasks: Vec<PlannedTask>,
    /// The specification of each task's task.
    pub specs: Vec<Value>,
    pub graph: Graph,
    pub timeouts: Timeouts,
    /// The run's bindings, parameters replaced.
    pub workspaces: Value,
}

impl Plan {
    pub(super) fn make(state: &State, run: &Value) -> Result<Self, Refusal> {
        validate::run(run)?;
        let timeouts = Timeouts::of(run)?;
        let namespace = object::meta(run, "namespace");
        let (name, spec) = resolve::pipeline(state, run)?;
        let (run_shown, shown) = (
            format!("{namespace}/{}", object::name(run)),
            format!("{namespace}/{name}"),
        );
        let invalid = |why: String| {
            let message = format!("Pipeline {shown} can't be Run; it has an invalid spec: {why}");
            Refusal::new("PipelineValidationFailed", message)
        };
        validate::pipeline(&shown, &spec)?;
        let graph = graph(&planned(&spec)).map_err(|why| {
            let message = format!("PipelineRun {run_shown}'s Pipeline DAG is invalid: {why}");
            Refusal::new("PipelineInvalidGraph", message)
        })?;
        let names = Shown {
            run: &run_shown,
            pipeline: &shown,
        };
        validate::params::check(&names, run, &spec)?;
        let written = planned(&spec);
        let resolved = written.iter();
        let resolved = resolved.map(|task| resolve::task(state, namespace, &name, &task.spec));
        let specs = resolved.collect::<Result<Vec<Value>, _>>()?;
        let pairs: Vec<_> = written.iter().zip(&specs).collect();
        validate::variables::check(run, &spec, &pairs).map_err(invalid)?;

        let variables = substitute::variables(run, &name, &spec);
        if variables.size(&spec) > SIZE {
            let most = format!("it has more than {SIZE} bytes with its parameters filled in");
            return Err(invalid(most));
        }
        let spec = substitute::pipeline(&spec, &variables);
        let tasks = planned(&spec);
        after(&run_shown, &tasks)?;
        let resolved = tasks.iter().zip(&specs);
        let resolved: Vec<_> = resolved
            .map(|(planned, spec)| ResolvedTask { planned, spec })
            .collect();
        validate::tasks::check(object::name(run), &spec, &resolved)?;
        let mut workspaces = run["spec"]["workspaces"].clone();
        variables.replace_all(&mut workspaces);
        Ok(Self {
            spec,
            tasks,
            specs,
            graph,
            timeouts,
            workspaces,
        })
    }
}

/// The tasks of a pipeline, those in `finally` last.
fn planned(spec: &Value) -> Vec<PlannedTask> {
    let mut tasks = Vec::new();
    for (field, is_final) in [("tasks", false), ("finally", true)] {
        tasks.extend(validate::list(&spec[field]).map(|task| PlannedTask {
            name: task["name"].as_str().unwrap_or_default().to_owned(),
            is_final,
            spec: task.clone(),
        }));
    }
    tasks
}

/// A task comes after those that it names in `runAfter` and those whose results it refers to.
fn graph(tasks: &[PlannedTask]) -> Result<Graph, String> {
    for task in tasks.iter().filter(|task| !task.is_final) {
        let of_final = |name: &String| {
            let mut finals = tasks.iter().filter(|one| one.is_final);
            finals.any(|one| one.name == *name)
        };
        if let Some(name) = waits(task).into_iter().find(of_final) {
            let task = &task.name;
            return Err(format!(
                "couldn't add link between {task} and {name}: task {task} depends on {name} but \
                 {name} is in finally"
            ));
        }
    }
    let named = tasks.iter().map(|task| {
        let waits = if task.is_final {
            Vec::new()
        } else {
            waits(task)
        };
        (task.name.clone(), waits)
    });
    Graph::of(&named.collect::<Vec<_>>())
}

fn waits(task: &PlannedTask) -> Vec<String> {
    let after = validate::list(&task.spec["runAfter"]);
    let after = after.filter_map(|name| name.as_str().map(str::to_owned));
    let from = references::results(&task.spec).into_iter();
    let counted = references::matrices(&task.spec).into_iter();
    after
        .chain(from.map(|reference| reference.task))
        .chain(counted.map(str::to_owned))
        .collect()
}

/// What can be told only once parameters are filled in.
fn after(run: &str, tasks: &[PlannedTask]) -> Result<(), Refusal> {
    for task in tasks {
        let fields = task.spec.as_object().into_iter().flatten();
        let fields = fields.filter(|(name, _)| *name != "taskSpec" && *name != "description");
        let left: Vec<&str> = fields
            .flat_map(|(_, value)| references::expressions(value))
            .filter(|expression| expression.starts_with("params"))
            .collect();
        if !left.is_empty() {
            let left: Vec<String> = left.iter().map(|one| format!("$({one})")).collect();
            return Err(Refusal::new(
                "ParamArrayIndexingInvalid",
                format!(
                    "PipelineRun {run} failed validation: non-existent param references:[{}]",
                    left.join(" ")
                ),
            ));
        }
        // a list may still come from a result
        let matrix = &task.spec["matrix"];
        if references::expressions(matrix).is_empty() {
            validate::matrix(&task.name, matrix)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_waits_for_those_it_names_and_those_whose_results_it_takes_or_counts() {
        let task = PlannedTask {
            name: "t".to_owned(),
            is_final: false,
            spec: json!({
                "runAfter": ["a"],
                "params": [
                    { "name": "x", "value": "$(tasks.b.results.r)" },
                    { "name": "y", "value": "$(tasks.c.matrix.r.length)" },
                    { "name": "z", "value": "$(tasks.d.matrix.length)" },
                ],
            }),
        };
        assert_eq!(waits(&task), ["a", "b", "c"]);
    }
}
