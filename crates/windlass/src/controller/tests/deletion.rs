//! Runs that are deleted while they cannot be signed.

use super::*;

const RUN: &str = "/apis/tekton.dev/v1/namespaces/default/taskruns/app";

/// A run that waits, protected, for a registry that refuses connections, in this namespace.
fn unreachable_image(namespace: &str) -> Value {
    let mut run = finished("app");
    run["metadata"]["namespace"] = json!(namespace);
    run["metadata"]["finalizers"] = json!(["chains.tekton.dev/taskrun"]);
    run["status"]["results"] = json!([
        { "name": "IMAGE_URL", "value": "127.0.0.1:1/app" },
        { "name": "IMAGE_DIGEST", "value": format!("sha256:{}", "cd".repeat(32)) },
    ]);
    run
}

/// A controller with this `finalizer.grace`, which tries again only after a long time.
async fn stage(grace: &str, pause: Duration) -> Scene {
    let mut options = options();
    options.pauses = (pause, pause);
    options.registries.retry.attempts = 1;
    let scene = Scene::with_options(options).await;
    let scene = scene.configured(json!({})).await;
    scene
        .configure_own(json!({ "finalizer.grace": grace }))
        .await;
    scene
}

async fn delete(scene: &Scene, path: &str) {
    let request = http::Request::delete(path).body(Vec::new()).unwrap();
    scene.client.request_text(request).await.unwrap();
}

fn is_gone(scene: &Scene, namespace: &str) -> bool {
    let run = scene
        .local
        .cluster
        .get("taskruns.tekton.dev", namespace, "app");
    run.is_none()
}

async fn until_gone(scene: &Scene, namespace: &str) {
    scene
        .until("the run is gone", |scene| is_gone(scene, namespace))
        .await;
}

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_deleted_run_that_waits_gets_one_pass_at_once_and_without_grace_it_then_goes() {
    let scene = stage("0s", LONG).await;
    scene.create(unreachable_image("default"));
    scene.reason("app").await;
    delete(&scene, RUN).await;
    until_gone(&scene, "default").await;
    let event = scene.event("ReleasedUnsigned").await;
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("127.0.0.1:1"), "{message}");
    let counted = |scene: &Scene| scene.local.metrics.released_unsigned.get() == 1;
    scene.until("it is counted", counted).await;
    scene.end().await;
}

#[tokio::test]
async fn a_deleted_run_is_kept_for_its_grace_which_is_said_and_is_signed_if_that_gets_possible() {
    let scene = stage("1h", Duration::from_millis(20)).await;
    scene.create(unreachable_image("default"));
    scene.reason("app").await;
    delete(&scene, RUN).await;
    let event = scene.event("DeletionDelayed").await;
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("127.0.0.1:1"), "{message}");
    assert!(!is_gone(&scene, "default"));
    // what cannot be pushed is no longer asked for
    scene
        .configure(json!({ "artifacts.oci.storage": "" }))
        .await;
    until_gone(&scene, "default").await;
    let signed = |scene: &Scene| scene.local.metrics.task_runs.marked_signed.get() == 1;
    scene.until("it was signed", signed).await;
    assert_eq!(scene.local.metrics.released_unsigned.get(), 0);
    scene.end().await;
}

#[tokio::test]
async fn a_deleted_run_goes_once_its_grace_is_over() {
    let scene = stage("1s", Duration::from_millis(20)).await;
    scene.create(unreachable_image("default"));
    scene.reason("app").await;
    delete(&scene, RUN).await;
    until_gone(&scene, "default").await;
    scene.event("ReleasedUnsigned").await;
    scene.end().await;
}

#[tokio::test]
async fn in_a_namespace_that_is_being_deleted_a_run_goes_after_one_pass() {
    let scene = stage("1h", LONG).await;
    scene.create(json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "team-b" },
    }));
    scene.create(unreachable_image("team-b"));
    let waits = |scene: &Scene| scene.local.metrics.waiting.get() == 1;
    scene.until("the run waits", waits).await;
    delete(&scene, "/api/v1/namespaces/team-b").await;
    until_gone(&scene, "team-b").await;
    let counted = |scene: &Scene| scene.local.metrics.released_unsigned.get() == 1;
    scene.until("it is counted", counted).await;
    scene.end().await;
}

#[tokio::test]
async fn a_deleted_run_goes_without_a_key_too() {
    let scene = Scene::without_key().await;
    scene.create(windlass_config(&json!({ "finalizer.grace": "0s" })));
    let mut run = finished("app");
    run["metadata"]["finalizers"] = json!(["chains.tekton.dev/taskrun"]);
    scene.create(run);
    scene.reason("app").await;
    delete(&scene, RUN).await;
    until_gone(&scene, "default").await;
    scene.event("ReleasedUnsigned").await;
    scene.end().await;
}

#[tokio::test]
async fn a_service_account_that_cannot_exist_keeps_no_run_from_being_deleted() {
    let scene = stage("0s", LONG).await;
    let mut run = unreachable_image("default");
    run["spec"]["serviceAccountName"] = json!("no such account");
    scene.create(run);
    scene.reason("app").await;
    delete(&scene, RUN).await;
    until_gone(&scene, "default").await;
    scene.end().await;
}
