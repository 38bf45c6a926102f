//! What `doctor` finds in the built-in cluster, whole and with one thing wrong at a time.

use serde_json::{Value, json};
use windlass_sandbox::{Fault, FaultAnswer, Reply};

use crate::scene::Scene;

const SYSTEM: &str = "tekton-chains";
const P384: &str = include_str!("../../../core/tests/fixtures/x509/p384-sec1.pem");
const P256: &str = include_str!("../../../core/tests/fixtures/x509/p256-sec1-with-parameters.pem");

/// An installation in which nothing is wrong, whose key is this.
fn installed(key: &Value) -> Scene {
    let scene = Scene::new(&[SYSTEM]);
    let metadata = |name: &str| json!({ "name": name, "namespace": SYSTEM });
    scene.create(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("chains-config"),
        "data": { "artifacts.oci.storage": "" },
    }));
    scene.create(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": metadata("signing-secrets"),
        "stringData": key,
    }));
    scene.create(json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": metadata("tekton-chains-controller"),
    }));
    scene.create(deployment(SYSTEM, "r.io/windlass:1", 1));
    scene
}

fn whole() -> Scene {
    installed(&json!({ "x509.pem": P256 }))
}

fn deployment(namespace: &str, image: &str, ready: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "tekton-chains-controller", "namespace": namespace },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": { "a": "b" } },
            "template": {
                "metadata": { "labels": { "a": "b" } },
                "spec": { "containers": [{ "name": "c", "image": image }] },
            },
        },
        "status": { "readyReplicas": ready },
    })
}

/// Reviews get this response from the n-th on, counted from 1.
fn reviews(scene: &Scene, from: usize, allowed: bool) {
    let body = json!({ "status": { "allowed": allowed } }).to_string();
    let reply = FaultAnswer::Status(Reply::from(201).body(body));
    let mut fault = Fault::new("POST", "/subjectaccessreviews", reply).from_nth(from);
    fault.times = usize::MAX;
    scene.cluster.fail(fault);
}

/// Exit status and findings; each that is not well has a cause, a remedy and a command.
fn examine(scene: &Scene) -> (i32, Vec<Value>) {
    let outcome = scene.shell.run("doctor -o json");
    let findings: Vec<Value> = serde_json::from_str(&outcome.stdout).unwrap();
    for finding in &findings {
        if finding["level"] != "ok" {
            assert!(finding["cause"].is_string(), "{finding}");
            assert!(finding["remedy"].is_string(), "{finding}");
            assert!(finding["command"].is_string(), "{finding}");
        }
    }
    (outcome.code, findings)
}

#[track_caller]
fn finding<'a>(findings: &'a [Value], level: &str, text: &str) -> &'a Value {
    let found = findings
        .iter()
        .find(|one| one["level"] == level && one.to_string().contains(text));
    assert!(found.is_some(), "no {level} says {text:?}: {findings:#?}");
    found.unwrap_or(&Value::Null)
}

#[test]
fn a_whole_installation_has_no_problem() {
    let scene = whole();
    let (code, findings) = examine(&scene);
    assert_eq!(code, 0, "{findings:#?}");
    for text in [
        "TaskRuns",
        "PipelineRuns",
        "agree on the time",
        "chains-config is accepted",
    ] {
        finding(&findings, "ok", text);
    }
    finding(&findings, "ok", "ECDSA P-256");
    finding(&findings, "ok", "every right it needs");
    finding(&findings, "ok", "1 of 1 replicas");
    // the only user of this cluster may do everything, as the account of Chains nearly may
    finding(&findings, "advice", "list secrets");
    let requests = scene.cluster.requests();
    let mut writes = requests.iter().filter(|one| one.method != "GET");
    assert!(writes.all(|one| one.path.ends_with("accessreviews")));
}

#[test]
fn everything_that_is_missing_is_told_with_what_to_type() {
    let scene = Scene::new(&[SYSTEM]);
    let (code, findings) = examine(&scene);
    assert_eq!(code, 1);
    let config = finding(&findings, "problem", "chains-config does not exist");
    assert_eq!(
        config["command"],
        "kubectl create configmap chains-config -n tekton-chains"
    );
    let key = finding(&findings, "problem", "signing-secrets does not exist");
    assert_eq!(
        key["command"],
        "windlass generate-key-pair k8s://tekton-chains/signing-secrets"
    );
    finding(&findings, "advice", "there is no deployment");
}

#[test]
fn a_p384_x509_key_is_advised_against_and_another_public_key_is_a_problem() {
    let public = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    let scene = installed(&json!({ "x509.pem": P384, "cosign.pub": public }));
    let (code, findings) = examine(&scene);
    assert_eq!(code, 1);
    finding(&findings, "advice", "P-256");
    let other = finding(&findings, "problem", "cosign.pub");
    assert!(
        other["what"].as_str().unwrap().contains("x509.pem"),
        "{other}"
    );
    let text = serde_json::to_string(&findings).unwrap();
    assert!(!text.contains("BEGIN"), "no key is repeated");
}

