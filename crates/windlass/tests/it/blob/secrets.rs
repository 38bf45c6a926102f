//! Key pairs in secrets of the built-in cluster.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_sandbox::{Cluster, Fault, FaultAnswer, Options};

use crate::shell::Shell;

const GENERATE: &str = "generate-key-pair k8s://openshift-pipelines/signing-secrets";
const KEY: &str = "k8s://openshift-pipelines/signing-secrets";

/// A cluster on threads of its own, so that commands can be waited for.
struct Setting {
    shell: Shell,
    cluster: Cluster,
    _runtime: tokio::runtime::Runtime,
}

impl Setting {
    fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let namespaces = vec!["openshift-pipelines".to_owned()];
        let options = Options {
            namespaces,
            ..Options::default()
        };
        let cluster = runtime.block_on(Cluster::start(options)).unwrap();
        let mut shell = Shell::new().password(Some("secret"));
        shell.kubeconfig = Some(cluster.kubeconfig());
        Self {
            shell,
            cluster,
            _runtime: runtime,
        }
    }

    fn secret(&self) -> Value {
        self.cluster
            .get("secrets", "openshift-pipelines", "signing-secrets")
            .unwrap()
    }

    fn entry(&self, name: &str) -> Vec<u8> {
        STANDARD
            .decode(self.secret()["data"][name].as_str().unwrap())
            .unwrap()
    }

    fn create(&self, fields: &Value) {
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
        self.cluster.create(secret).unwrap();
    }

    /// Signs with the secret and verifies with it.
    fn round_trip(&self) {
        self.shell.write("payload", "{}");
        let signature = self
            .shell
            .succeed(&format!("sign-blob --key {KEY} payload"));
        self.shell.write("signature", signature);
        let verify = format!("verify-blob --key {KEY} --signature ./signature ./payload");
        self.shell.succeed(&verify);
    }
}

#[test]
fn a_new_secret_has_the_entries_of_cosign_and_is_immutable() {
    let setting = Setting::new();
    let made = setting.shell.run(GENERATE);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert_eq!(
        made.stderr,
        "Successfully created secret signing-secrets in namespace openshift-pipelines\n\
         Public key written to cosign.pub\n"
    );
    assert_eq!(setting.secret()["immutable"], true);
    assert_eq!(setting.secret()["data"].as_object().unwrap().len(), 3);
    assert_eq!(setting.entry("cosign.password"), b"secret");
    assert_eq!(
        setting.entry("cosign.pub"),
        setting.shell.read("cosign.pub")
    );
    assert!(
        setting
            .entry("cosign.key")
            .starts_with(b"-----BEGIN ENCRYPTED SIGSTORE")
    );
    setting.round_trip();
}

#[test]
fn an_empty_secret_is_filled_and_keeps_its_labels() {
    let setting = Setting::new();
    setting.create(&json!({}));
    setting.shell.succeed(GENERATE);
    assert_eq!(
        setting.secret()["metadata"]["labels"]["made-by"],
        "operator"
    );
    assert_eq!(setting.secret()["immutable"], true);
    setting.round_trip();
}

#[test]
fn a_secret_that_holds_a_key_is_replaced_on_demand_only() {
    let setting = Setting::new();
    setting.shell.succeed(GENERATE);
    let (first, uid) = (
        setting.entry("cosign.pub"),
        setting.secret()["metadata"]["uid"].clone(),
    );
    setting.shell.fail(
        2,
        GENERATE,
        "contains a key already (cosign.key, cosign.password, cosign.pub)",
    );
    assert_eq!(setting.entry("cosign.pub"), first);
    let forced = setting.shell.run(&format!("{GENERATE} --force"));
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    assert!(
        forced
            .stderr
            .contains("is immutable: deleting and creating it again")
    );
    assert_ne!(setting.entry("cosign.pub"), first);
    assert_ne!(setting.secret()["metadata"]["uid"], uid);
    setting.round_trip();
}

#[test]
fn a_replaced_secret_does_not_keep_the_key_that_the_controller_prefers() {
    let setting = Setting::new();
    setting.create(&json!({ "data": { "x509.pem": "eA==", "note": "eA==" } }));
    setting
        .shell
        .fail(2, GENERATE, "contains a key already (x509.pem)");
    setting.shell.succeed(&format!("{GENERATE} --force"));
    assert!(setting.secret()["data"]["x509.pem"].is_null());
    assert_eq!(setting.entry("note"), b"x");
    setting.round_trip();
}

#[test]
fn a_secret_that_appears_in_the_meantime_is_not_overwritten() {
    let setting = Setting::new();
    setting.create(&json!({}));
    setting.cluster.fail(Fault {
        method: Some("GET".to_owned()),
        path_contains: "signing-secrets".to_owned(),
        answer: FaultAnswer::Status(404.into()),
        ..Fault::default()
    });
    setting
        .shell
        .fail(2, GENERATE, "was created by somebody else just now");
    assert!(setting.secret()["data"].is_null());
}

#[test]
fn a_secret_without_cosign_pub_verifies_all_the_same() {
    let setting = Setting::new();
    setting
        .shell
        .fixture("keys/cosign3-p256/cosign.key", "cosign.key");
    let key = STANDARD.encode(setting.shell.read("cosign.key"));
    setting
        .shell
        .fixture("keys/cosign3-p256/cosign.password", "cosign.password");
    let password = STANDARD.encode(setting.shell.read("cosign.password"));
    setting.create(&json!({ "data": { "cosign.key": key, "cosign.password": password } }));
    setting.round_trip();
}

#[test]
fn a_secret_that_is_missing_or_empty_or_forbidden_is_told_apart() {
    let setting = Setting::new();
    let show = format!("public-key --key {KEY}");
    let missing = "secret signing-secrets in namespace openshift-pipelines does not exist; create \
                   it with `windlass generate-key-pair k8s://openshift-pipelines/signing-secrets`";
    setting.shell.fail(2, &show, missing);
    setting.create(&json!({}));
    setting.shell.fail(
        2,
        &show,
        "contains no key (looked for cosign.pub, x509.pem and cosign.key)",
    );
    setting.cluster.fail(Fault {
        method: Some("GET".to_owned()),
        path_contains: "signing-secrets".to_owned(),
        answer: FaultAnswer::Status(403.into()),
        ..Fault::default()
    });
    setting
        .shell
        .fail(2, &show, "not allowed to read secret signing-secrets");
    let elsewhere = "generate-key-pair k8s://nowhere/signing-secrets";
    setting
        .shell
        .fail(2, elsewhere, "the namespace does not exist");
}
