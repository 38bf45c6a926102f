//! Steps of a task run, with the scripts and arguments that its task gives them.

use std::collections::HashMap;

use crate::extract::PULLABLE;
use crate::json::{Json, Object};
use crate::run::{Container, StepState, TaskRun, TaskSpec};
use crate::warning::{Notes, shown};

/// Steps of a task run, each with the step of the task that has its name. One that the task gives
/// no name has none, as in Chains.
pub(super) fn by_name<'r>(run: &'r TaskRun<'_>, notes: &mut Notes) -> Json<'r> {
    let mut by_name: HashMap<&str, &Container<'_>> = HashMap::new();
    for step in run.status.task_spec.iter().flat_map(|task| &task.steps) {
        by_name.entry(&step.name).or_insert(step);
    }
    let steps = run.status.steps.iter().map(|state| {
        let container = by_name.get(&*state.name).copied();
        // a step without a name is common, and no fault of the run
        if container.is_none() && !state.name.starts_with("unnamed-") {
            notes.add(format!(
                "step {} is not in the task, so its script and arguments are left out",
                shown(&state.name)
            ));
        }
        step(state, container)
    });
    Json::Array(steps.collect())
}

/// The steps, paired with those of the task by position; nothing if they do not match.
pub(super) fn by_index<'r>(run: &'r TaskRun<'_>) -> Option<Vec<Json<'r>>> {
    let TaskSpec { steps, .. } = run.status.task_spec.as_ref()?;
    if steps.len() != run.status.steps.len() {
        return None;
    }
    let pairs = steps.iter().zip(&run.status.steps);
    pairs
        .map(|(container, state)| {
            let is_other = state.name.starts_with("unnamed-") && !container.name.is_empty();
            (!is_other).then(|| step(state, Some(container)))
        })
        .collect()
}

/// A step: what was run, and in which image.
fn step<'r>(state: &'r StepState<'_>, container: Option<&'r Container<'_>>) -> Json<'r> {
    let entry_point = match container {
        None => Json::from(""),
        Some(container) if !container.script.is_empty() => Json::from(&*container.script),
        Some(container) => {
            let words: Vec<&str> = container.command.iter().map(|word| &**word).collect();
            Json::from(words.join(" "))
        }
    };
    let arguments = container.and_then(|container| container.args.as_ref());
    let image = state
        .image_id
        .strip_prefix(PULLABLE)
        .unwrap_or(&state.image_id);
    let environment = Object::default()
        .with("container", &*state.name)
        .with("image", format!("oci://{image}"));
    Object::default()
        .with("entryPoint", entry_point)
        .with(
            "arguments",
            arguments.map_or(Json::Null, |args| {
                Json::strings(args.iter().map(|arg| &**arg))
            }),
        )
        .with("environment", environment)
        .with("annotations", Json::Null)
        .into()
}
