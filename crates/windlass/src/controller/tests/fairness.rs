//! One tenant's registry does not respond: whom that keeps waiting, and what is lost.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use tokio::net::TcpListener;
use tokio::sync::watch;
use windlass_registry::{Lookup, Timeouts};
use windlass_sandbox::registry::{
    Fault as RegistryFault, FaultAnswer as Answer, Options as RegistryOptions, Registry,
};
use windlass_sandbox::{Gate, registry};

use super::registries::{attached, built, everywhere, image, verify_both};
use super::*;
use crate::sign::Signer;
use crate::sign::unique::PANIC;

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(36_000);

/// A port that takes connections and says nothing on them.
struct Silent {
    host: String,
    connections: watch::Receiver<usize>,
    _serving: tokio_util::task::AbortOnDropHandle<()>,
}

impl Silent {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (count, connections) = watch::channel(0);
        let serving = tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok(connection) = listener.accept().await {
                open.push(connection);
                count.send_replace(open.len());
            }
        });
        Self {
            host,
            connections,
            _serving: tokio_util::task::AbortOnDropHandle::new(serving),
        }
    }

    async fn reached(&mut self, connections: usize) {
        let wait = self.connections.wait_for(|count| *count >= connections);
        let reached = tokio::time::timeout(PATIENCE, wait).await;
        reached.unwrap().unwrap();
    }

    fn connections(&self) -> usize {
        *self.connections.borrow()
    }
}

/// A run of another tenant, whose image is at this host.
fn hostile(name: &str, host: &str) -> Value {
    let mut run = finished(name);
    run["metadata"]["namespace"] = json!("team-b");
    run["status"]["results"] = json!([
        { "name": "IMAGE_URL", "value": format!("{host}/team-b/app") },
        { "name": "IMAGE_DIGEST", "value": format!("sha256:{}", "cd".repeat(32)) },
    ]);
    run
}

/// A run of another tenant, with an image at each of these hosts.
fn hostile_at(name: &str, hosts: impl IntoIterator<Item = String>) -> Value {
    let mut run = hostile(name, "");
    let hex = "cd".repeat(32);
    let images = hosts
        .into_iter()
        .map(|host| format!("{host}/team-b/app@sha256:{hex}"));
    let images: Vec<String> = images.collect();
    run["status"]["results"] = json!([{ "name": "IMAGES", "value": images.join(",") }]);
    run
}

/// A controller that waits for a silent registry as long as this, with another tenant's namespace.
async fn stage(patience: Duration, change: impl FnOnce(&mut Options)) -> Scene {
    let mut options = options();
    options.registries.timeouts = Timeouts {
        connect: patience,
        first_byte: patience,
        idle: patience,
        request: patience,
    };
    options.deadline = FOR_EVER;
    change(&mut options);
    let scene = Scene::with_options(options).await;
    let scene = scene.configured(everywhere()).await;
    scene.create(json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "team-b" },
    }));
    scene
}

/// The annotations of a run of the other tenant.
fn annotations(scene: &Scene, name: &str) -> BTreeMap<String, String> {
    let run = scene
        .local
        .cluster
        .get("taskruns.tekton.dev", "team-b", name);
    let annotations = run.unwrap_or_default()["metadata"]["annotations"].clone();
    serde_json::from_value(annotations).unwrap_or_default()
}

fn has(annotations: &BTreeMap<String, String>, part: &str) -> bool {
    annotations.keys().any(|name| name.contains(part))
}

/// Part of the reason of a run, once it has one with it.
async fn reason_with(scene: &Scene, name: &str, part: &str) {
    let reason = |scene: &Scene| annotations(scene, name).remove("chains.tekton.dev/reason");
    let says = |scene: &Scene| reason(scene).is_some_and(|reason| reason.contains(part));
    scene.until(&format!("{name} says {part:?}"), says).await;
}

