//! Several replicas of the controller: who works on what, and what happens when one goes or Tekton
//! Chains is there.

use std::collections::BTreeSet;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use windlass_sandbox::Gate;

use super::*;
use crate::cluster::runs::RunKind;
use crate::controller::replicas::{Part, Share};
use crate::controller::{self, Mode};
use crate::telemetry::{Health, Metrics};

mod chains;
mod divided;
mod single;

/// Namespaces of the runs, enough for each of a few replicas to have some.
const TEAMS: usize = 16;
/// Longer than a lease lasts.
const LEASE_ENDS: Duration = Duration::from_secs(16);

/// A replica beside that of the scene.
struct Replica {
    metrics: Metrics,
    health: Health,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Replica {
    async fn start(scene: &Scene, options: Options) -> Self {
        let client = dev_cluster::client(&scene.local.cluster).await.unwrap();
        let (metrics, stop) = (Metrics::default(), CancellationToken::new());
        let health = options.health.clone();
        let running = controller::run(client, options, metrics.clone(), stop.clone());
        Self {
            metrics,
            health,
            stop,
            running: tokio::spawn(running),
        }
    }

    /// Ends it as SIGKILL does.
    async fn kill(self) {
        self.running.abort();
        let _ = self.running.await;
    }

    /// Ends it as SIGTERM does.
    async fn end(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }

    fn signed(&self) -> u64 {
        self.metrics.task_runs.marked_signed.get()
    }
}

/// Options of a replica in this pod.
fn in_pod(pod: &str) -> Options {
    let mut options = options();
    options.replication.pod = Some(pod.to_owned());
    options.health = Health::default();
    options
}

/// A cluster with a controller, the key, and the namespaces of all teams.
async fn stage() -> Scene {
    let scene = Scene::with(in_toto()).await;
    for team in 0..TEAMS {
        scene.create(json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": team_name(team) },
        }));
    }
    scene
}

fn team_name(team: usize) -> String {
    format!("team-{team}")
}

fn run_of(team: usize, name: &str) -> Value {
    let mut run = finished(name);
    run["metadata"]["namespace"] = json!(team_name(team));
    run
}

/// The teams that so many replicas leave to the one with this number.
fn teams_of(own: usize, replicas: usize) -> Vec<usize> {
    let name = |number: usize| format!("windlass-replica-{number}");
    let share = Share::among(Part {
        own: name(own),
        replicas: (0..replicas).map(name).collect(),
        divided: BTreeSet::new(),
    });
    let has = |team: &usize| share.has_object(RunKind::Task, &team_name(*team), "");
    let teams: Vec<usize> = (0..TEAMS).filter(has).collect();
    assert!(!teams.is_empty(), "replica {own} has a team");
    teams
}

impl Scene {
    /// Creates a run of this name for each of these teams.
    fn create_for(&self, teams: &[usize], name: &str) {
        for team in teams {
            self.create(run_of(*team, name));
        }
    }

    fn is_signed(&self, team: usize, name: &str) -> bool {
        let kind = "taskruns.tekton.dev";
        let run = self.local.cluster.get(kind, &team_name(team), name);
        run.unwrap_or_default()["metadata"]["annotations"]["chains.tekton.dev/signed"] == "true"
    }

    async fn all_signed(&self, teams: &[usize], name: &str) {
        let all = |scene: &Self| teams.iter().all(|team| scene.is_signed(*team, name));
        self.until(&format!("the runs {name} of {teams:?} are signed"), all)
            .await;
    }

    /// Every replica has seen so many.
    async fn seen(&self, replicas: &[&Replica], count: i64) {
        let all = |scene: &Self| {
            let others = replicas.iter().map(|replica| &replica.metrics);
            let mut all = others.chain([&scene.local.metrics]);
            all.all(|metrics| metrics.replicas.get() == count)
        };
        self.until(&format!("{count} replicas are seen"), all).await;
    }

    fn lease(&self, name: &str) -> Value {
        let kind = "leases.coordination.k8s.io";
        self.local
            .cluster
            .get(kind, SYSTEM, name)
            .unwrap_or_default()
    }

    fn holder(&self, lease: &str) -> String {
        let holder = self.lease(lease)["spec"]["holderIdentity"].clone();
        holder.as_str().unwrap_or_default().to_owned()
    }

    fn signed(&self) -> u64 {
        self.local.metrics.task_runs.marked_signed.get()
    }
}

/// Lets this time pass at once for every timer.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn two_replicas_share_the_namespaces_and_each_run_is_written_once() {
    let scene = stage().await;
    let second = Replica::start(&scene, in_pod("second")).await;
    scene.seen(&[&second], 2).await;
    let all: Vec<usize> = (0..TEAMS).collect();
    scene.local.cluster.clear_requests();
    scene.create_for(&all, "run");
    scene.all_signed(&all, "run").await;
    let counted = |scene: &Scene| scene.signed() + second.signed() == TEAMS as u64;
    scene.until("every run is counted", counted).await;
    assert_eq!(second.signed(), teams_of(1, 2).len() as u64);
    scene.wrote(TEAMS).await;
    second.end().await;
    scene.end().await;
}

