//! Runs with what the controller wrote into their annotations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_core::config::Config;
use windlass_core::dsse::IN_TOTO;
use windlass_core::extract;
use windlass_core::format::Format;
use windlass_core::key::PrivateKey;
use windlass_core::payload::Payload;
use windlass_core::run::{PipelineRun, Run, TaskRun};
use windlass_core::seal;

use crate::envelope::sign;
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
        self.sign(finished("u-1"), format)
    }

    /// A run with its signature and those of the images that its results name.
    fn sign(&self, mut run: Value, format: Format) -> Value {
        let text = run.to_string();
        let read = Run::parse(text.as_bytes()).unwrap();
        let payload = Payload::of_run(&read, &Config::default(), format)
            .unwrap()
            .bytes;
        let signature = if format.is_statement() {
            sign(&self.key, IN_TOTO, &payload).to_json().into_bytes()
        } else {
            self.key.sign(&payload).unwrap()
        };
        run["metadata"]["annotations"] = json!({ "chains.tekton.dev/signed": "true" });
        annotate(&mut run, &read.short_key(), &payload, &signature);
        if let Run::Task(task) = &read {
            for image in extract::images(task).0 {
                let payload = Payload::of_image(&image).bytes;
                let signature = self.key.sign(&payload).unwrap();
                annotate(&mut run, image.short_key(), &payload, &signature);
            }
        }
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

fn annotate(run: &mut Value, key: &str, payload: &[u8], signature: &[u8]) {
    let annotations = run["metadata"]["annotations"].as_object_mut().unwrap();
    for (name, bytes) in [("payload", payload), ("signature", signature)] {
        let name = format!("chains.tekton.dev/{name}-{key}");
        annotations.insert(name, json!(STANDARD.encode(bytes)));
    }
}

/// A run that built an image.
fn built(kind: &str, namespace: &str, name: &str, uid: &str) -> Value {
    let mut run = json!({
        "apiVersion": "tekton.dev/v1",
        "kind": kind,
        "metadata": { "name": name, "namespace": namespace, "uid": uid },
        "spec": {},
        "status": {
            "conditions": [{ "type": "Succeeded", "status": "True" }],
            // no two runs of one second have the same name
            "startTime": format!("2026-01-01T00:00:{:02}Z", name.len()),
            "completionTime": "2026-01-01T00:01:00Z",
            "results": [
                { "name": "IMAGE_URL", "value": "r.io/team/app" },
                { "name": "IMAGE_DIGEST", "value": format!("sha256:{}", "2".repeat(64)) },
            ],
        },
    });
    let definition = match kind {
        "TaskRun" => "taskSpec",
        _ => "pipelineSpec",
    };
    run["status"][definition] = json!({ "description": "d" });
    run
}

/// Gives a run what another one carries, under the names that it should have.
fn replay(source: &Value, target: &mut Value) {
    let key = |run: &Value| Run::parse(run.to_string().as_bytes()).unwrap().short_key();
    let (from, to) = (key(source), key(target));
    let carried = source["metadata"]["annotations"].as_object().unwrap();
    let renamed = carried
        .iter()
        .map(|(name, value)| (name.replace(&from, &to), value.clone()));
    target["metadata"]["annotations"] = renamed.collect::<serde_json::Map<_, _>>().into();
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

const FORMATS: [Format; 4] = [
    Format::Tekton,
    Format::SlsaV1,
    Format::SlsaV2Alpha3,
    Format::SlsaV2Alpha4,
];

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
fn nothing_that_was_signed_for_one_run_verifies_another() {
    let scene = RunScene::new();
    for format in FORMATS {
        for (kind, other) in [("TaskRun", "PipelineRun"), ("PipelineRun", "TaskRun")] {
            let signed = scene.sign(built(kind, "team-a", "good", "u-1"), format);
            scene.verify(&signed, 0, "Verified OK");
            for mut target in [
                built(kind, "team-b", "evils", "u-2"),
                built(kind, "team-a", "evils", "u-2"),
                // deleted and made anew
                built(kind, "team-a", "good2", "u-2"),
                built(other, "team-a", "good", "u-1"),
            ] {
                replay(&signed, &mut target);
                scene.verify(&target, 1, "are invalid");
            }
            for (index, value) in [
                (0, "r.io/prod/app".to_owned()),
                (1, format!("sha256:{}", "9".repeat(64))),
            ] {
                let mut changed = signed.clone();
                changed["status"]["results"][index]["value"] = json!(value);
                scene.verify(&changed, 1, "are invalid");
            }
        }
    }
}

/// Seals the mark of a run that was signed in this format, as the controller does.
fn seal_mark(key: &PrivateKey, run: &mut Value, format: Format) {
    let text = run.to_string();
    let read = Run::parse(text.as_bytes()).unwrap();
    let payload = Payload::of_run(&read, &Config::default(), format).unwrap();
    let payload = seal::payload_digest(&payload.bytes);
    let message = seal::message(read.kind(), read.metadata(), "true", Some(&payload));
    let signature = key.sign(&message).unwrap();
    let uid = &read.metadata().uid;
    let text = seal::annotation(&key.public_key().key_id(), &signature, uid, Some(&payload));
    run["metadata"]["annotations"]["chains.tekton.dev/seal"] = json!(text);
}

#[test]
fn a_seal_names_the_run_where_the_format_does_not() {
    let scene = RunScene::new();
    for format in FORMATS {
        let mut signed = scene.sign(built("TaskRun", "team-a", "good", "u-1"), format);
        seal_mark(&scene.key, &mut signed, format);
        scene.verify(&signed, 0, "seal: valid");
        let outcome = scene.shell.run("verify --key cosign.pub -o json run.json");
        let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
        for entry in report["entries"].as_array().unwrap() {
            let parts = entry["notCovered"].to_string();
            for part in ["namespace", "\"name\"", "uid", "kind"] {
                assert!(!parts.contains(part), "{format}: {parts}");
            }
        }
        // the very same content under another name
        for (pointer, value) in [
            ("/metadata/namespace", "team-b"),
            ("/metadata/name", "evil"),
            ("/metadata/uid", "u-2"),
            ("/kind", "PipelineRun"),
        ] {
            let mut other = signed.clone();
            *other.pointer_mut(pointer).unwrap() = json!(value);
            replay(&signed, &mut other);
            scene.verify(&other, 1, "the seal is for another run or another mark");
        }
    }
}

#[test]
fn a_rightful_seal_on_the_content_of_another_run_is_invalid() {
    const SEAL: &str = "chains.tekton.dev/seal";
    let scene = RunScene::new();
    for format in FORMATS {
        let mut release = scene.sign(built("TaskRun", "prod", "release", "u-1"), format);
        seal_mark(&scene.key, &mut release, format);
        // everything that was signed of another run, under the names of the released one
        let evil = scene.sign(built("TaskRun", "team-b", "evil", "u-2"), format);
        let mut graft = release.clone();
        graft["status"] = evil["status"].clone();
        replay(&evil, &mut graft);
        graft["metadata"]["annotations"][SEAL] = release["metadata"]["annotations"][SEAL].clone();
        scene.verify(
            &graft,
            1,
            "the seal is for another payload than the one on the run",
        );
    }
}

#[test]
fn a_run_without_a_seal_is_not_verified_where_one_is_required() {
    let scene = RunScene::new();
    for format in FORMATS {
        let mut run = scene.sign(built("TaskRun", "team-a", "good", "u-1"), format);
        for seal in ["none", "of another run", "its own"] {
            match seal {
                "none" => {}
                "its own" => seal_mark(&scene.key, &mut run, format),
                _ => {
                    let mut other = built("TaskRun", "team-b", "good", "u-1");
                    other["metadata"]["annotations"] = run["metadata"]["annotations"].clone();
                    seal_mark(&scene.key, &mut other, format);
                    let annotations = &mut other["metadata"]["annotations"];
                    run["metadata"]["annotations"] = annotations.take();
                }
            }
            scene.shell.write("run.json", run.to_string());
            let line = "verify --require-seal --key cosign.pub run.json";
            let outcome = scene.shell.run(line);
            let code = i32::from(seal != "its own");
            assert_eq!(outcome.code, code, "{format}, {seal}: {}", outcome.stderr);
            if seal == "none" {
                assert!(outcome.stderr.contains("has no seal"), "{}", outcome.stderr);
            }
        }
    }
    let image = scene
        .shell
        .run("verify --require-seal --key cosign.pub r.io/a:v1");
    assert_eq!(image.code, 2, "{}", image.stderr);
}

#[test]
fn an_image_that_the_run_did_not_build_is_no_image_of_it() {
    let scene = RunScene::new();
    for format in FORMATS {
        let mut run = scene.sign(built("TaskRun", "team-a", "good", "u-1"), format);
        let name = format!("r.io/prod/app@sha256:{}", "9".repeat(64));
        let image = windlass_core::image::Image::parse(&name).unwrap();
        let payload = Payload::of_image(&image).bytes;
        let signature = scene.key.sign(&payload).unwrap();
        annotate(&mut run, image.short_key(), &payload, &signature);
        scene.verify(
            &run,
            1,
            "the results of the run do not name r.io/prod/app@sha256:9999",
        );
    }
}

#[test]
fn a_report_says_what_the_signature_does_not_cover() {
    let scene = RunScene::new();
    let run = scene.signed(Format::Tekton);
    scene.verify(
        &run,
        0,
        "does not cover: kind, namespace, name, uid, labels, annotations, spec",
    );
    let json = scene
        .shell
        .succeed("verify --key cosign.pub -o json run.json");
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["verified"], true);
    assert_eq!(report["entries"][0]["notCovered"][6], "spec");
    let run = scene.signed(Format::SlsaV2Alpha4);
    scene.verify(
        &run,
        0,
        "does not cover: namespace, name, whether it succeeded",
    );
}

/// A signed pipeline run on a cluster, whose task run has become what `change` makes of it.
fn pipeline_scene(change: impl FnOnce(&mut Value)) -> Scene {
    let run = RunScene::new();
    let mut pipeline = built("PipelineRun", "default", "release", "u-1");
    pipeline["status"]["pipelineSpec"] = json!({ "tasks": [{ "name": "build" }] });
    pipeline["status"]["childReferences"] =
        json!([{ "kind": "TaskRun", "name": "release-build", "pipelineTaskName": "build" }]);
    let mut child = built("TaskRun", "default", "release-build", "u-2");
    let image = format!("r.io/tool@sha256:{}", "4".repeat(64));
    child["status"]["steps"] = json!([{ "name": "s", "imageID": image }]);
    child["metadata"]["labels"] =
        json!({ "tekton.dev/pipelineRun": "release", "tekton.dev/pipelineTask": "build" });
    child["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "name": "release", "uid": "u-1",
        "controller": true,
    }]);
    let (text, child_text) = (pipeline.to_string(), child.to_string());
    let read = Run::Pipeline(
        PipelineRun::parse(text.as_bytes()).unwrap(),
        vec![TaskRun::parse(child_text.as_bytes()).unwrap()],
    );
    let payload = Payload::of_run(&read, &Config::default(), Format::SlsaV2Alpha4).unwrap();
    let envelope = sign(&run.key, IN_TOTO, &payload.bytes);
    pipeline["metadata"]["annotations"] = json!({});
    let envelope = envelope.to_json();
    annotate(
        &mut pipeline,
        "pipelinerun-u-1",
        &payload.bytes,
        envelope.as_bytes(),
    );
    let scene = Scene::with(run.shell, &[]);
    scene.create(pipeline);
    change(&mut child);
    scene.create(child);
    scene
}

