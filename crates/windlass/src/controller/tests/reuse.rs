//! Signatures that cannot be made again, as those of a key service, and entries in a log: whatever
//! fails, each is made once and used again, and no store gets it twice.

use windlass_registry::Clock;
use windlass_sandbox::registry::{
    Fault as RegistryFault, FaultAnswer as Answer, Options as RegistryOptions, Registry,
};
use windlass_sandbox::rekor::{self, Rekor};
use windlass_sandbox::{Gate, registry};

use super::registries::{anonymous, attached, built, image, verify_both};
use super::*;
use crate::sign::Signer;

/// Attempts that the registry's client makes of one call.
const ATTEMPTS: usize = 4;
/// Attempts that the log's client makes of one call.
const LOG_ATTEMPTS: usize = 3;
/// Where entries are.
const ENTRIES: &str = "/api/v1/log/entries";
/// The run's statement, the image as a payload and as a statement.
const SIGNATURES: u64 = 3;

/// A controller with a key that never signs the same way twice, a log and a registry.
struct Stage {
    scene: Scene,
    registry: Registry,
    log: Rekor,
    digest: String,
}

/// Both stores and both encodings.
fn everything() -> Value {
    json!({
        "artifacts.taskrun.storage": "tekton,oci",
        "artifacts.oci.storage": "tekton,oci",
        "storage.oci.encoding-format": "both",
    })
}

/// The statement of the run alone, under a tag.
fn one_artifact() -> Value {
    json!({ "artifacts.taskrun.storage": "tekton,oci", "artifacts.oci.storage": "" })
}

impl Stage {
    async fn with(mut config: Value) -> Self {
        let log = Rekor::start(rekor::Options::default()).await.unwrap();
        config["transparency.enabled"] = json!("true");
        config["transparency.url"] = json!(log.url());
        let mut options = options();
        options.pauses = (Duration::from_millis(5), Duration::from_millis(20));
        options.registries.clock = Clock::manual();
        options.signer = Signer::unique_from_entries;
        let scene = Scene::with_options(options).await.configured(config).await;
        let registry = Registry::start(RegistryOptions::default()).await.unwrap();
        let digest = image(&registry);
        anonymous(&scene);
        Self {
            scene,
            registry,
            log,
            digest,
        }
    }

    fn start(&self) {
        self.scene
            .create(built("app", &self.registry, &self.digest));
    }

    /// The URL of an entry.
    fn entry(&self, number: usize) -> String {
        format!("{}{ENTRIES}?logIndex={number}", self.log.url())
    }

    /// The run is signed: each signature and each entry was made once, each layer and each bundle is
    /// there once.
    async fn end_signed_once(self) {
        assert_eq!(self.scene.marked("app").await, "true");
        let made = self.scene.local.metrics.task_runs.signatures.get();
        assert_eq!(made, SIGNATURES);
        let uploaded = self.scene.local.metrics.task_runs.uploaded.get();
        assert!(uploaded >= SIGNATURES, "{uploaded}");
        assert_eq!(self.log.entries().len() as u64, SIGNATURES);
        verify_both(&self.registry, &self.digest);
        // the image, two manifests under tags, two referrers
        assert_eq!(self.registry.manifests("team/app").len(), 5);
        self.scene.end().await;
    }
}

/// Calls of the registry that a pass makes if nothing fails.
async fn calls_of_the_registry() -> usize {
    let stage = Stage::with(everything()).await;
    stage.registry.clear_requests();
    stage.start();
    assert_eq!(stage.scene.marked("app").await, "true");
    let calls = stage.registry.requests().len();
    stage.end_signed_once().await;
    calls
}

#[tokio::test]
async fn a_registry_that_fails_at_any_call_makes_no_second_signature_and_no_second_entry() {
    for number in 0..calls_of_the_registry().await {
        let stage = Stage::with(everything()).await;
        stage.registry.fail(RegistryFault {
            skip: number,
            times: ATTEMPTS,
            answer: Answer::Status(503.into()),
            ..RegistryFault::default()
        });
        stage.start();
        stage.end_signed_once().await;
    }
}

#[tokio::test]
async fn a_cluster_that_fails_at_any_call_makes_no_second_signature_and_no_second_entry() {
    for answer in [
        FaultAnswer::Status(500.into()),
        FaultAnswer::StatusAfterwards(500.into()),
        FaultAnswer::Status(409.into()),
    ] {
        for number in 0..6 {
            let stage = Stage::with(everything()).await;
            // a failing registry makes the pass write in part first
            stage.registry.fail(RegistryFault {
                method: Some("PUT".to_owned()),
                times: ATTEMPTS,
                answer: Answer::Status(503.into()),
                ..RegistryFault::default()
            });
            stage.scene.local.cluster.fail(Fault {
                path_contains: "/namespaces/default/".to_owned(),
                skip: number,
                answer: answer.clone(),
                ..Fault::default()
            });
            stage.start();
            stage.end_signed_once().await;
        }
    }
}

#[tokio::test]
async fn a_log_that_fails_is_asked_again_with_the_same_signature() {
    for fault in [
        rekor::FaultAnswer::Status(503.into()),
        rekor::FaultAnswer::StatusAfterwards(503.into()),
        rekor::FaultAnswer::ResetAfterwards,
    ] {
        // three proposals, the key of the log
        for number in 0..4 {
            let stage = Stage::with(everything()).await;
            stage.log.fail(rekor::Fault {
                skip: number,
                times: LOG_ATTEMPTS,
                answer: fault.clone(),
                ..rekor::Fault::default()
            });
            stage.start();
            stage.end_signed_once().await;
        }
    }
}

