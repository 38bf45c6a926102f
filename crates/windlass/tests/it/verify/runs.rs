//! Runs with what the controller wrote into their annotations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_core::config::Config;
use windlass_core::dsse::{self, IN_TOTO};
use windlass_core::format::Format;
use windlass_core::key::PrivateKey;
use windlass_core::payload::Payload;
use windlass_core::run::Run;

use crate::scene::Scene;
use crate::shell::Shell;

/// A folder with a public key, and the key that signs runs.
struct RunScene {
    shell: Shell,
    key: PrivateKey,
}

impl RunScene {
    fn new() -> Self {
        let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
        let shell = Shell::new();
        shell.write("cosign.pub", key.public_key().to_pem());
        Self { shell, key }
    }

    /// The run with its signature, as the controller records it.
    fn signed(&self, format: Format) -> Value {
        let mut run = finished("u-1");
        let text = run.to_string();
        let read = Run::parse(text.as_bytes()).unwrap();
        let payload = Payload::of_run(&read, &Config::default(), format)
            .unwrap()
            .bytes;
        let signature = if format.is_statement() {
            let envelope = dsse::sign(&self.key, IN_TOTO, &payload).unwrap();
            envelope.to_json().into_bytes()
        } else {
            self.key.sign(&payload).unwrap()
        };
        run["metadata"]["annotations"] = json!({
            "chains.tekton.dev/signed": "true",
            "chains.tekton.dev/payload-taskrun-u-1": STANDARD.encode(&payload),
            "chains.tekton.dev/signature-taskrun-u-1": STANDARD.encode(&signature),
        });
        run
    }

    #[track_caller]
    fn verify(&self, run: &Value, code: i32, text: &str) {
        self.shell.write("run.json", run.to_string());
        let outcome = self.shell.run("verify --key cosign.pub run.json");
        let all = format!("{}{}", outcome.stdout, outcome.stderr);
        assert_eq!(outcome.code, code, "{all}");
        assert!(all.contains(text), "{all}");
    }
}

fn finished(uid: &str) -> Value {
    json!({
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": { "name": "build", "namespace": "default", "uid": uid },
        "spec": {},
        "status": {
            "conditions": [{ "type": "Succeeded", "status": "True" }],
            "completionTime": "2026-01-01T00:01:00Z",
        },
    })
}

const FORMATS: [Format; 3] = [Format::Tekton, Format::SlsaV1, Format::SlsaV2Alpha4];

#[test]
fn a_run_as_the_controller_leaves_it_is_verified() {
    let scene = RunScene::new();
    for format in FORMATS {
        scene.verify(&scene.signed(format), 0, "Verified OK");
    }
}

#[test]
fn a_run_of_the_cluster_is_verified_by_its_name() {
    let run = RunScene::new();
    let signed = run.signed(Format::SlsaV1);
    let scene = Scene::with(run.shell, &[]);
    scene.create(signed);
    for name in ["taskrun/build", "tr/build"] {
        scene
            .shell
            .succeed(&format!("verify --key cosign.pub -n default {name}"));
    }
    let line = "verify --key cosign.pub -n default --type slsaprovenance1 tr/build";
    scene
        .shell
        .fail(1, line, "no attestation of the run satisfies the options");
    let line = "verify --key cosign.pub -n default tr/other";
    scene.shell.fail(2, line, "there is no TaskRun");
}

#[test]
fn a_status_changed_after_it_was_signed_does_not_hold() {
    let scene = RunScene::new();
    let mut run = scene.signed(Format::Tekton);
    run["status"]["completionTime"] = json!("2026-01-01T00:02:00Z");
    scene.verify(&run, 1, "one of them was changed");
}

#[test]
fn a_signature_of_another_run_does_not_hold_for_this_one() {
    let scene = RunScene::new();
    let mut run = scene.signed(Format::SlsaV2Alpha4);
    run["metadata"]["uid"] = json!("u-2");
    scene.verify(&run, 1, "the run has no signature of its own");
    let annotations = run["metadata"]["annotations"].as_object_mut().unwrap();
    for name in ["payload", "signature"] {
        let value = annotations[&format!("chains.tekton.dev/{name}-taskrun-u-1")].clone();
        annotations.insert(format!("chains.tekton.dev/{name}-taskrun-u-2"), value);
    }
    scene.verify(&run, 1, "the statement is about another run, u-1");
}

#[test]
fn every_annotation_that_was_changed_is_found() {
    let scene = RunScene::new();
    for format in FORMATS {
        for name in ["payload", "signature"] {
            let name = format!("chains.tekton.dev/{name}-taskrun-u-1");
            let mut run = scene.signed(format);
            for value in ["%", &STANDARD.encode("{}"), ""] {
                run["metadata"]["annotations"][&name] = json!(value);
                scene.verify(&run, 1, "not verified");
            }
        }
    }
}

#[test]
fn a_mark_without_a_signature_is_not_taken_for_one() {
    let mut run = finished("u-1");
    run["metadata"]["annotations"] = json!({ "chains.tekton.dev/signed": "true" });
    RunScene::new().verify(&run, 1, "the run has no signature of its own");
}

/// Both encodings of the registry leave the same on the run.
#[test]
fn what_the_reference_left_on_its_runs_is_verified() {
    for name in [
        "taskrun-live-dsse.json",
        "taskrun-live-sigstore-bundle.json",
    ] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/live");
        let shell = Shell::new();
        for file in [name, "cosign.pub"] {
            shell.write(file, std::fs::read(format!("{folder}/{file}")).unwrap());
        }
        let line = format!("verify --key cosign.pub --type slsaprovenance1 {name}");
        let report = shell.succeed(&line);
        assert_eq!(report.matches(": valid\n").count(), 2, "{report}");
    }
}
