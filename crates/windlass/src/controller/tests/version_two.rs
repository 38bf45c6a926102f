//! Entries of version 2 with timestamps: where they are put, that there is one whatever is killed, and that
//! a run is enough to verify what was signed without a key.

use std::sync::Arc;

use windlass_core::annotation;
use windlass_core::key::{END_OF_CERTIFICATE, pem_blocks};
use windlass_core::timestamp::Stamp;
use windlass_core::verify::Expected;
use windlass_registry::Digest;
use windlass_sandbox::registry::{Options as RegistryOptions, Registry};
use windlass_sandbox::rekor::{self, Options as LogOptions, Rekor};
use windlass_sandbox::timestamps::{self, TimestampAuthority};

use super::keyless::{Stage, with_image};
use super::registries::{anonymous, attached, blob, built, image};
use super::transparency::bundles;
use super::*;
use crate::inspect::documents::Documents;
use crate::inspect::verify::{self, ExpectedSigner, SealRule, VerifyRequest};
use crate::sigstore::{Matcher, Policy as Vouching, Signatory, Verifier};

const SIGNED: &str = "chains.tekton.dev/signed";

/// A log and a timestamp authority.
pub(super) struct Servers {
    pub(super) log: Rekor,
    pub(super) times: TimestampAuthority,
}

impl Servers {
    pub(super) async fn start() -> Self {
        Self {
            log: Rekor::start(LogOptions::default()).await.unwrap(),
            times: TimestampAuthority::start().await.unwrap(),
        }
    }

    /// The settings of `windlass-config` for them.
    pub(super) fn own(&self, version: &str, encoding: &str) -> Value {
        let mut own = json!({
            "storage.oci.encoding-format": encoding,
            "transparency.public-key": self.log.public_key(),
            "transparency.timestamp-url": self.times.url(),
            "transparency.timestamp-chain": self.times.chain_pem(),
            "transparency.version": version,
        });
        if version == "2" {
            own["transparency.origin"] = json!(self.log.origin());
        }
        own
    }

    pub(super) fn logging(&self, mut config: Value) -> Value {
        config["transparency.enabled"] = json!("true");
        config["transparency.url"] = json!(self.log.url());
        config
    }
}

/// A controller with a key that logs to these servers.
async fn scene(servers: &Servers, config: Value) -> Scene {
    scene_with(servers, config, "both").await
}

async fn scene_with(servers: &Servers, config: Value, encoding: &str) -> Scene {
    let mut options = options();
    options.pauses = (Duration::from_millis(5), Duration::from_millis(20));
    let scene = Scene::with_options(options).await;
    scene.configure_own(servers.own("2", encoding)).await;
    let metrics = scene.local.metrics.clone();
    let before = metrics.config_accepted.get();
    scene.configure(servers.logging(config)).await;
    scene.add_key();
    scene
        .until("the settings are loaded", |_| {
            metrics.config_accepted.get() > before && metrics.keys_loaded.get() == 1
        })
        .await;
    scene
}

fn registry_for(scene: &Scene) {
    anonymous(scene);
}

