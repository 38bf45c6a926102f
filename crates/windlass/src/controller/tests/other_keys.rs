//! Keys whose log entries the library of sigstore does not judge: P-521 with SHA-512, P-384 with SHA-384, and
//! Ed25519 that signs a hash, as `cosign.key` has them. What the controller logs with them in either version is
//! verified from the run alone.

use std::sync::Arc;

use windlass_core::annotation;
use windlass_sandbox::fulcio::Fulcio;
use windlass_sandbox::rekor::{Options as LogOptions, Rekor};
use windlass_sandbox::sigstore::trusted_root;

use super::keyless::with_image;
use super::version_two::{Servers, verdict_by};
use super::*;
use crate::inspect::verify::ExpectedSigner;
use crate::sigstore::{Annotated, Material, Policy as Vouching, Signed, Verifier, Who};

/// A key of cosign with its password and its public half.
struct KeyFiles {
    key: &'static str,
    password: &'static str,
    public: &'static str,
    /// The size of its hash.
    bits: &'static str,
}

macro_rules! files {
    ($name:literal, $bits:literal) => {
        KeyFiles {
            key: include_str!(concat!(
                "../../../../core/tests/fixtures/keys/",
                $name,
                "/cosign.key"
            )),
            password: include_str!(concat!(
                "../../../../core/tests/fixtures/keys/",
                $name,
                "/cosign.password"
            )),
            public: include_str!(concat!(
                "../../../../core/tests/fixtures/keys/",
                $name,
                "/cosign.pub"
            )),
            bits: $bits,
        }
    };
}

const KEYS: [KeyFiles; 3] = [
    files!("import-p384", "384"),
    files!("import-p521", "512"),
    files!("import-ed25519", "512"),
];

impl KeyFiles {
    fn public(&self) -> PublicKey {
        PublicKey::from_pem(self.public.as_bytes()).unwrap()
    }

    fn secret(&self) -> Value {
        let mut secret = signing_secret();
        secret["data"] = json!({
            "cosign.key": STANDARD.encode(self.key),
            "cosign.password": STANDARD.encode(self.password),
            "cosign.pub": STANDARD.encode(self.public),
        });
        secret
    }
}

/// A controller with a key that logs to a version, and the trusted root of that.
async fn scene(files: &KeyFiles, version: &str, more: Value) -> (Scene, Servers, Value) {
    let servers = Servers::start().await;
    let fulcio = Fulcio::start().await.unwrap();
    let root = trusted_root(&fulcio, &servers.log, &servers.times);
    let mut options = options();
    options.pauses = (Duration::from_millis(5), Duration::from_millis(20));
    let scene = Scene::with_options(options).await;
    scene.configure_own(servers.own(version, "both")).await;
    let metrics = scene.local.metrics.clone();
    let before = metrics.config_accepted.get();
    scene.configure(servers.logging(more)).await;
    scene.create(files.secret());
    scene
        .until("the settings are loaded", |_| {
            metrics.config_accepted.get() > before && metrics.keys_loaded.get() == 1
        })
        .await;
    (scene, servers, root)
}

fn by_key(key: &PublicKey, root: &Value) -> ExpectedSigner {
    let verifier = Verifier::new(root.to_string().as_bytes(), Vouching::STRICT).unwrap();
    ExpectedSigner::Key(Box::new(key.clone()), Some(Arc::new(verifier)))
}

/// A trusted root with another log.
async fn with_another_log(servers: &Servers) -> Value {
    let fulcio = Fulcio::start().await.unwrap();
    let log = Rekor::start(LogOptions::default()).await.unwrap();
    trusted_root(&fulcio, &log, &servers.times)
}

