//! Large runs of one tenant, and the pipeline runs that have them for children.

use super::*;

/// A finished run with this many bytes that get into no payload.
fn large(name: &str, bytes: usize) -> Value {
    let mut run = finished(name);
    run["metadata"]["labels"] = json!({ "tekton.dev/pipelineRun": "pr" });
    run["spec"]["params"] = json!([{ "name": "p", "value": "x".repeat(bytes) }]);
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn large_runs_are_signed_a_few_at_a_time() {
    let scene = Scene::with(tekton()).await;
    for number in 0..20 {
        scene.create(large(&format!("r-{number}"), 1_400_000));
    }
    for number in 0..20 {
        assert_eq!(scene.marked(&format!("r-{number}")).await, "true");
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_run_with_large_task_runs_is_signed_with_all_of_them() {
    let scene = Scene::with(json!({
        "artifacts.oci.storage": "", "artifacts.taskrun.storage": "",
        "artifacts.pipelinerun.format": "slsa/v2alpha4",
    }))
    .await;
    let run = scene.create(json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": { "name": "pr", "namespace": "default" },
        "spec": { "pipelineSpec": { "tasks": [] } },
    }));
    let uid = run["metadata"]["uid"].as_str().unwrap();
    for name in ["a", "b", "c"] {
        let mut child = large(name, 200_000);
        child["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "name": "pr", "uid": uid,
            "controller": true,
        }]);
        scene.create(child);
    }
    let references = ["a", "b", "c"].map(|name| json!({ "kind": "TaskRun", "name": name }));
    let uri = "/apis/tekton.dev/v1/namespaces/default/pipelineruns/pr/status";
    let status = json!({
        "conditions": [{ "type": "Succeeded", "status": "True" }],
        "completionTime": "2026-11-23T10:02:00Z",
        "childReferences": references,
    });
    scene.patch(uri, json!({ "status": status })).await;
    let annotation = |scene: &Scene, name: &str| {
        let run = scene
            .local
            .cluster
            .get("pipelineruns.tekton.dev", "default", "pr");
        let run = run.unwrap_or(Value::Null);
        let annotations = &run["metadata"]["annotations"];
        annotations[format!("chains.tekton.dev/{name}")]
            .as_str()
            .map(str::to_owned)
    };
    let signed = |scene: &Scene| annotation(scene, "signed").as_deref() == Some("true");
    scene.until("the pipeline run is signed", signed).await;
    assert_eq!(annotation(&scene, "reason"), None);
    scene.end().await;
}
