//! The results of a pipeline, from those of its tasks.

use serde_json::{Value, json};

use super::facts::PlannedTask;
use super::progress::Progress;
use super::references;
use super::state::State;
use super::validate::list;

/// The results for the status. A result of a task that did not succeed is left out; one that a task
/// which succeeded does not have is named in the error.
pub(super) fn results(
    spec: &Value,
    tasks: &[PlannedTask],
    progress: &Progress,
) -> (Vec<Value>, Result<(), String>) {
    let (mut results, mut invalid) = (Vec::new(), Vec::new());
    for declared in list(&spec["results"]) {
        let name = declared["name"].as_str().unwrap_or_default();
        let value = &declared["value"];
        let missing = references::expressions(value).into_iter();
        let missing: Vec<&str> = missing
            .filter(|expression| !progress.variables.has(expression))
            .collect();
        if missing.is_empty() {
            let whole = value
                .as_str()
                .and_then(|text| progress.variables.whole(text));
            let value = whole.unwrap_or_else(|| {
                let mut value = value.clone();
                progress.variables.replace_all(&mut value);
                value
            });
            results.push(json!({"name": name, "value": value}));
            continue;
        }
        if missing
            .iter()
            .any(|expression| has_succeeded(expression, tasks, progress))
        {
            invalid.push(name);
        }
    }
    if invalid.is_empty() {
        return (results, Ok(()));
    }
    let why = format!(
        "invalid pipelineresults [{}], the referenced results don't exist",
        invalid.join(" ")
    );
    (results, Err(why))
}

fn has_succeeded(expression: &str, tasks: &[PlannedTask], progress: &Progress) -> bool {
    let mut roots = ["tasks.", "finally."].into_iter();
    let reference = roots.find_map(|root| references::result(expression, root));
    let place =
        reference.and_then(|reference| tasks.iter().position(|task| task.name == reference.task));
    place.is_some_and(|place| progress.states[place] == State::Succeeded)
}
