//! Keys in Vault: what signs with them, what waits for them, and what never does.

use windlass_core::annotation::SEAL;
use windlass_core::key::PrivateKey;
use windlass_core::run::Run;
use windlass_core::seal;
use windlass_sandbox::Reply;
use windlass_sandbox::vault::{KeyKind, Vault};

use super::planted::Planted;
use super::*;
use crate::settings::remote::Times;
use crate::telemetry::Health;
use crate::telemetry::recorded::{EVERYTHING, Log};

/// The key that signs.
const NAME: &str = "release";
/// A signature path.
const SIGN: &str = "/transit/sign/";

/// A server with a key, and a controller.
struct Stage {
    scene: Scene,
    vault: Vault,
    health: Health,
}

/// Everything that task and pipeline runs need is signed with the key in Vault.
fn everything_by_kms() -> Value {
    json!({
        "artifacts.taskrun.signer": "kms",
        "artifacts.pipelinerun.signer": "kms",
        "artifacts.oci.signer": "kms",
        "artifacts.oci.storage": "tekton",
    })
}

/// The run is signed with the key of the secret, its images with that in Vault.
fn images_by_kms() -> Value {
    json!({ "artifacts.oci.signer": "kms", "artifacts.oci.storage": "tekton" })
}

/// Times for a controller that looks at its key when it is told to.
fn seldom() -> Times {
    Times {
        look: Duration::from_secs(3600),
        gap: Duration::ZERO,
        patience: Duration::from_secs(30),
        pauses: (Duration::from_millis(20), Duration::from_millis(20)),
    }
}

/// Times for one that looks at it all the time.
fn often() -> Times {
    Times {
        look: Duration::from_millis(20),
        ..seldom()
    }
}

impl Stage {
    /// A controller without settings for its key, and a server with one of this kind.
    async fn with(times: Times, kind: KeyKind) -> Self {
        let vault = Vault::start().await.unwrap();
        match kind {
            KeyKind::Rsa4096 => vault.import_key(NAME, kind, &rsa()).unwrap(),
            _ => vault.create_key(NAME, kind).unwrap(),
        }
        let mut options = options();
        let health = Health::default();
        options.health = health.clone();
        options.remote = times;
        options.pauses = (Duration::from_millis(20), Duration::from_millis(20));
        let scene = Scene::with_options(options).await;
        Self {
            scene,
            vault,
            health,
        }
    }

    /// The same with these settings and a login by `auth`.
    async fn configured(self, mut config: Value, auth: Value) -> Self {
        config["signers.kms.kmsref"] = json!(format!("hashivault://{NAME}"));
        config["signers.kms.auth.address"] = json!(self.vault.url());
        for (key, value) in auth.as_object().unwrap() {
            config[key] = value.clone();
        }
        self.scene.configure(config).await;
        self
    }

    /// One whose key of this kind signs everything.
    async fn of(times: Times, kind: KeyKind) -> Self {
        let stage = Self::with(times, kind).await;
        let auth = json!({ "signers.kms.auth.token": stage.vault.issue(None) });
        let stage = stage.configured(everything_by_kms(), auth).await;
        stage.ready().await;
        stage
    }

    async fn ready(&self) {
        let is_ready = |_: &Scene| self.health.not_ready().is_none();
        self.scene.until("it is ready", is_ready).await;
    }

    /// Waits until it is not ready for a reason with this text, and gives the reason.
    async fn not_ready(&self, text: &str) -> String {
        let says = |_: &Scene| {
            self.health
                .not_ready()
                .is_some_and(|why| why.contains(text))
        };
        self.scene
            .until(&format!("it is not ready: {text}"), says)
            .await;
        self.health.not_ready().unwrap()
    }

    /// The public key of a version.
    fn key(&self, version: u64) -> PublicKey {
        let pem = self.vault.public_key(NAME, version).unwrap();
        PublicKey::from_pem(pem.as_bytes()).unwrap()
    }

    /// Has a run signed, and checks its statement and its seal with this key.
    async fn signs(&self, name: &str, key: &PublicKey) {
        self.scene.create(finished(name));
        assert_eq!(self.scene.marked(name).await, "true");
        verify(&self.scene, name, key);
    }

    async fn end(self) {
        self.scene.end().await;
        self.vault.shutdown().await;
    }
}

