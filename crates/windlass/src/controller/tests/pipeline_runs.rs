//! Pipeline runs: whom they wait for, and what wakes them.

use super::marks::left_by_chains;
use super::*;

const PATH: &str = "/apis/tekton.dev/v1/namespaces/default";

/// Everything on the runs themselves, pipeline runs in SLSA provenance v1.
fn config() -> Value {
    json!({ "artifacts.oci.storage": "", "artifacts.pipelinerun.format": "slsa/v2alpha4" })
}

/// Adds a running pipeline run, and gives its uid.
fn start(scene: &Scene) -> String {
    let run = scene.create(json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": { "name": "pr", "namespace": "default" },
        "spec": { "pipelineSpec": { "tasks": [] } },
    }));
    run["metadata"]["uid"].as_str().unwrap().to_owned()
}

/// Waits until the pipeline run carries the finalizer: from then on the controller writes nothing to
/// it that would show it once more.
async fn protected(scene: &Scene) {
    let has_finalizer = |scene: &Scene| pipeline_run(scene)["metadata"]["finalizers"].is_array();
    scene
        .until("the pipeline run is protected", has_finalizer)
        .await;
}

/// A finished task run of the pipeline run.
fn child(name: &str, parent: &str) -> Value {
    let mut run = finished(name);
    run["metadata"]["labels"] = json!({
        "tekton.dev/pipelineRun": "pr",
        "tekton.dev/pipelineTask": name,
    });
    run["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "name": "pr",
        "uid": parent,
        "controller": true,
        "blockOwnerDeletion": true,
    }]);
    run
}

fn running_child(name: &str, parent: &str) -> Value {
    let mut run = child(name, parent);
    run.as_object_mut().unwrap().remove("status");
    run
}

/// Writes the status of the pipeline run, with these children.
async fn end(scene: &Scene, children: &[(&str, &str)]) {
    let references: Vec<Value> = children
        .iter()
        .map(|(kind, name)| {
            json!({ "apiVersion": "tekton.dev/v1", "kind": kind, "name": name, "pipelineTaskName": name })
        })
        .collect();
    let tasks: Vec<Value> = children
        .iter()
        .map(|(_, name)| json!({ "name": name, "taskSpec": { "steps": [] } }))
        .collect();
    let status = json!({ "status": {
        "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Completed" }],
        "startTime": "2026-11-23T10:00:00Z",
        "completionTime": "2026-11-23T10:02:00Z",
        "childReferences": references,
        "pipelineSpec": { "tasks": tasks },
    }});
    let uri = format!("{PATH}/pipelineruns/pr/status");
    scene.patch(&uri, status).await;
}

fn pipeline_run(scene: &Scene) -> Value {
    let run = scene
        .local
        .cluster
        .get("pipelineruns.tekton.dev", "default", "pr");
    run.unwrap_or(Value::Null)
}

fn annotation(scene: &Scene, name: &str) -> Option<String> {
    let run = pipeline_run(scene);
    let value = &run["metadata"]["annotations"][format!("chains.tekton.dev/{name}")];
    value.as_str().map(str::to_owned)
}

async fn signed(scene: &Scene) {
    let mark = |scene: &Scene| annotation(scene, "signed").as_deref() == Some("true");
    scene.until("the pipeline run is signed", mark).await;
}

/// The statement that was signed for the pipeline run.
fn statement(scene: &Scene) -> Value {
    let uid = pipeline_run(scene)["metadata"]["uid"].clone();
    let name = format!("signature-pipelinerun-{}", uid.as_str().unwrap());
    let envelope = STANDARD.decode(annotation(scene, &name).unwrap()).unwrap();
    let envelope = Envelope::from_json(&envelope).unwrap();
    envelope
        .verify(&PublicKey::from_pem(PUBLIC.as_bytes()).unwrap())
        .unwrap();
    serde_json::from_slice(&envelope.decode_payload().unwrap()).unwrap()
}

fn reads_of_children(scene: &Scene) -> usize {
    let requests = scene.local.cluster.requests();
    let ours = requests.iter().filter(|request| {
        request.method == "GET"
            && request.path.contains("/taskruns")
            && !request.query.contains("watch=true")
            && request.query.contains("labelSelector")
    });
    ours.count()
}

/// Names of the runs in the order in which they were marked.
fn order(scene: &Scene) -> Vec<String> {
    let requests = scene.local.cluster.requests();
    let records = requests.iter().filter(|request| {
        request.method == "PATCH"
            && request.query == "fieldManager=tekton-chains-controller&includeObject=None"
            && request.status == 200
    });
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    records.map(|request| name(&request.path)).collect()
}