#[tokio::test]
async fn an_entry_of_version_2_and_its_timestamp_are_put_where_verifiers_look() {
    let servers = Servers::start().await;
    let config = json!({
        "artifacts.taskrun.storage": "tekton,oci", "artifacts.oci.storage": "oci",
    });
    let scene = scene(&servers, config).await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    registry_for(&scene);
    scene.create(built("app", &registry, &digest));
    assert_eq!(scene.marked("app").await, "true");
    let bundles = bundles(&registry, &digest);
    assert_eq!(bundles.len(), 2);
    for bundle in &bundles {
        let material = &bundle["verificationMaterial"];
        let entry = &material["tlogEntries"][0];
        let kind = json!({ "kind": "hashedrekord", "version": "0.0.2" });
        assert_eq!(entry["kindVersion"], kind);
        assert!(entry.get("inclusionPromise").is_none());
        assert!(entry["inclusionProof"]["checkpoint"]["envelope"].is_string());
        let stamps = &material["timestampVerificationData"]["rfc3161Timestamps"];
        let stamp = stamps[0]["signedTimestamp"].as_str().unwrap();
        let signature = bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str();
        is_stamp_of(stamp, &STANDARD.decode(signature.unwrap()).unwrap());
        assert!(material.get("envelopeTimestamp").is_none(), "{bundle:#}");
    }
    for suffix in [".sig", ".att"] {
        let [layer] = &attached(&registry, &digest, suffix)[..] else {
            panic!("one layer");
        };
        let annotations = &layer["annotations"];
        let stamp = annotations["dev.sigstore.cosign/rfc3161timestamp"].as_str();
        let stamp: Value = serde_json::from_str(stamp.unwrap()).unwrap();
        let stamp = stamp["SignedRFC3161Timestamp"].as_str().unwrap();
        // cosign compares it with the signature, and where there is none with the content
        match annotations["dev.cosignproject.cosign/signature"].as_str() {
            Some("") => is_stamp_of(stamp, &blob(&registry, layer)),
            text => is_stamp_of(stamp, &STANDARD.decode(text.unwrap()).unwrap()),
        }
        // there is no place for an entry without a promise
        assert!(annotations.get("dev.sigstore.cosign/bundle").is_none());
    }
    let annotations = scene.annotations("app");
    let proofs = annotations.keys();
    let proofs = proofs.filter(|name| name.starts_with(&annotation::proof("")));
    assert_eq!(proofs.count(), 3);
    assert_eq!(servers.log.entries().len(), 3);
    // the run's statement is under a tag and elsewhere
    assert_eq!(servers.times.requests().len(), 4);
    scene.end().await;
}

#[track_caller]
fn is_stamp_of(stamp: &str, bytes: &[u8]) {
    let stamp = Stamp::read(&STANDARD.decode(stamp).unwrap()).unwrap();
    assert_eq!(stamp.digest(), Digest::of(bytes).as_str());
}

/// Checks that one attestation is under the tag, with a timestamp of its envelope.
fn has_one_stamped_layer(registry: &Registry, digest: &str) {
    let [layer] = &attached(registry, digest, ".att")[..] else {
        panic!("one layer");
    };
    let stamp = layer["annotations"]["dev.sigstore.cosign/rfc3161timestamp"].as_str();
    let stamp: Value = serde_json::from_str(stamp.unwrap()).unwrap();
    let stamp = stamp["SignedRFC3161Timestamp"].as_str().unwrap();
    is_stamp_of(stamp, &blob(registry, layer));
}

#[tokio::test]
async fn an_attestation_that_is_under_a_tag_alone_gets_a_timestamp_of_its_envelope_alone() {
    let servers = Servers::start().await;
    let config = json!({ "artifacts.taskrun.storage": "oci", "artifacts.oci.storage": "" });
    let scene = scene_with(&servers, config, "dsse").await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    registry_for(&scene);
    scene.create(built("app", &registry, &digest));
    assert_eq!(scene.marked("app").await, "true");
    has_one_stamped_layer(&registry, &digest);
    assert_eq!(servers.times.requests().len(), 1);
    scene.end().await;
}

/// Ends the controller after a call of a server, with bundles, and starts another.
async fn killed_after(server: &str, number: usize) {
    let servers = Servers::start().await;
    let config = json!({ "artifacts.taskrun.storage": "oci", "artifacts.oci.storage": "" });
    let mut controlled = scene(&servers, config).await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    registry_for(&controlled);
    let gate = windlass_sandbox::Gate::new();
    match server {
        "log" => servers.log.fail(rekor::Fault {
            skip: number,
            answer: rekor::FaultAnswer::PauseAfterwards(gate.clone()),
            ..rekor::Fault::default()
        }),
        "times" => servers.times.fail(timestamps::Fault {
            skip: number,
            answer: timestamps::FaultAnswer::PauseAfterwards(gate.clone()),
            ..timestamps::Fault::default()
        }),
        _ => registry.fail(windlass_sandbox::registry::Fault {
            skip: number,
            answer: windlass_sandbox::registry::FaultAnswer::PauseAfterwards(gate.clone()),
            ..windlass_sandbox::registry::Fault::default()
        }),
    }
    controlled.create(built("app", &registry, &digest));
    gate.reached(1).await;
    // the tree grows meanwhile, so that the proof is another one
    let other = scene(&servers, in_toto()).await;
    other.settled_after_that("other").await;
    controlled.local.kill_and_start_controller().await.unwrap();
    gate.release();
    assert_eq!(controlled.marked("app").await, "true");
    let bundles = bundles(&registry, &digest);
    assert_eq!(bundles.len(), 1, "{server} {number}");
    assert_eq!(servers.log.entries().len(), 2, "{server} {number}");
    controlled.end().await;
    other.end().await;
}

