//! What `audit` says of runs in the built-in cluster.

use jiff::Timestamp;
use serde_json::{Value, json};
use windlass_core::key::PrivateKey;
use windlass_core::run::Run;
use windlass_core::seal;

use crate::scene::Scene;

/// A finished run with these annotations.
fn run(kind: &str, name: &str, annotations: &Value) -> Value {
    json!({
        "apiVersion": "tekton.dev/v1", "kind": kind,
        "metadata": { "name": name, "annotations": annotations },
        "spec": { "taskRef": { "name": "build" } },
        "status": {
            "completionTime": "2026-01-01T00:00:00Z",
            "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Succeeded" }],
        },
    })
}

fn audit(scene: &Scene, options: &str) -> (i32, Value) {
    let outcome = scene.shell.run(&format!("audit -o json {options}"));
    let document = serde_json::from_str(&outcome.stdout);
    assert!(document.is_ok(), "{}{}", outcome.stdout, outcome.stderr);
    let document: Value = document.unwrap_or_default();
    (outcome.code, document)
}

fn state<'a>(document: &'a Value, name: &str) -> (&'a str, &'a str) {
    let mut runs = document["runs"].as_array().unwrap().iter();
    let row = runs.find(|row| row["name"] == name).unwrap();
    (row["state"].as_str().unwrap(), row["why"].as_str().unwrap())
}

#[test]
fn every_state_is_told_with_its_reason_and_fails_the_audit() {
    let scene = Scene::new(&["tekton-chains"]);
    let sealed = json!({
        "chains.tekton.dev/signed": "true", "chains.tekton.dev/seal": "SHA256:x MEUC u-1",
    });
    let mut signed = run("TaskRun", "signed", &sealed);
    signed["metadata"]["uid"] = json!("u-1");
    scene.create(signed);
    let mut running = run("TaskRun", "running", &json!({}));
    running.as_object_mut().unwrap().remove("status");
    scene.create(running);
    let mut managed = run("PipelineRun", "managed", &json!({}));
    managed["spec"] = json!({ "managedBy": "example.com/other" });
    scene.create(managed);
    let (code, document) = audit(&scene, "");
    assert_eq!(code, 0, "{document}");
    for (name, annotations, expected, why) in [
        (
            "marked",
            json!({ "chains.tekton.dev/signed": "true" }),
            "marked",
            "trace",
        ),
        (
            "failed",
            json!({ "chains.tekton.dev/signed": "failed", "chains.tekton.dev/reason": "too large" }),
            "failed",
            "too large",
        ),
        (
            "waiting",
            json!({ "chains.tekton.dev/retries": "1", "chains.tekton.dev/reason": "no credential" }),
            "waiting",
            "no credential",
        ),
        ("unseen", json!({}), "unseen", "no controller"),
    ] {
        scene.create(run("TaskRun", name, &annotations));
        let (code, document) = audit(&scene, "");
        assert_eq!(code, 1, "{name}");
        let (found, reason) = state(&document, name);
        assert_eq!(found, expected);
        assert!(reason.contains(why), "{reason}");
    }
    let mut fresh = run("TaskRun", "fresh", &json!({}));
    fresh["status"]["completionTime"] = Timestamp::now().to_string().into();
    scene.create(fresh);
    let (_, document) = audit(&scene, "--state waiting,exempt");
    assert_eq!(state(&document, "fresh").0, "waiting");
    assert_eq!(
        state(&document, "managed"),
        ("exempt", "managed by example.com/other")
    );
    assert_eq!(document["runs"].as_array().unwrap().len(), 3);
    assert_eq!(document["summary"]["unseen"], 1, "all runs are counted");
}

#[test]
fn a_mark_with_a_trace_that_does_not_verify_is_invalid() {
    let scene = Scene::new(&["tekton-chains"]);
    scene
        .shell
        .fixture("keys/cosign3-p256/cosign.pub", "cosign.pub");
    let made = scene.create(run("TaskRun", "forged", &json!({})));
    let uid = made["metadata"]["uid"].as_str().unwrap();
    let patch = json!({ "metadata": { "annotations": {
        "chains.tekton.dev/signed": "true",
        format!("chains.tekton.dev/signature-taskrun-{uid}"): "Zm9yZ2Vk",
        format!("chains.tekton.dev/payload-taskrun-{uid}"): "Zm9yZ2Vk",
    }}});
    let mut forged = made.clone();
    forged["metadata"]["annotations"] = patch["metadata"]["annotations"].clone();
    forged["metadata"]["name"] = "copy".into();
    forged["metadata"]["resourceVersion"] = Value::Null;
    scene.create(forged);
    let (code, document) = audit(&scene, "--state signed");
    assert_eq!(code, 1, "the other one is unseen");
    assert_eq!(state(&document, "copy").0, "signed");
    let (code, document) = audit(&scene, "--verify --key cosign.pub");
    assert_eq!(code, 1);
    let (found, why) = state(&document, "copy");
    assert_eq!(found, "invalid");
    assert!(!why.is_empty());
}

