//! A cluster that Tekton Chains left in the middle of its work.

use super::marks::left_by_chains;
use super::*;

#[tokio::test]
async fn a_run_the_reference_was_retrying_is_signed_once_and_released() {
    let scene = Scene::with(in_toto()).await;
    let mut run = finished("retried");
    run["metadata"]["finalizers"] = json!(["chains.tekton.dev/taskrun"]);
    run["metadata"]["annotations"] = json!({ "chains.tekton.dev/retries": "2" });
    scene.create(run);
    assert_eq!(scene.marked("retried").await, "true");
    assert_eq!(scene.run("retried")["metadata"]["finalizers"], Value::Null);
    scene.wrote(1).await;
    scene.end().await;
}

#[tokio::test]
async fn recorded_runs_are_released_and_not_signed_again() {
    let scene = Scene::with(in_toto()).await;
    for mark in ["true", "failed"] {
        let mut run = left_by_chains(mark, mark);
        run["metadata"]["finalizers"] = json!(["chains.tekton.dev/taskrun"]);
        scene.create(run);
    }
    let released = |scene: &Scene| {
        ["true", "failed"]
            .iter()
            .all(|name| scene.run(name)["metadata"]["finalizers"].is_null())
    };
    scene.until("both are released", released).await;
    for mark in ["true", "failed"] {
        let annotations = scene.annotations(mark);
        assert_eq!(annotations.len(), 1, "{annotations:?}");
        assert_eq!(annotations["chains.tekton.dev/signed"], mark);
    }
    assert_eq!(scene.local.metrics.task_runs.signatures.get(), 0);
    scene.end().await;
}

#[tokio::test]
async fn a_deleted_run_with_the_finalizers_of_old_releases_is_signed_and_then_goes() {
    let scene = Scene::without_key().await;
    scene.configure(in_toto()).await;
    let mut run = finished("old");
    run["metadata"]["finalizers"] = json!(["chains.tekton.dev", "chains.tekton.dev/taskrun"]);
    scene.create(run);
    scene.reason("old").await;
    let uri = "/apis/tekton.dev/v1/namespaces/default/taskruns/old";
    let request = http::Request::delete(uri).body(Vec::new()).unwrap();
    scene.client.request_text(request).await.unwrap();
    assert!(!scene.run("old").is_null(), "its finalizers keep it");
    scene.add_key();
    scene
        .until("the run is gone", |scene| scene.run("old").is_null())
        .await;
    let counted = |scene: &Scene| scene.local.metrics.task_runs.marked_signed.get() == 1;
    scene.until("it counts as signed", counted).await;
    scene.end().await;
}

#[tokio::test]
async fn a_run_deleted_before_it_finished_is_let_go_unsigned() {
    let scene = Scene::with(in_toto()).await;
    scene.create(task_run("slow"));
    let protected = |scene: &Scene| scene.run("slow")["metadata"]["finalizers"].is_array();
    scene.until("the run is protected", protected).await;
    let uri = "/apis/tekton.dev/v1/namespaces/default/taskruns/slow";
    let request = http::Request::delete(uri).body(Vec::new()).unwrap();
    scene.client.request_text(request).await.unwrap();
    scene
        .until("the run is gone", |scene| scene.run("slow").is_null())
        .await;
    assert_eq!(scene.local.metrics.task_runs.signatures.get(), 0);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_marked_before_it_is_finished_is_signed_all_the_same() {
    let scene = Scene::with(in_toto()).await;
    let mut forged = task_run("forged");
    forged["metadata"]["annotations"] = json!({
        "chains.tekton.dev/signed": "true",
        "chains.tekton.dev/retries": "3",
    });
    scene.create(forged);
    let unmarked = |scene: &Scene| scene.annotations("forged").is_empty();
    scene.until("the mark is taken off", unmarked).await;
    scene.event("MarkRemoved").await;
    scene.finish("forged", status()).await;
    assert_eq!(scene.marked("forged").await, "true");
    verified_statement(&scene, "forged");
    scene.end().await;
}
