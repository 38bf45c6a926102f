//! Signing without a key of one's own: what is written where, what is believed, and what waits.

use std::sync::Arc;

use windlass_core::annotation::{self, SEAL};
use windlass_core::certificate::Authority;
use windlass_core::config::{Config, X509};
use windlass_core::dsse::{IN_TOTO, pae};
use windlass_core::key::{Certificate, PrivateKey};
use windlass_core::run::Run;
use windlass_core::seal;
use windlass_registry::Clock;
use windlass_sandbox::Reply;
use windlass_sandbox::fulcio::{
    Fault as FulcioFault, FaultAnswer as FulcioAnswer, Fulcio, Subject,
};
use windlass_sandbox::registry::{
    Fault as RegistryFault, FaultAnswer as RegistryAnswer, Options as RegistryOptions, Registry,
};
use windlass_sandbox::rekor::{self, Rekor};

use super::planted::Planted;
use super::registries::{anonymous, built, image};
use super::*;
use crate::settings::mirror;
use crate::settings::remote::Times;
use crate::sign::keyless::means::Means;
use crate::sign::keyless::signer::KeylessSigner;
use crate::telemetry::Health;
use crate::telemetry::recorded::{EVERYTHING, Log};

/// Fulcio, a controller, and a folder with its identity token.
pub(super) struct Stage {
    pub(super) scene: Scene,
    pub(super) fulcio: Fulcio,
    health: Health,
    folder: tempfile::TempDir,
}

/// Times for a controller that looks at its certificate when it is told to.
fn times() -> Times {
    Times {
        look: Duration::from_secs(3600),
        gap: Duration::ZERO,
        patience: Duration::from_secs(30),
        pauses: (Duration::from_millis(20), Duration::from_millis(20)),
    }
}

impl Stage {
    /// A controller that is not configured yet.
    pub(super) async fn unconfigured() -> Self {
        Self::with(options()).await
    }

    /// The same, set up like this.
    pub(super) async fn with(mut options: Options) -> Self {
        let fulcio = Fulcio::start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let health = Health::default();
        options.health = health.clone();
        options.remote = times();
        options.mirror = mirror::Times {
            look: Duration::from_millis(50),
            pauses: (Duration::from_millis(20), Duration::from_millis(20)),
        };
        options.pauses = (Duration::from_millis(20), Duration::from_millis(20));
        options.registries.clock = Clock::manual();
        let scene = Scene::with_options(options).await;
        let stage = Self {
            scene,
            fulcio,
            health,
            folder,
        };
        stage.write_token(&Subject::default());
        stage
    }

    /// One that signs everything with certificates.
    async fn start() -> Self {
        let stage = Self::unconfigured().await;
        stage.configure(json!({})).await;
        stage.ready().await;
        stage
    }

    fn write_token(&self, subject: &Subject) -> String {
        let token = self.fulcio.issue(subject);
        std::fs::write(self.token_file(), &token).unwrap();
        token
    }

    fn token_file(&self) -> std::path::PathBuf {
        self.folder.path().join("token")
    }

    pub(super) async fn configure(&self, more: Value) {
        let mut config = json!({
            "signers.x509.fulcio.enabled": "true",
            "signers.x509.fulcio.address": self.fulcio.url(),
            "signers.x509.identity.token.file": self.token_file(),
            "artifacts.oci.storage": "tekton",
        });
        for (key, value) in more.as_object().unwrap() {
            config[key] = value.clone();
        }
        self.scene.configure(config).await;
    }

    pub(super) async fn ready(&self) {
        let is_ready = |_: &Scene| self.health.not_ready().is_none();
        self.scene.until("it is ready", is_ready).await;
    }

    pub(super) async fn not_ready(&self, text: &str) -> String {
        let why = || self.health.not_ready().unwrap_or_default();
        let says = |_: &Scene| why().contains(text);
        let what = format!("it is not ready: {text}");
        self.scene.until(&what, says).await;
        why()
    }

    pub(super) async fn signs(&self, name: &str) -> Certificate {
        self.scene.create(finished(name));
        assert_eq!(self.scene.marked(name).await, "true");
        verify(&self.scene, name)
    }

    /// Waits until so many runs were marked, and sees that there is no more.
    async fn marked_in_all(&self, count: u64) {
        let marked = &self.scene.local.metrics.task_runs.marked_signed;
        let what = format!("{count} are marked");
        self.scene.until(&what, |_| marked.get() >= count).await;
        assert_eq!(marked.get(), count);
    }