/// A run whose mark this key has sealed, as one whose payload has this digest.
fn sealed(key: &PrivateKey, name: &str, payload: Option<&str>) -> Value {
    let mut sealed = run(
        "TaskRun",
        name,
        &json!({ "chains.tekton.dev/signed": "true" }),
    );
    sealed["metadata"]["uid"] = json!(format!("uid-of-{name}"));
    sealed["metadata"]["namespace"] = json!("default");
    let text = sealed.to_string();
    let read = Run::parse(text.as_bytes()).unwrap();
    let message = seal::message(read.kind(), read.metadata(), "true", payload);
    let signature = key.sign(&message).unwrap();
    let key_id = key.public_key().key_id();
    let text = seal::annotation(&key_id, &signature, &read.metadata().uid, payload);
    sealed["metadata"]["annotations"]["chains.tekton.dev/seal"] = json!(text);
    sealed
}

#[test]
fn the_seal_of_a_run_whose_signature_is_elsewhere_is_verified() {
    let (key, other) = (
        PrivateKey::generate_p256(&[7; 32]).unwrap(),
        PrivateKey::generate_p256(&[8; 32]).unwrap(),
    );
    let payload = seal::payload_digest(b"what was signed");
    let scene = Scene::new(&["tekton-chains"]);
    scene.create(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "namespace": "tekton-chains", "name": "chains-config" },
        "data": { "artifacts.taskrun.storage": "oci" },
    }));
    scene.create(sealed(&key, "elsewhere", Some(&payload)));
    scene.create(sealed(&key, "nothing", None));
    scene.shell.write("key.pub", key.public_key().to_pem());
    scene.shell.write("other.pub", other.public_key().to_pem());
    let (code, document) = audit(&scene, "--verify --key other.pub --key key.pub");
    assert_eq!(code, 0, "{document}");
    assert!(state(&document, "elsewhere").1.contains("not read"));
    assert!(state(&document, "nothing").1.contains("nothing of the run"));
    let (code, document) = audit(&scene, "--verify --key other.pub");
    assert_eq!(code, 1);
    let (found, why) = state(&document, "elsewhere");
    assert_eq!(
        (found, why),
        ("invalid", "the seal was made with another key")
    );
    // the seal of one run under the name and the uid of another
    let mut copy = sealed(&key, "elsewhere", Some(&payload));
    copy["metadata"]["name"] = json!("copy");
    scene.create(copy);
    let (_, document) = audit(&scene, "--verify --key key.pub");
    assert_eq!(state(&document, "copy").0, "invalid");
}

#[test]
fn a_sealed_run_without_the_signature_that_belongs_on_it_is_invalid() {
    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    let scene = Scene::new(&["tekton-chains"]);
    scene.create(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "namespace": "tekton-chains", "name": "chains-config" },
        "data": { "artifacts.taskrun.storage": "tekton" },
    }));
    let payload = seal::payload_digest(b"what was signed");
    scene.create(sealed(&key, "stripped", Some(&payload)));
    scene.shell.write("key.pub", key.public_key().to_pem());
    let (code, document) = audit(&scene, "--verify --key key.pub");
    assert_eq!(code, 1);
    let (found, why) = state(&document, "stripped");
    assert_eq!(found, "invalid");
    assert!(why.contains("the signature is not on the run"), "{why}");
}

#[test]
fn runs_are_chosen_by_label_and_namespace_and_printed_as_csv_or_a_table() {
    let scene = Scene::new(&["tekton-chains", "team-a"]);
    let mut labelled = run("TaskRun", "labelled", &json!({}));
    labelled["metadata"]["labels"] = json!({ "app": "shop" });
    scene.create(labelled);
    let mut other = run("PipelineRun", "other", &json!({}));
    other["metadata"]["namespace"] = json!("team-a");
    scene.create(other);
    let names = |options: &str| {
        let (_, document) = audit(&scene, options);
        document["runs"].as_array().unwrap().len()
    };
    assert_eq!(names(""), 1);
    assert_eq!(names("-A"), 2);
    assert_eq!(names("-n none -A"), 2);
    assert_eq!(names("-n team-a"), 1);
    assert_eq!(names("-A -l app=shop"), 1);
    assert_eq!(names("-A -l app=none"), 0);
    let csv = scene.shell.run("audit -A -o csv").stdout;
    assert!(
        csv.starts_with("state,kind,namespace,name,finished,why\n"),
        "{csv}"
    );
    assert!(
        csv.contains("\"unseen\",\"PipelineRun\",\"team-a\",\"other\",\"2026-01-01T00:00:00Z\"")
    );
    let table = scene.shell.run("audit -A");
    assert_eq!(table.code, 1);
    assert!(
        table.stdout.contains("pipelinerun/other -n team-a"),
        "{}",
        table.stdout
    );
    assert!(table.stderr.contains("2 unseen"), "{}", table.stderr);
}

#[test]
fn a_list_that_breaks_off_is_a_whole_document_with_the_error_and_no_success() {
    use windlass_sandbox::{Fault, FaultAnswer};
    let scene = Scene::new(&["tekton-chains"]);
    scene.create(run(
        "TaskRun",
        "one",
        &json!({ "chains.tekton.dev/seal": "x" }),
    ));
    let mut refused = Fault::new("GET", "/pipelineruns", FaultAnswer::Status(403.into()));
    refused.times = usize::MAX;
    scene.cluster.fail(refused);
    let (code, document) = audit(&scene, "");
    assert_eq!(code, 2);
    assert_eq!(document["runs"].as_array().unwrap().len(), 1);
    assert!(
        document["error"].as_str().unwrap().contains("403"),
        "{document}"
    );
}
