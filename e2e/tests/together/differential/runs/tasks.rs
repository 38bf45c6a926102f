//! Task runs.

use serde_json::{Value, json};

use super::pieces::{ago, and, state, task, with};

pub(super) fn all() -> Vec<Value> {
    let mut all = ended();
    all.extend(waiting());
    all.extend(with_fields());
    all.extend(odd());
    all
}

pub(super) fn by_name(name: &str) -> Value {
    json!({ "taskRef": { "name": name, "kind": "Task" }, "serviceAccountName": "default" })
}

fn params() -> Value {
    json!([
        { "name": "text", "value": "main" },
        { "name": "list", "value": ["a", "b c", ""] },
        { "name": "no-list", "value": [] },
        { "name": "object", "value": { "url": "https://git.example.com", "branch": "main" } },
        { "name": "number", "value": 7 },
        { "name": "switch", "value": true },
        { "name": "mixed", "value": ["a", 1] },
        { "name": "nested", "value": { "a": { "b": "c" } } },
        { "name": "empty", "value": "" },
        { "name": "unicode", "value": "déjà ∙ 日本" },
        { "name": "long", "value": "x".repeat(500) },
    ])
}

fn workspaces() -> Value {
    json!([
        { "name": "claim", "persistentVolumeClaim": { "claimName": "data" }, "subPath": "src" },
        { "name": "template", "volumeClaimTemplate": { "spec": {} } },
        { "name": "empty", "emptyDir": {} },
        { "name": "memory", "emptyDir": { "medium": "Memory" } },
        { "name": "config", "configMap": { "name": "settings" } },
        { "name": "items", "configMap": { "name": "s", "items": [
            { "key": "a", "path": "x" }, { "key": "b", "path": "y" },
        ] } },
        { "name": "secret", "secret": { "secretName": "token" } },
        { "name": "driver", "csi": { "driver": "csi.example.com" } },
        { "name": "projected", "projected": { "sources": [] } },
    ])
}

fn ended() -> Vec<Value> {
    let step = |name: &str, reason: &str, began: i64| {
        json!({ "name": name, "terminated": {
            "exitCode": 0, "reason": reason, "startedAt": ago(began), "finishedAt": ago(began - 5),
        } })
    };
    vec![
        with(
            task(
                "succeeded",
                json!({ "taskRef": { "name": "build", "kind": "Task" }, "serviceAccountName": "bot",
                        "timeout": "1h" }),
                and(
                    state("True", "Succeeded", 100, Some(45)),
                    json!({ "steps": [step("clone", "Completed", 99), step("push", "Completed", 80)] }),
                ),
            ),
            json!({
                "labels": { "app": "shop", "tekton.dev/task": "build" },
                "annotations": {
                    "kubectl.kubernetes.io/last-applied-configuration": "{}", "note": "two words",
                },
            }),
        ),
        task(
            "failed",
            by_name("build"),
            and(
                state("False", "Failed", 200, Some(3)),
                json!({ "steps": [step("late", "Error", 150), step("early", "Completed", 190)] }),
            ),
        ),
        task(
            "timeout",
            json!({ "taskRef": { "name": "slow" }, "timeout": "90s" }),
            state("False", "TaskRunTimeout", 5_000, Some(90)),
        ),
        task(
            "cancelled",
            json!({ "taskRef": { "name": "slow" }, "status": "TaskRunCancelled" }),
            state("False", "TaskRunCancelled", 7_500, Some(3_700)),
        ),
        task(
            "no-image",
            by_name("pull"),
            and(
                state("False", "TaskRunImagePullFailed", 100_000, Some(1)),
                json!({ "steps": [{ "name": "pull", "waiting": { "reason": "ImagePullBackOff" } }] }),
            ),
        ),
        task(
            "invalid",
            by_name("x"),
            state("False", "TaskRunValidationFailed", 200_000, Some(0)),
        ),
        task(
            "no-task",
            by_name("gone"),
            state("False", "CouldntGetTask", 700_000, Some(0)),
        ),
        task(
            "retried",
            json!({ "taskRef": { "name": "flaky" }, "retries": 2, "timeout": "0s" }),
            and(
                state("True", "Succeeded", 1_300_000, Some(90_061)),
                json!({ "retriesStatus": [state("False", "Failed", 1_300_000, Some(1))] }),
            ),
        ),
        task(
            "word",
            by_name("x"),
            state("False", "Cancelled", 4_000_000, Some(1)),
        ),
        with(
            task(
                "signed",
                by_name("build"),
                state("True", "Succeeded", 7_000_000, Some(61)),
            ),
            json!({ "annotations": {
                "chains.tekton.dev/signed": "true",
                "chains.tekton.dev/payload-taskrun-u-1": "QUJD".repeat(100),
            } }),
        ),
    ]
}

