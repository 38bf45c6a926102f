//! Changes of the configuration and of the key.

use std::collections::BTreeSet;

use windlass_sandbox::Gate;

use super::*;
use crate::telemetry::Metrics;

#[tokio::test]
async fn a_bad_config_map_keeps_the_last_good_one_and_says_so() {
    let scene = Scene::with(tekton()).await;
    scene
        .configure(json!({ "artifacts.taskrun.format": "tekto" }))
        .await;
    let event = scene.event("ConfigRefused").await;
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("artifacts.taskrun.format"), "{message}");
    assert!(scene.local.metrics.config_refused.get() >= 1);
    scene.create(finished("after"));
    assert_eq!(scene.marked("after").await, "true");
    let uid = scene.run("after")["metadata"]["uid"]
        .as_str()
        .unwrap()
        .to_owned();
    let payload = &scene.annotations("after")[&format!("chains.tekton.dev/payload-taskrun-{uid}")];
    let payload: Value = serde_json::from_slice(&STANDARD.decode(payload).unwrap()).unwrap();
    assert_eq!(payload["podName"], "pod", "the format is still tekton");
    scene.end().await;
}

#[tokio::test]
async fn a_bad_value_of_windlass_config_is_told_on_that_map_too() {
    let scene = Scene::with(tekton()).await;
    scene.create(windlass_config(&json!({ "finalizer.grace": "soon" })));
    let about = |scene: &Scene| {
        let events = scene.local.cluster.list("events");
        let refusals = events
            .iter()
            .filter(|event| event["reason"] == "ConfigRefused");
        refusals
            .map(|event| event["involvedObject"]["name"].to_string())
            .collect::<BTreeSet<_>>()
    };
    scene
        .until("both maps have an event", |scene| about(scene).len() == 2)
        .await;
    assert!(about(&scene).contains("\"windlass-config\""));
    scene.end().await;
}

#[tokio::test]
async fn a_typo_in_a_key_is_told_with_a_suggestion() {
    let scene = Scene::with(in_toto()).await;
    scene
        .configure(json!({ "artifacts.taskrun.fromat": "tekton" }))
        .await;
    let event = scene.event("ConfigWarning").await;
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("artifacts.taskrun.format"), "{message}");
    scene.end().await;
}

#[tokio::test]
async fn a_change_of_the_format_counts_without_a_restart() {
    let scene = Scene::with(tekton()).await;
    scene.create(finished("before"));
    scene.marked("before").await;
    scene
        .configure(json!({ "artifacts.taskrun.format": "in-toto" }))
        .await;
    // the watch brings the change at its own pace, so runs are made until one shows it
    for attempt in 0.. {
        let name = format!("after-{attempt}");
        scene.create(finished(&name));
        scene.marked(&name).await;
        let uid = scene.run(&name)["metadata"]["uid"]
            .as_str()
            .unwrap()
            .to_owned();
        let signature =
            scene.annotations(&name)[&format!("chains.tekton.dev/signature-taskrun-{uid}")].clone();
        if Envelope::from_json(&STANDARD.decode(signature).unwrap()).is_ok() {
            verified_statement(&scene, &name);
            break;
        }
        assert!(attempt < 1000, "the change never counted");
    }
    scene.end().await;
}

#[tokio::test]
async fn runs_wait_for_a_missing_secret_and_are_signed_once_it_is_there() {
    let scene = Scene::without_key().await;
    scene.configure(in_toto()).await;
    scene.create(finished("early"));
    let reason = scene.reason("early").await;
    assert!(
        reason.contains("windlass generate-key-pair k8s://"),
        "{reason}"
    );
    assert!(
        !scene
            .annotations("early")
            .contains_key("chains.tekton.dev/signed")
    );
    scene.event("SigningDelayed").await;
    scene.add_key();
    assert_eq!(scene.marked("early").await, "true");
    verified_statement(&scene, "early");
    scene.end().await;
}

#[tokio::test]
async fn an_emptied_secret_keeps_the_last_good_key_and_says_so() {
    let scene = Scene::with(in_toto()).await;
    let uri = format!("/api/v1/namespaces/{SYSTEM}/secrets/signing-secrets");
    scene.patch(&uri, json!({ "data": null })).await;
    let event = scene.event("KeyRefused").await;
    assert!(
        event["message"]
            .as_str()
            .unwrap()
            .contains("it contains no key"),
        "{event}"
    );
    assert!(scene.local.metrics.key_refused.get() >= 1);
    scene.create(finished("after"));
    assert_eq!(scene.marked("after").await, "true");
    verified_statement(&scene, "after");
    scene.end().await;
}