/// Checks the statement and the seal of a run with this key.
fn verify(scene: &Scene, name: &str, key: &PublicKey) {
    let run = scene.run(name);
    let uid = run["metadata"]["uid"].as_str().unwrap();
    let annotations = scene.annotations(name);
    let stored = &annotations[&format!("chains.tekton.dev/signature-taskrun-{uid}")];
    let envelope = Envelope::from_json(&STANDARD.decode(stored).unwrap()).unwrap();
    envelope.verify(key).unwrap();
    assert!(annotations.contains_key(SEAL));
    let text = run.to_string();
    let run = Run::parse(text.as_bytes()).unwrap();
    seal::verify(run.kind(), run.metadata(), [key]).unwrap();
}

/// Checks the signature of the one image of a run with this key.
fn verify_image(scene: &Scene, name: &str, key: &PublicKey) {
    let annotations = scene.annotations(name);
    let short = "cd".repeat(6);
    let decoded = |kind: &str| {
        let text = &annotations[&format!("chains.tekton.dev/{kind}-{short}")];
        STANDARD.decode(text).unwrap()
    };
    key.verify(&decoded("payload"), &decoded("signature"))
        .unwrap();
}

/// A finished run that built an image.
fn with_image(name: &str) -> Value {
    let mut run = finished(name);
    run["status"]["results"] = json!([
        { "name": "IMAGE_URL", "value": "r.invalid/team/app" },
        { "name": "IMAGE_DIGEST", "value": format!("sha256:{}", "cd".repeat(32)) },
    ]);
    run
}

/// A private key of RSA, PKCS#8.
fn rsa() -> Vec<u8> {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../core/tests/fixtures/keys/import-rsa4096"
    );
    let read = |name: &str| std::fs::read(format!("{folder}/{name}")).unwrap();
    let key = PrivateKey::from_cosign(&read("cosign.key"), &read("cosign.password")).unwrap();
    key.to_pkcs8_der().unwrap().to_vec()
}

#[tokio::test]
async fn runs_are_signed_with_every_kind_of_key_in_vault_and_without_any_secret() {
    for kind in [
        KeyKind::P256,
        KeyKind::P384,
        KeyKind::Ed25519,
        KeyKind::Rsa4096,
    ] {
        let stage = Stage::of(seldom(), kind).await;
        let key = stage.key(1);
        stage.signs("app", &key).await;
        stage.scene.create(with_image("image"));
        assert_eq!(stage.scene.marked("image").await, "true");
        verify(&stage.scene, "image", &key);
        verify_image(&stage.scene, "image", &key);
        stage.end().await;
    }
}

#[tokio::test]
async fn each_artifact_is_signed_by_the_signer_that_it_names() {
    let stage = Stage::with(seldom(), KeyKind::P256).await;
    stage.scene.add_key();
    let auth = json!({ "signers.kms.auth.token": stage.vault.issue(None) });
    let stage = stage.configured(images_by_kms(), auth).await;
    stage.ready().await;
    stage.scene.create(with_image("app"));
    assert_eq!(stage.scene.marked("app").await, "true");
    let of_secret = PublicKey::from_pem(PUBLIC.as_bytes()).unwrap();
    verify(&stage.scene, "app", &of_secret);
    verify_image(&stage.scene, "app", &stage.key(1));
    stage.end().await;
}

#[tokio::test]
async fn a_run_costs_one_request_for_its_signature_and_one_for_its_seal() {
    let stage = Stage::of(seldom(), KeyKind::P256).await;
    stage.vault.clear_requests();
    let key = stage.key(1);
    stage.signs("app", &key).await;
    assert_eq!(stage.vault.count("PUT", SIGN), 2);
    assert_eq!(stage.vault.requests().len(), 2);
    stage.end().await;
}

#[tokio::test]
async fn a_new_version_is_taken_up_as_a_whole_and_told_once() {
    let stage = Stage::of(often(), KeyKind::P256).await;
    let (first, name) = (stage.key(1), "before");
    stage.signs(name, &first).await;
    stage.vault.rotate(NAME).unwrap();
    let event = stage.scene.event("KeyRotated").await;
    let message = event["message"].as_str().unwrap();
    let second = stage.key(2);
    for part in ["version 1", "version 2", &first.key_id(), &second.key_id()] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(event["involvedObject"]["name"], "chains-config");
    stage.signs("after", &second).await;
    // what the first version sealed is still believed
    stage.scene.wrote(2).await;
    stage
        .vault
        .reached(
            "GET",
            "/transit/keys/",
            stage.vault.count("GET", "/transit/keys/") + 3,
        )
        .await;
    verify(&stage.scene, name, &first);
    stage.scene.wrote(2).await;
    let events = stage.scene.local.cluster.list("events");
    let rotations = events
        .iter()
        .filter(|event| event["reason"] == "KeyRotated");
    assert_eq!(rotations.count(), 1);
    stage.end().await;
}

