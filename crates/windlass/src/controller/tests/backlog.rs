//! A backlog: what a run costs does not depend on how many others wait.

use windlass_sandbox::registry::{Options as RegistryOptions, Registry};

use super::registries::{built, image_with};
use super::*;

/// More runs than the queue keeps signatures of between two passes, for one namespace.
const RUNS: usize = 300;

#[tokio::test]
async fn each_run_of_a_backlog_is_signed_once_and_uploaded_once() {
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let scene = Scene::without_key().await;
    for number in 0..RUNS {
        let digest = image_with(&registry, &json!({ "number": number }).to_string());
        scene.create(built(&format!("build-{number}"), &registry, &digest));
    }
    registry.clear_requests();
    let oci = json!({ "artifacts.taskrun.storage": "oci", "artifacts.oci.storage": "oci" });
    let scene = scene.configured(oci).await;
    let counts = scene.local.metrics.task_runs.clone();
    scene
        .until("all are marked", |_| {
            counts.marked_signed.get() == RUNS as u64
        })
        .await;
    // its provenance, and its image
    assert_eq!(counts.signatures.get(), 2 * RUNS as u64);
    assert_eq!(counts.stored.get(), 2 * RUNS as u64);
    let requests = registry.requests();
    let uploads = requests.iter().filter(|it| it.method == "PUT");
    let blobs = uploads.filter(|it| it.path.contains("/blobs/")).count();
    // of each its content and its config
    assert_eq!(blobs, 4 * RUNS);
    scene.end().await;
    registry.shutdown().await;
}
