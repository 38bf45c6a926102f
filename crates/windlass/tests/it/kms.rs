//! `--key hashivault://NAME` and `--key openbao://NAME`, in every verb that takes a key.

use windlass_sandbox::registry::Options;
use windlass_sandbox::vault::{Fault, FaultAnswer, KeyKind, Vault};
use windlass_sandbox::{Cluster, Options as ClusterOptions, Reply};

use crate::shell::Outcome;
use crate::verify::registry::ImageScene;

const KEY: &str = "hashivault://release";

/// An image that is signed with a key in Vault, and a shell that is logged in there.
struct Stage {
    scene: ImageScene,
    vault: Vault,
    token: String,
    runtime: tokio::runtime::Runtime,
}

impl Stage {
    fn new() -> Self {
        let scene = ImageScene::new(Options::default());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let vault = runtime.block_on(Vault::start()).unwrap();
        let der = scene.key.to_pkcs8_der().unwrap();
        vault.import_key("release", KeyKind::P256, &der).unwrap();
        let token = vault.issue(None);
        scene.shell.write("blob", "content");
        scene.sign(&scene.key);
        Self {
            scene,
            vault,
            token,
            runtime,
        }
    }

    fn run(&self, line: &str) -> Outcome {
        let url = self.vault.url();
        self.with(&[("VAULT_ADDR", &url), ("VAULT_TOKEN", &self.token)], line)
    }

    fn with(&self, variables: &[(&str, &str)], line: &str) -> Outcome {
        let words: Vec<&str> = line.split_whitespace().collect();
        let outcome = self.scene.shell.with(variables, &words);
        let told = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(!told.contains(&self.token), "{told}");
        outcome
    }

    #[track_caller]
    fn succeeds(&self, line: &str) -> String {
        let outcome = self.run(line);
        assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
        outcome.stdout
    }
}

#[test]
fn a_key_in_vault_signs_and_verifies_files() {
    let stage = Stage::new();
    let shell = &stage.scene.shell;
    let pem = stage.succeeds(&format!("public-key --key {KEY}"));
    assert_eq!(pem.as_bytes(), shell.read("cosign.pub"));
    let other = stage.succeeds("public-key --key openbao://release");
    assert_eq!(other, pem);
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::Ed25519] {
        stage.vault.create_key("blobs", kind).unwrap();
        let pem = stage.succeeds("public-key --key hashivault://blobs");
        shell.write("blobs.pub", pem);
        let signature = stage.succeeds("sign-blob --key hashivault://blobs blob");
        shell.write("signature", signature);
        for key in ["hashivault://blobs", "blobs.pub"] {
            let line = format!("verify-blob --key {key} --signature signature blob");
            stage.succeeds(&line);
        }
        let line = format!("verify-blob --key {KEY} --signature signature blob");
        assert_eq!(stage.run(&line).code, 1, "{kind:?}: it is another key");
    }
}

#[test]
fn a_key_in_vault_verifies_images_and_attests_them() {
    let stage = Stage::new();
    let image = stage.scene.image();
    stage.succeeds(&format!("verify --key {KEY} {image}"));
    stage.scene.shell.write("predicate.json", "{}");
    stage.succeeds(&format!(
        "attest --predicate predicate.json --type https://example.com/p --key {KEY} {image}"
    ));
    stage.succeeds(&format!(
        "verify-attestation --type https://example.com/p --key {KEY} {image}"
    ));
    let envelope = stage.succeeds(&format!(
        "attest --predicate predicate.json --type https://example.com/p --no-upload --key {KEY} {image}"
    ));
    stage.scene.shell.write("envelope.json", envelope);
    stage.succeeds(&format!(
        "verify-blob-attestation --check-claims=false --type https://example.com/p \
         --signature envelope.json --key {KEY}"
    ));
    let traced = stage.run(&format!("trace --key {KEY} {image}"));
    assert_ne!(traced.code, 2, "{}", traced.stderr);
    let read = stage.vault.count("GET", "/transit/keys/release");
    assert!(read >= 6, "{read}");
}

#[test]
fn verbs_that_look_at_a_cluster_take_a_key_in_vault() {
    let mut stage = Stage::new();
    let options = ClusterOptions {
        namespaces: vec!["tekton-chains".to_owned()],
        ..ClusterOptions::default()
    };
    let cluster = stage.runtime.block_on(Cluster::start(options)).unwrap();
    stage.scene.shell.kubeconfig = Some(cluster.kubeconfig());
    stage.succeeds(&format!("audit -A --verify --key {KEY}"));
    let run = serde_json::json!({
        "apiVersion": "tekton.dev/v1", "kind": "TaskRun", "metadata": { "name": "app" },
        "spec": { "taskRef": { "name": "build" } },
    });
    cluster.create(run).unwrap();
    stage.succeeds(&format!("taskrun list --key {KEY}"));
    assert_eq!(stage.vault.count("GET", "/transit/keys/release"), 2);
    assert_eq!(stage.vault.count("PUT", "/transit/sign/"), 0);
}

#[test]
fn the_login_of_a_command_is_that_of_vaults_own_programs() {
    let stage = Stage::new();
    let (url, token) = (stage.vault.url(), stage.token.clone());
    let line = format!("public-key --key {KEY}");
    let bao = stage.with(&[("BAO_ADDR", &url), ("BAO_TOKEN", &token)], &line);
    assert_eq!(bao.code, 0, "{}", bao.stderr);
    std::fs::create_dir_all(stage.scene.shell.path("home")).unwrap();
    stage.scene.shell.write("home/.vault-token", &token);
    let helper = stage.with(&[("VAULT_ADDR", &url)], &line);
    assert_eq!(helper.code, 0, "{}", helper.stderr);
}