#[tokio::test]
async fn nothing_is_signed_with_a_version_whose_public_key_was_not_read() {
    let stage = Stage::of(seldom(), KeyKind::P256).await;
    stage.vault.rotate(NAME).unwrap();
    // the controller does not know of the second version, and asks for the first
    let first = stage.key(1);
    stage.signs("pinned", &first).await;
    // the first signs no longer, so the key is looked at at once
    stage.vault.disable_before(NAME, 2);
    let second = stage.key(2);
    stage.signs("next", &second).await;
    verify(&stage.scene, "pinned", &first);
    stage.end().await;
}

#[tokio::test]
async fn a_signature_that_the_public_key_does_not_verify_is_never_used() {
    let stage = Stage::of(seldom(), KeyKind::P256).await;
    stage.vault.create_key("other", KeyKind::P256).unwrap();
    let other = windlass_core::key::PrivateKey::generate_p256(&[9; 32]).unwrap();
    let forged = STANDARD.encode(other.sign(b"anything").unwrap());
    let body = json!({ "data": { "signature": format!("vault:v1:{forged}") } });
    stage.vault.fail(Fault {
        path_contains: SIGN.to_owned(),
        times: 1,
        answer: FaultAnswer::Status(Reply::from(200).body(body.to_string())),
        ..Fault::default()
    });
    let key = stage.key(1);
    // the run waits, the key is looked at, and then it signs
    stage.signs("app", &key).await;
    stage.end().await;
}

#[tokio::test]
async fn a_missing_permission_is_named_and_nothing_is_marked_until_it_is_granted() {
    let stage = Stage::with(seldom(), KeyKind::P256).await;
    let auth = json!({ "signers.kms.auth.token": stage.vault.issue_without("transit/sign/") });
    let stage = stage.configured(everything_by_kms(), auth).await;
    let reason = stage.not_ready("not allowed to sign").await;
    for part in [
        "signers.kms.kmsref",
        "`update` on path \"transit/sign/release/sha2-256\"",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    stage.scene.create(finished("app"));
    let held = stage.scene.reason("app").await;
    assert!(held.contains("grant `update`"), "{held}");
    let annotations = stage.scene.annotations("app");
    assert!(!annotations.contains_key("chains.tekton.dev/signed"));
    stage.scene.event("KeyUnavailable").await;
    let granted = json!({ "signers.kms.auth.token": stage.vault.issue(None) });
    stage.scene.configure(granted).await;
    assert_eq!(stage.scene.marked("app").await, "true");
    stage.ready().await;
    stage.end().await;
}

#[tokio::test]
async fn a_token_that_ended_is_told_apart_from_a_missing_permission() {
    let stage = Stage::with(often(), KeyKind::P256).await;
    let token = stage.vault.issue(None);
    let auth = json!({ "signers.kms.auth.token": token });
    let stage = stage.configured(everything_by_kms(), auth).await;
    stage.ready().await;
    stage.vault.revoke(&token);
    let reason = stage.not_ready("the token has ended").await;
    assert!(reason.contains("signers.kms.auth.token"), "{reason}");
    assert!(!reason.contains(&token), "{reason}");
    stage.end().await;
}

#[tokio::test]
async fn a_login_with_a_jwt_is_repeated_when_its_token_ends_and_renewed_before() {
    let stage = Stage::with(often(), KeyKind::P256).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "a.jwt.token\n").unwrap();
    let time = Duration::from_secs(3);
    stage
        .vault
        .accept("kubernetes", "signer", "a.jwt.token", time);
    let auth = json!({
        "signers.kms.auth.oidc.path": "kubernetes",
        "signers.kms.auth.oidc.role": "signer",
        "signers.kms.auth.oidc.token-path": file,
    });
    let stage = stage.configured(everything_by_kms(), auth).await;
    stage.ready().await;
    let login = "/auth/kubernetes/login";
    assert_eq!(stage.vault.count("PUT", login), 1);
    stage
        .vault
        .reached("PUT", "/auth/token/renew-self", 1)
        .await;
    let key = stage.key(1);
    stage.signs("renewed", &key).await;
    assert_eq!(stage.vault.count("PUT", login), 1);
    stage.vault.revoke_all();
    stage.signs("again", &key).await;
    assert!(stage.vault.count("PUT", login) >= 2);
    stage.end().await;
}

