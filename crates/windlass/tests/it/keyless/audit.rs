//! `audit --verify` by a name.

use serde_json::{Value, json};
use windlass_core::key::PrivateKey;
use windlass_core::run::Run;
use windlass_core::seal;

use super::Scene;
use crate::scene::Scene as Cluster;
use crate::shell::Outcome;

const SYSTEM: &str = "tekton-chains";

/// The state of the one run and why it is in it.
#[track_caller]
fn only(outcome: &Outcome) -> (String, String) {
    let document: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
    let runs = document["runs"].as_array();
    assert_eq!(
        runs.map(Vec::len),
        Some(1),
        "{}{}",
        outcome.stdout,
        outcome.stderr
    );
    let row = &document["runs"][0];
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    (text("state"), text("why"))
}

#[test]
fn a_run_that_was_signed_without_a_key_is_audited_by_the_name_of_the_controller() {
    let scene = Scene::new(&json!({}));
    let mut without = scene.signed("app");
    let line = "audit --verify -o json";
    let (controller, somebody) = scene.as_controller_and_somebody(line);
    assert_eq!(only(&controller), ("signed".to_owned(), String::new()));
    assert_eq!(controller.code, 0);
    let (state, why) = only(&somebody);
    assert_eq!((state.as_str(), somebody.code), ("invalid", 1));
    assert!(why.contains("the certificate's identity is"), "{why}");
    let by_pattern = scene
        .who()
        .replace("--certificate-identity ", "--certificate-identity-regexp ");
    let outcome = scene.shell.run(&format!("{line} {by_pattern}"));
    assert_eq!(outcome.code, 0, "{}", outcome.stdout);
    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    scene.shell.write("key.pub", key.public_key().to_pem());
    let outcome = scene.shell.run(&format!("{line} --key key.pub"));
    assert_eq!((only(&outcome).0.as_str(), outcome.code), ("invalid", 1));
    // without the entry nobody vouches for the time
    let cluster = elsewhere(&scene, "tekton");
    let annotations = without["metadata"]["annotations"].as_object_mut().unwrap();
    annotations.retain(|name, _| !name.contains("/proof-"));
    cluster.create(without);
    let (state, why) = only(&cluster.shell.run(&format!("{line} {}", scene.who())));
    assert_eq!(state, "invalid");
    assert!(why.contains("log entry"), "{why}");
}

/// Another cluster without a controller, where runs are stored in this way, and the trusted root.
fn elsewhere(scene: &Scene, storage: &str) -> Cluster {
    let cluster = Cluster::new(&[SYSTEM]);
    cluster
        .shell
        .write("root.json", scene.shell.read("root.json"));
    cluster.create(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "namespace": SYSTEM, "name": "chains-config" },
        "data": { "artifacts.taskrun.storage": storage },
    }));
    cluster
}

/// A run with nothing of its signature but the mark and the seal.
fn sealed(mut run: Value) -> Value {
    let annotations = run["metadata"]["annotations"].as_object_mut().unwrap();
    let kept = ["chains.tekton.dev/signed", "chains.tekton.dev/seal"];
    annotations.retain(|name, _| kept.contains(&name.as_str()));
    assert_eq!(annotations.len(), 2);
    run
}

#[test]
fn a_seal_is_believed_by_the_name_in_its_certificate_and_the_authority_of_the_trusted_root() {
    let scene = Scene::new(&json!({}));
    let run = sealed(scene.signed("app"));
    let cluster = elsewhere(&scene, "oci");
    cluster.create(run.clone());
    let audit = |flags: &str| {
        let line = format!("audit --verify -o json {flags}");
        only(&cluster.shell.run(&line))
    };
    let who = scene.who();
    let (state, why) = audit(&who);
    assert_eq!(state, "signed", "{why}");
    assert!(why.contains("stored elsewhere was not read"), "{why}");
    let refused = |flags: &str, expected: &str| {
        let (state, why) = audit(flags);
        assert_eq!(state, "invalid", "{flags}");
        assert!(why.contains(expected), "{flags}: {why}");
    };
    refused(
        &who.replace("issuer.sandbox", "issuer.example"),
        "OIDC issuer is",
    );
    let name = scene.keyless.identity();
    refused(
        &who.replace(&name, "https://somebody"),
        "the certificate's identity is",
    );
    let workflow = format!("{who} --certificate-github-workflow-ref refs/heads/main");
    refused(&workflow, "has no workflow ref");

    let other = Scene::new(&json!({}));
    cluster
        .shell
        .write("other.json", other.shell.read("root.json"));
    let by_other = who.replace("root.json", "other.json");
    refused(&by_other, "of no authority of the trusted root");
    let mut root: Value = serde_json::from_slice(&scene.shell.read("root.json")).unwrap();
    root["ctlogs"] = json!([]);
    cluster.shell.write("other.json", root.to_string());
    refused(&by_other, "certificate transparency log");
    let ignored = format!("{by_other} --insecure-ignore-sct");
    assert_eq!(audit(&ignored).0, "signed");
    let valid = json!({ "start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z" });
    root["certificateAuthorities"][0]["validFor"] = valid;
    cluster.shell.write("other.json", root.to_string());
    refused(&ignored, "of no authority of the trusted root");
}

#[test]
fn a_seal_of_another_run_or_by_a_key_is_none_of_the_controller_s() {
    let scene = Scene::new(&json!({}));
    let [mut run, other] = ["app", "other"].map(|name| sealed(scene.signed(name)));
    let (cluster, line) = (
        elsewhere(&scene, "oci"),
        format!("audit --verify -o json {}", scene.who()),
    );
    let annotation = "chains.tekton.dev/seal";
    let theirs = other["metadata"]["annotations"][annotation]
        .as_str()
        .unwrap();
    let of_other = other["metadata"]["uid"].as_str().unwrap();
    let own = run["metadata"]["uid"].as_str().unwrap().to_owned();
    run["metadata"]["annotations"][annotation] = json!(theirs.replace(of_other, &own));
    cluster.create(run.clone());
    let (state, why) = only(&cluster.shell.run(&line));
    assert_eq!(state, "invalid");
    assert!(why.contains("for another run or another mark"), "{why}");

    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    let text = run.to_string();
    let read = Run::parse(text.as_bytes()).unwrap();
    let signature = key.sign(&seal::message(read.kind(), read.metadata(), "true", None));
    let key_id = key.public_key().key_id();
    let by_key = seal::annotation(&key_id, &signature.unwrap(), &own, None);
    let cluster = elsewhere(&scene, "oci");
    run["metadata"]["annotations"][annotation] = json!(by_key);
    cluster.create(run);
    let (state, why) = only(&cluster.shell.run(&line));
    assert_eq!(state, "invalid");
    assert!(why.contains("the seal has no certificate"), "{why}");
}

#[test]
fn flags_on_who_signed_are_refused_where_nothing_is_verified_or_they_say_nothing() {
    let scene = Scene::new(&json!({}));
    let fails = |flags: &str, why: &str| scene.shell.fail(2, &format!("audit {flags}"), why);
    let who = scene.who();
    fails(&who, "--verify");
    fails("--offline", "--verify");
    fails(
        &format!("--verify --key key.pub {who}"),
        "cannot be used with",
    );
    fails(
        "--verify --certificate-identity me",
        "give --certificate-oidc-issuer",
    );
    fails(
        "--verify --certificate-oidc-issuer https://issuer.sandbox",
        "go with --certificate-identity",
    );
}