#[tokio::test]
async fn killed_after_any_call_it_leaves_one_bundle_and_one_entry_of_version_2() {
    killed_after("times", 0).await;
    killed_after("times", 1).await;
    killed_after("log", 0).await;
    for number in 0..4 {
        killed_after("registry", number).await;
    }
}

#[tokio::test]
async fn timestamps_that_a_run_carries_are_not_asked_for_again_after_a_restart() {
    let servers = Servers::start().await;
    let config = json!({ "artifacts.taskrun.storage": "oci", "artifacts.oci.storage": "" });
    let mut scene = scene(&servers, config).await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    registry_for(&scene);
    registry.fail(windlass_sandbox::registry::Fault {
        method: Some("PUT".to_owned()),
        times: usize::MAX,
        answer: windlass_sandbox::registry::FaultAnswer::Status(403.into()),
        ..windlass_sandbox::registry::Fault::default()
    });
    scene.create(built("app", &registry, &digest));
    let carries = |scene: &Scene| {
        let annotations = scene.annotations("app");
        let mut names = annotations.keys();
        names.any(|name| name.starts_with(&annotation::proof("")))
    };
    scene.until("the run carries its proof", carries).await;
    assert_eq!(servers.times.requests().len(), 2);
    scene.local.kill_and_start_controller().await.unwrap();
    registry.clear_faults();
    assert_eq!(scene.marked("app").await, "true");
    assert_eq!(servers.times.requests().len(), 2);
    has_one_stamped_layer(&registry, &digest);
    scene.end().await;
}

#[tokio::test]
async fn without_a_timestamp_a_required_entry_is_not_made_and_the_run_says_why() {
    let servers = Servers::start().await;
    let scene = scene(&servers, in_toto()).await;
    let quirk = timestamps::Quirk::Ago(Duration::from_secs(86_400 / 4));
    let answer = timestamps::FaultAnswer::Quirk(quirk);
    let fault = timestamps::Fault::new("POST", "", answer);
    servers.times.fail(fault.repeated(usize::MAX));
    scene.create(finished("app"));
    let reason = scene.reason("app").await;
    assert!(reason.contains("older than the request"), "{reason}");
    assert!(!scene.annotations("app").contains_key(SIGNED));
    assert!(servers.log.entries().is_empty());
    servers.times.clear_faults();
    assert_eq!(scene.marked("app").await, "true");
    assert_eq!(servers.log.entries().len(), 1);
    scene.end().await;
}

/// What a key in PEM is as DER, in base64.
fn body(pem: &str) -> String {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    lines.collect()
}

/// A trusted root for what signed a run, whose chain is that of the authority.
fn trusted(servers: &Servers, log_key: &str, chain: &str) -> Value {
    use sha2::{Digest as _, Sha256};
    let certificates = |pem: &str| {
        let blocks = pem_blocks(pem, END_OF_CERTIFICATE);
        let raw = blocks.map(|block| json!({ "rawBytes": body(block) }));
        json!({ "certificates": raw.collect::<Vec<_>>() })
    };
    let always = json!({ "start": "2020-01-01T00:00:00Z" });
    let log = |url: &str, pem: &str| {
        let key = body(pem);
        let id = Sha256::digest(STANDARD.decode(&key).unwrap());
        json!({
            "baseUrl": url, "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": key, "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": always,
            },
            "logId": { "keyId": STANDARD.encode(id) },
        })
    };
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": [log("https://rekor.sandbox", &servers.log.public_key())],
        "ctlogs": [log("https://ct.sandbox", log_key)],
        "certificateAuthorities": [{
            "subject": { "organization": "sandbox", "commonName": "sandbox" },
            "uri": "https://fulcio.sandbox",
            "certChain": certificates(chain), "validFor": always,
        }],
        "timestampAuthorities": [{
            "subject": { "organization": "sandbox", "commonName": "sandbox" },
            "certChain": certificates(&servers.times.chain_pem()), "validFor": always,
        }],
    })
}