#[test]
fn the_space_around_a_token_is_no_part_of_it() {
    let stage = Stage::new();
    let (url, token) = (stage.vault.url(), stage.token.clone());
    let line = format!("public-key --key {KEY}");
    std::fs::create_dir_all(stage.scene.shell.path("home")).unwrap();
    for around in ["\n", "\r\n", " ", "\n\n"] {
        let spaced = format!("{token}{around}");
        let given = stage.with(&[("VAULT_ADDR", &url), ("VAULT_TOKEN", &spaced)], &line);
        assert_eq!(given.code, 0, "{around:?}: {}", given.stderr);
        stage.scene.shell.write("home/.vault-token", &spaced);
        let read = stage.with(&[("VAULT_ADDR", &url)], &line);
        assert_eq!(read.code, 0, "{around:?}: {}", read.stderr);
    }
    let cut = token.replacen('.', ".\n", 1);
    let given = stage.with(&[("VAULT_ADDR", &url), ("VAULT_TOKEN", &cut)], &line);
    assert_eq!(given.code, 2);
    let told = "a line end or another control character in the token; write it again in one line";
    assert!(given.stderr.contains(told), "{}", given.stderr);
    assert!(!given.stderr.contains(&token[4..]), "{}", given.stderr);
}

#[test]
fn what_keeps_a_command_from_a_key_in_vault_is_told_with_what_to_do() {
    let stage = Stage::new();
    let url = stage.vault.url();
    let line = format!("public-key --key {KEY}");
    let denied = stage.vault.issue_without("keys/");
    let unsigning = stage.vault.issue_without("sign/");
    for (variables, line, expected) in [
        (vec![], line.as_str(), "set VAULT_ADDR"),
        (
            vec![("VAULT_ADDR", url.as_str())],
            &line,
            "there is no token",
        ),
        (
            vec![("VAULT_ADDR", "127.0.0.1:8200"), ("VAULT_TOKEN", "x")],
            &line,
            "write https://HOST:PORT",
        ),
        (
            vec![("VAULT_ADDR", url.as_str()), ("VAULT_TOKEN", "hvs.ended")],
            &line,
            "the token has ended, was revoked or never was one; give VAULT_TOKEN another one",
        ),
        (
            vec![
                ("VAULT_ADDR", url.as_str()),
                ("VAULT_TOKEN", denied.as_str()),
            ],
            &line,
            "grant `read` on path \"transit/keys/release\"",
        ),
        (
            vec![
                ("VAULT_ADDR", url.as_str()),
                ("VAULT_TOKEN", unsigning.as_str()),
            ],
            "sign-blob --key hashivault://release blob",
            "grant `update` on path \"transit/sign/release/sha2-256\"",
        ),
        (
            vec![
                ("VAULT_ADDR", url.as_str()),
                ("VAULT_TOKEN", stage.token.as_str()),
            ],
            "public-key --key hashivault://absent",
            "does not exist; create it",
        ),
        (
            vec![("VAULT_ADDR", url.as_str()), ("VAULT_CACERT", "absent.pem")],
            &line,
            "cannot use the certificates in absent.pem",
        ),
        (
            vec![("VAULT_ADDR", "http://127.0.0.1:1"), ("VAULT_TOKEN", "x")],
            &line,
            "Connection refused",
        ),
    ] {
        let outcome = stage.with(&variables, line);
        assert_eq!(outcome.code, 2, "{line}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("hvs.ended"), "{}", outcome.stderr);
    }
}

#[test]
fn a_server_that_misbehaves_gives_no_key_and_its_words_are_not_repeated() {
    let stage = Stage::new();
    let line = format!("public-key --key {KEY}");
    let body = |text: &str| FaultAnswer::Status(Reply::from(200).body(text));
    let key = |public: &str| {
        let text = serde_json::json!({ "data": {
            "type": "ecdsa-p256", "latest_version": 1, "keys": { "1": { "public_key": public } },
        } });
        body(&text.to_string())
    };
    for (answer, expected) in [
        (FaultAnswer::EndlessBody, "larger than 262144 bytes"),
        (body("hostile words"), "the response is malformed"),
        (key("hostile words"), "cannot use the public key"),
        (
            FaultAnswer::RedirectTo("http://hostile.example/words".to_owned()),
            "a redirect, which is not followed",
        ),
        (
            FaultAnswer::Status(Reply::from(500).body("hostile words")),
            "HTTP 500",
        ),
        (
            body(r#"{"data":{"type":"aes256-gcm96","latest_version":1,"keys":{"1":1700000000}}}"#),
            "its type is not for signatures",
        ),
        (
            body(r#"{"data":{"type":"ed25519","derived":true,"latest_version":1,"keys":{}}}"#),
            "it is derived",
        ),
    ] {
        stage.vault.fail(Fault {
            path_contains: "/transit/keys/".to_owned(),
            times: 3,
            answer,
            ..Fault::default()
        });
        let outcome = stage.run(&line);
        stage.vault.clear_faults();
        assert_eq!(outcome.code, 2, "{}", outcome.stderr);
        assert!(outcome.stderr.contains(expected), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("hostile"), "{}", outcome.stderr);
    }
    // what may have passed is tried again
    stage.vault.fail(Fault {
        path_contains: "/transit/keys/".to_owned(),
        times: 2,
        answer: FaultAnswer::Status(503.into()),
        ..Fault::default()
    });
    stage.succeeds(&line);
}