#[tokio::test]
async fn a_token_file_that_somebody_renews_is_read_again() {
    let stage = Stage::with(often(), KeyKind::P256).await;
    let folder = tempfile::tempdir().unwrap();
    // the operator mounts a secret with this entry
    let file = folder.path().join("KMS_AUTH_TOKEN");
    let token = stage.vault.issue(None);
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let auth = json!({ "signers.kms.auth.token-path": folder.path() });
    let stage = stage.configured(everything_by_kms(), auth).await;
    stage.ready().await;
    std::fs::write(&file, stage.vault.issue(None)).unwrap();
    stage.vault.revoke(&token);
    let key = stage.key(1);
    stage.signs("app", &key).await;
    stage.ready().await;
    stage.end().await;
}

#[tokio::test]
async fn a_server_that_hangs_keeps_nobody_waiting_who_needs_no_key_of_it() {
    let stage = Stage::with(seldom(), KeyKind::P256).await;
    stage.scene.add_key();
    stage.vault.fail(Fault {
        times: usize::MAX,
        answer: FaultAnswer::Hang,
        ..Fault::default()
    });
    let auth = json!({ "signers.kms.auth.token": stage.vault.issue(None) });
    let stage = stage.configured(images_by_kms(), auth).await;
    stage.not_ready("not loaded").await;
    stage.vault.reached("", "/v1/", 1).await;
    stage.scene.create(with_image("image"));
    let of_secret = PublicKey::from_pem(PUBLIC.as_bytes()).unwrap();
    stage.signs("plain", &of_secret).await;
    let annotations = stage.scene.annotations("image");
    assert!(!annotations.contains_key("chains.tekton.dev/signed"));
    stage.vault.clear_faults();
    stage.end().await;
}

#[tokio::test]
async fn a_setting_that_names_no_key_is_told_and_counts_once_it_is_corrected() {
    let stage = Stage::with(seldom(), KeyKind::P256).await;
    let auth = json!({ "signers.kms.auth.token": stage.vault.issue(None) });
    let stage = stage.configured(everything_by_kms(), auth).await;
    stage.ready().await;
    for (key, value, expected) in [
        ("signers.kms.kmsref", "", "the key reference is empty"),
        ("signers.kms.kmsref", "transit/release", "names no service"),
        ("signers.kms.kmsref", "ovhkms://x", "plugins"),
        (
            "signers.kms.kmsref",
            "hashivault://absent",
            "does not exist",
        ),
        ("signers.kms.auth.address", "127.0.0.1:1", "it is not a URL"),
        (
            "signers.kms.auth.address",
            "http://root:s3cret@127.0.0.1:1",
            "it has a name or a password",
        ),
        (
            "signers.kms.auth.spire.sock",
            "unix:///run/spire.sock",
            "spiffe-helper",
        ),
    ] {
        stage.scene.configure(json!({ key: value })).await;
        let reason = stage.not_ready(expected).await;
        assert!(!reason.contains("s3cret"), "{reason}");
        let good = match key {
            "signers.kms.kmsref" => json!(format!("hashivault://{NAME}")),
            "signers.kms.auth.address" => json!(stage.vault.url()),
            _ => json!(null),
        };
        stage.scene.configure(json!({ key: good })).await;
        stage.ready().await;
    }
    let key = stage.key(1);
    stage.signs("app", &key).await;
    stage.end().await;
}