/// The verdict on a run by its annotations alone.
async fn verdict(run: &Value, root: &Value, identity: &str) -> Result<(), String> {
    let verifier = Verifier::new(root.to_string().as_bytes(), Vouching::STRICT).unwrap();
    let signatory = Signatory {
        identity: Matcher::Exact(identity.to_owned()),
        issuer: Matcher::Exact("https://issuer.sandbox".to_owned()),
        workflow: Vec::new(),
    };
    let signer = ExpectedSigner::Certificate(Box::new(signatory), Arc::new(verifier));
    verdict_by(run, signer).await
}

/// The verdict on a run that somebody has to have signed.
pub(super) async fn verdict_by(run: &Value, signer: ExpectedSigner) -> Result<(), String> {
    let request = VerifyRequest {
        signer,
        expected: Expected::default(),
        identity: None,
        annotations: Vec::new(),
        checks_subject: true,
        seal: SealRule::Required,
    };
    let documents = Documents {
        run: run.to_string(),
        is_pipeline_run: false,
        children: Vec::new(),
        refused: Vec::new(),
    };
    let report = verify::run::verify("run".to_owned(), &documents, &request);
    let report = report.await.unwrap();
    report
        .verdict()
        .map_err(|why| format!("{why}: {}", report.json()))
}

#[tokio::test]
async fn a_run_signed_without_a_key_is_verified_by_its_annotations_alone() {
    const IDENTITY: &str =
        "https://kubernetes.io/namespaces/tekton-chains/serviceaccounts/tekton-chains-controller";
    for version in ["1", "2"] {
        let servers = Servers::start().await;
        let stage = Stage::unconfigured().await;
        stage
            .scene
            .configure_own(servers.own(version, "both"))
            .await;
        stage.configure(servers.logging(json!({}))).await;
        stage.ready().await;
        for name in ["app", "other"] {
            stage.scene.create(with_image(name));
            assert_eq!(stage.scene.marked(name).await, "true");
        }
        stage.scene.create(finished("without-subject"));
        assert_eq!(stage.scene.marked("without-subject").await, "true");
        let [run, other] = ["app", "other"].map(|name| stage.scene.run(name));
        let key = |run: &Value| format!("taskrun-{}", run["metadata"]["uid"].as_str().unwrap());
        let annotation = |run: &Value, name: String| run["metadata"]["annotations"][name].clone();
        let chain = annotation(&run, annotation::chain(&key(&run)));
        let chain = STANDARD.decode(chain.as_str().unwrap()).unwrap();
        let chain = String::from_utf8(chain).unwrap();
        let root = trusted(&servers, &stage.fulcio.log_key_pem(), &chain);
        assert_eq!(verdict(&run, &root, IDENTITY).await, Ok(()), "{version}");
        let without = stage.scene.run("without-subject");
        let without = verdict(&without, &root, IDENTITY).await;
        match version {
            "2" => assert_eq!(without, Ok(())),
            _ => assert!(without.unwrap_err().contains("log to Rekor version 2")),
        }
        let somebody = verdict(&run, &root, "https://somebody").await.unwrap_err();
        assert!(somebody.contains("https://somebody"), "{somebody}");
        // without the entry, or with that of another run, it is not
        let mut without = run.clone();
        let name = annotation::proof(&key(&run));
        let annotations = without["metadata"]["annotations"].as_object_mut().unwrap();
        assert!(annotations.remove(&name).is_some());
        let why = verdict(&without, &root, IDENTITY).await.unwrap_err();
        assert!(why.contains("log entry"), "{why}");
        let mut swapped = run.clone();
        let proof = annotation(&other, annotation::proof(&key(&other)));
        swapped["metadata"]["annotations"][name] = proof;
        assert!(verdict(&swapped, &root, IDENTITY).await.is_err());
        stage.end().await;
    }
}
