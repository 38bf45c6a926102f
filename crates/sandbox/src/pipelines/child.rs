//! The task runs of a pipeline run, as Tekton makes them.

use serde_json::{Map, Value, json};

use super::plan::Plan;
use super::validate::list;
use super::{matrix, workspaces};
use crate::child_name::child_name;
use crate::cluster::object;
use crate::steps::duration::{self, HOUR};

/// Annotations that belong to one run only.
const RESERVED: &str = "chains.tekton.dev/";
/// What a task has that the run says nothing of.
static NONE: Value = Value::Null;

/// The task runs of a task: one, or one for each combination of its matrix.
pub(super) fn task_runs(
    run: &Value,
    plan: &Plan,
    at: usize,
    task: &Value,
) -> Result<Vec<Value>, String> {
    let name = task["name"].as_str().unwrap_or_default();
    let combinations = if task["matrix"].is_object() {
        matrix::fan_out(&task["matrix"])
    } else {
        vec![Vec::new()]
    };
    let single = combinations.len() == 1;
    let mut all = Vec::new();
    for (number, mut params) in combinations.into_iter().enumerate() {
        let suffix = if single {
            format!("-{name}")
        } else {
            format!("-{name}-{number}")
        };
        params.extend(list(&task["params"]).cloned());
        let mut made = json!({
            "apiVersion": "tekton.dev/v1",
            "kind": "TaskRun",
            "metadata": metadata(run, plan, at, task),
            "spec": spec(run, plan, at, task),
        });
        made["metadata"]["name"] = child_name(object::name(run), &suffix).into();
        if !params.is_empty() {
            made["spec"]["params"] = params.into();
        }
        let bound = workspaces::bindings(run, plan, at, task)?;
        if !bound.is_empty() {
            made["spec"]["workspaces"] = bound.into();
        }
        all.push(made);
    }
    Ok(all)
}

fn metadata(run: &Value, plan: &Plan, at: usize, task: &Value) -> Value {
    let name = task["name"].as_str().unwrap_or_default();
    let own = task_run_spec(run, name);
    let texts = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut labels = texts(&task["taskSpec"]["metadata"]["labels"]);
    labels.extend(texts(&run["metadata"]["labels"]));
    let member = if plan.tasks[at].is_final {
        "finally"
    } else {
        "tasks"
    };
    for (label, value) in [
        ("tekton.dev/pipelineRun", object::name(run)),
        ("tekton.dev/pipelineRunUID", object::meta(run, "uid")),
        ("tekton.dev/pipelineTask", name),
        ("tekton.dev/memberOf", member),
        ("app.kubernetes.io/managed-by", "tekton-pipelines"),
    ] {
        labels.insert(label.to_owned(), value.into());
    }
    if let Some(task) = task["taskRef"]["name"].as_str() {
        labels.insert("tekton.dev/task".to_owned(), task.into());
    }
    labels.extend(texts(&own["metadata"]["labels"]));
    let mut annotations = texts(&task["taskSpec"]["metadata"]["annotations"]);
    let inherited = texts(&run["metadata"]["annotations"]);
    annotations.extend(
        inherited
            .into_iter()
            .filter(|(name, _)| !name.contains(RESERVED)),
    );
    annotations.extend(texts(&own["metadata"]["annotations"]));
    if plan.tasks[at].is_failure_ignored() {
        let name = "pipeline.tekton.dev/pipeline-task-on-error".to_owned();
        annotations.insert(name, "continue".into());
    }
    json!({
        "namespace": object::meta(run, "namespace"),
        "labels": labels,
        "annotations": annotations,
        "ownerReferences": [owner(run)],
    })
}

fn owner(run: &Value) -> Value {
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "name": object::name(run),
        "uid": object::meta(run, "uid"),
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

fn spec(run: &Value, plan: &Plan, at: usize, task: &Value) -> Value {
    let name = task["name"].as_str().unwrap_or_default();
    let own = task_run_spec(run, name);
    let template = &run["spec"]["taskRunTemplate"];
    let account = [&own["serviceAccountName"], &template["serviceAccountName"]];
    let account = account.into_iter().find_map(Value::as_str);
    let mut spec = json!({
        "serviceAccountName": account.unwrap_or("default"),
        "timeout": timeout(plan, at, task, own),
    });
    if let Some(retries) = task["retries"].as_u64().filter(|retries| *retries > 0) {
        spec["retries"] = retries.into();
    }
    let pod = [&own["podTemplate"], &template["podTemplate"]];
    if let Some(pod) = pod.into_iter().find(|template| template.is_object()) {
        spec["podTemplate"] = pod.clone();
    }
    for field in ["stepSpecs", "sidecarSpecs", "computeResources"] {
        if !own[field].is_null() {
            spec[field] = own[field].clone();
        }
    }
    match task["taskSpec"].as_object() {
        Some(embedded) => {
            let mut embedded: Map<String, Value> = embedded.clone();
            // those of the task run
            embedded.remove("metadata");
            spec["taskSpec"] = embedded.into();
        }
        None => {
            spec["taskRef"] = json!({"kind": "Task", "name": task["taskRef"]["name"]});
        }
    }
    spec
}

/// The time of a task run: its own, or that of all tasks if it is longer than the default.
fn timeout(plan: &Plan, at: usize, task: &Value, own: &Value) -> String {
    let given = [&own["timeout"], &task["timeout"]];
    if let Some(given) = given.into_iter().find_map(Value::as_str) {
        return given.to_owned();
    }
    let timeouts = &plan.timeouts;
    let all = if plan.tasks[at].is_final {
        timeouts.finally
    } else {
        timeouts.tasks
    };
    duration::show(all.filter(|all| *all > HOUR).unwrap_or(HOUR))
}

fn task_run_spec<'a>(run: &'a Value, task: &str) -> &'a Value {
    let mut specs = list(&run["spec"]["taskRunSpecs"]);
    let found = specs.find(|one| one["pipelineTaskName"] == task);
    found.unwrap_or(&NONE)
}