    pub(super) async fn end(self) {
        self.scene.end().await;
        self.fulcio.shutdown().await;
    }
}

/// The decoded annotation of this kind for the run itself.
fn decoded(scene: &Scene, name: &str, annotation: fn(&str) -> String) -> Vec<u8> {
    let uid = scene.run(name)["metadata"]["uid"].clone();
    let key = format!("taskrun-{}", uid.as_str().unwrap());
    let annotations = scene.annotations(name);
    STANDARD.decode(&annotations[&annotation(&key)]).unwrap()
}

/// Checks the statement and the seal of a run with the certificate that is on it.
fn verify(scene: &Scene, name: &str) -> Certificate {
    let leaf = Certificate::from_pem(&decoded(scene, name, annotation::certificate)).unwrap();
    let chain = decoded(scene, name, annotation::chain);
    let chain = String::from_utf8(chain).unwrap();
    let chain = Certificate::all_from_pem(&chain, 8).unwrap();
    assert_eq!(chain.len(), 2);
    let authority = Authority::of(&leaf, &chain[0]).unwrap();
    let envelope = Envelope::from_json(&decoded(scene, name, annotation::signature)).unwrap();
    envelope.verify(leaf.public_key()).unwrap();
    assert_eq!(envelope.signatures[0].keyid, leaf.public_key().key_id());
    let text = scene.run(name).to_string();
    let run = Run::parse(text.as_bytes()).unwrap();
    seal::verify_by(run.kind(), run.metadata(), [], [&authority], None).unwrap();
    leaf
}

/// A finished run that built an image.
pub(super) fn with_image(name: &str) -> Value {
    let mut run = finished(name);
    run["status"]["results"] = json!([
        { "name": "IMAGE_URL", "value": "r.invalid/team/app" },
        { "name": "IMAGE_DIGEST", "value": format!("sha256:{}", "cd".repeat(32)) },
    ]);
    run
}

#[tokio::test]
async fn many_runs_are_signed_with_one_certificate_and_without_any_secret() {
    let stage = Stage::start().await;
    let first = stage.signs("first").await;
    for number in 0..10 {
        assert_eq!(stage.signs(&format!("run-{number}")).await, first);
    }
    stage.scene.create(with_image("image"));
    assert_eq!(stage.scene.marked("image").await, "true");
    let annotations = stage.scene.annotations("image");
    let short = "cd".repeat(6);
    let of = |name: fn(&str) -> String| STANDARD.decode(&annotations[&name(&short)]).unwrap();
    let leaf = Certificate::from_pem(&of(annotation::certificate)).unwrap();
    let (payload, signature) = (of(annotation::payload), of(annotation::signature));
    leaf.public_key().verify(&payload, &signature).unwrap();
    assert_eq!(stage.fulcio.certificates(), 1);
    stage.end().await;
}

#[tokio::test]
async fn marks_sealed_with_certificates_that_ended_are_believed_after_a_restart() {
    let mut stage = Stage::unconfigured().await;
    stage.fulcio.set_lifetime(Duration::from_secs(1));
    stage.configure(json!({})).await;
    stage.ready().await;
    stage.signs("before").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.signs("with-another-certificate").await;
    let remembers = |scene: &Scene| {
        let cluster = &scene.local.cluster;
        let lease = cluster.get("leases.coordination.k8s.io", SYSTEM, "windlass");
        let lease = lease.unwrap_or_default();
        let name = "chains.tekton.dev/authorities";
        let text = lease["metadata"]["annotations"][name].clone();
        text.as_str().unwrap_or_default().matches("BEGIN").count() == 1
    };
    let what = "one authority is remembered";
    stage.scene.until(what, remembers).await;
    let seals = |scene: &Scene| {
        let names = ["before", "with-another-certificate"];
        names.map(|name| scene.annotations(name)[SEAL].clone())
    };
    let sealed = seals(&stage.scene);
    assert_ne!(sealed[0], sealed[1]);
    // only the lease knows the authority that these are of
    stage.fulcio.replace_authority().unwrap();
    stage.fulcio.set_lifetime(Duration::from_secs(600));
    stage.scene.local.kill_and_start_controller().await.unwrap();
    stage.scene.local.cluster.clear_requests();
    stage.signs("after").await;
    stage.scene.wrote(1).await;
    assert_eq!(seals(&stage.scene), sealed);
    stage.end().await;
}

