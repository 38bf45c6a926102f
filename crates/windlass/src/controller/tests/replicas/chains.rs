//! Tekton Chains beside windlass: only one of them signs.

use super::*;

/// The leases of Chains with one bucket.
const LEASES: [&str; 2] = [
    "watcher.github.com.tektoncd.chains.pkg.reconciler.taskrun.reconciler.00-of-01",
    "watcher.github.com.tektoncd.chains.pkg.reconciler.pipelinerun.reconciler.00-of-01",
];
const CHAINS: &str = "tekton-chains-controller-7d4_3f2c";

fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string()
}

/// What Chains writes when it renews a lease.
fn renewed() -> Value {
    json!({ "spec": {
        "holderIdentity": CHAINS, "leaseDurationSeconds": 60, "renewTime": now(),
    }})
}

impl Scene {
    /// Chains takes a lease, as it does when it starts and windlass is not there.
    async fn taken_by_chains(&self, lease: &str) {
        let uri = format!("/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/{lease}");
        self.patch(&uri, renewed()).await;
    }

    async fn given_up_by_chains(&self, lease: &str) {
        let uri = format!("/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/{lease}");
        let spec = json!({ "holderIdentity": null, "leaseDurationSeconds": 1, "renewTime": now() });
        self.patch(&uri, json!({ "spec": spec })).await;
    }

    /// The only reason not to be ready is that Chains is there: the first lists are in.
    async fn is_stopped(&self, replica: &Replica) {
        let health = replica.health.clone();
        self.until("Chains is the only reason", |_| {
            let reason = health.not_ready().unwrap_or_default();
            reason.contains(CHAINS) && reason.lines().count() == 1
        })
        .await;
    }

    async fn is_ready(&self, replica: &Replica) {
        let health = replica.health.clone();
        self.until("it is ready", |_| health.not_ready().is_none())
            .await;
    }
}

/// A cluster whose controller has ended, and with it the leases of Chains that it held.
async fn swap() -> Scene {
    let mut scene = stage().await;
    scene.local.stop_controller().await.unwrap();
    for lease in LEASES {
        assert_eq!(scene.holder(lease), "", "it is given up at the end");
    }
    scene.local.cluster.clear_requests();
    scene
}

#[tokio::test]
async fn while_chains_holds_a_lease_nothing_is_signed_and_all_is_once_it_gives_it_up() {
    for lease in LEASES {
        let scene = swap().await;
        scene.taken_by_chains(lease).await;
        scene.create_for(&[1, 2], "early");
        let replica = Replica::start(&scene, in_pod("new")).await;
        scene.is_stopped(&replica).await;
        let event = scene.event("SigningPaused").await;
        assert_eq!(event["involvedObject"]["name"], lease);
        assert!(
            event["message"]
                .as_str()
                .unwrap()
                .contains("scale Chains down")
        );
        assert!(replica.health.details().contains("signs nothing"));
        assert_eq!(scene.holder(lease), CHAINS);
        assert_eq!(scene.run_requests("PATCH"), 0);
        scene.given_up_by_chains(lease).await;
        scene.all_signed(&[1, 2], "early").await;
        scene.is_ready(&replica).await;
        scene
            .until("windlass holds it", |scene| {
                scene.holder(lease).starts_with("windlass/new_")
            })
            .await;
        replica.end().await;
        scene.local.cluster.shutdown().await;
    }
}

#[tokio::test]
async fn a_chains_that_was_killed_is_waited_for_as_long_as_its_lease_lasts() {
    let scene = swap().await;
    scene.taken_by_chains(LEASES[0]).await;
    scene.create_for(&[1], "early");
    let replica = Replica::start(&scene, in_pod("new")).await;
    scene.is_stopped(&replica).await;
    // a renewal begins its time anew
    scene.taken_by_chains(LEASES[0]).await;
    let looks = |scene: &Scene| scene.local.cluster.count("GET", LEASES[0]);
    let before = looks(&scene);
    pass(Duration::from_secs(3)).await;
    scene
        .until("the renewal is seen", |scene| looks(scene) > before)
        .await;
    pass(Duration::from_secs(20)).await;
    let before = looks(&scene);
    scene
        .until("it was looked at again", |scene| looks(scene) > before + 1)
        .await;
    scene.is_stopped(&replica).await;
    assert_eq!(scene.run_requests("PATCH"), 0);
    pass(Duration::from_secs(60)).await;
    scene.all_signed(&[1], "early").await;
    replica.end().await;
    scene.local.cluster.shutdown().await;
}

#[tokio::test]
async fn a_lease_that_chains_left_an_hour_ago_keeps_nobody_waiting() {
    let scene = swap().await;
    let uri = format!(
        "/apis/coordination.k8s.io/v1/namespaces/{SYSTEM}/leases/{}",
        LEASES[0]
    );
    let mut old = renewed();
    old["spec"]["renewTime"] = json!("2026-11-23T10:00:00.000000Z");
    scene.patch(&uri, old).await;
    let replica = Replica::start(&scene, in_pod("new")).await;
    scene.create_for(&[1], "run");
    scene.all_signed(&[1], "run").await;
    let events = scene.local.cluster.list("events");
    assert!(
        !events
            .iter()
            .any(|event| event["reason"] == "SigningPaused")
    );
    replica.end().await;
    scene.local.cluster.shutdown().await;
}

#[tokio::test]
async fn a_chains_that_takes_the_lease_while_windlass_runs_stops_every_replica() {
    let scene = stage().await;
    let second = Replica::start(&scene, in_pod("second")).await;
    scene.seen(&[&second], 2).await;
    scene.taken_by_chains(LEASES[1]).await;
    pass(Duration::from_secs(11)).await;
    scene.is_stopped(&second).await;
    let stopped = |scene: &Scene| scene.local.metrics.share.get() < f64::EPSILON;
    scene.until("the other one has stopped too", stopped).await;
    scene.local.cluster.clear_requests();
    let all: Vec<usize> = (0..TEAMS).collect();
    scene.create_for(&all, "held");
    scene.given_up_by_chains(LEASES[1]).await;
    scene.all_signed(&all, "held").await;
    second.end().await;
    scene.end().await;
}

#[tokio::test]
async fn the_leases_of_chains_go_from_one_replica_to_the_next_and_never_to_nobody() {
    let mut scene = stage().await;
    let second = Replica::start(&scene, in_pod("second")).await;
    scene.seen(&[&second], 2).await;
    for lease in LEASES {
        assert!(scene.holder(lease).starts_with("windlass/first_"));
    }
    scene.local.stop_controller().await.unwrap();
    for lease in LEASES {
        let next = |scene: &Scene| {
            let holder = scene.holder(lease);
            assert_ne!(holder, "");
            holder.starts_with("windlass/second_")
        };
        scene.until("the other one has it", next).await;
    }
    second.end().await;
    for lease in LEASES {
        assert_eq!(scene.holder(lease), "", "nobody is left");
    }
    scene.local.cluster.shutdown().await;
}
