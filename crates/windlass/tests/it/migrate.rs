//! `windlass migrate --check` against a cluster that Tekton Chains signed for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_sandbox::{Fault, FaultAnswer};

use crate::scene::Scene;

const SYSTEM: &str = "tekton-chains";
const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/fixtures");

fn fixture(path: &str) -> String {
    STANDARD.encode(std::fs::read(format!("{KEYS}/{path}")).unwrap())
}

/// A cluster with a key and this configuration.
fn scene(chains: Value) -> Scene {
    let scene = without_key(chains);
    scene.create(secret(&json!({
        "cosign.key": fixture("keys/cosign3-p256/cosign.key"),
        "cosign.password": fixture("keys/cosign3-p256/cosign.password"),
    })));
    scene
}

fn without_key(chains: Value) -> Scene {
    let scene = Scene::new(&[SYSTEM, "team-a", "team-b"]);
    scene.create(map("chains-config", chains));
    scene
}

fn map(name: &str, data: Value) -> Value {
    let mut map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": name, "namespace": SYSTEM },
    });
    map["data"] = data;
    map
}

fn secret(data: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "signing-secrets", "namespace": SYSTEM }, "data": data,
    })
}

/// A configuration that windlass follows as Chains does.
fn plain() -> Value {
    json!({ "artifacts.oci.storage": "", "artifacts.taskrun.storage": "tekton" })
}

/// One that attaches everything to images.
fn to_registries() -> Value {
    json!({ "artifacts.oci.storage": "oci", "artifacts.taskrun.storage": "tekton,oci" })
}

/// A finished run under an account, with an image.
fn built(namespace: &str, name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "tekton.dev/v1", "kind": "TaskRun",
        "metadata": { "name": name, "namespace": namespace },
        "spec": { "serviceAccountName": "builder", "taskSpec": { "steps": [] } },
        "status": {
            "conditions": [{ "type": "Succeeded", "status": "True" }],
            "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z",
            "taskSpec": { "steps": [] },
            "results": [
                { "name": "IMAGE_URL", "value": image },
                { "name": "IMAGE_DIGEST", "value": format!("sha256:{}", "ab".repeat(32)) },
            ],
        },
    })
}

/// The report, with this exit code.
#[track_caller]
fn check(scene: &Scene, code: i32, more: &str) -> Value {
    let line = format!("migrate --check -o json {more}");
    let outcome = scene.shell.run(&line);
    let all = format!("{}{}", outcome.stdout, outcome.stderr);
    assert_eq!(outcome.code, code, "{all}");
    serde_json::from_str(&outcome.stdout).unwrap()
}

/// The findings about a topic, each with cause, remedy and command in one text.
fn about(report: &Value, topic: &str) -> Vec<String> {
    let all = report["findings"].as_array().unwrap();
    let found = all.iter().filter(|finding| finding["topic"] == topic);
    let texts = found.map(|finding| {
        let part = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
        ["cause", "remedy", "command"].map(part).join("\n")
    });
    texts.collect()
}

#[track_caller]
fn only(report: &Value, topic: &str, parts: &[&str]) {
    let found = about(report, topic);
    assert_eq!(found.len(), 1, "one finding about {topic}, not {report:#}");
    let text = &found[0];
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(
        report["findings"].as_array().unwrap().len(),
        1,
        "{report:#}"
    );
}

#[test]
fn a_cluster_that_needs_nothing_is_told_so_with_its_key() {
    let scene = scene(plain());
    scene.create(built("team-a", "app", "r.invalid/team-a/app"));
    let report = check(&scene, 0, "");
    assert_eq!(report["findings"], json!([]));
    assert_eq!(report["unread"], json!([]));
    assert_eq!(report["runs"], 1);
    let key = report["key"].as_str().unwrap();
    assert!(
        key.starts_with("ECDSA P-256 in cosign.key (SHA256:"),
        "{key}"
    );
    let text = scene.shell.succeed("migrate --check");
    assert!(text.contains("Nothing to do"), "{text}");
}