#[tokio::test]
async fn nothing_is_stored_in_a_registry_before_it_has_its_entry() {
    let stage = Stage::with(one_artifact()).await;
    let answer = rekor::FaultAnswer::Status(503.into());
    let fault = rekor::Fault::new("POST", ENTRIES, answer);
    stage.log.fail(fault.repeated(LOG_ATTEMPTS));
    let gate = Gate::new();
    stage.scene.local.cluster.fail(Fault {
        method: Some("PATCH".to_owned()),
        path_contains: "/taskruns/".to_owned(),
        // the first stores the signature on the run
        skip: 1,
        answer: FaultAnswer::PauseAfterwards(gate.clone()),
        ..Fault::default()
    });
    stage.start();
    gate.reached(1).await;
    assert_eq!(stage.registry.tags("team/app"), ["v1"]);
    let annotations = stage.scene.annotations("app");
    assert!(!annotations.contains_key("chains.tekton.dev/signed"));
    assert!(annotations["chains.tekton.dev/reason"].contains("log"));
    gate.release();
    assert_eq!(stage.scene.marked("app").await, "true");
    let annotations = stage.scene.annotations("app");
    let entry = &annotations["chains.tekton.dev/transparency"];
    assert_eq!(*entry, stage.entry(0));
    stage.scene.end().await;
}

#[tokio::test]
async fn a_log_entry_that_somebody_wrote_on_the_run_is_not_believed() {
    let stage = Stage::with(one_artifact()).await;
    // every push fails until the forgery is in place
    stage.registry.fail(RegistryFault {
        times: usize::MAX,
        answer: Answer::Status(503.into()),
        ..RegistryFault::default()
    });
    stage.start();
    stage.scene.reason("app").await;
    let entry = |scene: &Scene| {
        let annotations = scene.annotations("app");
        let is_entry = |name: &&String| name.starts_with("chains.tekton.dev/transparency-");
        annotations.keys().find(is_entry).cloned()
    };
    stage
        .scene
        .until("the entry is on the run", |scene| entry(scene).is_some())
        .await;
    let uri = "/apis/tekton.dev/v1/namespaces/default/taskruns/app";
    let name = entry(&stage.scene).unwrap();
    let forged = json!({ "metadata": { "annotations": { name: stage.entry(7) } } });
    stage.scene.patch(uri, forged).await;
    // another controller knows no more than the run says
    let mut stage = stage;
    stage.scene.local.kill_and_start_controller().await.unwrap();
    stage.registry.clear_faults();
    assert_eq!(stage.scene.marked("app").await, "true");
    let annotations = stage.scene.annotations("app");
    assert_eq!(
        annotations["chains.tekton.dev/transparency"],
        stage.entry(0)
    );
    assert_eq!(stage.log.entries().len(), 1, "the log knows the signature");
    stage.scene.end().await;
}

/// Ends the controller after a call of the registry or the cluster, and starts another.
async fn killed_after(server: Server, number: usize) {
    let mut stage = Stage::with(one_artifact()).await;
    let gate = Gate::new();
    match server {
        Server::Log => stage.log.fail(rekor::Fault {
            skip: number,
            answer: rekor::FaultAnswer::PauseAfterwards(gate.clone()),
            ..rekor::Fault::default()
        }),
        Server::Registry => stage.registry.fail(RegistryFault {
            skip: number,
            answer: registry::FaultAnswer::PauseAfterwards(gate.clone()),
            ..RegistryFault::default()
        }),
        Server::Cluster => stage.scene.local.cluster.fail(Fault {
            path_contains: "/namespaces/default/".to_owned(),
            skip: number,
            answer: FaultAnswer::PauseAfterwards(gate.clone()),
            ..Fault::default()
        }),
    }
    stage.start();
    gate.reached(1).await;
    let before = stage.scene.local.metrics.task_runs.signatures.get();
    stage.scene.local.kill_and_start_controller().await.unwrap();
    gate.release();
    assert_eq!(stage.scene.marked("app").await, "true");
    let after = stage.scene.local.metrics.task_runs.signatures.get();
    assert!(before <= 1, "{server:?} {number}");
    assert!(
        after <= 1,
        "one crash, one more signature: {server:?} {number}"
    );
    let layers = attached(&stage.registry, &stage.digest, ".att");
    assert_eq!(layers.len(), 1, "{server:?} {number}");
    let entries = stage.log.entries();
    assert_eq!(entries.len() as u64, before + after, "an entry for each");
    // what the run holds is one of the signatures that were logged
    let statement = verified_statement(&stage.scene, "app");
    assert_eq!(
        statement["predicateType"],
        "https://slsa.dev/provenance/v0.2"
    );
    stage.scene.end().await;
}

/// Where the controller is when it ends.
#[derive(Debug, Clone, Copy)]
enum Server {
    Log,
    Registry,
    Cluster,
}

#[tokio::test]
async fn killed_after_any_call_it_leaves_one_layer_and_makes_one_more_signature_at_most() {
    let stage = Stage::with(one_artifact()).await;
    stage.registry.clear_requests();
    stage.scene.local.cluster.clear_requests();
    stage.start();
    assert_eq!(stage.scene.marked("app").await, "true");
    let calls = stage.registry.requests().len();
    stage.scene.end().await;
    for number in 0..calls {
        killed_after(Server::Registry, number).await;
    }
    // the proposal, the key of the log
    for number in 0..2 {
        killed_after(Server::Log, number).await;
    }
    // the signature on the run, the account, its secret, the record
    for number in 0..4 {
        killed_after(Server::Cluster, number).await;
    }
}