#[tokio::test]
async fn a_seal_with_a_certificate_of_anybody_else_is_none() {
    let stage = Stage::start().await;
    let other = Fulcio::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, other.issue(&Subject::default())).unwrap();
    let settings = X509 {
        fulcio_address: other.url().as_str().into(),
        identity_token_file: file.display().to_string(),
        ..Config::default().x509
    };
    let means = Means {
        settings,
        environment: |_| None,
        cluster: None,
        typed: None,
    };
    let doubt = Arc::default();
    let forger = KeylessSigner::open(&means, &doubt).await.unwrap();
    let created = stage.scene.create(task_run("forged"));
    let text = created.to_string();
    let run = Run::parse(text.as_bytes()).unwrap();
    let message = seal::message(run.kind(), run.metadata(), "true", None);
    let signature = forger.sign(&message).await.unwrap();
    let uid = &run.metadata().uid;
    let seal = seal::annotation_by(&signature.identity, &signature.bytes, uid, None);
    let marks = json!({ "chains.tekton.dev/signed": "true", SEAL: seal });
    let uri = "/apis/tekton.dev/v1/namespaces/default/taskruns/forged";
    stage
        .scene
        .patch(uri, json!({ "metadata": { "annotations": marks } }))
        .await;
    stage.scene.finish("forged", status()).await;
    let uid = uid.to_string();
    let is_signed = |scene: &Scene| {
        let name = annotation::signature(&format!("taskrun-{uid}"));
        scene.annotations("forged").contains_key(&name)
    };
    stage.scene.until("the run is signed", is_signed).await;
    verify(&stage.scene, "forged");
    stage.end().await;
}

#[tokio::test]
async fn without_a_certificate_nothing_is_marked_and_the_reason_is_told_until_there_is_one() {
    let stage = Stage::unconfigured().await;
    stage.fulcio.fail(FulcioFault {
        times: usize::MAX,
        answer: FulcioAnswer::Status(401.into()),
        ..FulcioFault::default()
    });
    stage.configure(json!({})).await;
    let reason = stage.not_ready("does not accept the identity token").await;
    assert!(reason.contains("signers.x509.fulcio.enabled"), "{reason}");
    stage.scene.create(finished("app"));
    let held = stage.scene.reason("app").await;
    assert!(held.contains("HTTP 401"), "{held}");
    let annotations = stage.scene.annotations("app");
    assert!(!annotations.contains_key("chains.tekton.dev/signed"));
    stage.scene.event("CertificateUnavailable").await;
    stage.fulcio.clear_faults();
    assert_eq!(stage.scene.marked("app").await, "true");
    verify(&stage.scene, "app");
    stage.ready().await;
    stage.end().await;
}

#[tokio::test]
async fn a_new_authority_is_taken_up_as_a_whole_and_told() {
    let stage = Stage::unconfigured().await;
    stage.fulcio.set_lifetime(Duration::from_secs(1));
    stage.configure(json!({})).await;
    stage.ready().await;
    stage.signs("before").await;
    stage.fulcio.replace_authority().unwrap();
    stage.fulcio.set_lifetime(Duration::from_secs(600));
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.signs("after").await;
    let event = stage.scene.event("KeyRotated").await;
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("tekton-chains-controller"), "{message}");
    // what the first one sealed is still believed
    stage.marked_in_all(2).await;
    stage.end().await;
}

#[tokio::test]
async fn a_warning_tells_that_nothing_shows_later_when_a_signature_was_made() {
    let stage = Stage::start().await;
    let event = stage.scene.event("ConfigWarning").await;
    let message = event["message"].as_str().unwrap();
    assert!(message.contains("transparency.enabled"), "{message}");
    stage.end().await;
}

#[tokio::test]
async fn the_key_of_the_secret_is_not_needed_and_does_not_sign() {
    let stage = Stage::start().await;
    stage.scene.add_key();
    let loaded = |scene: &Scene| scene.local.metrics.keys_loaded.get() == 2;
    stage.scene.until("both are loaded", loaded).await;
    stage.signs("certified").await;
    stage
        .scene
        .configure(json!({ "signers.x509.fulcio.enabled": "false" }))
        .await;
    stage.ready().await;
    stage.scene.create(finished("by-key"));
    assert_eq!(stage.scene.marked("by-key").await, "true");
    assert_eq!(
        decoded(&stage.scene, "by-key", annotation::certificate),
        b""
    );
    // the marks of the time with certificates are still believed
    stage.marked_in_all(2).await;
    stage.end().await;
}

