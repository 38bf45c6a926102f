//! Pipeline runs, with their task runs.

use serde_json::{Value, json};

use super::pieces::{and, pipeline, state, task, with};
use super::tasks::by_name;

pub(super) fn all() -> Vec<Value> {
    let mut all = finished();
    all.extend(open());
    all
}

/// A task run of a pipeline run.
fn child(parent: &str, name: &str, status: Value) -> Value {
    with(
        task(name, by_name("x"), status),
        json!({ "labels": { "tekton.dev/pipelineRun": parent }, "namespace": "two" }),
    )
}

fn reference(name: &str, task: &str) -> Value {
    json!({ "apiVersion": "tekton.dev/v1", "kind": "TaskRun", "name": name, "pipelineTaskName": task })
}

fn finished() -> Vec<Value> {
    let ends = |name: &str, reason: &str, began: i64, more: Value| {
        let status = if matches!(reason, "Succeeded" | "Completed") {
            "True"
        } else {
            "False"
        };
        pipeline(
            name,
            json!({ "pipelineRef": { "name": "release" } }),
            and(state(status, reason, began, Some(10)), more),
        )
    };
    let in_two = |run| with(run, json!({ "namespace": "two" }));
    vec![
        child(
            "family",
            "family-clone",
            state("True", "Succeeded", 3_000, Some(30)),
        ),
        child(
            "family",
            "family-build",
            state("False", "TaskRunTimeout", 2_000, Some(60)),
        ),
        child(
            "family",
            "family-check",
            state("False", "Failed", 2_500, Some(60)),
        ),
        in_two(ends(
            "family",
            "Failed",
            3_100,
            json!({ "childReferences": [
            reference("family-clone", "clone"), reference("family-build", "build"),
            reference("family-check", "check"),
            { "apiVersion": "tekton.dev/v1beta1", "kind": "CustomRun", "name": "approval", "pipelineTaskName": "approve" },
        ] }),
        )),
        ends(
            "skipped",
            "Completed",
            100,
            json!({ "skippedTasks": [
            { "name": "deploy", "reason": "When Expressions evaluated to false" },
            { "name": "notify", "reason": "Parent Tasks were skipped" },
        ] }),
        ),
        with(
            ends("all-well", "Succeeded", 200, json!({})),
            json!({
                "labels": { "app": "shop", "tekton.dev/pipeline": "build" },
                "annotations": { "a": "b" },
            }),
        ),
        ends("pr-timeout", "PipelineRunTimeout", 400, json!({})),
        ends("pr-cancelled", "Cancelled", 500, json!({})),
        ends("pr-cancelled-early", "PipelineRunCancelled", 600, json!({})),
        ends("no-pipeline", "CouldntGetPipeline", 700, json!({})),
        ends("no-finally", "CancelledRunFinally", 800, json!({})),
        ends(
            "values",
            "Succeeded",
            900,
            json!({ "results": [
            { "name": "digest", "value": "sha256:ab" },
            { "name": "list", "value": ["a", "b"] },
            { "name": "info", "value": { "url": "a" } },
        ] }),
        ),
        ends(
            "only-custom",
            "Succeeded",
            1_000,
            json!({ "childReferences": [
            { "apiVersion": "tekton.dev/v1beta1", "kind": "CustomRun", "name": "approval", "pipelineTaskName": "approve" },
        ] }),
        ),
    ]
}

fn open() -> Vec<Value> {
    let run = |name: &str, reason: &str, began: i64, spec: Value| {
        pipeline(name, spec, state("Unknown", reason, began, None))
    };
    vec![
        run(
            "pr-running",
            "Running",
            1_100,
            json!({ "pipelineRef": { "name": "release" },
            "taskRunTemplate": { "serviceAccountName": "bot" } }),
        ),
        run(
            "pr-stopping",
            "PipelineRunStopping",
            1_200,
            json!({ "pipelineRef": { "name": "x" } }),
        ),
        run(
            "pr-resolving",
            "ResolvingPipelineRef",
            1_300,
            json!({ "pipelineRef": { "resolver": "git" } }),
        ),
        run(
            "pr-timeouts",
            "Running",
            1_400,
            json!({ "pipelineRef": { "name": "x" },
            "timeouts": { "pipeline": "2h", "tasks": "1h30m", "finally": "30m0s" } }),
        ),
        run(
            "pr-one-timeout",
            "Running",
            1_500,
            json!({ "pipelineSpec": { "tasks": [] },
            "timeouts": { "pipeline": "45s" } }),
        ),
        run(
            "pr-params",
            "Running",
            1_600,
            json!({ "pipelineRef": { "name": "x" }, "params": [
            { "name": "list", "value": ["a", "b"] }, { "name": "text", "value": "t" },
            { "name": "object", "value": { "b": "2", "a": "1" } },
        ] }),
        ),
        run(
            "pr-workspaces",
            "Started",
            1_700,
            json!({ "pipelineRef": { "name": "x" }, "workspaces": [
            { "name": "shared", "subPath": "a", "persistentVolumeClaim": { "claimName": "c" } },
            { "name": "token", "secret": { "secretName": "s" } },
        ] }),
        ),
        with(
            pipeline(
                "pr-pending",
                json!({ "pipelineRef": { "name": "x" }, "status": "PipelineRunPending" }),
                json!({
                    "conditions": [{ "type": "Succeeded", "status": "Unknown", "reason": "PipelineRunPending" }],
                }),
            ),
            json!({ "namespace": "three" }),
        ),
        with(
            pipeline(
                "pr-no-status",
                json!({ "pipelineRef": { "name": "x" } }),
                Value::Null,
            ),
            json!({ "namespace": "four" }),
        ),
    ]
}

/// A pipeline run whose child was pruned.
pub fn with_child_gone() -> Value {
    pipeline(
        "child-gone",
        json!({ "pipelineRef": { "name": "x" } }),
        and(
            state("True", "Succeeded", 1_800, Some(1)),
            json!({ "childReferences": [reference("pruned-child", "build")] }),
        ),
    )
}