#[tokio::test]
async fn while_seventy_runs_of_one_tenant_hang_those_of_another_are_signed() {
    let mut silent = Silent::start().await;
    let scene = stage(FOR_EVER, |_| {}).await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    for number in 0..70 {
        scene.create(hostile(&format!("hang-{number}"), &silent.host));
    }
    silent.reached(2).await;

    scene.create(finished("without-registry"));
    assert_eq!(scene.marked("without-registry").await, "true");
    scene.create(built("with-registry", &registry, &digest));
    assert_eq!(scene.marked("with-registry").await, "true");
    verify_both(&registry, &digest);

    // nor do the hanging ones wait with what goes on themselves
    let recorded = |scene: &Scene| {
        let mut each = (0..70).map(|number| annotations(scene, &format!("hang-{number}")));
        each.all(|annotations| {
            has(&annotations, "/signature-taskrun-") && !has(&annotations, "/signed")
        })
    };
    scene
        .until("all are recorded on themselves", recorded)
        .await;
    assert_eq!(scene.local.metrics.cut.get(), 0);
    scene.local.kill_and_end().await;
}

#[tokio::test]
async fn the_runs_of_forty_tenants_that_hang_keep_those_of_no_other_from_their_registry() {
    let mut silent = Silent::start().await;
    let scene = stage(FOR_EVER, |_| {}).await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    for team in 0..40 {
        let namespace = format!("hostile-{team}");
        scene.create(json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace },
        }));
        for number in 0..8 {
            // each holds a place at the registry of the other tenant too
            let hosts = [registry.host(), silent.host.clone()];
            let mut run = hostile_at(&format!("hang-{number}"), hosts);
            run["metadata"]["namespace"] = json!(namespace);
            scene.create(run);
        }
    }
    silent.reached(40).await;

    scene.create(finished("without-registry"));
    assert_eq!(scene.marked("without-registry").await, "true");
    for name in ["first", "second"] {
        scene.create(built(name, &registry, &digest));
        assert_eq!(scene.marked(name).await, "true");
    }
    verify_both(&registry, &digest);
    scene.local.kill_and_end().await;
}

#[tokio::test]
async fn names_that_no_server_answers_keep_runs_of_no_other_tenant_from_their_registry() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let named = format!("ours.test:{port}");
    let registry = Registry::start(RegistryOptions {
        port: Some(port),
        names: [named.clone()].into(),
        ..RegistryOptions::default()
    });
    let registry = registry.await.unwrap();
    let digest = image(&registry);
    let (answered, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let hanging = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&hanging);
    let scene = stage(FOR_EVER, |options| {
        options.registries.plain_http = vec![named.clone()];
        options.registries.lookup = Lookup::blocking(move |host| {
            if host.ends_with("evil.test") {
                count.fetch_add(1, Ordering::SeqCst);
                let _ = gate.lock().map(|gate| gate.recv());
            }
            Ok(vec![Ipv4Addr::LOCALHOST.into()])
        });
    })
    .await;
    for run in 0..20 {
        let hosts = (0..48).map(|number| format!("x{run}-{number}.evil.test"));
        scene.create(hostile_at(&format!("hang-{run}"), hosts));
    }
    let hang = |_: &Scene| hanging.load(Ordering::SeqCst) >= 16;
    scene.until("lookups hang", hang).await;

    let run = built("app", &registry, &digest).to_string();
    scene.create(run.replace(&registry.host(), &named).parse().unwrap());
    assert_eq!(scene.marked("app").await, "true");
    verify_both(&registry, &digest);
    assert_eq!(hanging.load(Ordering::SeqCst), 16, "the rest waits");
    drop(answered);
    scene.local.kill_and_end().await;
}

#[tokio::test]
async fn runs_that_wait_for_one_host_keep_nobody_from_another_that_they_name() {
    let mut silent = Silent::start().await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    // as many as Chains has by default
    let scene = stage(FOR_EVER, |options| options.concurrency = 2).await;
    for number in 0..20 {
        let hosts = [registry.host(), silent.host.clone()];
        scene.create(hostile_at(&format!("hang-{number}"), hosts));
    }
    silent.reached(1).await;
    scene.create(built("app", &registry, &digest));
    assert_eq!(scene.marked("app").await, "true");
    verify_both(&registry, &digest);
    scene.local.kill_and_end().await;
}