#[tokio::test]
async fn the_cluster_is_asked_for_a_token_of_the_service_account() {
    let stage = Stage::unconfigured().await;
    let account = json!({ "signers.x509.identity.service-account": "signer" });
    stage.scene.create(windlass_config(&account));
    let file = "signers.x509.identity.token.file";
    stage.configure(json!({})).await;
    let told = stage.not_ready("is set together with").await;
    assert!(told.contains(file), "{told}");
    // the built-in cluster makes no tokens
    stage.configure(json!({ file: null })).await;
    let told = stage.not_ready("create serviceaccounts/token").await;
    assert!(
        told.contains("service account tekton-chains/signer"),
        "{told}"
    );
    let token = stage.fulcio.issue(&Subject::default());
    let body = json!({ "status": { "token": token } }).to_string();
    stage.scene.local.cluster.fail(Fault {
        method: Some("POST".to_owned()),
        path_contains: "/namespaces/tekton-chains/serviceaccounts/signer/token".to_owned(),
        times: usize::MAX,
        answer: FaultAnswer::Status(Reply::from(201).body(body)),
        ..Fault::default()
    });
    stage.ready().await;
    stage.signs("app").await;
    stage.end().await;
}

/// A controller with a registry that refuses every upload, and an image there.
async fn before_a_registry_that_fails() -> (Stage, Registry, String) {
    let stage = Stage::unconfigured().await;
    let registry = Registry::start(RegistryOptions::default()).await.unwrap();
    let digest = image(&registry);
    anonymous(&stage.scene);
    registry.fail(RegistryFault {
        method: Some("PUT".to_owned()),
        times: usize::MAX,
        answer: RegistryAnswer::Status(503.into()),
        ..RegistryFault::default()
    });
    (stage, registry, digest)
}

fn to_registry() -> Value {
    json!({ "artifacts.taskrun.storage": "tekton,oci", "artifacts.oci.storage": "" })
}

#[tokio::test]
async fn a_signature_of_an_earlier_certificate_is_taken_up_and_not_made_again() {
    let (stage, registry, digest) = before_a_registry_that_fails().await;
    stage.fulcio.set_lifetime(Duration::from_secs(2));
    stage.configure(to_registry()).await;
    stage.ready().await;
    stage.scene.create(built("app", &registry, &digest));
    stage.scene.reason("app").await;
    let first = verify_statement(&stage.scene, "app");
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.fulcio.set_lifetime(Duration::from_secs(600));
    registry.clear_faults();
    assert_eq!(stage.scene.marked("app").await, "true");
    assert_eq!(verify_statement(&stage.scene, "app"), first);
    let made = stage.scene.local.metrics.task_runs.signatures.get();
    assert_eq!(made, 1);
    // the seal is by the second
    assert!(stage.fulcio.certificates() >= 2);
    registry.shutdown().await;
    stage.end().await;
}

#[tokio::test]
async fn a_certificate_of_somebody_else_on_the_run_is_not_believed() {
    let (stage, registry, digest) = before_a_registry_that_fails().await;
    stage.configure(to_registry()).await;
    stage.ready().await;
    stage.scene.create(built("app", &registry, &digest));
    stage.scene.reason("app").await;
    let first = verify_statement(&stage.scene, "app");
    // somebody with a certificate of their own signs the same payload
    let key = PrivateKey::generate_p256(&[9; 32]).unwrap();
    let payload = decoded(&stage.scene, "app", annotation::payload);
    let message = pae(IN_TOTO, &payload);
    let forged = Envelope::with_signature(
        IN_TOTO,
        &payload,
        key.public_key().key_id(),
        &key.sign(&message).unwrap(),
    );
    let uid = stage.scene.run("app")["metadata"]["uid"].clone();
    let short = format!("taskrun-{}", uid.as_str().unwrap());
    let marks = json!({
        annotation::signature(&short): STANDARD.encode(forged.to_json()),
        annotation::certificate(&short): STANDARD.encode(key.public_key().to_pem()),
    });
    let uri = "/apis/tekton.dev/v1/namespaces/default/taskruns/app";
    stage
        .scene
        .patch(uri, json!({ "metadata": { "annotations": marks } }))
        .await;
    registry.clear_faults();
    assert_eq!(stage.scene.marked("app").await, "true");
    assert_eq!(verify_statement(&stage.scene, "app"), first);
    registry.shutdown().await;
    stage.end().await;
}