#[test]
fn a_missing_right_is_named_and_without_the_right_to_ask_it_is_unknown() {
    let scene = whole();
    reviews(&scene, 2, false);
    let (code, findings) = examine(&scene);
    assert_eq!(code, 1);
    let rights = finding(&findings, "problem", "may not: ");
    assert!(
        rights["command"]
            .as_str()
            .unwrap()
            .starts_with("windlass install -n tekton-chains")
    );
    scene.cluster.clear_faults();
    let mut refused = Fault::new(
        "POST",
        "/subjectaccessreviews",
        FaultAnswer::Status(403.into()),
    );
    refused.times = usize::MAX;
    scene.cluster.fail(refused);
    let (code, findings) = examine(&scene);
    assert_eq!(code, 0, "{findings:#?}");
    finding(&findings, "unknown", "kubectl auth can-i --list --as=");
}

#[test]
fn what_may_not_be_seen_is_unknown_and_never_well() {
    let scene = whole();
    for path in [
        "/secrets/signing-secrets",
        "/configmaps/chains-config",
        "/deployments",
    ] {
        let mut refused = Fault::new("GET", path, FaultAnswer::Status(403.into()));
        refused.times = usize::MAX;
        scene.cluster.fail(refused);
    }
    let (_, findings) = examine(&scene);
    for area in ["key", "configuration", "controller"] {
        let unknown = |one: &&Value| one["area"] == area && one["level"] == "unknown";
        assert!(
            findings.iter().any(|one| unknown(&one)),
            "{area}: {findings:#?}"
        );
    }
}

#[test]
fn chains_and_a_second_controller_and_pods_that_are_not_ready_are_problems() {
    let scene = Scene::new(&[SYSTEM, "elsewhere", "stopped"]);
    scene.create(deployment(SYSTEM, "r.io/windlass:1", 0));
    scene.create(deployment(
        "elsewhere",
        "r.io/tekton/chains/controller:v0.29",
        1,
    ));
    let (_, findings) = examine(&scene);
    finding(&findings, "problem", "0 of 1 replicas");
    finding(&findings, "problem", "another controller signs: elsewhere");
    let scene = Scene::new(&[SYSTEM]);
    scene.create(deployment(SYSTEM, "r.io/tekton/chains/controller:v0.29", 1));
    let (_, findings) = examine(&scene);
    finding(&findings, "problem", "is Tekton Chains");
}

#[test]
fn a_lease_of_chains_is_a_problem_while_it_lasts() {
    let scene = whole();
    let lease = |queue: &str, holder: &str, renewed: &str| {
        scene.create(json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {
                "name": format!("watcher.github.com.tektoncd.chains.{queue}.00-of-01"),
                "namespace": SYSTEM,
            },
            "spec": {
                "holderIdentity": holder, "leaseDurationSeconds": 60, "renewTime": renewed,
            },
        }));
    };
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string();
    lease("old", "chains-7d4", "2026-01-01T00:00:00.000000Z");
    lease("ours", "windlass/controller_x", &now);
    lease("free", "", &now);
    finding(&examine(&scene).1, "ok", "holds no lease");
    lease("theirs", "chains-7d4", &now);
    let (code, findings) = examine(&scene);
    assert_eq!(code, 1);
    finding(&findings, "problem", "theirs.00-of-01: chains-7d4");
    finding(&findings, "advice", "no replica of windlass holds a lease");
}

#[test]
fn the_replicas_that_share_the_namespaces_are_counted_by_the_leases_they_hold_now() {
    let scene = whole();
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ");
    let now = now.to_string();
    let lease = |number: u32, holder: &str, renewed: &str, divides: &str| {
        scene.create(json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {
                "name": format!("windlass-replica-{number}"), "namespace": SYSTEM,
                "annotations": { "chains.tekton.dev/divides": divides },
            },
            "spec": { "holderIdentity": holder, "leaseDurationSeconds": 3600, "renewTime": renewed },
        }));
    };
    lease(0, "windlass/pod-a_1", &now, "");
    finding(
        &examine(&scene).1,
        "ok",
        "1 replica works on all namespaces",
    );
    lease(1, "windlass/pod-b_1", &now, "team-a");
    lease(2, "windlass/gone_1", "2026-01-01T00:00:00.000000Z", "");
    lease(3, "", &now, "");
    let (_, findings) = examine(&scene);
    let shared = finding(&findings, "ok", "2 replicas share the namespaces");
    assert!(
        shared.to_string().contains("TaskRuns of team-a"),
        "{shared}"
    );
}

#[test]
fn a_configuration_that_is_refused_or_not_supported_is_a_problem() {
    for (key, value, text) in [
        ("artifacts.taskrun.format", "tekto", "is refused"),
        ("transparency.url", "rekor.example", "transparency.url"),
        (
            "artifacts.taskrun.storage",
            "gcs",
            "artifacts.taskrun.storage",
        ),
    ] {
        let scene = Scene::new(&[SYSTEM]);
        scene.create(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": { "name": "chains-config", "namespace": SYSTEM },
            "data": { "artifacts.oci.storage": "", "transparency.enabled": "true", key: value },
        }));
        let (code, findings) = examine(&scene);
        assert_eq!(code, 1);
        finding(&findings, "problem", text);
    }
}