#[tokio::test]
async fn a_wrong_password_is_told_and_never_shown() {
    let scene = Scene::without_key().await;
    scene.configure(in_toto()).await;
    scene.create(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": "signing-secrets", "namespace": SYSTEM },
        "data": {
            "cosign.key": STANDARD.encode(KEY),
            "cosign.password": STANDARD.encode("hunter2-not-it"),
        },
    }));
    let event = scene.event("KeyRefused").await;
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("password"), "{message}");
    assert!(!event.to_string().contains("hunter2"));
    scene.end().await;
}

#[tokio::test]
async fn the_key_is_decrypted_once_for_many_runs() {
    let scene = Scene::with(in_toto()).await;
    for index in 0..50 {
        scene.create(finished(&format!("run-{index}")));
    }
    scene
        .until("all are signed", |scene| {
            scene.local.metrics.task_runs.marked_signed.get() == 50
        })
        .await;
    assert_eq!(scene.local.metrics.keys_loaded.get(), 1);
    scene.wrote(50).await;
    assert_eq!(scene.run_requests("GET"), 0);
    scene.end().await;
}

#[tokio::test]
async fn a_run_for_which_nothing_is_enabled_is_left_alone_until_it_is() {
    let scene =
        Scene::with(json!({ "artifacts.oci.storage": "", "artifacts.taskrun.storage": "" })).await;
    scene.create(finished("off"));
    scene
        .configure(json!({ "artifacts.taskrun.storage": "tekton" }))
        .await;
    assert_eq!(scene.marked("off").await, "true");
    scene.wrote(1).await;
    scene.end().await;
}

#[tokio::test]
async fn it_is_ready_once_there_are_a_config_a_key_and_the_first_lists() {
    let mut options = options();
    let health = crate::telemetry::Health::default();
    options.health = health.clone();
    let scene = Scene::with_options(options).await;
    let says = |part: &'static str| {
        let health = health.clone();
        move |_: &Scene| {
            health
                .not_ready()
                .is_some_and(|reason| reason.contains(part))
        }
    };
    scene
        .until(
            "it says that there is no key",
            says("signing-secrets does not exist"),
        )
        .await;
    scene.add_key();
    let is_ready = health.clone();
    scene
        .until("it is ready", move |_| is_ready.not_ready().is_none())
        .await;
    assert_eq!(health.dead(), None);
    scene.end().await;
    assert_eq!(health.dead(), None, "it was asked to stop");
}

#[tokio::test]
async fn it_is_not_ready_while_the_runs_cannot_be_listed_and_dead_if_the_watch_ends() {
    let cluster = windlass_sandbox::Cluster::start(windlass_sandbox::Options {
        namespaces: vec![SYSTEM.to_owned()],
        ..windlass_sandbox::Options::default()
    });
    let cluster = cluster.await.unwrap();
    cluster.fail(Fault {
        path_contains: "/apis/tekton.dev/v1/taskruns".to_owned(),
        times: usize::MAX,
        answer: FaultAnswer::Status(403.into()),
        ..Fault::default()
    });
    let config = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "chains-config", "namespace": SYSTEM },
    });
    cluster.create(config).unwrap();
    cluster.create(signing_secret()).unwrap();
    let options = options();
    let health = options.health.clone();
    let client = dev_cluster::client(&cluster).await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let running = crate::controller::run(client, options, Metrics::default(), stop.clone());
    let running = tokio::spawn(running);
    let until = async |wanted: Option<&str>| {
        let waiting = async {
            while health.not_ready().as_deref() != wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(reached.is_ok(), "{wanted:?}, not {:?}", health.not_ready());
    };
    until(Some(
        "the first list of task runs of all namespaces is not in yet",
    ))
    .await;
    cluster.clear_faults();
    until(None).await;
    assert_eq!(health.dead(), None);
    // a loop that ends without being asked to
    running.abort();
    let _ = running.await;
    assert!(health.dead().is_some());
    cluster.shutdown().await;
}

#[tokio::test]
async fn a_change_of_the_settings_during_a_pass_counts_for_its_run_at_once() {
    let scene = Scene::with(json!({ "artifacts.taskrun.storage": "gcs" })).await;
    let gate = Gate::new();
    let pause = failing("PATCH", FaultAnswer::Pause(gate.clone()), 1);
    scene.local.cluster.fail(pause);
    scene.create(finished("early"));
    let reached = tokio::time::timeout(PATIENCE, gate.reached(1)).await;
    reached.expect("the reason is about to be written");
    scene
        .configure(json!({ "artifacts.taskrun.storage": "tekton" }))
        .await;
    scene.create(finished("after"));
    assert_eq!(scene.marked("after").await, "true", "the change counts");
    gate.release();
    assert_eq!(scene.marked("early").await, "true");
    scene.end().await;
}