/// The certificate of the statement of a run, which verifies with it.
fn verify_statement(scene: &Scene, name: &str) -> Certificate {
    let leaf = Certificate::from_pem(&decoded(scene, name, annotation::certificate)).unwrap();
    let envelope = Envelope::from_json(&decoded(scene, name, annotation::signature)).unwrap();
    envelope.verify(leaf.public_key()).unwrap();
    leaf
}

#[tokio::test]
async fn a_signature_that_is_logged_is_taken_up_whenever_its_certificate_ended() {
    let log = Rekor::start(rekor::Options::default()).await.unwrap();
    let (stage, registry, digest) = before_a_registry_that_fails().await;
    stage.fulcio.set_lifetime(Duration::from_secs(2));
    let mut config = to_registry();
    config["transparency.enabled"] = json!("true");
    config["transparency.url"] = json!(log.url());
    stage.configure(config).await;
    stage.ready().await;
    stage.scene.create(built("app", &registry, &digest));
    stage.scene.reason("app").await;
    let first = verify_statement(&stage.scene, "app");
    tokio::time::sleep(Duration::from_secs(2)).await;
    stage.fulcio.set_lifetime(Duration::from_secs(600));
    registry.clear_faults();
    assert_eq!(stage.scene.marked("app").await, "true");
    // what is logged stays, whenever its certificate ends
    assert_eq!(verify_statement(&stage.scene, "app"), first);
    assert_eq!(log.entries().len(), 1);
    registry.shutdown().await;
    stage.end().await;
}

#[tokio::test]
async fn a_signature_whose_certificate_ended_before_it_was_logged_is_made_again() {
    let log = Rekor::start(rekor::Options::default()).await.unwrap();
    let stage = Stage::unconfigured().await;
    log.fail(rekor::Fault {
        times: usize::MAX,
        answer: rekor::FaultAnswer::Status(500.into()),
        ..rekor::Fault::default()
    });
    stage.fulcio.set_lifetime(Duration::from_secs(1));
    let logged = json!({
        "transparency.enabled": "true", "transparency.url": log.url(),
    });
    stage.configure(logged).await;
    stage.ready().await;
    stage.scene.create(finished("app"));
    stage.scene.reason("app").await;
    let first = verify_statement(&stage.scene, "app");
    tokio::time::sleep(Duration::from_secs(1)).await;
    stage.fulcio.set_lifetime(Duration::from_secs(600));
    log.clear_faults();
    assert_eq!(stage.scene.marked("app").await, "true");
    assert_ne!(verify_statement(&stage.scene, "app"), first);
    assert_eq!(log.entries().len(), 1);
    stage.end().await;
}

#[tokio::test]
async fn no_identity_token_is_seen_whatever_fails() {
    let log = Log::default();
    let _logging = log.record(EVERYTHING);
    let stage = Stage::unconfigured().await;
    let mut tokens = vec![std::fs::read_to_string(stage.token_file()).unwrap()];
    // a server that repeats the token in what it says
    for status in [200, 307, 400, 401, 403, 500] {
        stage.fulcio.fail(FulcioFault {
            times: 1,
            answer: FulcioAnswer::Status(
                Reply::from(status).body(json!({ "message": tokens[0] }).to_string()),
            ),
            ..FulcioFault::default()
        });
    }
    stage.configure(json!({})).await;
    stage.not_ready("does not accept the identity token").await;
    stage.ready().await;
    stage.signs("app").await;
    // tokens that are of no use
    let ended = Subject {
        lifetime: Duration::ZERO,
        ..Subject::default()
    };
    tokens.push(stage.write_token(&ended));
    stage
        .configure(json!({ "signers.x509.fulcio.issuer": "https://other" }))
        .await;
    stage.not_ready("signers.x509.fulcio.issuer").await;
    stage
        .configure(json!({ "signers.x509.fulcio.issuer": "" }))
        .await;
    stage.not_ready("has expired").await;
    std::fs::write(stage.token_file(), format!("x{}", tokens[0])).unwrap();
    stage.not_ready("is not a JWT").await;
    let mut planted = Planted::default();
    for token in &tokens {
        for part in token.split('.').skip(1) {
            planted.add("a part of a token", part);
        }
    }
    let log = log.text();
    assert!(log.contains("does not accept"), "the log was written");
    planted.search_with_readiness(&stage.scene, &log, &stage.health);
    stage.end().await;
}
