//! Key pairs in secrets of the built-in cluster.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_sandbox::{Fault, FaultAnswer};

use crate::scene::Scene;
use crate::shell::Shell;

const GENERATE: &str = "generate-key-pair k8s://openshift-pipelines/signing-secrets";
const KEY: &str = "k8s://openshift-pipelines/signing-secrets";

fn scene() -> Scene {
    let shell = Shell::new().password(Some("secret"));
    Scene::with(shell, &["openshift-pipelines"])
}

fn secret(scene: &Scene) -> Value {
    scene
        .cluster
        .get("secrets", "openshift-pipelines", "signing-secrets")
        .unwrap()
}

fn entry(scene: &Scene, name: &str) -> Vec<u8> {
    STANDARD
        .decode(secret(scene)["data"][name].as_str().unwrap())
        .unwrap()
}

fn create(scene: &Scene, fields: &Value) {
    let mut secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "signing-secrets",
            "namespace": "openshift-pipelines",
            "labels": { "made-by": "operator" },
        },
    });
    secret
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    scene.cluster.create(secret).unwrap();
}

/// Signs with the secret and verifies with it.
fn round_trip(scene: &Scene) {
    scene.shell.write("payload", "{}");
    let signature = scene
        .shell
        .succeed(&format!("sign-blob --key {KEY} payload"));
    scene.shell.write("signature", signature);
    let verify = format!("verify-blob --key {KEY} --signature ./signature ./payload");
    scene.shell.succeed(&verify);
}

#[test]
fn a_new_secret_has_the_entries_of_cosign_and_is_immutable() {
    let scene = scene();
    let made = scene.shell.run(GENERATE);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert_eq!(
        made.stderr,
        "Successfully created secret signing-secrets in namespace openshift-pipelines\n\
         Public key written to cosign.pub\n"
    );
    assert_eq!(secret(&scene)["immutable"], true);
    assert_eq!(secret(&scene)["data"].as_object().unwrap().len(), 3);
    assert_eq!(entry(&scene, "cosign.password"), b"secret");
    assert_eq!(entry(&scene, "cosign.pub"), scene.shell.read("cosign.pub"));
    assert!(entry(&scene, "cosign.key").starts_with(b"-----BEGIN ENCRYPTED SIGSTORE"));
    round_trip(&scene);
}

#[test]
fn an_empty_secret_is_filled_and_keeps_its_labels() {
    let scene = scene();
    create(&scene, &json!({}));
    scene.shell.succeed(GENERATE);
    assert_eq!(secret(&scene)["metadata"]["labels"]["made-by"], "operator");
    assert_eq!(secret(&scene)["immutable"], true);
    round_trip(&scene);
}

#[test]
fn a_secret_that_holds_a_key_is_replaced_on_demand_only() {
    let scene = scene();
    scene.shell.succeed(GENERATE);
    let (first, uid) = (
        entry(&scene, "cosign.pub"),
        secret(&scene)["metadata"]["uid"].clone(),
    );
    scene.shell.fail(
        2,
        GENERATE,
        "contains a key already (cosign.key, cosign.password, cosign.pub)",
    );
    assert_eq!(entry(&scene, "cosign.pub"), first);
    let forced = scene.shell.run(&format!("{GENERATE} --force"));
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    assert!(
        forced
            .stderr
            .contains("is immutable: deleting and creating it again")
    );
    assert_ne!(entry(&scene, "cosign.pub"), first);
    assert_ne!(secret(&scene)["metadata"]["uid"], uid);
    round_trip(&scene);
}

#[test]
fn a_replaced_secret_does_not_keep_the_key_that_the_controller_prefers() {
    let scene = scene();
    create(
        &scene,
        &json!({ "data": { "x509.pem": "eA==", "note": "eA==" } }),
    );
    scene
        .shell
        .fail(2, GENERATE, "contains a key already (x509.pem)");
    scene.shell.succeed(&format!("{GENERATE} --force"));
    assert!(secret(&scene)["data"]["x509.pem"].is_null());
    assert_eq!(entry(&scene, "note"), b"x");
    round_trip(&scene);
}

