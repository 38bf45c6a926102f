//! Marks: whose are believed, and whose are not.

use windlass_core::annotation::{SEAL, SIGNED};
use windlass_core::run::Run;
use windlass_core::seal;
use windlass_sandbox::Gate;

use super::*;

const LEASE: &str = "/leases";
const OTHER_KEY: &str =
    include_str!("../../../../core/tests/fixtures/keys/cosign2-p256/cosign.key");
const OTHER_PASSWORD: &str =
    include_str!("../../../../core/tests/fixtures/keys/cosign2-p256/cosign.password");

/// A finished run that somebody marked.
fn marked_by(manager: &str, name: &str, mark: &str) -> Value {
    let mut run = finished(name);
    run["metadata"]["annotations"] = json!({ SIGNED: mark });
    run["metadata"]["managedFields"] = json!([{
        "manager": manager,
        "operation": "Apply",
        "apiVersion": "tekton.dev/v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": { "f:metadata": { "f:annotations": { (format!("f:{SIGNED}")): {} } } },
    }]);
    run
}

/// A run as Tekton Chains left it before this cluster was taken over.
pub(super) fn left_by_chains(name: &str, mark: &str) -> Value {
    let mut run = marked_by("tekton-chains-controller", name, mark);
    date_back(&mut run);
    run
}

/// Moves a run to a time before the takeover.
fn date_back(run: &mut Value) {
    run["metadata"]["creationTimestamp"] = json!("2020-01-01T00:00:00Z");
    run["status"]["startTime"] = json!("2020-01-01T00:00:00Z");
    run["status"]["completionTime"] = json!("2020-01-01T00:01:00Z");
}

fn is_sealed(scene: &Scene, name: &str) -> bool {
    let run = scene.run(name).to_string();
    let key = PublicKey::from_pem(PUBLIC.as_bytes()).unwrap();
    Run::parse(run.as_bytes())
        .is_ok_and(|run| seal::verify(run.kind(), run.metadata(), [&key]).is_ok())
}

async fn sealed(scene: &Scene, name: &str) {
    scene
        .until(&format!("{name} is sealed"), |scene| is_sealed(scene, name))
        .await;
}

/// Signs one more run, after which everything before it was looked at; gives how many runs have been
/// written.
async fn writes_up_to(scene: &Scene, name: &str) -> usize {
    scene.create(finished(name));
    sealed(scene, name).await;
    let counted = |scene: &Scene| scene.local.metrics.task_runs.marked_signed.get() >= 1;
    scene.until("it is counted", counted).await;
    scene.wrote_at_least(1).await;
    scene.run_requests("PATCH")
}

#[tokio::test]
async fn the_mark_of_a_run_is_sealed_whatever_the_outcome() {
    let scene = Scene::with(in_toto()).await;
    scene.create(finished("done"));
    sealed(&scene, "done").await;
    let mut odd = finished("odd");
    odd["status"]["steps"] = json!("three");
    scene.create(odd);
    assert_eq!(scene.marked("odd").await, "failed");
    let annotations = scene.annotations("odd");
    assert!(annotations.contains_key(SEAL), "{annotations:?}");
    assert_eq!(writes_up_to(&scene, "last").await, 3);
    scene.end().await;
}

/// Waits until the takeover is dated, and starts the controller again, which then knows the date.
async fn taken_over(scene: &mut Scene) {
    scene
        .until("the takeover is dated", |scene| lease(scene).is_some())
        .await;
    scene.local.kill_and_start_controller().await.unwrap();
    scene.local.cluster.clear_requests();
}

fn lease(scene: &Scene) -> Option<Value> {
    scene
        .local
        .cluster
        .get("leases.coordination.k8s.io", SYSTEM, "windlass")
}

#[tokio::test]
async fn the_takeover_is_dated_when_the_first_key_is_loaded() {
    let scene = Scene::without_key().await;
    scene.configure(in_toto()).await;
    let by_chains = marked_by("tekton-chains-controller", "chains", "true");
    scene.create(by_chains);
    scene.create(finished("early"));
    // it was looked at after the other
    scene.reason("early").await;
    assert!(lease(&scene).is_none());
    scene.add_key();
    sealed(&scene, "early").await;
    scene
        .until("the takeover is dated", |scene| lease(scene).is_some())
        .await;
    assert!(!scene.annotations("chains").contains_key(SEAL));
    scene.end().await;
}

#[tokio::test]
async fn a_mark_that_its_author_gave_a_run_does_not_evade_signing() {
    let mut scene = Scene::with(in_toto()).await;
    taken_over(&mut scene).await;
    for (name, mark) in [("a", "true"), ("b", "failed")] {
        let mut run = finished(name);
        run["metadata"]["annotations"] = json!({
            SIGNED: mark, SEAL: "SHA256:x MEUC", "chains.tekton.dev/retries": "3",
        });
        scene.create(run);
        // the author may also write the fields of another program
        scene.create(marked_by(
            "tekton-chains-controller",
            &format!("{name}2"),
            mark,
        ));
        let mut old = marked_by("kubectl-create", &format!("{name}3"), mark);
        date_back(&mut old);
        scene.create(old);
    }
    for name in ["a", "b", "a2", "b2", "a3", "b3"] {
        sealed(&scene, name).await;
        assert_eq!(scene.annotations(name)[SIGNED], "true", "{name}");
        verified_statement(&scene, name);
    }
    scene.end().await;
}