#[tokio::test]
async fn a_replica_that_joins_takes_its_share_at_once_and_everybody_says_how_much_it_is() {
    let scene = stage().await;
    let all: Vec<usize> = (0..TEAMS).collect();
    scene.create_for(&all, "before");
    scene.all_signed(&all, "before").await;
    let second = Replica::start(&scene, in_pod("second")).await;
    let third = Replica::start(&scene, in_pod("third")).await;
    scene.seen(&[&second, &third], 3).await;
    let before = scene.signed();
    scene.create_for(&all, "after");
    scene.all_signed(&all, "after").await;
    let counted =
        |scene: &Scene| scene.signed() + second.signed() + third.signed() == 2 * TEAMS as u64;
    scene.until("every run is counted", counted).await;
    assert_eq!(scene.signed() - before, teams_of(0, 3).len() as u64);
    for replica in [&second, &third] {
        assert!((replica.metrics.share.get() - 1.0 / 3.0).abs() < 0.001);
        let details = replica.health.details();
        assert!(
            details.contains("3 seen") && details.contains("33 %"),
            "{details}"
        );
    }
    second.end().await;
    third.end().await;
    scene.end().await;
}

#[tokio::test]
async fn a_watch_asks_for_no_busy_namespace_of_others_and_a_server_that_refuses_that_is_asked_for_all()
 {
    let scene = stage().await;
    let others = teams_of(0, 2);
    scene.create_for(&others, "before");
    scene.all_signed(&others, "before").await;
    let asked = |scene: &Scene| {
        let requests = scene.local.cluster.requests();
        let watches = requests.iter().filter(|request| {
            request.path.ends_with("/taskruns") && request.query.contains("shardSelector=")
        });
        watches.count()
    };
    assert_eq!(asked(&scene), 0, "there are no others");
    scene.local.cluster.fail(Fault {
        query_contains: "shardSelector=".to_owned(),
        times: usize::MAX,
        answer: FaultAnswer::Status(500.into()),
        ..Fault::default()
    });
    let second = Replica::start(&scene, in_pod("second")).await;
    scene.seen(&[&second], 2).await;
    scene
        .until("its watch is selective", |scene| asked(scene) > 0)
        .await;
    let own = teams_of(1, 2);
    scene.create_for(&own, "after");
    scene.all_signed(&own, "after").await;
    second.end().await;
    scene.end().await;
}

#[tokio::test]
async fn what_a_killed_replica_left_is_signed_once_its_lease_has_ended_and_not_before() {
    let scene = stage().await;
    let second = Replica::start(&scene, in_pod("second")).await;
    scene.seen(&[&second], 2).await;
    let (left, kept) = (teams_of(1, 2), teams_of(0, 2));
    second.kill().await;
    scene.create_for(&left, "left");
    scene.create_for(&kept, "kept");
    scene.all_signed(&kept, "kept").await;
    assert!(!left.iter().any(|team| scene.is_signed(*team, "left")));
    pass(LEASE_ENDS).await;
    scene.all_signed(&left, "left").await;
    scene.seen(&[], 1).await;
    scene.wrote(TEAMS).await;
    scene.end().await;
}

#[tokio::test]
async fn a_replica_that_is_killed_in_the_middle_of_a_pass_leaves_one_signature() {
    let scene = stage().await;
    let second = Replica::start(&scene, in_pod("second")).await;
    scene.seen(&[&second], 2).await;
    let left = teams_of(1, 2)[0];
    let gate = Gate::new();
    let pause = FaultAnswer::PauseAfterwards(gate.clone());
    scene.local.cluster.fail(failing("PATCH", pause, 1));
    scene.create_for(&[left], "run");
    let reached = tokio::time::timeout(PATIENCE, gate.reached(1)).await;
    reached.expect("the record is written, and nobody knows");
    second.kill().await;
    gate.release();
    pass(LEASE_ENDS).await;
    scene.seen(&[], 1).await;
    scene.settled_after_that("last").await;
    assert!(scene.is_signed(left, "run"));
    // the mark is seen before it is counted
    scene
        .until("the last one is counted", |scene| scene.signed() > 0)
        .await;
    assert_eq!(scene.signed(), 1, "the one that came last");
    scene.end().await;
}

