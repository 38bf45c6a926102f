//! The pod of a task run, as its clients look for it: a container for each step. Nothing runs in it.

use serde_json::{Value, json};

use crate::cluster::kind::ServedKind;
use crate::cluster::object;
use crate::cluster::pod_log::ContainerKey;
use crate::cluster::route::Part;
use crate::cluster::state::State;
use crate::cluster::store::Key;
use crate::cluster::verbs::{self, Writer};
use crate::run_status;

/// A step as its pod shows it.
#[derive(Debug, Clone)]
pub(super) struct PodStep {
    pub name: String,
    pub image: String,
    /// The name of its image with the digest, where it is known.
    pub image_id: Option<String>,
}

/// The name of a step's container.
pub(super) fn container(step: &str) -> String {
    format!("step-{step}")
}

/// The log of a step.
pub(super) fn log_of(namespace: &str, pod: &str, step: &str) -> ContainerKey {
    ContainerKey {
        namespace: namespace.to_owned(),
        pod: pod.to_owned(),
        container: container(step),
    }
}

/// Creates the pod of a run. Whether there is one: a pod of that name may be somebody else's.
pub(super) fn create(state: &State, run: &Value, name: &str, steps: &[PodStep]) -> bool {
    let Some(served) = ServedKind::by_document("v1", "Pod") else {
        return false;
    };
    let mut labels = run["metadata"]["labels"].clone();
    labels["tekton.dev/taskRun"] = object::name(run).into();
    labels["tekton.dev/taskRunUID"] = object::meta(run, "uid").into();
    labels["app.kubernetes.io/managed-by"] = "tekton-pipelines".into();
    let containers = steps
        .iter()
        .map(|step| json!({"name": container(&step.name), "image": step.image}));
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": labels,
            "ownerReferences": [{
                "apiVersion": "tekton.dev/v1", "kind": "TaskRun", "name": object::name(run),
                "uid": object::meta(run, "uid"), "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {"containers": containers.collect::<Vec<_>>(), "restartPolicy": "Never"},
    });
    let namespace = object::meta(run, "namespace");
    let mut store = state.store();
    let author = run_status::author();
    let made = verbs::create(&mut store, served, namespace, pod, Writer::Client, &author);
    if let Err(error) = &made {
        tracing::warn!(name, %error, "could not create the pod of a task run");
    }
    made.is_ok()
}

/// Brings the pod up to the status of its run.
pub(super) fn update(state: &State, namespace: &str, name: &str, status: &Value) {
    let key = Key::new("pods", namespace, name);
    let phase = match status["conditions"][0]["status"].as_str() {
        Some("True") => "Succeeded",
        Some("False") => "Failed",
        _ => "Running",
    };
    let steps = status["steps"].as_array().into_iter().flatten();
    let containers: Vec<Value> = steps.map(|step| container_status(step, phase)).collect();
    let status = json!({
        "phase": phase,
        "startTime": status["startTime"],
        "containerStatuses": containers,
    });
    run_status::change(state, "v1", "Pod", &key, Part::Status, |pod| {
        pod["status"] = status;
    });
    if phase != "Running" {
        for container in containers {
            let container = container["name"].as_str().unwrap_or_default().to_owned();
            state.logs.end(&ContainerKey {
                namespace: namespace.to_owned(),
                pod: name.to_owned(),
                container,
            });
        }
    }
}

/// All containers of a real pod start at once and wait for their turn.
fn container_status(step: &Value, phase: &str) -> Value {
    let now = object::now();
    let mut state = json!({});
    if step["terminated"].is_object() {
        state["terminated"] = step["terminated"].clone();
    } else if phase == "Running" {
        let started = step["running"]["startedAt"].as_str().unwrap_or(&now);
        state["running"] = json!({"startedAt": started});
    } else {
        state["terminated"] = json!({
            "exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now,
        });
    }
    json!({
        "name": step["container"],
        "imageID": step["imageID"].as_str().unwrap_or_default(),
        "ready": state["running"].is_object(),
        "restartCount": 0,
        "state": state,
    })
}