#[tokio::test]
async fn the_seal_of_another_run_is_no_seal_of_this_one() {
    let scene = Scene::with(in_toto()).await;
    scene.create(finished("good"));
    sealed(&scene, "good").await;
    let mut copy = finished("copy");
    copy["metadata"]["annotations"] = scene.run("good")["metadata"]["annotations"].clone();
    scene.create(copy);
    sealed(&scene, "copy").await;
    verified_statement(&scene, "copy");
    scene.end().await;
}

#[tokio::test]
async fn a_mark_that_is_set_while_the_run_is_signed_does_not_evade_signing() {
    let scene = Scene::with(in_toto()).await;
    let gate = Gate::new();
    scene
        .local
        .cluster
        .fail(failing("PATCH", FaultAnswer::Pause(gate.clone()), 1));
    scene.create(finished("busy"));
    let reached = tokio::time::timeout(PATIENCE, gate.reached(1)).await;
    assert!(reached.is_ok(), "the record is under way");
    let uri = "/apis/tekton.dev/v1/namespaces/default/taskruns/busy";
    let mark = json!({ "metadata": { "annotations": { SIGNED: "true" } } });
    scene.patch(uri, mark).await;
    gate.release();
    sealed(&scene, "busy").await;
    verified_statement(&scene, "busy");
    scene.end().await;
}

#[tokio::test]
async fn a_mark_without_evidence_is_taken_off_a_run_that_cannot_be_signed_yet() {
    let scene = Scene::without_key().await;
    scene.configure(in_toto()).await;
    let mut run = finished("early");
    run["metadata"]["annotations"] = json!({ SIGNED: "true" });
    scene.create(run);
    scene.reason("early").await;
    assert!(!scene.annotations("early").contains_key(SIGNED));
    scene.add_key();
    sealed(&scene, "early").await;
    scene.end().await;
}

#[tokio::test]
async fn runs_that_chains_signed_are_not_signed_again_at_a_takeover() {
    let scene = Scene::with(in_toto()).await;
    for number in 0..300 {
        let mark = if number % 3 == 0 { "failed" } else { "true" };
        scene.create(left_by_chains(&format!("old-{number}"), mark));
    }
    assert_eq!(writes_up_to(&scene, "new").await, 1);
    assert_eq!(scene.run_requests("GET"), 0);
    scene.end().await;
}

/// Replaces the key, and waits until it is the one that signs.
async fn rotate(scene: &Scene) {
    let loaded = scene.local.metrics.keys_loaded.get();
    let data = json!({
        "cosign.key": STANDARD.encode(OTHER_KEY),
        "cosign.password": STANDARD.encode(OTHER_PASSWORD),
        "cosign.pub": null,
    });
    let uri = format!("/api/v1/namespaces/{SYSTEM}/secrets/signing-secrets");
    scene.patch(&uri, json!({ "data": data })).await;
    scene
        .until("the other key is loaded", |scene| {
            scene.local.metrics.keys_loaded.get() > loaded
        })
        .await;
}

#[tokio::test]
async fn marks_sealed_with_a_retired_key_stay_believed_after_a_restart() {
    let mut scene = Scene::with(in_toto()).await;
    scene.create(finished("before"));
    sealed(&scene, "before").await;
    let keys = |scene: &Scene| {
        let lease = scene
            .local
            .cluster
            .get("leases.coordination.k8s.io", SYSTEM, "windlass");
        let lease = lease.unwrap_or_default();
        let keys = lease["metadata"]["annotations"]["chains.tekton.dev/keys"].clone();
        keys.as_str()
            .unwrap_or_default()
            .matches("BEGIN PUBLIC KEY")
            .count()
    };
    scene
        .until("the key is kept", |scene| keys(scene) == 1)
        .await;
    rotate(&scene).await;
    scene
        .until("both keys are kept", |scene| keys(scene) == 2)
        .await;
    scene.local.kill_and_start_controller().await.unwrap();
    scene.local.cluster.clear_requests();
    scene.create(finished("after"));
    scene
        .until("the new run is signed", |scene| {
            scene.local.metrics.task_runs.marked_signed.get() == 1
        })
        .await;
    assert!(is_sealed(&scene, "before"), "it was not signed again");
    assert!(!is_sealed(&scene, "after"), "the other key sealed it");
    scene.wrote(1).await;
    scene.end().await;
}

#[tokio::test]
async fn without_a_lease_only_seals_are_believed_and_that_is_no_reason_to_stop() {
    let mut scene = Scene::with(in_toto()).await;
    scene.create(finished("before"));
    sealed(&scene, "before").await;
    scene.local.cluster.fail(Fault {
        path_contains: LEASE.to_owned(),
        times: usize::MAX,
        answer: FaultAnswer::Status(403.into()),
        ..Fault::default()
    });
    scene.local.cluster.clear_requests();
    scene.local.kill_and_start_controller().await.unwrap();
    scene.create(left_by_chains("old", "true"));
    sealed(&scene, "old").await;
    scene.wrote(1).await;
    scene.end().await;
}

#[tokio::test]
async fn a_lease_that_cannot_be_read_for_a_while_is_waited_for() {
    let mut scene = Scene::with(in_toto()).await;
    scene.local.cluster.fail(Fault {
        path_contains: LEASE.to_owned(),
        // this one is asked for among others
        times: 8,
        answer: FaultAnswer::Status(503.into()),
        ..Fault::default()
    });
    scene.local.kill_and_start_controller().await.unwrap();
    scene.local.cluster.clear_requests();
    scene.create(left_by_chains("old", "true"));
    assert_eq!(writes_up_to(&scene, "new").await, 1);
    scene.end().await;
}