#[tokio::test]
async fn a_replica_that_is_asked_to_stop_ends_its_passes_and_gives_its_share_up_at_once() {
    let scene = stage().await;
    let second = Replica::start(&scene, in_pod("second")).await;
    scene.seen(&[&second], 2).await;
    let team = teams_of(1, 2)[0];
    let gate = Gate::new();
    let pause = FaultAnswer::Pause(gate.clone());
    scene.local.cluster.fail(failing("PATCH", pause, 1));
    scene.create_for(&[team], "under-way");
    let reached = tokio::time::timeout(PATIENCE, gate.reached(1)).await;
    reached.expect("a pass is under way");
    second.stop.cancel();
    scene.create_for(&[team], "after");
    gate.release();
    let signed = second.metrics.clone();
    let began = std::time::Instant::now();
    second.end().await;
    assert!(scene.is_signed(team, "under-way"));
    assert_eq!(signed.task_runs.marked_signed.get(), 1);
    assert_eq!(scene.holder("windlass-replica-1"), "");
    scene.all_signed(&[team], "after").await;
    assert!(
        began.elapsed() < LEASE_ENDS,
        "nobody waited for the lease to end"
    );
    scene.end().await;
}

#[tokio::test]
async fn a_pod_whose_container_starts_again_has_its_share_without_waiting() {
    let mut scene = stage().await;
    let second = Replica::start(&scene, in_pod("second")).await;
    scene.seen(&[&second], 2).await;
    let began = std::time::Instant::now();
    scene.local.kill_and_start_controller().await.unwrap();
    let own = teams_of(0, 2);
    scene.create_for(&own, "again");
    scene.all_signed(&own, "again").await;
    assert!(began.elapsed() < LEASE_ENDS);
    assert_eq!(second.signed(), 0);
    assert_eq!(
        scene.lease("windlass-replica-2"),
        Value::Null,
        "leases are used again"
    );
    second.end().await;
    scene.end().await;
}

#[tokio::test]
async fn a_pipeline_run_and_its_task_runs_are_signed_by_one_replica() {
    let scene = stage().await;
    let second = Replica::start(&scene, in_pod("second")).await;
    scene.seen(&[&second], 2).await;
    let team = teams_of(1, 2)[0];
    let (namespace, before) = (team_name(team), scene.signed());
    let child = run_of(team, "child");
    let mut parent = finished("parent");
    parent["kind"] = json!("PipelineRun");
    parent["metadata"]["namespace"] = json!(namespace);
    parent["spec"] = json!({ "pipelineRef": { "name": "p" } });
    parent["status"]["childReferences"] = json!([{
        "apiVersion": "tekton.dev/v1", "kind": "TaskRun", "name": "child", "pipelineTaskName": "t",
    }]);
    for field in ["steps", "podName", "taskSpec", "results"] {
        parent["status"].as_object_mut().unwrap().remove(field);
    }
    let parent = scene.create(parent);
    let mut child = child;
    child["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "name": "parent",
        "uid": parent["metadata"]["uid"], "controller": true,
    }]);
    scene.create(child);
    let metrics = second.metrics.clone();
    let both = |_: &Scene| {
        metrics.pipeline_runs.marked_signed.get() == 1 && metrics.task_runs.marked_signed.get() == 1
    };
    scene.until("one replica has signed both", both).await;
    assert_eq!(scene.signed(), before);
    assert_eq!(scene.local.metrics.pipeline_runs.marked_signed.get(), 0);
    second.end().await;
    scene.end().await;
}

#[tokio::test]
async fn ordinals_give_fixed_shares_that_nobody_takes_over() {
    let mut scene = Scene::without_key().await;
    scene.local.stop_controller().await.unwrap();
    scene.configure(in_toto()).await;
    scene.add_key();
    for team in 0..TEAMS {
        scene.create(json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": team_name(team) },
        }));
    }
    scene.create(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "config-leader-election-chains-controller", "namespace": SYSTEM },
        "data": { "buckets": "2" },
    }));
    let replica = async |ordinal: u32| {
        let mut options = in_pod(&format!("chains-{ordinal}"));
        options.replication.mode = Mode::Ordinal(ordinal);
        Replica::start(&scene, options).await
    };
    let (first, second) = (replica(0).await, replica(1).await);
    let all: Vec<usize> = (0..TEAMS).collect();
    scene.create_for(&all, "run");
    scene.all_signed(&all, "run").await;
    let counted = |_: &Scene| first.signed() + second.signed() == TEAMS as u64;
    scene.until("every run is counted", counted).await;
    assert!(first.signed() > 0 && second.signed() > 0);
    assert_eq!(scene.lease("windlass-replica-1"), Value::Null);
    second.kill().await;
    pass(LEASE_ENDS).await;
    let before = first.signed();
    scene.create_for(&all, "again");
    let own = |_: &Scene| first.signed() == 2 * before;
    scene.until("the first has signed its part", own).await;
    let signed = all.iter().filter(|team| scene.is_signed(**team, "again"));
    assert_eq!(signed.count() as u64, before);
    // the pod starts again
    let second = replica(1).await;
    scene.all_signed(&all, "again").await;
    // and one for which there is no bucket does nothing
    let third = replica(2).await;
    scene
        .until("it has listed", |_| third.health.not_ready().is_none())
        .await;
    assert!(third.metrics.share.get() < f64::EPSILON);
    for replica in [first, second, third] {
        replica.end().await;
    }
    scene.local.cluster.shutdown().await;
}
