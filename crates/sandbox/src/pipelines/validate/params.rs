//! Whether the parameters and workspaces of a run fit what the pipeline declares.

use serde_json::Value;

use super::list;
use crate::form::{declared_type, type_of};
use crate::pipelines::refusal::Refusal;

/// How messages name the run and its pipeline.
pub(in crate::pipelines) struct Shown<'a> {
    /// `NAMESPACE/NAME`
    pub run: &'a str,
    pub pipeline: &'a str,
}

/// Refuses missing parameters, values of other types, missing keys, and workspaces that are not bound.
pub(in crate::pipelines) fn check(
    shown: &Shown<'_>,
    run: &Value,
    spec: &Value,
) -> Result<(), Refusal> {
    let Shown {
        run: name,
        pipeline,
    } = shown;
    let given = &run["spec"]["params"];
    let find = |wanted: &Value| list(given).find(|param| param["name"] == *wanted);
    let (mut missing, mut mistyped, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for declared in list(&spec["params"]) {
        let shown = declared["name"].as_str().unwrap_or_default();
        let Some(param) = find(&declared["name"]) else {
            if declared.get("default").is_none() {
                missing.push(shown);
            }
            continue;
        };
        if type_of(&param["value"]) != declared_type(declared) {
            mistyped.push(shown);
        }
        let lacks = |key: &&String| {
            param["value"].get(key.as_str()).is_none()
                && declared["default"].get(key.as_str()).is_none()
        };
        let required = declared["properties"].as_object().into_iter().flatten();
        keys.extend(
            required
                .map(|(key, _)| key)
                .filter(lacks)
                .map(|key| format!("{shown}.{key}")),
        );
    }
    if !missing.is_empty() {
        let missing = missing.join(" ");
        return Err(Refusal::new(
            "ParameterMissing",
            format!(
                "PipelineRun {name} is missing some parameters required by Pipeline {pipeline}: \
             pipelineRun missing parameters: [{missing}]"
            ),
        ));
    }
    if !mistyped.is_empty() {
        let mistyped = mistyped.join(" ");
        return Err(Refusal::new(
            "ParameterTypeMismatch",
            format!(
                "PipelineRun {name} parameters have mismatching types with Pipeline {pipeline}'s \
             parameters: parameters have inconsistent types : [{mistyped}]"
            ),
        ));
    }
    if !keys.is_empty() {
        let keys = keys.join(" ");
        return Err(Refusal::new(
            "ObjectParameterMissKeys",
            format!(
                "PipelineRun {name} parameters is missing object keys required by Pipeline \
             {pipeline}'s parameters: pipelineRun missing object keys for parameters: [{keys}]"
            ),
        ));
    }
    workspaces(shown, run, spec)?;
    task_run_specs(name, run, spec)
}

fn workspaces(shown: &Shown<'_>, run: &Value, spec: &Value) -> Result<(), Refusal> {
    let is_bound = |declared: &&Value| {
        declared["optional"] == true
            || list(&run["spec"]["workspaces"]).any(|bound| bound["name"] == declared["name"])
    };
    let Some(declared) = list(&spec["workspaces"]).find(|declared| !is_bound(declared)) else {
        return Ok(());
    };
    Err(Refusal::new(
        "InvalidWorkspaceBindings",
        format!(
            "PipelineRun {} doesn't bind Pipeline {}'s Workspaces correctly: pipeline requires \
         workspace with name {} be provided by pipelinerun",
            shown.run, shown.pipeline, declared["name"]
        ),
    ))
}

fn task_run_specs(name: &str, run: &Value, spec: &Value) -> Result<(), Refusal> {
    let exists = |wanted: &Value| {
        let tasks = list(&spec["tasks"]).chain(list(&spec["finally"]));
        tasks.into_iter().any(|task| task["name"] == *wanted)
    };
    let mut specs = list(&run["spec"]["taskRunSpecs"]);
    let Some(wrong) = specs.find(|one| !exists(&one["pipelineTaskName"])) else {
        return Ok(());
    };
    Err(Refusal::new(
        "InvalidTaskRunSpecs",
        format!(
            "PipelineRun {name} doesn't define taskRunSpecs correctly: pipelineRun's taskrunSpecs \
         defined wrong taskName: {}, does not exist in Pipeline",
            wrong["pipelineTaskName"]
        ),
    ))
}
