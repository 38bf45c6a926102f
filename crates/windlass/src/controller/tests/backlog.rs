//! A backlog: what a run costs does not depend on how many others wait.

use windlass_sandbox::registry::{Options as RegistryOptions, Registry};

use super::*;

/// More runs than the queue keeps signatures of between two passes, for one namespace.
const RUNS: usize = 300;
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Pushes an image of its own to `team/app` and gives its digest.
fn image(registry: &Registry, number: usize) -> String {
    let content = json!({ "number": number }).to_string();
    let config = registry.put_blob("team/app", content.clone());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "size": content.len(), "digest": config,
        },
        "layers": [],
    });
    registry.put_manifest(
        "team/app",
        &number.to_string(),
        MANIFEST,
        manifest.to_string(),
    )
}

#[tokio::test]
async fn each_run_of_a_backlog_is_signed_once_and_uploaded_once() {
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let scene = Scene::without_key().await;
    for number in 0..RUNS {
        let mut run = finished(&format!("build-{number}"));
        run["status"]["results"] = json!([
            { "name": "IMAGE_URL", "value": format!("{}/team/app", registry.host()) },
            { "name": "IMAGE_DIGEST", "value": image(&registry, number) },
        ]);
        scene.create(run);
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