fn version(run: &Value) -> u64 {
    let version = run["metadata"]["resourceVersion"].as_str().unwrap();
    version.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_run_is_signed_after_its_task_runs() {
    let scene = Scene::with(config()).await;
    let uid = start(&scene);
    let names = ["a", "b", "c"];
    for name in names {
        scene.create(running_child(name, &uid));
    }
    end(&scene, &names.map(|name| ("TaskRun", name))).await;
    for name in names {
        scene.finish(name, status()).await;
    }
    signed(&scene).await;
    for name in ["a", "b", "c"] {
        assert_eq!(scene.marked(name).await, "true");
    }
    let recorded = |scene: &Scene| order(scene).len() == 4;
    scene.until("each was recorded once", recorded).await;
    // a request is in the log some time after it took effect, so the versions tell the order
    let last = version(&pipeline_run(&scene));
    for name in names {
        assert!(
            version(&scene.run(name)) < last,
            "{name} was recorded later"
        );
    }
    scene.end().await;
}

#[tokio::test]
async fn the_end_of_its_last_task_run_wakes_a_pipeline_run_and_nothing_is_polled() {
    let scene = Scene::with(config()).await;
    let uid = start(&scene);
    scene.create(child("a", &uid));
    scene.create(running_child("b", &uid));
    assert_eq!(scene.marked("a").await, "true");
    protected(&scene).await;
    end(&scene, &[("TaskRun", "a"), ("TaskRun", "b")]).await;
    let looked = |scene: &Scene| reads_of_children(scene) == 1;
    scene.until("the children were looked at", looked).await;
    // after 30 s the cluster closes the connections that nobody used, on which a poll could get lost
    scene.skip(Duration::from_secs(25)).await;
    scene.settled_after_that("later").await;
    assert_eq!(annotation(&scene, "signed"), None);
    assert_eq!(reads_of_children(&scene), 1);
    scene.finish("b", status()).await;
    signed(&scene).await;
    // a request is in the log once it has been answered
    let in_order = |scene: &Scene| order(scene) == ["a", "later", "b", "pr"];
    scene.until("the records came in order", in_order).await;
    assert_eq!(reads_of_children(&scene), 2);
    assert_eq!(
        statement(&scene)["predicateType"],
        "https://slsa.dev/provenance/v1"
    );
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn children_of_other_kinds_keep_nobody_waiting() {
    let scene = Scene::with(config()).await;
    let uid = start(&scene);
    scene.create(child("a", &uid));
    end(
        &scene,
        &[
            ("TaskRun", "a"),
            ("CustomRun", "approve"),
            ("PipelineRun", "inner"),
        ],
    )
    .await;
    signed(&scene).await;
    assert_eq!(annotation(&scene, "reason"), None);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pruned_child_leaves_a_signed_pipeline_run_that_says_so() {
    let scene = Scene::with(config()).await;
    let uid = start(&scene);
    scene.create(child("a", &uid));
    end(&scene, &[("TaskRun", "a"), ("TaskRun", "pruned")]).await;
    signed(&scene).await;
    let reason = annotation(&scene, "reason").unwrap();
    assert_eq!(reason, "incomplete: its task run pruned no longer exists");
    let event = scene.event("ProvenanceIncomplete").await;
    assert_eq!(event["involvedObject"]["kind"], "PipelineRun", "{event}");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_is_deleted_meanwhile_wakes_its_pipeline_run() {
    let scene = Scene::with(config()).await;
    let uid = start(&scene);
    scene.create(running_child("b", &uid));
    protected(&scene).await;
    end(&scene, &[("TaskRun", "b")]).await;
    let looked = |scene: &Scene| reads_of_children(scene) == 1;
    scene.until("the children were looked at", looked).await;
    let delete = http::Request::delete(format!("{PATH}/taskruns/b")).body(Vec::new());
    scene.client.request_text(delete.unwrap()).await.unwrap();
    signed(&scene).await;
    assert!(annotation(&scene, "reason").unwrap().contains("task run b"));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_run_of_another_pipeline_run_of_that_name_is_not_a_child() {
    let scene = Scene::with(config()).await;
    start(&scene);
    scene.create(child("a", "the-uid-of-an-earlier-run"));
    end(&scene, &[("TaskRun", "a")]).await;
    signed(&scene).await;
    let reason = annotation(&scene, "reason").unwrap();
    let expected = "incomplete: its task run a is not used: another pipeline run controls it";
    assert_eq!(reason, expected);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_run_that_only_has_the_name_and_the_labels_of_a_child_is_none() {
    let scene = Scene::with(config()).await;
    let uid = start(&scene);
    scene.create(child("own", &uid));
    let mut stranger = child("release", &uid);
    stranger["metadata"]["ownerReferences"] = json!([]);
    stranger["status"]["results"] = json!([
        { "name": "IMAGE_URL", "value": "r.io/evil" },
        { "name": "IMAGE_DIGEST", "value": format!("sha256:{}", "ee".repeat(32)) },
    ]);
    scene.create(stranger);
    end(
        &scene,
        &[
            ("TaskRun", "own"),
            ("TaskRun", "release"),
            ("TaskRun", "a/b"),
        ],
    )
    .await;
    signed(&scene).await;
    let reason = annotation(&scene, "reason").unwrap();
    let named = "its task run release is not used: no pipeline run controls it";
    assert!(reason.contains(named), "{reason}");
    assert!(
        reason.contains(r#"its task run "a/b" is not used"#),
        "{reason}"
    );
    let statement = statement(&scene).to_string();
    assert!(!statement.contains("evil"), "{statement}");
    let asked = scene.local.cluster.requests();
    let asked = asked
        .iter()
        .any(|request| request.path.contains("a/b") || request.path.contains("a%2Fb"));
    assert!(!asked);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_children_ends_with_the_last_child_however_many_strangers_bear_the_label() {
    let scene = Scene::with(config()).await;
    let uid = start(&scene);
    scene.create(child("a", &uid));
    for number in 0..600 {
        let mut stranger = task_run(&format!("z-{number}"));
        stranger["metadata"]["labels"] = json!({ "tekton.dev/pipelineRun": "pr" });
        scene.create(stranger);
    }
    assert_eq!(scene.marked("a").await, "true");
    end(&scene, &[("TaskRun", "a")]).await;
    signed(&scene).await;
    assert!(reads_of_children(&scene) > 0);
    let further = |query: &str| query.contains("labelSelector") && query.contains("continue=");
    let requests = scene.local.cluster.requests();
    assert!(!requests.iter().any(|request| further(&request.query)));
    assert_eq!(annotation(&scene, "reason"), None);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn task_runs_that_nobody_will_sign_keep_nobody_waiting() {
    let mut config = config();
    config["artifacts.taskrun.storage"] = json!("");
    let scene = Scene::with(config).await;
    let uid = start(&scene);
    scene.create(child("a", &uid));
    end(&scene, &[("TaskRun", "a")]).await;
    signed(&scene).await;
    assert!(
        !scene
            .annotations("a")
            .contains_key("chains.tekton.dev/signed")
    );
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_was_given_up_counts_as_done() {
    let scene = Scene::with(config()).await;
    let uid = start(&scene);
    let mut given_up = child("a", &uid);
    let record = left_by_chains("a", "failed");
    for part in ["annotations", "managedFields", "creationTimestamp"] {
        given_up["metadata"][part] = record["metadata"][part].clone();
    }
    given_up["status"]["completionTime"] = record["status"]["completionTime"].clone();
    scene.create(given_up);
    end(&scene, &[("TaskRun", "a")]).await;
    signed(&scene).await;
    assert_eq!(annotation(&scene, "reason"), None);
    assert_eq!(scene.annotations("a")["chains.tekton.dev/signed"], "failed");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_pipeline_run_is_protected_until_it_is_recorded() {
    let scene = Scene::with(config()).await;
    start(&scene);
    let finalizers = |scene: &Scene| pipeline_run(scene)["metadata"]["finalizers"].clone();
    let protected = |scene: &Scene| finalizers(scene) == json!(["chains.tekton.dev/pipelinerun"]);
    scene
        .until("the pipeline run is protected", protected)
        .await;
    end(&scene, &[]).await;
    signed(&scene).await;
    assert!(!protected(&scene));
    let counted = |scene: &Scene| scene.local.metrics.pipeline_runs.marked_signed.get() == 1;
    scene.until("it is counted", counted).await;
    assert_eq!(scene.local.metrics.task_runs.marked_signed.get(), 0);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_run_that_waits_long_says_for_whom_and_takes_it_back() {
    let scene = Scene::impatient(config()).await;
    let uid = start(&scene);
    scene.create(running_child("slow", &uid));
    end(&scene, &[("TaskRun", "slow")]).await;
    let told = |scene: &Scene| annotation(scene, "reason").is_some();
    scene.until("a reason is given", told).await;
    let reason = annotation(&scene, "reason").unwrap();
    assert_eq!(reason, "its task run slow is not signed yet");
    scene.event("SigningDelayed").await;
    scene.finish("slow", status()).await;
    signed(&scene).await;
    assert_eq!(annotation(&scene, "reason"), None);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_pipeline_run_stays_until_its_task_runs_and_it_are_signed() {
    let scene = Scene::with(config()).await;
    let uid = start(&scene);
    scene.create(running_child("b", &uid));
    let finalizers = |scene: &Scene| pipeline_run(scene)["metadata"]["finalizers"].clone();
    let protected = |scene: &Scene| finalizers(scene) == json!(["chains.tekton.dev/pipelinerun"]);
    scene
        .until("the pipeline run is protected", protected)
        .await;
    end(&scene, &[("TaskRun", "b")]).await;
    let delete = http::Request::delete(format!("{PATH}/pipelineruns/pr")).body(Vec::new());
    scene.client.request_text(delete.unwrap()).await.unwrap();
    let deleting = |scene: &Scene| !pipeline_run(scene)["metadata"]["deletionTimestamp"].is_null();
    scene.until("its deletion is asked for", deleting).await;
    scene.finish("b", status()).await;
    let gone = |scene: &Scene| pipeline_run(scene).is_null();
    scene.until("the pipeline run is gone", gone).await;
    let counted = |scene: &Scene| scene.local.metrics.pipeline_runs.signatures.get() == 1;
    scene.until("it is counted", counted).await;
    assert_eq!(scene.marked("b").await, "true");
    scene.end().await;
}
