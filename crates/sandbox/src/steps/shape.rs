//! Refuses runs and tasks of a form that the admission of Tekton refuses, with its words as far as they
//! say what is wrong: fields that exclude each other, names, and types of parameters.

use std::collections::HashSet;

use serde_json::Value;

use super::record::{Outcome, invalid};
use crate::form::{is_label, type_of};

/// What a parameter may be.
const TYPES: [&str; 3] = ["string", "array", "object"];
/// What becomes of a run whose step fails.
const ON_ERROR: [&str; 2] = ["continue", "stopAndFail"];

/// Refuses a run that names no task, or two.
pub(super) fn run(run: &Value) -> Result<(), Outcome> {
    let spec = &run["spec"];
    let how = match (spec["taskRef"].is_null(), spec["taskSpec"].is_null()) {
        (false, false) => "both",
        (true, true) => "neither",
        _ => return Ok(()),
    };
    Err(invalid(format!(
        "expected exactly one, got {how}: spec.taskRef, spec.taskSpec"
    )))
}

/// Refuses a task that is none; `at` is where it is written.
pub(super) fn task(spec: &Value, at: &str) -> Result<(), Outcome> {
    let mut names = HashSet::new();
    for (number, step) in list(&spec["steps"]).enumerate() {
        let at = format!("{at}.steps[{number}]");
        one(step, spec, &at)?;
        let name = step["name"].as_str().unwrap_or_default();
        if !name.is_empty() && !names.insert(name) {
            return Err(invalid(format!(
                "expected exactly one, got both: {at}.name"
            )));
        }
    }
    list(&spec["params"]).try_for_each(|declared| declaration(declared, at))
}

fn one(step: &Value, spec: &Value, at: &str) -> Result<(), Outcome> {
    let is_set = |field: &str| match &step[field] {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    };
    if is_set("script") && is_set("command") {
        return Err(invalid(format!(
            "script cannot be used with command: {at}.script"
        )));
    }
    if !is_set("image") && !is_set("ref") && spec["stepTemplate"]["image"].is_null() {
        return Err(invalid(format!("missing field(s): {at}.image")));
    }
    let name = step["name"].as_str().unwrap_or_default();
    if !name.is_empty() && !is_label(name) {
        return Err(invalid(format!(
            "invalid value {name:?}: {at}.name: the name of a step must be a valid DNS label"
        )));
    }
    match step["onError"].as_str() {
        Some(value) if !ON_ERROR.contains(&value) && !value.contains("$(") => {
            Err(invalid(format!(
                "invalid value {value:?}: {at}.onError: it must be \"continue\" or \"stopAndFail\""
            )))
        }
        _ => Ok(()),
    }
}

fn declaration(declared: &Value, at: &str) -> Result<(), Outcome> {
    let name = declared["name"].as_str().unwrap_or_default();
    let stated = declared["type"].as_str();
    match stated {
        Some(stated) if !TYPES.contains(&stated) => Err(invalid(format!(
            "invalid value: {stated}: {at}.params.{name}.type"
        ))),
        Some(stated) if !declared["default"].is_null() => {
            let default = type_of(&declared["default"]);
            if default == stated {
                return Ok(());
            }
            Err(invalid(format!(
                "{stated:?} type does not match default value's type {default:?}: \
                 {at}.params.{name}.default.type"
            )))
        }
        _ => Ok(()),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(outcome: Result<(), Outcome>) -> String {
        outcome.unwrap_err().message
    }

    #[test]
    fn a_run_names_exactly_one_task() {
        for (spec, how) in [
            (json!({}), "neither"),
            (json!({"taskRef": {"name": "a"}, "taskSpec": {}}), "both"),
        ] {
            let expected = format!("got {how}: spec.taskRef, spec.taskSpec");
            let told = refusal(run(&json!({ "spec": spec })));
            assert!(told.ends_with(&expected), "{told}");
        }
        assert!(run(&json!({"spec": {"taskRef": {"name": "a"}}})).is_ok());
    }

    #[test]
    fn a_step_has_fields_that_go_together() {
        for (step, expected) in [
            (
                json!({"image": "i", "script": "a", "command": ["b"]}),
                "script cannot be used with command: spec.steps[0].script",
            ),
            (
                json!({"script": "a"}),
                "missing field(s): spec.steps[0].image",
            ),
            (
                json!({"image": "i", "name": "Upper"}),
                "invalid value \"Upper\": spec.steps[0].name",
            ),
            (
                json!({"image": "i", "onError": "ignore"}),
                "invalid value \"ignore\": spec.steps[0].onError",
            ),
        ] {
            let told = refusal(task(&json!({"steps": [step]}), "spec"));
            assert!(told.starts_with(expected), "{told}");
        }
        let twice = json!({"image": "i", "name": "a"});
        let told = refusal(task(&json!({"steps": [twice, twice]}), "spec"));
        assert_eq!(told, "expected exactly one, got both: spec.steps[1].name");
        let fine = json!({
            "stepTemplate": {"image": "i"},
            "steps": [{"script": "a", "command": []}, {"name": "b", "onError": "$(params.e)"}],
        });
        assert!(task(&fine, "spec").is_ok());
    }

    #[test]
    fn a_parameter_has_a_type_that_exists_and_that_its_default_has() {
        for (declared, expected) in [
            (
                json!({"name": "a", "type": "strng"}),
                "invalid value: strng: spec.params.a.type",
            ),
            (
                json!({"name": "a", "type": "string", "default": ["x"]}),
                "\"string\" type does not match default value's type \"array\"",
            ),
        ] {
            let told = refusal(task(&json!({"params": [declared]}), "spec"));
            assert!(told.starts_with(expected), "{told}");
        }
    }
}
