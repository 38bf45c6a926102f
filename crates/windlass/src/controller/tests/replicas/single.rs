//! A replica that is alone: what the others that could be there cost it.

use super::*;
use crate::telemetry::recorded::{EVERYTHING, Log};

/// Writes of leases by windlass.
fn lease_writes(scene: &Scene) -> usize {
    let cluster = &scene.local.cluster;
    ["PUT", "POST", "PATCH"]
        .map(|method| cluster.count(method, "/leases"))
        .iter()
        .sum()
}

#[tokio::test]
async fn a_single_replica_signs_before_its_lease_is_written_and_writes_none_for_a_run() {
    let mut scene = Scene::with(in_toto()).await;
    scene.local.stop_controller().await.unwrap();
    let gate = Gate::new();
    scene.local.cluster.fail(Fault {
        method: Some("PUT".to_owned()),
        path_contains: "/leases/windlass-replica-0".to_owned(),
        times: 1,
        answer: FaultAnswer::Pause(gate.clone()),
        ..Fault::default()
    });
    let alone = Replica::start(&scene, in_pod("alone")).await;
    scene.create(finished("first"));
    assert_eq!(scene.marked("first").await, "true");
    gate.release();
    let held = |scene: &Scene| {
        scene
            .holder("windlass-replica-0")
            .starts_with("windlass/alone_")
    };
    scene.until("the lease is held", held).await;
    let count = |scene: &Scene| lease_writes(scene);
    let before = count(&scene);
    for number in 0..50 {
        scene.create(finished(&format!("run-{number}")));
    }
    let all = |_: &Scene| alone.signed() == 51;
    scene.until("all are signed", all).await;
    // three leases, each of which may just have been renewed
    assert!(
        count(&scene) - before <= 6,
        "{} writes",
        count(&scene) - before
    );
    alone.end().await;
    scene.local.cluster.shutdown().await;
}

#[tokio::test]
async fn a_role_without_leases_leaves_the_controller_alone_with_one_warning_that_names_the_rule() {
    let log = Log::default();
    let _logging = log.record(EVERYTHING);
    let mut scene = Scene::with(in_toto()).await;
    scene.local.stop_controller().await.unwrap();
    scene.local.cluster.fail(Fault {
        path_contains: "/leases".to_owned(),
        times: usize::MAX,
        answer: FaultAnswer::Status(403.into()),
        ..Fault::default()
    });
    let alone = Replica::start(&scene, in_pod("alone")).await;
    scene.create(finished("run"));
    assert_eq!(scene.marked("run").await, "true");
    assert!(
        alone.health.not_ready().is_none(),
        "{:?}",
        alone.health.not_ready()
    );
    let rule = "allow get, list, watch, create and update of leases (coordination.k8s.io) in \
                namespace tekton-chains";
    let text = || log.text();
    let said = |_: &Scene| text().matches(rule).count() == 2;
    scene.until("both parts say so, once each", said).await;
    assert!(text().contains("this replica works alone"), "{}", text());
    alone.end().await;
    scene.local.cluster.shutdown().await;
}

#[tokio::test]
async fn without_high_availability_no_lease_of_a_replica_or_of_chains_is_looked_at() {
    let mut options = options();
    options.replication.mode = Mode::Alone;
    let scene = Scene::with_options(options).await;
    scene.configure(in_toto()).await;
    scene.add_key();
    scene.create(finished("run"));
    assert_eq!(scene.marked("run").await, "true");
    let requests = scene.local.cluster.requests();
    let leases = requests
        .iter()
        .filter(|request| request.path.contains("/leases"));
    let of_replicas = leases.filter(|request| !request.path.ends_with("/windlass"));
    let paths: Vec<&str> = of_replicas.map(|request| request.path.as_str()).collect();
    assert_eq!(
        paths,
        ["/apis/coordination.k8s.io/v1/namespaces/tekton-chains/leases"]
    );
    let creation = requests
        .iter()
        .find(|request| request.path.ends_with("/leases"));
    // the one that keeps the history
    assert_eq!(creation.unwrap().method, "POST");
    scene.end().await;
}
