//! What becomes of a run.

use super::*;

#[tokio::test]
async fn a_finished_run_takes_one_write_and_no_read() {
    let scene = Scene::with(in_toto()).await;
    scene.create(finished("done"));
    assert_eq!(scene.marked("done").await, "true");
    let statement = verified_statement(&scene, "done");
    assert_eq!(
        statement["predicateType"],
        "https://slsa.dev/provenance/v0.2"
    );
    scene.wrote(1).await;
    assert_eq!(scene.run_requests("GET"), 0);
    let counted = |scene: &Scene| scene.local.metrics.task_runs.marked_signed.get() == 1;
    scene.until("the run is counted", counted).await;
    scene.end().await;
}

#[tokio::test]
async fn the_format_tekton_signs_the_status_itself() {
    let scene = Scene::with(tekton()).await;
    scene.create(finished("done"));
    assert_eq!(scene.marked("done").await, "true");
    let uid = scene.run("done")["metadata"]["uid"]
        .as_str()
        .unwrap()
        .to_owned();
    let annotations = scene.annotations("done");
    let read = |name: &str| {
        let name = format!("chains.tekton.dev/{name}-taskrun-{uid}");
        STANDARD.decode(&annotations[&name]).unwrap()
    };
    let payload = read("payload");
    assert_eq!(
        serde_json::from_slice::<Value>(&payload).unwrap(),
        scene.run("done")["status"]
    );
    let key = PublicKey::from_pem(PUBLIC.as_bytes()).unwrap();
    key.verify(&payload, &read("signature")).unwrap();
    assert_eq!(
        annotations[&format!("chains.tekton.dev/cert-taskrun-{uid}")],
        ""
    );
    scene.end().await;
}

#[tokio::test]
async fn a_status_in_the_form_of_an_image_signature_is_never_signed() {
    let scene = Scene::with(tekton()).await;
    let mut run = finished("forged");
    run["status"]["critical"] = json!({
        "identity": { "docker-reference": "r.io/prod/app" },
        "image": { "docker-manifest-digest": format!("sha256:{}", "2".repeat(64)) },
        "type": "cosign container image signature",
    });
    scene.create(run);
    assert_eq!(scene.marked("forged").await, "failed");
    let reason = scene.reason("forged").await;
    assert!(reason.contains("the status has the member"), "{reason}");
    let annotations = scene.annotations("forged");
    let signatures = annotations
        .keys()
        .filter(|name| name.contains("signature-"));
    assert_eq!(signatures.count(), 0);
    assert_eq!(scene.local.metrics.task_runs.signatures.get(), 0);
    scene.end().await;
}

#[tokio::test]
async fn a_running_run_is_protected_and_loses_the_finalizer_with_the_record() {
    let scene = Scene::with(in_toto()).await;
    scene.create(task_run("slow"));
    let finalizers = |scene: &Scene| scene.run("slow")["metadata"]["finalizers"].clone();
    let protected = |scene: &Scene| finalizers(scene) == json!(["chains.tekton.dev/taskrun"]);
    scene.until("the run is protected", protected).await;
    scene.finish("slow", status()).await;
    assert_eq!(scene.marked("slow").await, "true");
    assert_eq!(finalizers(&scene), Value::Null);
    // one for the finalizer, one for the record
    scene.wrote(2).await;
    scene.end().await;
}

#[tokio::test]
async fn a_foreign_finalizer_survives_the_record() {
    let scene = Scene::with(in_toto()).await;
    let mut run = finished("done");
    run["metadata"]["finalizers"] = json!(["example.com/other", "chains.tekton.dev/taskrun"]);
    scene.create(run);
    assert_eq!(scene.marked("done").await, "true");
    assert_eq!(
        scene.run("done")["metadata"]["finalizers"],
        json!(["example.com/other"])
    );
    scene.end().await;
}

#[tokio::test]
async fn a_run_with_null_arrays_and_no_steps_is_signed() {
    let scene = Scene::with(in_toto()).await;
    let mut run = finished("bare");
    run["spec"] = json!({ "params": null, "taskRef": { "name": "t" } });
    run["status"] = json!({
        "conditions": [{ "type": "Succeeded", "status": "False" }],
        "steps": null, "results": null, "sidecars": null, "taskSpec": null,
    });
    scene.create(run);
    assert_eq!(scene.marked("bare").await, "true");
    let steps = verified_statement(&scene, "bare")["predicate"]["buildConfig"]["steps"].clone();
    assert_eq!(steps, json!([]));
    scene.end().await;
}

