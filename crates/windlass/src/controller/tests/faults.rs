//! What happens when the API server does not do as it is asked.

use super::*;

#[tokio::test]
async fn a_refused_write_is_tried_again() {
    let scene = Scene::with(in_toto()).await;
    scene
        .local
        .cluster
        .fail(failing("PATCH", FaultAnswer::Status(500.into()), 2));
    scene.create(finished("done"));
    assert_eq!(scene.marked("done").await, "true");
    scene.end().await;
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_not_done_twice() {
    let mut scene = Scene::with(in_toto()).await;
    scene.local.cluster.fail(failing(
        "PATCH",
        FaultAnswer::StatusAfterwards(503.into()),
        1,
    ));
    scene.create(finished("done"));
    assert_eq!(scene.marked("done").await, "true");
    let version = scene.run("done")["metadata"]["resourceVersion"].clone();
    scene
        .until("the run was looked at again", |scene| {
            scene.run_requests("GET") == 1
        })
        .await;
    // whatever follows that look is finished before the controller stops
    scene.local.stop_controller().await.unwrap();
    let mut requests = scene.local.cluster.requests().into_iter();
    let took_effect =
        requests.any(|request| request.is("PATCH", "/taskruns/") && request.status == 200);
    assert!(!took_effect, "the one write that did lost its response");
    assert_eq!(scene.run("done")["metadata"]["resourceVersion"], version);
}

#[tokio::test]
async fn a_conflict_is_settled_by_reading_the_run_once() {
    let scene = Scene::with(in_toto()).await;
    scene
        .local
        .cluster
        .fail(failing("PATCH", FaultAnswer::Status(409.into()), 1));
    scene.create(finished("done"));
    assert_eq!(scene.marked("done").await, "true");
    assert_eq!(scene.run_requests("GET"), 1);
    scene.end().await;
}

#[tokio::test]
async fn a_lost_watch_loses_no_run() {
    let scene = Scene::with(in_toto()).await;
    scene.create(finished("first"));
    scene.marked("first").await;
    let lost = Fault {
        path_contains: "/taskruns".to_owned(),
        query_contains: "watch=true".to_owned(),
        times: 3,
        answer: FaultAnswer::Status(500.into()),
        ..Fault::default()
    };
    scene.local.cluster.fail(lost);
    scene.local.cluster.compact();
    for index in 0..20 {
        scene.create(finished(&format!("run-{index}")));
    }
    scene
        .until("all are signed", |scene| {
            scene.local.metrics.task_runs.marked_signed.get() == 21
        })
        .await;
    scene.end().await;
}

#[tokio::test]
async fn a_run_deleted_meanwhile_is_forgotten() {
    let scene = Scene::with(in_toto()).await;
    scene
        .local
        .cluster
        .fail(failing("PATCH", FaultAnswer::Status(404.into()), 1));
    scene.create(finished("gone"));
    scene
        .until("the write was tried", |scene| {
            scene.run_requests("PATCH") == 1
        })
        .await;
    scene.create(finished("next"));
    assert_eq!(scene.marked("next").await, "true");
    assert_eq!(scene.local.metrics.waiting.get(), 0);
    scene.end().await;
}