#[tokio::test]
async fn runs_logged_in_version_2_by_keys_of_cosign_with_larger_hashes_are_verified_by_the_run_alone()
 {
    for files in &KEYS {
        let storage = json!({ "artifacts.oci.storage": "tekton" });
        let (scene, servers, root) = scene(files, "2", storage).await;
        let key = files.public();
        let mut of_another_image = with_image("other");
        of_another_image["status"]["results"][1]["value"] =
            json!(format!("sha256:{}", "ef".repeat(32)));
        for (name, run) in [("app", with_image("app")), ("other", of_another_image)] {
            scene.create(run);
            assert_eq!(scene.marked(name).await, "true");
        }
        let [run, other] = ["app", "other"].map(|name| scene.run(name));
        let verdict = |run: Value, root: Value| async move {
            let signer = by_key(&files.public(), &root);
            verdict_by(&run, signer).await
        };
        assert_eq!(
            verdict(run.clone(), root.clone()).await,
            Ok(()),
            "{}",
            key.algorithm()
        );
        let entries = servers.log.entries().concat();
        assert!(
            entries.contains(&format!("SHA2_{}", files.bits)),
            "{entries}"
        );
        // neither by the entry of the other run, nor by another log, nor by another key
        let proof = |run: &Value| {
            let uid = run["metadata"]["uid"].as_str().unwrap();
            annotation::proof(&format!("taskrun-{uid}"))
        };
        let entries = |run: &Value| {
            let proof = run["metadata"]["annotations"][proof(run)].as_str().unwrap();
            serde_json::from_str::<Value>(proof).unwrap()
        };
        let (mut mixed, theirs) = (entries(&run), entries(&other));
        mixed["tlogEntries"] = theirs["tlogEntries"].clone();
        let mut swapped = run.clone();
        swapped["metadata"]["annotations"][proof(&run)] = json!(mixed.to_string());
        let why = verdict(swapped, root.clone()).await.unwrap_err();
        assert!(why.contains("is the entry of another signature"), "{why}");
        let why = verdict(run.clone(), with_another_log(&servers).await)
            .await
            .unwrap_err();
        assert!(why.contains("the trusted root does not have"), "{why}");
        let somebody = PublicKey::from_pem(PUBLIC.as_bytes()).unwrap();
        assert!(verdict_by(&run, by_key(&somebody, &root)).await.is_err());
        scene.end().await;
    }
}

#[tokio::test]
async fn images_logged_in_version_1_by_keys_of_cosign_with_larger_hashes_are_verified() {
    for files in &KEYS {
        // version 1 checks attestations with SHA-256, so only the signature of the image is logged
        let storage = json!({ "artifacts.oci.storage": "tekton", "artifacts.taskrun.storage": "" });
        let (scene, servers, root) = scene(files, "1", storage).await;
        scene.create(with_image("app"));
        assert_eq!(scene.marked("app").await, "true");
        let entries = servers.log.entries().concat();
        assert!(
            entries.contains(&format!("\"sha{}\"", files.bits)),
            "{entries}"
        );
        let (annotations, short) = (scene.annotations("app"), "cd".repeat(6));
        let of = |name: fn(&str) -> String| annotations[&name(&short)].clone();
        let [payload, signature] = [annotation::payload, annotation::signature]
            .map(|name| STANDARD.decode(of(name)).unwrap());
        let material = Material::annotated(Annotated {
            proof: of(annotation::proof),
            ..Annotated::default()
        });
        let key = files.public();
        let judge = |root: &Value, (message, signature): (&[u8], &[u8])| {
            let verifier = Verifier::new(root.to_string().as_bytes(), Vouching::STRICT).unwrap();
            let signed = Signed::Message { message, signature };
            verifier.signed(Who::Key(&key), signed, &material).map(drop)
        };
        assert_eq!(
            judge(&root, (&payload, &signature)),
            Ok(()),
            "{}",
            key.algorithm()
        );
        let why = judge(&with_another_log(&servers).await, (&payload, &signature)).unwrap_err();
        assert!(why.contains("the trusted root does not have"), "{why}");
        assert!(judge(&root, (b"other", &signature)).is_err());
        scene.end().await;
    }
}
