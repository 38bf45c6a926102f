//! Somebody else undoes what the controller writes, as often as it does.

use super::*;

const RUN: &str = "/apis/tekton.dev/v1/namespaces/default/taskruns/app";
const TASKRUN: &str = "chains.tekton.dev/taskrun";
/// Runs that are signed while the two disagree.
const OTHERS: usize = 20;

/// Writes the run back whenever this is true of it, until it is dropped, and counts.
struct Opponent {
    writes: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    _task: tokio_util::task::AbortOnDropHandle<()>,
}

impl Opponent {
    fn start(scene: &Scene, patch: Value, undoes: fn(&Value) -> bool) -> Self {
        let writes = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
        let (count, client) = (writes.clone(), scene.client.clone());
        let task = tokio::spawn(async move {
            loop {
                let read = Call::get("read".to_owned(), RUN.to_owned());
                let run = read.send(&client).await.unwrap();
                let run: Value = serde_json::from_slice(&run).unwrap();
                if undoes(&run) {
                    let body = patch.to_string().into_bytes();
                    let call = Call::patch("undo".to_owned(), RUN.to_owned(), MERGE_PATCH, body);
                    call.send(&client).await.unwrap();
                    count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            }
        });
        Self {
            writes,
            _task: tokio_util::task::AbortOnDropHandle::new(task),
        }
    }

    fn writes(&self) -> usize {
        self.writes.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// Writes of the controller to the run, those of the opponent left out.
fn our_writes(scene: &Scene, opponent: &Opponent) -> usize {
    let requests = scene.local.cluster.requests();
    let all = requests
        .iter()
        .filter(|request| request.method == "PATCH" && request.path == RUN);
    all.count().saturating_sub(opponent.writes())
}

/// Signs other runs meanwhile: what the controller is told of the run before that, it has taken in.
async fn sign_others(scene: &Scene) {
    for number in 0..OTHERS {
        let name = format!("other-{number}");
        scene.create(finished(&name));
        assert_eq!(scene.marked(&name).await, "true");
    }
}

#[tokio::test]
async fn a_finalizer_that_another_controller_puts_back_is_taken_off_once() {
    let scene = Scene::with(in_toto()).await;
    let mut run = finished("app");
    run["metadata"]["finalizers"] = json!([TASKRUN]);
    scene.create(run);
    // as Tekton Chains does with every run it sees
    let back = json!({ "metadata": { "finalizers": [TASKRUN] } });
    let opponent = Opponent::start(&scene, back, |run| run["metadata"]["finalizers"].is_null());
    assert_eq!(scene.marked("app").await, "true");
    let is_back = |_: &Scene| opponent.writes() >= 1;
    scene.until("the finalizer is back", is_back).await;
    sign_others(&scene).await;
    assert!(opponent.writes() <= 2, "{}", opponent.writes());
    let ours = our_writes(&scene, &opponent);
    assert!(ours <= 2, "{ours}");
    drop(opponent);
    // deleted, the run does not wait for the other one
    let request = http::Request::delete(RUN).body(Vec::new()).unwrap();
    scene.client.request_text(request).await.unwrap();
    scene
        .until("the run is gone", |scene| scene.run("app").is_null())
        .await;
    scene.end().await;
}

#[tokio::test]
async fn a_user_who_keeps_marking_a_running_run_makes_it_be_written_a_few_times() {
    let scene = Scene::with(in_toto()).await;
    scene.create(task_run("app"));
    let mark = json!({ "metadata": { "annotations": { "chains.tekton.dev/signed": "true" } } });
    let is_unmarked =
        |run: &Value| run["metadata"]["annotations"]["chains.tekton.dev/signed"].is_null();
    let opponent = Opponent::start(&scene, mark, is_unmarked);
    let some = |scene: &Scene| our_writes(scene, &opponent) >= 3;
    scene.until("it is written", some).await;
    sign_others(&scene).await;
    let ours = our_writes(&scene, &opponent);
    // three at once, then one after 1 s, 2 s, 4 s, 8 s
    assert!(ours <= 7, "{ours}");
    scene.end().await;
}

#[tokio::test]
async fn two_controllers_with_other_settings_do_not_write_against_each_other_without_end() {
    // this one has nothing enabled and takes finalizers off, the other one puts them on
    let off = json!({ "artifacts.oci.storage": "", "artifacts.taskrun.storage": "" });
    let scene = Scene::with(off).await;
    let mut run = task_run("app");
    run["metadata"]["finalizers"] = json!([TASKRUN]);
    scene.create(run);
    let back = json!({ "metadata": { "finalizers": [TASKRUN] } });
    let opponent = Opponent::start(&scene, back, |run| run["metadata"]["finalizers"].is_null());
    let is_back = |_: &Scene| opponent.writes() >= 1;
    scene.until("the finalizer is back", is_back).await;
    for number in 0..OTHERS {
        // each is released once
        let mut run = task_run(&format!("other-{number}"));
        run["metadata"]["finalizers"] = json!([TASKRUN]);
        let name = run["metadata"]["name"].as_str().unwrap().to_owned();
        scene.create(run);
        let released = |scene: &Scene| scene.run(&name)["metadata"]["finalizers"].is_null();
        scene.until("it is released", released).await;
    }
    assert_eq!(our_writes(&scene, &opponent), 1);
    scene.end().await;
}

/// The seal of a controller with another key, or of nobody, without the uid of the run.
const FOREIGN: &str = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA MEUCIQ==";

#[tokio::test]
async fn a_run_that_a_controller_with_another_key_signs_too_is_signed_here_once_more_and_left() {
    let scene = Scene::with(in_toto()).await;
    // a run of the time before would be Chains'
    let leases = |scene: &Scene| scene.local.cluster.list("leases.coordination.k8s.io");
    let since = |scene: &Scene| !leases(scene).is_empty();
    scene.until("windlass has begun here", since).await;
    scene.create(finished("app"));
    let run = scene.run("app");
    let foreign = format!("{FOREIGN} {}", run["metadata"]["uid"].as_str().unwrap());
    let mark = json!({ "metadata": { "annotations": {
        "chains.tekton.dev/signed": "true", "chains.tekton.dev/seal": foreign,
    } } });
    let is_ours = |run: &Value| {
        let seal = &run["metadata"]["annotations"]["chains.tekton.dev/seal"];
        seal.as_str().is_some_and(|seal| !seal.starts_with(FOREIGN))
    };
    let opponent = Opponent::start(&scene, mark, is_ours);
    let has_lost = |_: &Scene| opponent.writes() >= 2;
    scene.until("both have written twice", has_lost).await;
    scene.event("SealUnknown").await;
    sign_others(&scene).await;
    assert_eq!(our_writes(&scene, &opponent), 2);
    assert_eq!(opponent.writes(), 2);
    let seal = scene.annotations("app").remove("chains.tekton.dev/seal");
    assert_eq!(seal, Some(foreign));
    // what was signed here is still there
    verified_statement(&scene, "app");
    scene.end().await;
}

#[tokio::test]
async fn a_seal_of_a_key_that_nobody_knows_does_not_evade_signing() {
    let scene = Scene::with(in_toto()).await;
    for mark in ["true", "failed"] {
        let mut run = finished(&format!("marked-{mark}"));
        run["metadata"]["annotations"] = json!({
            "chains.tekton.dev/signed": mark, "chains.tekton.dev/seal": FOREIGN,
        });
        let name = run["metadata"]["name"].as_str().unwrap().to_owned();
        scene.create(run);
        let is_sealed = |scene: &Scene| {
            let seal = scene.annotations(&name).remove("chains.tekton.dev/seal");
            seal.is_some_and(|seal| seal != FOREIGN)
        };
        scene.until("it is signed here", is_sealed).await;
        verified_statement(&scene, &name);
    }
    scene.end().await;
}
