//! A namespace with most of the backlog.

use super::*;

/// Runs of one namespace, more than anybody divides a namespace for.
const RUNS: usize = 520;

#[tokio::test]
async fn the_task_runs_of_a_namespace_with_most_of_the_backlog_are_divided_among_all() {
    let scene = stage().await;
    let second = Replica::start(&scene, in_pod("second")).await;
    scene.seen(&[&second], 2).await;
    let team = teams_of(1, 2)[0];
    let gate = Gate::new();
    let pause = FaultAnswer::Pause(gate.clone());
    scene
        .local
        .cluster
        .fail(failing("PATCH", pause, usize::MAX));
    for number in 0..RUNS {
        scene.create(run_of(team, &format!("run-{number}")));
    }
    let divides = |scene: &Scene| {
        let lease = scene.lease("windlass-replica-1");
        lease["metadata"]["annotations"]["chains.tekton.dev/divides"] == team_name(team)
    };
    scene.until("the namespace is divided", divides).await;
    let queued = |scene: &Scene| scene.local.metrics.queued.get() > 150;
    scene.until("the other one has its part", queued).await;
    assert!(second.health.details().contains(&team_name(team)));
    gate.release();
    let all = |scene: &Scene| scene.signed() + second.signed() == RUNS as u64;
    scene.until("all are signed", all).await;
    let shares = [scene.signed(), second.signed()];
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
    let whole = |scene: &Scene| {
        let lease = scene.lease("windlass-replica-1");
        lease["metadata"]["annotations"]["chains.tekton.dev/divides"] == ""
    };
    scene.until("the namespace is whole again", whole).await;
    let before = second.signed();
    scene.create_for(&[team], "later");
    scene.all_signed(&[team], "later").await;
    scene
        .until("its replica signed it", |_| second.signed() == before + 1)
        .await;
    second.end().await;
    scene.end().await;
}