#[tokio::test]
async fn a_key_of_the_secret_that_signs_nothing_seals_nothing() {
    let stage = Stage::of(often(), KeyKind::P256).await;
    let key = PrivateKey::from_cosign(KEY.as_bytes(), PASSWORD.as_bytes()).unwrap();
    stage.scene.add_key();
    let loaded = |scene: &Scene| scene.local.metrics.keys_loaded.get() == 2;
    stage.scene.until("both keys are loaded", loaded).await;
    let created = stage.scene.create(task_run("forged"));
    let text = created.to_string();
    let run = Run::parse(text.as_bytes()).unwrap();
    let message = seal::message(run.kind(), run.metadata(), "true", None);
    let signature = key.sign(&message).unwrap();
    let uid = &run.metadata().uid;
    let forged = seal::annotation(&key.public_key().key_id(), &signature, uid, None);
    let uri = "/apis/tekton.dev/v1/namespaces/default/taskruns/forged";
    let marks = json!({ "chains.tekton.dev/signed": "true", SEAL: forged });
    stage
        .scene
        .patch(uri, json!({ "metadata": { "annotations": marks } }))
        .await;
    stage.scene.finish("forged", status()).await;
    let genuine = |scene: &Scene| {
        let text = scene.run("forged").to_string();
        let run = Run::parse(text.as_bytes()).unwrap();
        seal::verify(run.kind(), run.metadata(), [&stage.key(1)]).is_ok()
    };
    stage
        .scene
        .until("the run is sealed with the key in Vault", genuine)
        .await;
    stage.end().await;
}

#[tokio::test]
async fn a_signature_that_was_made_is_used_again_when_a_store_fails() {
    let stage = Stage::of(seldom(), KeyKind::P256).await;
    stage.vault.clear_requests();
    // the write of the record fails after everything was signed
    stage
        .scene
        .local
        .cluster
        .fail(failing("PATCH", FaultAnswer::Status(500.into()), 1));
    let key = stage.key(1);
    stage.signs("app", &key).await;
    // the statement once and a seal for each attempt
    assert!(stage.vault.count("PUT", SIGN) <= 4);
    stage.end().await;
}

#[tokio::test]
async fn no_token_of_vault_is_seen_whatever_fails() {
    let log = Log::default();
    let _logging = log.record(EVERYTHING);
    let stage = Stage::with(often(), KeyKind::P256).await;
    let tokens = [
        stage.vault.issue_without("transit/sign/"),
        stage.vault.issue(None),
    ];
    let auth = json!({ "signers.kms.auth.token": tokens[0] });
    let stage = stage.configured(everything_by_kms(), auth).await;
    stage.not_ready("not allowed to sign").await;
    // a server that repeats the token in what it says
    for body in [json!({ "errors": [tokens[0]] }), json!(tokens[0])] {
        for status in [200, 307, 400, 403, 500] {
            stage.vault.fail(Fault {
                times: 1,
                answer: FaultAnswer::Status(Reply::from(status).body(body.to_string())),
                ..Fault::default()
            });
        }
    }
    stage.scene.create(finished("app"));
    stage.scene.reason("app").await;
    stage
        .scene
        .configure(json!({ "signers.kms.auth.token": tokens[1] }))
        .await;
    assert_eq!(stage.scene.marked("app").await, "true");
    stage.vault.revoke_all();
    stage.not_ready("the token has ended").await;
    let mut planted = Planted::default();
    for token in &tokens {
        planted.add("a token", token);
    }
    let log = log.text();
    assert!(log.contains("not allowed to sign"), "the log was written");
    planted.search_with_readiness(&stage.scene, &log, &stage.health);
    stage.end().await;
}

#[tokio::test]
async fn the_pin_of_a_pkcs11_uri_in_the_settings_is_seen_nowhere_whatever_becomes_of_it() {
    let log = Log::default();
    let guard = log.record(EVERYTHING);
    let stage = Stage::with(often(), KeyKind::P256).await;
    let mut planted = Planted::default();
    planted.add("the PIN", "planted-pin-1234");
    let uri = "pkcs11:token=t;object=k?pin-value=planted-pin-1234";
    for (kmsref, why) in [
        (uri.to_owned(), "plugins are off"),
        (format!("{uri}&pin-value=planted-pin-1234"), "after the `?`"),
        (format!("{uri}%"), "not percent-encoded"),
        (uri.replace("pkcs11:", "hsm://"), "it has a PIN"),
    ] {
        let mut config = everything_by_kms();
        config["signers.kms.kmsref"] = json!(kmsref);
        stage.scene.configure(config).await;
        let name = format!("run-{}", why.len());
        stage.scene.create(finished(&name));
        let says = |scene: &Scene| {
            let events = json!(scene.local.cluster.list("events")).to_string();
            log.text().contains(why) || events.contains(why)
        };
        stage.scene.until(why, says).await;
        planted.search_with_readiness(&stage.scene, &log.text(), &stage.health);
    }
    drop(guard);
    stage.end().await;
}