#[tokio::test]
async fn what_goes_on_the_run_is_written_before_any_registry_is_asked() {
    let scene = stage(FOR_EVER, |_| {}).await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    registry.clear_requests();
    let gate = Gate::new();
    scene.local.cluster.fail(Fault {
        method: Some("PATCH".to_owned()),
        path_contains: "/taskruns/".to_owned(),
        answer: FaultAnswer::Pause(gate.clone()),
        ..Fault::default()
    });
    scene.create(built("app", &registry, &digest));
    gate.reached(1).await;
    assert!(registry.requests().is_empty());
    gate.release();
    assert_eq!(scene.marked("app").await, "true");
    scene.wrote(2).await;
    verify_both(&registry, &digest);
    scene.end().await;
}

#[tokio::test]
async fn a_registry_that_is_silent_again_and_again_is_left_in_peace_and_the_runs_say_so() {
    let silent = Silent::start().await;
    let patience = Duration::from_millis(50);
    let scene = stage(patience, |options| options.silence = (FOR_EVER, FOR_EVER)).await;
    for number in 0..8 {
        scene.create(hostile(&format!("hang-{number}"), &silent.host));
    }
    let said = "did not respond to the last requests";
    for number in 0..8 {
        reason_with(&scene, &format!("hang-{number}"), said).await;
    }
    let before = silent.connections();
    scene.create(hostile("late", &silent.host));
    reason_with(&scene, "late", said).await;
    assert_eq!(silent.connections(), before, "nobody knocked");
    scene.end().await;
}

#[tokio::test]
async fn a_run_whose_pass_is_cut_says_so_and_goes_on_from_what_is_stored() {
    let scene = stage(FOR_EVER, |options| {
        options.deadline = Duration::from_millis(1500);
        options.pauses = (Duration::from_millis(10), Duration::from_millis(50));
    })
    .await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    let gate = Gate::new();
    // the signature gets there, the attestation does not
    registry.fail(RegistryFault {
        method: Some("PUT".to_owned()),
        path_contains: ".att".to_owned(),
        times: usize::MAX,
        answer: registry::FaultAnswer::Pause(gate.clone()),
        ..RegistryFault::default()
    });
    scene.create(built("app", &registry, &digest));
    let reason = scene.reason("app").await;
    assert!(reason.contains("no time left to push to"), "{reason}");
    let annotations = scene.annotations("app");
    assert!(has(&annotations, "/signature-taskrun-"), "{annotations:?}");
    assert!(!has(&annotations, "/signed"), "{annotations:?}");
    assert_eq!(attached(&registry, &digest, ".sig").len(), 1);
    registry.clear_faults();
    gate.release();
    assert_eq!(scene.marked("app").await, "true");
    verify_both(&registry, &digest);
    scene.end().await;
}

#[tokio::test]
async fn a_registry_that_forgets_what_is_written_holds_no_other_tenant_up() {
    let scene = stage(FOR_EVER, |_| {}).await;
    let (theirs, ours) = (
        Registry::start(RegistryOptions::default()).await.unwrap(),
        Registry::start(RegistryOptions::default()).await.unwrap(),
    );
    // each write is answered as if it had been done
    theirs.fail(RegistryFault {
        method: Some("PUT".to_owned()),
        path_contains: "/manifests/".to_owned(),
        times: usize::MAX,
        answer: Answer::Status(201.into()),
        ..RegistryFault::default()
    });
    for number in 0..8 {
        scene.create(hostile(&format!("forgets-{number}"), &theirs.host()));
    }
    let digest = image(&ours);
    scene.create(built("app", &ours, &digest));
    assert_eq!(scene.marked("app").await, "true");
    scene.local.kill_and_end().await;
}

