//! Converts runs of the API version `tekton.dev/v1beta1` to `tekton.dev/v1`.
//!
//! An API server does this for its clients; only documents read from files need it. The fields are
//! those that Tekton's own conversion moves. Of those that v1 has no place for, pipeline resources and
//! cloud events are kept in annotations, as Tekton keeps them, and embedded child statuses are
//! dropped.

use serde_json::{Map, Value, json};

use crate::run::{kind_found, version_found};

mod hidden;

const OLD: &str = "tekton.dev/v1beta1";
const NEW: &str = "tekton.dev/v1";

/// Why a document cannot be converted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// It is not an object.
    #[error("expected a TaskRun or a PipelineRun, found something that is not an object")]
    NotAnObject,
    /// It is neither a `TaskRun` nor a `PipelineRun`.
    #[error("expected a TaskRun or a PipelineRun, found {}", kind_found(found))]
    Kind {
        /// Kind of the document.
        found: String,
    },
    /// It is of a version that is neither v1 nor v1beta1.
    #[error("expected apiVersion {NEW} or {OLD}, found {}", version_found(found))]
    ApiVersion {
        /// API version of the document.
        found: String,
    },
}

/// Makes a run of v1beta1 into one of v1; a run of v1 stays as it is.
pub fn upgrade(mut document: Value) -> Result<Value, UpgradeError> {
    if document["apiVersion"] == OLD {
        hidden::keep(&mut document);
    }
    let run = document.as_object_mut().ok_or(UpgradeError::NotAnObject)?;
    let text = |key: &str| {
        run.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (kind, version) = (text("kind"), text("apiVersion"));
    if !matches!(kind.as_str(), "TaskRun" | "PipelineRun") {
        return Err(UpgradeError::Kind { found: kind });
    }
    match version.as_str() {
        NEW => return Ok(document),
        OLD => {}
        _ => return Err(UpgradeError::ApiVersion { found: version }),
    }
    run.insert("apiVersion".to_owned(), json!(NEW));
    if kind == "TaskRun" {
        within(run, "spec", task_run_spec);
        within(run, "status", task_run_status);
    } else {
        within(run, "spec", pipeline_run_spec);
        within(run, "status", pipeline_run_status);
    }
    Ok(document)
}

type Object = Map<String, Value>;

fn task_run_spec(spec: &mut Object) {
    spec.remove("resources");
    within(spec, "taskRef", |reference| bundle(reference, "Task"));
    within(spec, "taskSpec", task_spec);
    overrides(spec);
}

fn task_run_status(status: &mut Object) {
    rename(status, "taskResults", "results");
    for dropped in ["cloudEvents", "resourcesResult"] {
        status.remove(dropped);
    }
    within(status, "taskSpec", task_spec);
    within(status, "provenance", provenance);
    each(status, "steps", |step| {
        within(step, "provenance", provenance);
    });
    each(status, "retriesStatus", task_run_status);
}

fn task_spec(spec: &mut Object) {
    spec.remove("resources");
    for containers in ["steps", "sidecars"] {
        each(spec, containers, compute_resources);
    }
    within(spec, "stepTemplate", compute_resources);
}

fn compute_resources(container: &mut Object) {
    rename(container, "resources", "computeResources");
}

fn overrides(spec: &mut Object) {
    rename(spec, "stepOverrides", "stepSpecs");
    rename(spec, "sidecarOverrides", "sidecarSpecs");
    for containers in ["stepSpecs", "sidecarSpecs"] {
        each(spec, containers, compute_resources);
    }
}

fn provenance(provenance: &mut Object) {
    provenance.remove("configSource");
}

fn pipeline_run_spec(spec: &mut Object) {
    spec.remove("resources");
    within(spec, "pipelineRef", |reference| {
        bundle(reference, "Pipeline");
    });
    within(spec, "pipelineSpec", pipeline_spec);
    if let Some(timeout) = spec.remove("timeout").filter(|timeout| !timeout.is_null()) {
        spec.insert("timeouts".to_owned(), json!({ "pipeline": timeout }));
    }
    let mut template = Object::new();
    for field in ["podTemplate", "serviceAccountName"] {
        if let Some(value) = spec.remove(field) {
            template.insert(field.to_owned(), value);
        }
    }
    if !template.is_empty() {
        spec.insert("taskRunTemplate".to_owned(), Value::Object(template));
    }
    each(spec, "taskRunSpecs", |task| {
        rename(task, "taskServiceAccountName", "serviceAccountName");
        rename(task, "taskPodTemplate", "podTemplate");
        overrides(task);
    });
}

fn pipeline_run_status(status: &mut Object) {
    rename(status, "pipelineResults", "results");
    for dropped in ["taskRuns", "runs"] {
        status.remove(dropped);
    }
    within(status, "pipelineSpec", pipeline_spec);
    within(status, "provenance", provenance);
}

fn pipeline_spec(spec: &mut Object) {
    spec.remove("resources");
    for tasks in ["tasks", "finally"] {
        each(spec, tasks, |task| {
            task.remove("resources");
            task.remove("conditions");
            within(task, "taskRef", |reference| bundle(reference, "Task"));
            within(task, "taskSpec", task_spec);
        });
    }
}

/// A bundle becomes a remote reference for the resolver `bundles`.
fn bundle(reference: &mut Object, kind: &str) {
    let Some(bundle) = reference.remove("bundle") else {
        return;
    };
    if bundle.as_str().is_none_or(str::is_empty) {
        return;
    }
    let name = reference.remove("name").unwrap_or_else(|| json!(""));
    reference.insert("resolver".to_owned(), json!("bundles"));
    let params = json!([
        { "name": "bundle", "value": bundle },
        { "name": "name", "value": name },
        { "name": "kind", "value": kind },
    ]);
    reference.insert("params".to_owned(), params);
}

fn rename(object: &mut Object, old: &str, new: &str) {
    if let Some(value) = object.remove(old).filter(|value| !value.is_null()) {
        object.insert(new.to_owned(), value);
    }
}

fn within(object: &mut Object, field: &str, change: impl FnOnce(&mut Object)) {
    if let Some(inner) = object.get_mut(field).and_then(Value::as_object_mut) {
        change(inner);
    }
}

fn each(object: &mut Object, field: &str, change: impl Fn(&mut Object)) {
    let items = object.get_mut(field).and_then(Value::as_array_mut);
    items
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
        .for_each(change);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_run_is_converted_as_tekton_converts_it() {
        let old = json!({
            "apiVersion": OLD, "kind": "TaskRun",
            "spec": {
                "taskRef": { "name": "t", "bundle": "r.io/b:1", "kind": "Task" },
                "stepOverrides": [{ "name": "s", "resources": { "limits": { "cpu": "1" } } }],
                "resources": {}
            },
            "status": {
                "taskResults": [{ "name": "r", "value": "v" }],
                "cloudEvents": [],
                "taskSpec": { "steps": [{ "name": "s", "resources": {} }],
                              "stepTemplate": { "resources": {} } },
                "retriesStatus": [{ "taskResults": [] }],
                "provenance": { "configSource": {}, "refSource": { "uri": "u" } }
            }
        });
        let new = json!({
            "apiVersion": NEW, "kind": "TaskRun",
            "spec": {
                "taskRef": { "kind": "Task", "resolver": "bundles", "params": [
                    { "name": "bundle", "value": "r.io/b:1" },
                    { "name": "name", "value": "t" },
                    { "name": "kind", "value": "Task" } ] },
                "stepSpecs": [{ "name": "s", "computeResources": { "limits": { "cpu": "1" } } }]
            },
            "status": {
                "results": [{ "name": "r", "value": "v" }],
                "taskSpec": { "steps": [{ "name": "s", "computeResources": {} }],
                              "stepTemplate": { "computeResources": {} } },
                "retriesStatus": [{ "results": [] }],
                "provenance": { "refSource": { "uri": "u" } }
            }
        });
        assert_eq!(upgrade(old), Ok(new.clone()));
        assert_eq!(upgrade(new.clone()), Ok(new));
    }

    #[test]
    fn a_pipeline_run_is_converted_as_tekton_converts_it() {
        let old = json!({
            "apiVersion": OLD, "kind": "PipelineRun",
            "spec": {
                "serviceAccountName": "sa", "timeout": "1h", "podTemplate": {},
                "taskRunSpecs": [{ "pipelineTaskName": "a", "taskServiceAccountName": "b",
                                   "taskPodTemplate": {} }],
                "pipelineSpec": { "tasks": [{ "name": "a", "taskSpec": {
                    "sidecars": [{ "resources": {} }] } }] }
            },
            "status": { "pipelineResults": [{ "name": "r" }], "taskRuns": {}, "runs": {} }
        });
        let new = json!({
            "apiVersion": NEW, "kind": "PipelineRun",
            "spec": {
                "taskRunTemplate": { "serviceAccountName": "sa", "podTemplate": {} },
                "timeouts": { "pipeline": "1h" },
                "taskRunSpecs": [{ "pipelineTaskName": "a", "serviceAccountName": "b",
                                   "podTemplate": {} }],
                "pipelineSpec": { "tasks": [{ "name": "a", "taskSpec": {
                    "sidecars": [{ "computeResources": {} }] } }] }
            },
            "status": { "results": [{ "name": "r" }] }
        });
        assert_eq!(upgrade(old), Ok(new));
    }

    #[test]
    fn other_kinds_and_versions_are_refused_by_name() {
        let refused = |document: Value| upgrade(document).unwrap_err().to_string();
        assert!(refused(json!({ "kind": "Pod" })).contains("Pod"));
        let old = json!({ "kind": "TaskRun", "apiVersion": "tekton.dev/v1alpha1" });
        assert!(refused(old).contains("v1alpha1"));
        assert!(refused(json!([])).contains("not an object"));
    }
}
