//! Fills parameters and context of a run into its pipeline.

use serde_json::{Value, json};

use super::{fill, matrix};
use crate::cluster::object;
use crate::steps::variables::Variables;

/// The variables of a run: its parameters with the pipeline's defaults, its context, and which of its
/// workspaces are bound.
pub(super) fn variables(run: &Value, pipeline: &str, spec: &Value) -> Variables {
    let mut variables = Variables::default();
    for field in ["name", "namespace", "uid"] {
        let name = format!("context.pipelineRun.{field}");
        variables.set(name, object::meta(run, field));
    }
    variables.set("context.pipeline.name", pipeline);
    for declared in list(&spec["workspaces"]) {
        variables.set(bound(declared), "false");
    }
    for given in list(&run["spec"]["workspaces"]) {
        variables.set(bound(given), "true");
    }
    let given = &run["spec"]["params"];
    for param in list(given) {
        set(&mut variables, &param["name"], &param["value"]);
    }
    for declared in list(&spec["params"]) {
        let param = list(given).find(|param| param["name"] == declared["name"]);
        let value = match (param, declared.get("default")) {
            (Some(param), Some(Value::Object(default))) => {
                // keys that the run leaves out
                let mut value = json!(default);
                if let (Value::Object(all), Some(own)) = (&mut value, param["value"].as_object()) {
                    all.extend(own.clone());
                }
                value
            }
            (None, Some(default)) => {
                let mut default = default.clone();
                variables.replace_all(&mut default);
                default
            }
            _ => continue,
        };
        set(&mut variables, &declared["name"], &value);
    }
    variables
}

fn bound(workspace: &Value) -> String {
    format!(
        "workspaces.{}.bound",
        workspace["name"].as_str().unwrap_or_default()
    )
}

fn set(variables: &mut Variables, name: &Value, value: &Value) {
    if let Some(name) = name.as_str() {
        variables.set_value("params", name, value);
    }
}

/// The pipeline as the status of the run shows it.
pub(super) fn pipeline(spec: &Value, variables: &Variables) -> Value {
    let mut spec = spec.clone();
    for field in ["tasks", "finally"] {
        let tasks = spec.get_mut(field).and_then(Value::as_array_mut);
        tasks
            .into_iter()
            .flatten()
            .for_each(|one| task(one, variables));
    }
    let results = spec.get_mut("results").and_then(Value::as_array_mut);
    for result in results.into_iter().flatten() {
        if let Some(value) = result.get_mut("value") {
            variables.replace_all(value);
        }
    }
    spec
}

/// Fills a task in. An embedded task has what its pipeline has, but for what it is given itself.
fn task(task: &mut Value, variables: &Variables) {
    let mut inner = variables.clone();
    let own = list(&task["params"]).filter_map(|param| param["name"].as_str());
    let own: Vec<String> = own
        .chain(matrix::names(&task["matrix"]))
        .map(str::to_owned)
        .collect();
    for name in own {
        inner.remove_value("params", &name);
    }
    let mut outer = variables.clone();
    let retries = task["retries"].as_u64().unwrap_or_default();
    outer.set("context.pipelineTask.retries", retries.to_string());
    let embedded = task
        .as_object_mut()
        .and_then(|fields| fields.remove("taskSpec"));
    fill::replace(task, &outer);
    if let Some(mut embedded) = embedded {
        fill::task_spec(&mut embedded, &inner);
        task["taskSpec"] = embedded;
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_parameter_counts() {
        let run = json!({"metadata": {"name": "r"}, "spec": {
            "params": [{"name": "a", "value": "run"}, {"name": "free", "value": "f"}]}});
        let spec = json!({
            "params": [{"name": "a"}, {"name": "b", "default": "$(context.pipelineRun.name)-$(params.a)"}],
            "tasks": [{
                "name": "t", "retries": 3,
                "params": [{"name": "own", "value": "$(params.a) $(context.pipelineTask.retries)"}, {"name": "a", "value": "task"}],
                "taskSpec": {
                    "params": [{"name": "a", "default": "$(params.b)"}],
                    "steps": [{"script": "$(params.a) $(params.b) $(params.own) $(params.free)"}],
                },
            }],
        });
        let variables = variables(&run, "p", &spec);
        let filled = pipeline(&spec, &variables);
        let task = &filled["tasks"][0];
        assert_eq!(task["params"][0]["value"], "run 3");
        let script = "$(params.a) r-run $(params.own) f";
        assert_eq!(task["taskSpec"]["steps"][0]["script"], script);
        assert_eq!(task["taskSpec"]["params"][0]["default"], "$(params.b)");
    }
}
