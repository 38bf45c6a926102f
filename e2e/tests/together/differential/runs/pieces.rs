//! What runs are put together from.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A time so many minutes ago. What is shown of it does not change while the two programs are asked: ten
/// minutes are left to the next hour.
pub(super) fn ago(minutes: i64) -> String {
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

pub(super) fn task(name: &str, spec: Value, status: Value) -> Value {
    run("TaskRun", name, spec, status)
}

pub(super) fn pipeline(name: &str, spec: Value, status: Value) -> Value {
    run("PipelineRun", name, spec, status)
}

/// The same run with more metadata.
pub(super) fn with(mut run: Value, metadata: Value) -> Value {
    if let (Some(old), Value::Object(new)) = (run["metadata"].as_object_mut(), metadata) {
        old.extend(new);
    }
    run
}

/// A status that began so many minutes ago, and ended so many seconds later if it did.
pub(super) fn state(status: &str, reason: &str, began: i64, took: Option<i64>) -> Value {
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
pub(super) fn and(mut status: Value, more: Value) -> Value {
    if let (Some(old), Value::Object(new)) = (status.as_object_mut(), more) {
        old.extend(new);
    }
    status
}
