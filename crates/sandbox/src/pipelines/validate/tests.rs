//! What is refused, and how it is said.

use serde_json::{Value, json};

use super::*;

fn why(spec: &Value) -> Option<String> {
    pipeline("ns/p", spec).err().map(|refusal| refusal.message)
}

fn with(task: &Value) -> Value {
    let mut all = json!({"name": "a", "taskSpec": {"steps": []}});
    for (field, value) in task.as_object().unwrap() {
        all[field] = value.clone();
    }
    json!({"tasks": [all]})
}

#[test]
fn a_pipeline_that_is_none_is_refused_with_the_field_that_is_wrong() {
    assert_eq!(why(&with(&json!({}))), None);
    for (spec, message) in [
        (json!({}), "missing field(s): tasks"),
        (with(&json!({"name": "A b"})), "valid DNS label"),
        (
            with(&json!({"taskRef": {"name": "t"}})),
            "got both: taskRef, taskSpec",
        ),
        (
            with(&json!({"taskSpec": null})),
            "got neither: taskRef, taskSpec",
        ),
        (
            with(&json!({"resources": {}})),
            "must not set the field(s): resources",
        ),
        (
            with(&json!({"conditions": []})),
            "must not set the field(s): conditions",
        ),
        (
            with(&json!({"taskSpec": {"resources": {}}})),
            "must not set the field(s): taskSpec.resources",
        ),
        (
            with(&json!({"taskSpec": null, "taskRef": {"name": "t", "bundle": "b"}})),
            "taskRef.bundle",
        ),
        (
            with(&json!({"taskSpec": null, "taskRef": {"apiVersion": "wait/v1", "kind": "Wait"}})),
            "custom tasks",
        ),
        (
            with(&json!({"retries": -1})),
            "expected 0 <= -1 <= 100: retries",
        ),
        (
            with(&json!({"retries": 101})),
            "expected 0 <= 101 <= 100: retries",
        ),
        (
            with(&json!({"when": [{"cel": "true"}]})),
            "enable-cel-in-whenexpression",
        ),
        (
            with(&json!({"when": [{"input": "a", "operator": "eq", "values": ["a"]}]})),
            "\"eq\" is not recognized",
        ),
        (
            with(&json!({"when": [{"input": "a", "operator": "in"}]})),
            "non-empty values",
        ),
        (
            json!({"tasks": [{"name": "a", "taskRef": {"name": "t"}}], "resources": []}),
            "resources",
        ),
        (
            with(
                &json!({"params": [{"name": "x", "value": "1"}], "matrix": {"params": [{"name": "x", "value": ["1"]}]}}),
            ),
            "got both: params[x], matrix.params[x]",
        ),
    ] {
        let found = why(&spec).unwrap_or_default();
        assert!(found.contains(message), "{spec}: {found}");
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_built() {
    let list: Vec<String> = (0..100).map(|at| at.to_string()).collect();
    let matrix = json!({"params": [{"name": "a", "value": list}, {"name": "b", "value": list}]});
    let found = why(&with(&json!({"matrix": matrix}))).unwrap();
    assert!(
        found.contains("expected 0 <= 10000 <= 256: matrix"),
        "{found}"
    );
    let task = |at| json!({"name": format!("t{at}"), "taskRef": {"name": "t"}});
    let tasks: Vec<Value> = (0..257).map(task).collect();
    let found = why(&json!({"tasks": tasks})).unwrap();
    assert!(
        found.contains("257 tasks; this cluster runs at most 256"),
        "{found}"
    );
}

#[test]
fn fields_of_a_run_that_were_removed_are_listed() {
    let old = json!({"spec": {"resources": [], "pipelineRef": {"name": "p", "bundle": "b"}}});
    let message = run(&old).unwrap_err().message;
    assert_eq!(
        message,
        "must not set the field(s): spec.resources, spec.pipelineRef.bundle"
    );
}

#[test]
fn a_variable_that_nothing_defines_is_refused_wherever_it_is_written() {
    use crate::pipelines::facts::PlannedTask;
    let refusal = |field: Value, script: &str| {
        let spec = json!({
            "params": [{"name": "own"}], "results": [{"name": "r"}], "workspaces": [{"name": "w"}],
            "steps": [{"name": "s", "script": script}],
        });
        let task = PlannedTask {
            name: "a".to_owned(),
            is_final: false,
            spec: json!({"name": "a", "taskSpec": spec, "params": [{"name": "x", "value": field}]}),
        };
        let run = json!({"spec": {"params": [{"name": "outer", "value": "v"}]}});
        variables::check(&run, &json!({"params": [{"name": "p"}]}), &[(&task, &spec)]).err()
    };
    for fine in [
        "$(params.p) $(params.outer) $(params.own) $(params.x) $(context.pipelineRun.name)",
        "$(results.r.path) $(workspaces.w.path) $(context.taskRun.uid) $(date) $(cat a.txt)",
        "$(tasks.a.results.r) $(steps.step-s.exitCode.path) $(credentials.path)",
    ] {
        assert_eq!(refusal(json!("v"), fine), None, "{fine}");
    }
    for wrong in [
        "params.dri",
        "results.x.path",
        "workspaces.x.path",
        "context.taskRun.nam",
        "tasks.b.results.r",
        "tasks.a.status",
        "outputs.resources.image.url",
        "steps.x.results.r",
    ] {
        let found = refusal(json!("v"), &format!("rm -rf $({wrong})/x")).unwrap_or_default();
        assert!(found.ends_with(&format!("$({wrong})")), "{wrong}: {found}");
    }
    for wrong in [
        "params.own",
        "results.r.path",
        "tasks.status",
        "context.taskRun.name",
        "credentials.path",
    ] {
        let found = refusal(json!(format!("$({wrong})")), "true").unwrap_or_default();
        assert!(found.ends_with(&format!("$({wrong})")), "{wrong}: {found}");
    }
}