#[test]
fn a_repository_for_which_only_the_controller_has_a_credential_is_told_until_somebody_acts() {
    let scene = scene(to_registries());
    scene.create(built("team-a", "one", "r.invalid/team-a/one"));
    scene.create(built("team-a", "two", "r.invalid/team-a/two"));
    let report = check(&scene, 1, "");
    let parts = [
        "team-a/builder push to r.invalid/team-a/one, r.invalid/team-a/two",
        "windlass registry grant",
        "--registry r.invalid/team-a/one --registry r.invalid/team-a/two",
        "team-a r.invalid/team-a/one,r.invalid/team-a/two",
    ];
    only(&report, "credentials", &parts);
    assert_eq!(check(&scene, 0, "-n team-b")["runs"], 0);
    // a credential of its own
    let config = json!({ "auths": { "r.invalid/team-a": { "auth": "YTpi" } } });
    scene.shell.write("config.json", config.to_string());
    scene.shell.succeed(
        "registry grant --docker-config config.json --registry r.invalid/team-a \
         -n team-a --service-account builder",
    );
    check(&scene, 0, "");
    // another team, with which the controller's is shared
    scene.create(built("team-b", "app", "r.invalid/team-b/app"));
    check(&scene, 1, "");
    let lines = json!({ "registries.shared-credentials": "team-b r.invalid/team-b" });
    scene.create(map("windlass-config", lines));
    check(&scene, 0, "");
    // what is known already is kept by the command
    scene.create(built("team-b", "other", "q.invalid/other"));
    let report = check(&scene, 1, "");
    let line = r"team-b r.invalid/team-b\nteam-b q.invalid/other";
    only(
        &report,
        "credentials",
        &[line, "kubectl patch configmap windlass-config"],
    );
}

#[test]
fn with_a_repository_of_the_settings_no_account_needs_a_credential() {
    let mut config = to_registries();
    config["storage.oci.repository"] = json!("r.invalid/signatures");
    let central = scene(config.clone());
    central.create(built("team-a", "app", "q.invalid/app"));
    check(&central, 0, "");
    // bundles are next to their images
    config["storage.oci.encoding-format"] = json!("sigstore-bundle");
    let bundles = scene(config);
    bundles.create(built("team-a", "app", "q.invalid/app"));
    let report = check(&bundles, 1, "");
    assert_eq!(about(&report, "credentials").len(), 1, "{report:#}");
    assert_eq!(about(&report, "settings").len(), 1, "{report:#}");
}

#[test]
fn a_registry_at_a_forbidden_address_is_told_however_it_is_spelt() {
    for spelling in [
        "127.0.0.1:5000",
        "127.1:5000",
        "localhost:5000",
        "[::1]:5000",
        "0x7f.1",
    ] {
        let scene = scene(to_registries());
        scene.create(built("team-a", "app", &format!("{spelling}/app")));
        let lines = json!({ "registries.shared-credentials": "* *" });
        scene.create(map("windlass-config", lines));
        let report = check(&scene, 1, "");
        let parts = [
            "does not connect to: it is",
            "network.allow",
            "kubectl patch",
        ];
        only(&report, "addresses", &parts);
    }
    let scene = scene(to_registries());
    scene.create(built("team-a", "app", "127.0.0.1:5000/app"));
    let lines = json!({
        "registries.shared-credentials": "* *", "network.allow": "127.0.0.0/8",
    });
    scene.create(map("windlass-config", lines));
    check(&scene, 0, "");
}

#[test]
fn what_does_not_exist_yet_and_what_means_something_else_is_told_key_by_key() {
    for (key, value, topic, part) in [
        (
            "artifacts.taskrun.storage",
            "tekton,gcs,docdb",
            "unsupported",
            "docdb,gcs",
        ),
        (
            "artifacts.taskrun.signer",
            "kms",
            "unsupported",
            "artifacts.taskrun.signer",
        ),
        (
            "signers.x509.fulcio.enabled",
            "true",
            "unsupported",
            "signers.x509.fulcio.provider",
        ),
        (
            "transparency.url",
            "rekor.example",
            "unsupported",
            "transparency.url",
        ),
        (
            "artifacts.taskrun.storage",
            "",
            "settings",
            "nothing is enabled for taskruns",
        ),
        (
            "artifacts.pipelinerun.signer",
            "none",
            "settings",
            "pipelineruns",
        ),
        ("artifacts.taskrun.format", "slsa/v9", "settings", "slsa/v9"),
        (
            "artifacts.taskrum.format",
            "slsa/v1",
            "settings",
            "artifacts.taskrun.format",
        ),
        (
            "storage.oci.repository.insecure",
            "true",
            "settings",
            "has no effect",
        ),
    ] {
        let mut config = plain();
        config["transparency.enabled"] = json!("true");
        config["signers.x509.fulcio.provider"] = json!("spiffe");
        config[key] = json!(value);
        let report = check(&scene(config), 1, "");
        only(&report, topic, &[part, "kubectl"]);
    }
}