#[tokio::test]
async fn a_run_that_cannot_be_read_is_given_up_with_the_place_in_the_reason() {
    let scene = Scene::with(in_toto()).await;
    let mut run = finished("odd");
    run["status"]["steps"] = json!("three");
    scene.create(run);
    assert_eq!(scene.marked("odd").await, "failed");
    let reason = scene.reason("odd").await;
    assert!(reason.contains("status.steps"), "{reason}");
    let event = scene.event("SigningFailed").await;
    assert_eq!(event["involvedObject"]["name"], "odd");
    scene.end().await;
}

#[tokio::test]
async fn a_payload_that_fits_only_once_is_kept_in_its_envelope() {
    let scene = Scene::with(in_toto()).await;
    let mut run = finished("large");
    run["spec"]["params"] = json!([{ "name": "p", "value": "x".repeat(90_000) }]);
    scene.create(run);
    assert_eq!(scene.marked("large").await, "true");
    assert!(scene.reason("large").await.contains("left out"));
    let statement = verified_statement(&scene, "large");
    assert_eq!(
        statement["predicate"]["invocation"]["parameters"]["p"],
        "x".repeat(90_000)
    );
    scene.wrote(1).await;
    scene.end().await;
}

#[tokio::test]
async fn a_run_too_large_for_its_annotations_is_given_up_with_one_write() {
    let scene = Scene::with(tekton()).await;
    let mut run = finished("huge");
    run["status"]["results"] = json!([{ "name": "r", "value": "x".repeat(300_000) }]);
    scene.create(run);
    assert_eq!(scene.marked("huge").await, "failed");
    assert!(
        scene
            .reason("huge")
            .await
            .contains("Kubernetes allows 262144")
    );
    scene.event("SigningFailed").await;
    scene.wrote(1).await;
    scene.end().await;
}

#[tokio::test]
async fn an_image_that_cannot_be_signed_yet_keeps_the_run_unmarked_but_attested() {
    let scene = Scene::with(json!({ "artifacts.oci.storage": "gcs" })).await;
    let mut run = finished("image");
    run["status"]["results"] = json!([
        { "name": "IMAGE_URL", "value": "r.io/app" },
        { "name": "IMAGE_DIGEST", "value": format!("sha256:{}", "cd".repeat(32)) },
    ]);
    scene.create(run);
    let reason = scene.reason("image").await;
    assert!(reason.contains("artifacts.oci.storage"), "{reason}");
    assert_eq!(
        verified_statement(&scene, "image")["subject"][0]["name"],
        "r.io/app"
    );
    assert!(
        !scene
            .annotations("image")
            .contains_key("chains.tekton.dev/signed")
    );
    // switching the store off is what the reason says, and it helps at once
    scene
        .configure(json!({ "artifacts.oci.storage": "" }))
        .await;
    assert_eq!(scene.marked("image").await, "true");
    assert!(
        !scene
            .annotations("image")
            .contains_key("chains.tekton.dev/reason")
    );
    scene.end().await;
}

#[tokio::test]
async fn image_signatures_can_be_kept_on_the_run() {
    let scene = Scene::with(json!({ "artifacts.oci.storage": "tekton" })).await;
    let mut run = finished("image");
    run["status"]["results"] = json!([
        { "name": "IMAGE_URL", "value": "r.io/app" },
        { "name": "IMAGE_DIGEST", "value": format!("sha256:{}", "cd".repeat(32)) },
    ]);
    scene.create(run);
    assert_eq!(scene.marked("image").await, "true");
    let annotations = scene.annotations("image");
    let read = |name: &str| STANDARD.decode(&annotations[name]).unwrap();
    let payload = read("chains.tekton.dev/payload-cdcdcdcdcdcd");
    let key = PublicKey::from_pem(PUBLIC.as_bytes()).unwrap();
    key.verify(&payload, &read("chains.tekton.dev/signature-cdcdcdcdcdcd"))
        .unwrap();
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn images_with_one_digest_share_their_annotations_and_that_is_said() {
    let scene = Scene::with(json!({ "artifacts.oci.storage": "tekton" })).await;
    let mut run = finished("mirrored");
    let digest = format!("sha256:{}", "cd".repeat(32));
    run["status"]["results"] = json!([
        { "name": "IMAGES", "value": format!("r.io/app@{digest},mirror.io/app@{digest}") },
    ]);
    scene.create(run);
    assert_eq!(scene.marked("mirrored").await, "true");
    let event = scene.event("ProvenanceIncomplete").await;
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("have the same digest"), "{message}");
    let payload = &scene.annotations("mirrored")["chains.tekton.dev/payload-cdcdcdcdcdcd"];
    let payload = String::from_utf8(STANDARD.decode(payload).unwrap()).unwrap();
    assert!(payload.contains("mirror.io/app"), "{payload}");
    scene.end().await;
}