#[test]
fn a_secret_that_appears_in_the_meantime_is_not_overwritten() {
    let scene = scene();
    create(&scene, &json!({}));
    scene.cluster.fail(Fault {
        method: Some("GET".to_owned()),
        path_contains: "signing-secrets".to_owned(),
        answer: FaultAnswer::Status(404.into()),
        ..Fault::default()
    });
    scene
        .shell
        .fail(2, GENERATE, "was created by somebody else just now");
    assert!(secret(&scene)["data"].is_null());
}

#[test]
fn a_secret_without_cosign_pub_verifies_all_the_same() {
    let scene = scene();
    scene
        .shell
        .fixture("keys/cosign3-p256/cosign.key", "cosign.key");
    let key = STANDARD.encode(scene.shell.read("cosign.key"));
    scene
        .shell
        .fixture("keys/cosign3-p256/cosign.password", "cosign.password");
    let password = STANDARD.encode(scene.shell.read("cosign.password"));
    create(
        &scene,
        &json!({ "data": { "cosign.key": key, "cosign.password": password } }),
    );
    round_trip(&scene);
}

#[test]
fn what_a_secret_lacks_of_a_key_is_named_by_every_verb() {
    let scene = scene();
    let shell = &scene.shell;
    shell.fixture("keys/cosign3-p256/cosign.key", "cosign.key");
    shell.write("blob", "data");
    shell.write("signature", "AAAA");
    let key = STANDARD.encode(shell.read("cosign.key"));
    let twice = STANDARD.encode(&key);
    let wrong = STANDARD.encode("wrong");
    let line = STANDARD.encode("wrong\n");
    for (number, (data, expected)) in [
        (json!({ "cosign.key": key }), "add cosign.password"),
        (
            json!({ "cosign.key": key, "cosign.password": "" }),
            "the password is empty",
        ),
        (
            json!({ "cosign.key": key, "cosign.password": line }),
            "ends with a newline",
        ),
        (
            json!({ "cosign.key": key, "cosign.password": wrong }),
            "the password does not decrypt the key",
        ),
        (
            json!({ "cosign.key": twice, "cosign.password": wrong }),
            "decode it (base64 -d)",
        ),
        (
            json!({ "cosign-key": key, "cosign.password": wrong }),
            "it has cosign-key, cosign.password;",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("key-{number}");
        scene.create(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": name, "namespace": "default" }, "data": data,
        }));
        for verb in [
            "public-key",
            "sign-blob blob",
            "verify-blob --signature signature blob",
        ] {
            let line = format!("{verb} --key k8s://default/{name}");
            shell.fail(2, &line, expected);
        }
    }
}

#[test]
fn a_secret_that_is_missing_or_empty_or_forbidden_is_told_apart() {
    let scene = scene();
    let show = format!("public-key --key {KEY}");
    let missing = "secret signing-secrets in namespace openshift-pipelines does not exist; create \
                   it with `windlass generate-key-pair k8s://openshift-pipelines/signing-secrets`";
    scene.shell.fail(2, &show, missing);
    create(&scene, &json!({}));
    scene.shell.fail(
        2,
        &show,
        "contains no key (it is empty; looked for cosign.pub, x509.pem and cosign.key)",
    );
    scene.cluster.fail(Fault {
        method: Some("GET".to_owned()),
        path_contains: "signing-secrets".to_owned(),
        answer: FaultAnswer::Status(403.into()),
        ..Fault::default()
    });
    scene
        .shell
        .fail(2, &show, "not allowed to read secret signing-secrets");
    let elsewhere = "generate-key-pair k8s://nowhere/signing-secrets";
    scene
        .shell
        .fail(2, elsewhere, "the namespace does not exist");
}
