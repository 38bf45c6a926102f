//! Task runs and pipeline runs in every state that Tekton leaves them in, and in some that it does not.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub use self::pipelines::with_child_gone;

mod pipelines;
mod tasks;

/// A time so many minutes ago. What is shown of it does not change while the two programs are asked: ten
/// minutes are left to the next hour.
fn ago(minutes: i64) -> String {
    before(minutes, 0)
}

/// The same, and so many seconds later.
fn before(minutes: i64, seconds: i64) -> String {
    let time = Timestamp::now() - SignedDuration::from_secs(minutes * 60 - seconds);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn run(kind: &str, name: &str, spec: Value, status: Value) -> Value {
    let mut run = json!({
        "apiVersion": "tekton.dev/v1",
        "kind": kind,
        "metadata": { "name": name, "namespace": "one" },
    });
    run["spec"] = spec;
    run["status"] = status;
    run
}

fn task(name: &str, spec: Value, status: Value) -> Value {
    run("TaskRun", name, spec, status)
}

fn pipeline(name: &str, spec: Value, status: Value) -> Value {
    run("PipelineRun", name, spec, status)
}

/// The same run with more metadata.
fn with(mut run: Value, metadata: Value) -> Value {
    if let (Some(old), Value::Object(new)) = (run["metadata"].as_object_mut(), metadata) {
        old.extend(new);
    }
    run
}

/// A status that began so many minutes ago, and ended so many seconds later if it did.
fn state(status: &str, reason: &str, began: i64, took: Option<i64>) -> Value {
    let mut state = json!({
        "startTime": ago(began),
        "conditions": [{
            "type": "Succeeded", "status": status, "reason": reason,
            "message": format!("why it is {reason}"),
        }],
    });
    if let Some(took) = took {
        state["completionTime"] = json!(before(began, took));
    }
    state
}

/// The same status with more in it.
fn and(mut status: Value, more: Value) -> Value {
    if let (Some(old), Value::Object(new)) = (status.as_object_mut(), more) {
        old.extend(new);
    }
    status
}

/// Every run; the start of each is its own, so that the order is certain.
pub fn all() -> Vec<Value> {
    let mut all = tasks::all();
    all.extend(pipelines::all());
    all
}