#[test]
fn the_task_runs_of_a_pipeline_run_on_the_cluster_are_part_of_what_is_compared() {
    let line = "verify --key cosign.pub -n default pr/release";
    let report = pipeline_scene(|_| {}).shell.succeed(line);
    assert!(!report.contains("not found"), "{report}");
    let changed = pipeline_scene(|child| {
        let image = format!("r.io/evil@sha256:{}", "9".repeat(64));
        child["status"]["steps"] = json!([{ "name": "s", "imageID": image }]);
    });
    changed.shell.fail(1, line, "1 of 1 are invalid");
    let gone = pipeline_scene(|child| child["metadata"]["name"] = json!("another"));
    let report = gone.shell.succeed(line);
    assert!(report.contains("some of which were not found"), "{report}");
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

#[test]
fn a_run_without_a_signature_is_told_why_and_what_to_do() {
    let scene = RunScene::new();
    for (uid, mark, told) in [
        (
            "u-1",
            Some("true"),
            "signed is in another store, such as a registry: verify the images",
        ),
        (
            "u-1",
            Some("failed"),
            "`windlass resign` has it tried again",
        ),
        (
            "u-1",
            None,
            "it is not marked as signed; the controller signs it",
        ),
        (
            "",
            None,
            "it has no uid, so it never was on a cluster; export it",
        ),
    ] {
        let mut run = finished(uid);
        if let Some(mark) = mark {
            run["metadata"]["annotations"] = json!({ "chains.tekton.dev/signed": mark });
        }
        scene.verify(&run, 1, told);
    }
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