#[test]
fn a_registry_that_loses_its_exemption_from_tls_is_named() {
    let mut config = to_registries();
    config["storage.oci.repository"] = json!("r.invalid/signatures");
    config["storage.oci.repository.insecure"] = json!("true");
    let scene = scene(config);
    scene.create(built("team-a", "app", "q.invalid/app"));
    only(
        &check(&scene, 1, ""),
        "settings",
        &["q.invalid", "insecure"],
    );
}

#[test]
fn a_key_that_does_not_sign_as_expected_is_told() {
    let cosign = fixture("keys/cosign3-p256/cosign.key");
    let password = fixture("keys/cosign3-p256/cosign.password");
    for (data, part) in [
        (json!({}), "contains no key"),
        (json!({ "cosign.key": cosign }), "cosign.password"),
        (
            json!({ "cosign.key": cosign, "cosign.password": STANDARD.encode("wrong") }),
            "cosign.key cannot be used",
        ),
        (
            json!({ "x509.pem": fixture("x509/p384.pem") }),
            "ECDSA P-384",
        ),
        (
            json!({
                "x509.pem": fixture("x509/p256.pem"),
                "cosign.key": cosign, "cosign.password": password,
            }),
            "two keys, of which x509.pem signs",
        ),
    ] {
        let scene = without_key(plain());
        scene.create(secret(&data));
        only(&check(&scene, 1, ""), "key", &[part]);
    }
    let report = check(&without_key(plain()), 1, "");
    let parts = [
        "does not exist",
        "windlass generate-key-pair k8s://tekton-chains",
    ];
    only(&report, "key", &parts);
}

#[test]
fn a_mark_without_evidence_is_told_and_one_that_chains_wrote_is_not() {
    let scene = scene(plain());
    let mark = json!({ "chains.tekton.dev/signed": "true" });
    let mut forged = built("team-a", "forged", "r.invalid/app");
    forged["metadata"]["annotations"] = mark.clone();
    scene.create(forged);
    let mut left = built("team-b", "left", "r.invalid/app");
    left["metadata"]["annotations"] = mark;
    left["metadata"]["managedFields"] = json!([{
        "manager": "tekton-chains-controller", "operation": "Apply",
        "apiVersion": "tekton.dev/v1", "fieldsType": "FieldsV1",
        "fieldsV1": {
            "f:metadata": { "f:annotations": { "f:chains.tekton.dev/signed": {} } },
        },
    }]);
    scene.create(left);
    only(
        &check(&scene, 1, ""),
        "marks",
        &["1 finished runs of namespace team-a"],
    );
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_checked() {
    for part in [
        "/secrets/signing-secrets",
        "/configmaps/chains-config",
        "/taskruns",
        "/leases/",
    ] {
        let mut config = plain();
        config["transparency.enabled"] = json!("true");
        config["transparency.url"] = json!("rekor.example");
        let scene = scene(config);
        scene.cluster.fail(Fault {
            path_contains: part.to_owned(),
            times: usize::MAX,
            answer: FaultAnswer::Status(403.into()),
            ..Fault::default()
        });
        let report = check(&scene, 2, "");
        assert_eq!(
            report["unread"].as_array().unwrap().len(),
            1,
            "{part}: {report:#}"
        );
        let found = about(&report, "unsupported").len();
        assert_eq!(
            found,
            usize::from(!part.contains("chains-config")),
            "{part}"
        );
    }
}

#[test]
fn credentials_that_cannot_be_read_are_not_taken_for_missing_ones() {
    for part in ["/serviceaccounts/builder", "/secrets/registry-credentials"] {
        let scene = scene(to_registries());
        scene.create(built("team-a", "app", "r.invalid/team-a/app"));
        scene.create(json!({
            "apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": { "name": "builder", "namespace": "team-a" },
            "secrets": [{ "name": "registry-credentials" }],
        }));
        scene.cluster.fail(Fault {
            path_contains: part.to_owned(),
            times: usize::MAX,
            answer: FaultAnswer::Status(403.into()),
            ..Fault::default()
        });
        let report = check(&scene, 2, "");
        assert_eq!(report["findings"], json!([]), "{part}");
        assert_eq!(
            report["unread"].as_array().unwrap().len(),
            1,
            "{part}: {report:#}"
        );
    }
}

#[test]
fn nothing_is_written_and_without_check_nothing_is_done() {
    let scene = scene(to_registries());
    scene.create(built("team-a", "app", "127.0.0.1:5000/app"));
    scene.cluster.clear_requests();
    scene.shell.run("migrate --check");
    let requests = scene.cluster.requests();
    assert!(!requests.is_empty());
    assert!(requests.iter().all(|request| request.method == "GET"));
    scene.shell.fail(2, "migrate", "--check");
}