fn waiting() -> Vec<Value> {
    let waiting = |reason: &str| json!([{ "name": "build", "waiting": { "reason": reason } }]);
    vec![
        task(
            "running",
            by_name("build"),
            and(
                state("Unknown", "Running", 310, None),
                json!({ "steps": [
                    { "name": "waits", "waiting": { "reason": "PodInitializing" } },
                    { "name": "works", "running": { "startedAt": ago(300) } },
                ], "sidecars": [
                    { "name": "docker", "running": { "startedAt": ago(305) } },
                    { "name": "proxy", "terminated": { "reason": "Completed" } },
                    { "name": "idle", "waiting": { "reason": "PodInitializing" } },
                    { "name": "unknown" },
                ] }),
            ),
        ),
        task(
            "pending",
            by_name("build"),
            and(
                state("Unknown", "Pending", 320, None),
                json!({ "steps": waiting("PodInitializing") }),
            ),
        ),
        task(
            "started",
            by_name("build"),
            state("Unknown", "Started", 330, None),
        ),
        task(
            "stopping",
            by_name("x"),
            state("Unknown", "TaskRunStopping", 340, None),
        ),
        task(
            "quota",
            by_name("x"),
            state("Unknown", "ExceededResourceQuota", 350, None),
        ),
        task(
            "nodes",
            by_name("x"),
            state("Unknown", "ExceededNodeResources", 360, None),
        ),
        task(
            "config",
            by_name("x"),
            and(
                state("Unknown", "CreateContainerConfigError", 370, None),
                json!({ "steps": waiting("CreateContainerConfigError") }),
            ),
        ),
    ]
}

fn with_fields() -> Vec<Value> {
    vec![
        task(
            "resolving",
            json!({ "taskRef": { "resolver": "git", "params": [{ "name": "url", "value": "x" }] } }),
            state("Unknown", "ResolvingTaskRef", 380, None),
        ),
        task(
            "embedded",
            json!({ "taskSpec": { "steps": [{ "image": "busybox", "script": "true" }] } }),
            and(
                state("True", "Succeeded", 390, Some(2)),
                json!({ "steps": [{ "container": "step-unnamed-0", "terminated": { "reason": "Completed" } }] }),
            ),
        ),
        task(
            "params",
            json!({ "taskRef": { "name": "x" }, "params": params() }),
            state("True", "Succeeded", 400, Some(1)),
        ),
        task(
            "results",
            by_name("x"),
            and(
                state("True", "Succeeded", 410, Some(1)),
                json!({ "results": [
                    { "name": "digest", "type": "string", "value": "sha256:ab\n" },
                    { "name": "list", "type": "array", "value": ["a", "b"] },
                    { "name": "object", "type": "object", "value": { "url": "a&b", "digest": "c" } },
                ] }),
            ),
        ),
        task(
            "workspaces",
            json!({ "taskRef": { "name": "x" }, "workspaces": workspaces() }),
            state("True", "Succeeded", 420, Some(1)),
        ),
        with(
            task("no-status", by_name("x"), Value::Null),
            json!({ "namespace": "two" }),
        ),
        with(
            task("empty-status", by_name("x"), json!({})),
            json!({ "namespace": "three" }),
        ),
        with(
            task(
                "without-start",
                by_name("x"),
                json!({ "conditions": [{ "type": "Succeeded", "status": "False", "reason": "CouldntGetTask" }] }),
            ),
            json!({ "namespace": "four" }),
        ),
    ]
}

fn odd() -> Vec<Value> {
    let condition = |kind: &str, status: &str, reason: &str| json!({ "type": kind, "status": status, "reason": reason });
    let old = json!({
        "apiVersion": "tekton.dev/v1beta1",
        "kind": "TaskRun",
        "metadata": { "name": "of-v1beta1", "namespace": "one" },
        "spec": { "taskRef": { "name": "build", "bundle": "registry.example.com/tasks:v1" },
                  "resources": { "outputs": [] }, "serviceAccountName": "bot" },
        "status": and(state("True", "Succeeded", 510, Some(4)),
                      json!({ "taskResults": [{ "name": "a", "value": "b" }] })),
    });
    vec![
        old,
        task(
            "0.a-b.c--d.very-long-name-that-goes-on-and-on-until-nobody-reads-it-any-more-and-further",
            by_name("x"),
            state("True", "Succeeded", 520, Some(1)),
        ),
        task(
            "message",
            by_name("x"),
            and(
                state("False", "Failed", 530, Some(1)),
                json!({ "conditions": [{
                    "type": "Succeeded", "status": "False", "reason": "Failed",
                    "message": format!("first line\n  second line, indented\n{}", "long ".repeat(300)),
                }] }),
            ),
        ),
        task(
            "conditions",
            by_name("x"),
            and(
                state("True", "", 540, Some(1)),
                json!({ "conditions": [
                    condition("Extra", "Unknown", "Extra"), condition("Succeeded", "True", "Succeeded"),
                ] }),
            ),
        ),
        with(
            task(
                "future",
                by_name("x"),
                state("Unknown", "Running", -1_500, None),
            ),
            json!({ "namespace": "five" }),
        ),
        task(
            "backwards",
            by_name("x"),
            state("True", "Succeeded", 560, Some(-75)),
        ),
        task(
            "half-a-second",
            by_name("x"),
            and(
                state("True", "Succeeded", 0, None),
                json!({ "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:01.5Z" }),
            ),
        ),
        with(
            task(
                "terminal",
                by_name("x"),
                state("True", "Succeeded", 580, Some(1)),
            ),
            json!({ "annotations": { "evil": "\u{1b}]0;owned" } }),
        ),
        task(
            "lines",
            json!({ "params": [{ "name": "script", "value": "first\nsecond" }] }),
            state("True", "Succeeded", 590, Some(1)),
        ),
        task(
            "stateless",
            by_name("x"),
            and(
                state("Unknown", "Running", 600, None),
                json!({ "steps": [{ "name": "a" }, { "name": "b" }] }),
            ),
        ),
        task(
            "no-value",
            by_name("x"),
            and(
                state("True", "Succeeded", 610, Some(1)),
                json!({ "results": [{ "name": "nothing", "type": "string" }] }),
            ),
        ),
    ]
}
