//! The results of a run and of its steps: files that the steps leave in the scratch folder.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::context::Context;
use super::name::step_name;
use super::record::Outcome;
use super::variables::{self, Variables};

/// Most bytes of a run's results together: a pod's termination message, as Tekton's default.
const LIMIT: usize = 4096;

/// Sets the variables that name the results of steps.
pub(super) fn set_of_steps(context: &Context<'_>, variables: &mut Variables) {
    for (at, step) in context.plan.steps().iter().enumerate() {
        let step_name = step_name(step, at);
        let exit_code = exit_code_file(context, &step_name).display().to_string();
        variables.set(format!("steps.step-{step_name}.exitCode.path"), &exit_code);
        variables.set(format!("steps.{step_name}.exitCode.path"), exit_code);
        for result in step["results"].as_array().into_iter().flatten() {
            let result_name = result["name"].as_str().unwrap_or_default();
            let file = context.scratch.join("steps");
            let file = file.join(&step_name).join(result_name);
            if let Some(value) = read_result(result, &file) {
                variables.set_value(&format!("steps.{step_name}.results"), result_name, &value);
            }
        }
    }
}

/// Where the exit code of a step is kept for those after it.
pub(super) fn exit_code_file(context: &Context<'_>, step: &str) -> PathBuf {
    context.scratch.join("exit-codes").join(step)
}

/// Writes the exit code of a step, for those after it.
pub(super) fn write_exit_code(context: &Context<'_>, step: &str, code: i32) {
    if let Err(error) = std::fs::write(exit_code_file(context, step), code.to_string()) {
        tracing::warn!(step, %error, "could not write the exit code of a step");
    }
}

/// The results that the steps left, as the status shows them.
pub(super) fn of_run(context: &Context<'_>) -> Result<Vec<Value>, Outcome> {
    let mut variables = context.plan.variables.clone();
    set_of_steps(context, &mut variables);
    let mut results = Vec::new();
    let mut size = 0;
    for declared in context.plan.spec["results"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = declared["name"].as_str().unwrap_or_default();
        let file = context.scratch.join("results").join(name);
        let mut from_step = declared["value"].clone();
        variables.replace_all(&mut from_step);
        let found = read_result(declared, &file).or(Some(from_step).filter(|v| !v.is_null()));
        let Some(value) = found else { continue };
        size += name.len() + variables::plain(&value).len();
        let kind = match &value {
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            _ => "string",
        };
        results.push(json!({"name": name, "type": kind, "value": value}));
    }
    if size > LIMIT {
        return Err(Outcome::failed(
            "TaskRunResultLargerThanAllowedLimit",
            format!("the results have {size} bytes, above the limit of {LIMIT} bytes"),
        ));
    }
    Ok(results)
}

/// A result file's text; of type array or object if declared so and the text is one.
fn read_result(declared: &Value, file: &Path) -> Option<Value> {
    let text = String::from_utf8_lossy(&std::fs::read(file).ok()?).into_owned();
    let structured = matches!(declared["type"].as_str(), Some("array" | "object"));
    let parsed = structured
        .then(|| serde_json::from_str(&text).ok())
        .flatten();
    Some(parsed.unwrap_or(Value::String(text)))
}