#[tokio::test]
async fn what_is_read_back_counts_in_the_share_of_its_host() {
    // 32 places, of which a host has 16
    let settle = Duration::from_secs(2);
    let scene = stage(FOR_EVER, |options| {
        options.registries.append.settle = settle;
    })
    .await;
    let (theirs, ours) = (
        Registry::start(RegistryOptions::default()).await.unwrap(),
        Registry::start(RegistryOptions::default()).await.unwrap(),
    );
    let digest = image(&theirs);
    for team in 0..40 {
        let namespace = format!("team-{team}");
        scene.create(json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace },
        }));
        let mut run = built("app", &theirs, &digest);
        run["metadata"]["namespace"] = json!(namespace);
        let image = format!("{}/team-{team}/app", theirs.host());
        run["status"]["results"][0]["value"] = json!(image);
        scene.create(run);
    }
    let writes = |_: &Scene| {
        let requests = theirs.requests();
        let writes = requests.iter().filter(|request| request.method == "PUT");
        writes
            .filter(|request| request.path.contains("/manifests/"))
            .count()
    };
    scene
        .until("all tags are written", |scene| writes(scene) == 80)
        .await;
    let gate = Gate::new();
    theirs.fail(RegistryFault {
        method: Some("GET".to_owned()),
        path_contains: "/manifests/".to_owned(),
        times: usize::MAX,
        answer: registry::FaultAnswer::Pause(gate.clone()),
        ..RegistryFault::default()
    });
    // one of each run that has a place is on its way at least
    gate.reached(16).await;
    let digest = image(&ours);
    scene.create(built("app", &ours, &digest));
    assert_eq!(scene.marked("app").await, "true");
    theirs.clear_faults();
    gate.release();
    scene.end().await;
}

#[tokio::test]
async fn the_watch_is_read_while_every_place_is_taken() {
    let mut options = options();
    options.concurrency = 1;
    let scene = Scene::with_options(options).await;
    let scene = scene.configured(in_toto()).await;
    let gate = Gate::new();
    scene.local.cluster.fail(Fault {
        method: Some("PATCH".to_owned()),
        path_contains: "/taskruns/".to_owned(),
        answer: FaultAnswer::Pause(gate.clone()),
        ..Fault::default()
    });
    scene.create(finished("first"));
    gate.reached(1).await;
    for number in 0..300 {
        scene.create(finished(&format!("run-{number}")));
    }
    scene
        .until("all are known", |scene| {
            scene.local.metrics.queued.get() == 300
        })
        .await;
    gate.release();
    scene
        .until("all are signed", |scene| {
            scene.local.metrics.task_runs.marked_signed.get() == 301
        })
        .await;
    scene.end().await;
}

#[tokio::test]
async fn a_pass_that_panics_frees_its_run_and_is_counted_and_tried_again() {
    let scene = {
        let mut options = options();
        options.signer = Signer::unique_from_entries;
        options.pauses = (Duration::from_millis(10), Duration::from_millis(50));
        Scene::with_options(options)
            .await
            .configured(tekton())
            .await
    };
    let mut run = finished("panics");
    run["status"]["results"] = json!([{ "name": "r", "value": PANIC }]);
    scene.create(run);
    assert_eq!(scene.marked("panics").await, "true");
    assert_eq!(scene.local.metrics.panics.get(), 1);
    scene.end().await;
}

#[tokio::test]
async fn a_change_of_the_settings_wakes_waiting_runs_in_their_turn() {
    let scene = Scene::without_key().await;
    scene.configure(in_toto()).await;
    for number in 0..100 {
        scene.create(finished(&format!("run-{number}")));
    }
    scene
        .until("all wait", |scene| scene.local.metrics.waiting.get() == 100)
        .await;
    scene.add_key();
    scene
        .until("all are signed", |scene| {
            scene.local.metrics.task_runs.marked_signed.get() == 100
        })
        .await;
    scene.end().await;
}
