//! Entries in a transparency log: where they are put, who asks for one, and what a log that does not
//! respond stops.

use sha2::{Digest as _, Sha256};
use windlass_sandbox::registry::{Options as RegistryOptions, Registry};
use windlass_sandbox::rekor::{Fault as LogFault, FaultAnswer as LogAnswer, Options, Rekor};

use super::registries::{anonymous, attached, blob, built, image};
use super::*;

const ENTRIES: &str = "/api/v1/log/entries";
const TRANSPARENCY: &str = "chains.tekton.dev/transparency";
const SIGNED: &str = "chains.tekton.dev/signed";

async fn log() -> Rekor {
    Rekor::start(Options::default()).await.unwrap()
}

/// Settings with this log.
fn logging(mode: &str, log: &Rekor, mut config: Value) -> Value {
    config["transparency.enabled"] = json!(mode);
    config["transparency.url"] = json!(log.url());
    config
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<Vec<_>>().concat()
}

/// A run that asks for an entry.
fn asking(name: &str) -> Value {
    let mut run = finished(name);
    run["metadata"]["annotations"] = json!({ "chains.tekton.dev/transparency-upload": "true" });
    run
}

/// The body of an entry.
fn body(encoded: &Value) -> Value {
    let body = STANDARD.decode(encoded.as_str().unwrap()).unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// The body of the entry that an annotation of a layer holds.
fn body_of_layer(layer: &Value) -> Value {
    let text = layer["annotations"]["dev.sigstore.cosign/bundle"].as_str();
    let bundle: Value = serde_json::from_str(text.unwrap()).unwrap();
    assert!(bundle["SignedEntryTimestamp"].is_string());
    body(&bundle["Payload"]["body"])
}

#[tokio::test]
async fn an_entry_is_put_where_verifiers_look_and_is_of_what_is_there() {
    let log = log().await;
    let config = json!({
        "artifacts.taskrun.storage": "tekton,oci",
        "artifacts.oci.storage": "tekton,oci",
        "storage.oci.encoding-format": "both",
    });
    let scene = Scene::with(logging("true", &log, config)).await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    anonymous(&scene);
    scene.create(built("app", &registry, &digest));
    assert_eq!(scene.marked("app").await, "true");

    let [signature] = &attached(&registry, &digest, ".sig")[..] else {
        panic!("one signature");
    };
    let spec = &body_of_layer(signature)["spec"];
    let payload = blob(&registry, signature);
    assert_eq!(
        spec["data"]["hash"]["value"],
        hex(&Sha256::digest(&payload))
    );
    let made = &signature["annotations"]["dev.cosignproject.cosign/signature"];
    assert_eq!(spec["signature"]["content"], *made);

    let [attestation] = &attached(&registry, &digest, ".att")[..] else {
        panic!("one attestation");
    };
    let logged = body_of_layer(attestation);
    let envelope = blob(&registry, attestation);
    let hash = &logged["spec"]["envelopeHash"]["value"];
    assert_eq!(*hash, hex(&Sha256::digest(&envelope)));

    let bundles = bundles(&registry, &digest);
    assert_eq!(bundles.len(), 2);
    for bundle in &bundles {
        let [entry] = bundle["verificationMaterial"]["tlogEntries"]
            .as_array()
            .unwrap()
            .as_slice()
        else {
            panic!("one entry in {bundle:#}");
        };
        // what is in an envelope is logged as one, the signature of the image too
        assert_eq!(
            entry["kindVersion"],
            json!({ "kind": "dsse", "version": "0.0.1" })
        );
        assert!(entry["inclusionProof"]["checkpoint"]["envelope"].is_string());
        let [signature] = bundle["dsseEnvelope"]["signatures"]
            .as_array()
            .unwrap()
            .as_slice()
        else {
            panic!("one signature in {bundle:#}");
        };
        let logged = body(&entry["canonicalizedBody"]);
        assert_eq!(
            logged["spec"]["signatures"][0]["signature"],
            signature["sig"]
        );
    }

    // the annotation of Chains is about the provenance, and each artifact has one of its own
    let annotations = scene.annotations("app");
    let uid = scene.run("app")["metadata"]["uid"]
        .as_str()
        .unwrap()
        .to_owned();
    let own = &annotations[&format!("{TRANSPARENCY}-taskrun-{uid}")];
    assert_eq!(annotations[TRANSPARENCY], *own);
    let number = own.rsplit('=').next().unwrap().parse::<usize>().unwrap();
    let logged: Value = serde_json::from_str(&log.entries()[number]).unwrap();
    assert_eq!(logged, body_of_layer(attestation));
    let short = &digest["sha256:".len()..][..12];
    for name in [short.to_owned(), format!("{short}.statement")] {
        let url = &annotations[&format!("{TRANSPARENCY}-{name}")];
        assert!(
            url.starts_with(&format!("{}{ENTRIES}?logIndex=", log.url())),
            "{url}"
        );
    }
    assert_eq!(log.entries().len(), 3);
    scene.end().await;
}

/// The bundles that refer to an image.
pub(super) fn bundles(registry: &Registry, digest: &str) -> Vec<Value> {
    let manifests = registry.manifests("team/app");
    let manifests = manifests
        .iter()
        .filter_map(|name| registry.manifest("team/app", name));
    let manifests = manifests.map(|found| serde_json::from_slice(&found.bytes).unwrap());
    let referrers = manifests.filter(|one: &Value| one["subject"]["digest"] == digest);
    let layers = referrers.map(|one| one["layers"][0].clone());
    let blobs = layers.map(|layer| blob(registry, &layer));
    blobs
        .map(|blob| serde_json::from_slice(&blob).unwrap())
        .collect()
}

#[tokio::test]
async fn while_a_required_log_fails_nothing_is_marked_and_then_there_is_one_entry() {
    let log = log().await;
    let mut options = options();
    options.pauses = (Duration::from_millis(5), Duration::from_millis(5));
    let scene = Scene::with_options(options).await;
    let scene = scene.configured(logging("true", &log, in_toto())).await;
    let answer = LogAnswer::Status(503.into());
    log.fail(LogFault::new("POST", ENTRIES, answer).repeated(usize::MAX));
    scene.create(finished("app"));
    log.reached("POST", ENTRIES, 9).await;
    let annotations = scene.annotations("app");
    assert!(!annotations.contains_key(SIGNED));
    assert!(annotations["chains.tekton.dev/reason"].contains("transparency log"));
    log.clear_faults();
    assert_eq!(scene.marked("app").await, "true");
    assert_eq!(log.entries().len(), 1);
    assert!(
        !scene
            .annotations("app")
            .contains_key("chains.tekton.dev/reason")
    );
    scene.end().await;
}

#[tokio::test]
async fn a_run_that_asks_for_an_entry_has_one_however_often_it_asks() {
    let log = log().await;
    let scene = Scene::with(logging("manual", &log, in_toto())).await;
    scene.create(finished("silent"));
    assert_eq!(scene.marked("silent").await, "true");
    assert!(log.requests().is_empty());
    scene.create(asking("app"));
    assert_eq!(scene.marked("app").await, "true");
    let uri = "/apis/tekton.dev/v1/namespaces/default/taskruns/app";
    for asked in ["false", "true"] {
        let asked = json!({ "chains.tekton.dev/transparency-upload": asked });
        scene
            .patch(uri, json!({ "metadata": { "annotations": asked } }))
            .await;
    }
    // signed anew since the mark is gone, it is logged as what it was
    let unmarked = json!({ SIGNED: null, "chains.tekton.dev/seal": null });
    scene
        .patch(uri, json!({ "metadata": { "annotations": unmarked } }))
        .await;
    assert_eq!(scene.marked("app").await, "true");
    scene.settled_after_that("last").await;
    assert_eq!(log.entries().len(), 1);
    assert!(scene.annotations("app")[TRANSPARENCY].ends_with("logIndex=0"));
    scene.end().await;
}

#[tokio::test]
async fn a_log_that_hangs_keeps_no_run_that_needs_none_from_being_signed() {
    let log = log().await;
    let scene = Scene::with(logging("manual", &log, in_toto())).await;
    log.fail(LogFault::new("POST", ENTRIES, LogAnswer::Hang).repeated(usize::MAX));
    for number in 0..64 {
        scene.create(asking(&format!("asking-{number}")));
    }
    log.reached("POST", ENTRIES, 1).await;
    for number in 0..8 {
        scene.create(finished(&format!("silent-{number}")));
        assert_eq!(scene.marked(&format!("silent-{number}")).await, "true");
    }
    // what they signed is on them already
    let is_signed = |scene: &Scene| {
        let annotations = scene.annotations("asking-63");
        annotations
            .keys()
            .any(|name| name.contains("/signature-taskrun-"))
    };
    scene.until("the last one is signed", is_signed).await;
    assert!(!scene.annotations("asking-63").contains_key(SIGNED));
    assert!(log.entries().is_empty());
    // which ends the requests that hang
    log.shutdown().await;
    scene.end().await;
}

/// Ends the controller after a call of the log or the registry, with bundles, and starts another.
async fn killed_after(of_log: bool, number: usize) {
    let log = log().await;
    let config = json!({
        "artifacts.taskrun.storage": "oci", "artifacts.oci.storage": "",
        "storage.oci.encoding-format": "sigstore-bundle",
    });
    let mut options = options();
    options.pauses = (Duration::from_millis(5), Duration::from_millis(20));
    let scene = Scene::with_options(options).await;
    let mut scene = scene.configured(logging("true", &log, config)).await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    anonymous(&scene);
    let gate = windlass_sandbox::Gate::new();
    if of_log {
        log.fail(LogFault {
            skip: number,
            answer: LogAnswer::PauseAfterwards(gate.clone()),
            ..LogFault::default()
        });
    } else {
        registry.fail(windlass_sandbox::registry::Fault {
            skip: number,
            answer: windlass_sandbox::registry::FaultAnswer::PauseAfterwards(gate.clone()),
            ..windlass_sandbox::registry::Fault::default()
        });
    }
    scene.create(built("app", &registry, &digest));
    gate.reached(1).await;
    // the tree grows meanwhile, so that the proof is another one
    let other = Scene::with(logging("true", &log, in_toto())).await;
    other.settled_after_that("other").await;
    scene.local.kill_and_start_controller().await.unwrap();
    gate.release();
    assert_eq!(scene.marked("app").await, "true");
    assert_eq!(bundles(&registry, &digest).len(), 1, "{of_log} {number}");
    assert_eq!(log.entries().len(), 2, "{of_log} {number}");
    scene.end().await;
    other.end().await;
}

#[tokio::test]
async fn killed_after_any_call_it_leaves_one_bundle_and_one_entry_though_the_proof_changes() {
    for number in 0..2 {
        killed_after(true, number).await;
    }
    for number in 0..5 {
        killed_after(false, number).await;
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_told_and_the_run_waits() {
    let config = json!({
        "artifacts.oci.storage": "",
        "transparency.enabled": "true",
        "transparency.url": "https://user:planted@rekor.example",
    });
    let scene = Scene::with(config).await;
    scene.create(finished("app"));
    let reason = scene.reason("app").await;
    assert!(reason.contains("transparency.url"), "{reason}");
    assert!(!reason.contains("planted"), "{reason}");
    scene.event("ConfigUnsupported").await;
    scene.end().await;
}

/// The run, its image in a registry, and a log that is down.
async fn down(need: &str) -> (Scene, Rekor, Registry, String) {
    let log = log().await;
    let answer = LogAnswer::Status(503.into());
    log.fail(LogFault {
        times: usize::MAX,
        answer,
        ..LogFault::default()
    });
    let config = json!({
        "artifacts.taskrun.storage": "tekton,oci", "artifacts.oci.storage": "oci",
        "storage.oci.encoding-format": "both",
    });
    let scene = Scene::with_options(options()).await;
    let metrics = scene.local.metrics.clone();
    let own = json!({ "transparency.mode": need, "storage.oci.encoding-format": "both" });
    scene.configure_own(own).await;
    scene.configure(logging("true", &log, config)).await;
    scene.add_key();
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    anonymous(&scene);
    scene
        .until("the settings are loaded", |_| {
            metrics.config_accepted.get() >= 3 && metrics.keys_loaded.get() == 1
        })
        .await;
    scene.create(built("app", &registry, &digest));
    (scene, log, registry, digest)
}

/// Lets time pass whenever the run waits, until it is marked.
async fn until_marked(scene: &Scene) {
    let passing = async {
        while !scene.annotations("app").contains_key(SIGNED) {
            if scene.local.metrics.waiting.get() == 1 {
                tokio::time::pause();
                tokio::time::advance(Duration::from_secs(300)).await;
                tokio::time::resume();
            }
            // what a pass asks for is real, and takes a moment
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let passes = tokio::time::timeout(Duration::from_secs(36_000), passing).await;
    assert!(passes.is_ok(), "the run is never marked");
}

fn layers(registry: &Registry, digest: &str) -> Vec<Value> {
    let of = |suffix| attached(registry, digest, suffix);
    [of(".sig"), of(".att")].concat()
}

#[tokio::test]
async fn with_a_deferred_log_all_is_stored_at_once_and_gets_its_entry_after_an_outage_of_an_hour() {
    let (scene, log, registry, digest) = down("deferred").await;
    let reason = scene.reason("app").await;
    assert!(reason.contains("transparency log"), "{reason}");
    super::registries::verify_both(&registry, &digest);
    assert_eq!(bundles(&registry, &digest).len(), 2);
    assert!(!scene.annotations("app").contains_key(SIGNED));
    for _ in 0..12 {
        scene.skip(Duration::from_secs(300)).await;
    }
    assert!(log.entries().is_empty());
    log.clear_faults();
    until_marked(&scene).await;
    assert_eq!(log.entries().len(), 3);
    // each layer has its entry, in its place
    super::registries::verify_both(&registry, &digest);
    for layer in layers(&registry, &digest) {
        body_of_layer(&layer);
    }
    let bundles = bundles(&registry, &digest);
    let logged = |bundle: &&Value| bundle["verificationMaterial"]["tlogEntries"].is_array();
    assert_eq!(bundles.iter().filter(logged).count(), 2);
    assert_eq!(bundles.len(), 4);
    scene.end().await;
}

#[tokio::test]
async fn with_a_log_of_best_effort_a_run_is_marked_without_an_entry_and_that_is_told() {
    let (scene, log, registry, digest) = down("best-effort").await;
    assert_eq!(scene.marked("app").await, "true");
    assert!(log.entries().is_empty());
    super::registries::verify_both(&registry, &digest);
    let event = scene.event("ProvenanceIncomplete").await;
    let message = event["message"].as_str().unwrap();
    assert!(
        message.contains("no entry in the transparency log"),
        "{message}"
    );
    assert!(!scene.annotations("app").contains_key(TRANSPARENCY));
    scene.end().await;
}
