//! `explain` of runs of the built-in cluster, and `attest` with a key kept in it.

use serde_json::{Value, json};
use windlass_sandbox::{Fault, FaultAnswer};

use super::runs::{HEX, folder};
use crate::scene::Scene;

/// A cluster with a pipeline run and its task run.
fn scene() -> Scene {
    let scene = Scene::with(folder(), &["team-a", "tekton-chains", "elsewhere"]);
    scene.create(task_object());
    scene.create(pipeline_object());
    scene
}

fn configure(scene: &Scene, namespace: &str, data: &Value) {
    scene.create(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "chains-config", "namespace": namespace},
        "data": data,
    }));
}

fn task_object() -> Value {
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": {
            "name": "build", "namespace": "team-a", "uid": "u-build",
            "labels": {"tekton.dev/pipelineTask": "build", "tekton.dev/pipelineRun": "release"},
            "ownerReferences": [{
                "apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "name": "release",
                "uid": "u-release", "controller": true,
            }],
        },
        "spec": {},
        "status": {
            "conditions": [{"type": "Succeeded", "status": "True"}],
            "completionTime": "2026-01-01T00:01:00Z",
            "results": [
                {"name": "app-IMAGE_URL", "type": "string", "value": "r.io/app:1"},
                {"name": "app-IMAGE_DIGEST", "type": "string", "value": format!("sha256:{HEX}")},
            ],
        },
    })
}

fn pipeline_object() -> Value {
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": "release", "namespace": "team-a", "uid": "u-release"},
        "spec": {},
        "status": {
            "conditions": [{"type": "Succeeded", "status": "True"}],
            "pipelineSpec": {"tasks": [{"name": "build"}]},
            "childReferences": [{"kind": "TaskRun", "name": "build", "pipelineTaskName": "build"}],
        },
    })
}

#[test]
fn a_task_run_is_explained_under_each_of_its_names() {
    let scene = scene();
    configure(
        &scene,
        "tekton-chains",
        &json!({"artifacts.taskrun.format": "slsa/v2alpha4"}),
    );
    let text = scene.shell.succeed("explain tr/build -n team-a");
    assert!(
        text.contains("format slsa/v2alpha4") && text.contains(HEX),
        "{text}"
    );
    assert!(text.contains("Warnings (0)"), "{text}");
    for name in [
        "taskrun/build",
        "taskruns build",
        "taskrun.tekton.dev/build",
    ] {
        let line = format!("explain {name} --namespace team-a");
        assert_eq!(scene.shell.succeed(&line), text);
    }
}

#[test]
fn a_pipeline_run_is_explained_with_its_task_runs_and_the_clusters_configuration() {
    let scene = scene();
    let deep = json!({"artifacts.pipelinerun.enable-deep-inspection": "true"});
    configure(&scene, "elsewhere", &deep);
    let line = "explain pr/release -n team-a --system-namespace elsewhere -o json";
    let json: Value = serde_json::from_str(&scene.shell.succeed(line)).unwrap();
    assert_eq!(json["subjects"][0]["name"], "r.io/app");
    assert_eq!(json["subjects"][0]["from"][0]["pipelineTask"], "build");
    // it is the only one, so it is found
    let found = "explain pr/release -n team-a -o json";
    assert_eq!(scene.shell.succeed(found), scene.shell.succeed(line));
    let off = "explain pr/release -n team-a --system-namespace tekton-chains";
    let off = scene.shell.succeed(off);
    assert!(
        off.contains("config map tekton-chains/chains-config does not exist"),
        "{off}"
    );
    assert!(off.contains("defaults are shown"), "{off}");
    assert!(off.contains("enable-deep-inspection is false"), "{off}");
}

#[test]
fn a_configuration_that_may_not_be_read_is_said_and_the_defaults_are_shown() {
    let scene = scene();
    scene.cluster.fail(Fault {
        method: None,
        path_contains: "/api/v1/namespaces/tekton-chains/configmaps".to_owned(),
        query_contains: String::new(),
        skip: 0,
        times: 2,
        answer: FaultAnswer::Status(403.into()),
    });
    let text = scene.shell.succeed("explain tr/build -n team-a");
    assert!(
        text.contains("your account may not read config map"),
        "{text}"
    );
    assert!(text.contains("format slsa/v1"), "{text}");
}

#[test]
fn a_run_that_is_not_there_and_a_bad_configuration_are_errors() {
    let scene = scene();
    scene.shell.fail(
        2,
        "explain tr/gone -n team-a",
        "there is no TaskRun \"gone\"",
    );
    configure(
        &scene,
        "tekton-chains",
        &json!({"artifacts.taskrun.format": "slsa/v9"}),
    );
    let line = "explain tr/build -n team-a";
    scene
        .shell
        .fail(2, line, "cannot use config map tekton-chains/chains-config");
    scene
        .shell
        .succeed("explain tr/build -n team-a --config deep.yaml");
}

#[test]
fn a_key_in_a_secret_signs() {
    let scene = scene();
    let key = "k8s://tekton-chains/signing-secrets";
    scene.shell.succeed(&format!("generate-key-pair {key}"));
    let envelope = scene
        .shell
        .succeed(&format!("attest -f task.yaml --key {key}"));
    scene.shell.write("envelope", envelope);
    scene.shell.succeed(&format!(
        "verify-blob-attestation --key {key} --signature envelope --type slsaprovenance \
         --check-claims=false"
    ));
}
