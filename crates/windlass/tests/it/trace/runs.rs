//! Traces of runs, from a file and from a cluster.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use windlass_core::config::Config;
use windlass_core::dsse::IN_TOTO;
use windlass_core::format::Format;
use windlass_core::key::PrivateKey;
use windlass_core::payload::Payload;
use windlass_core::run::Run;

use crate::envelope::sign;
use crate::scene::Scene as ClusterScene;
use crate::shell::Shell;

/// A finished run with its signature, as the controller records it.
fn signed(run: &Value, key: &PrivateKey) -> Value {
    let mut run = run.clone();
    let text = run.to_string();
    let read = Run::parse(text.as_bytes()).unwrap();
    let payload = Payload::of_run(&read, &Config::default(), Format::SlsaV2Alpha4).unwrap();
    let envelope = sign(key, IN_TOTO, &payload.bytes).to_json();
    let name = format!("chains.tekton.dev/signature-{}", read.short_key());
    run["metadata"]["annotations"] = json!({
        "chains.tekton.dev/signed": "true", name: STANDARD.encode(envelope),
    });
    run
}

fn finished() -> Value {
    json!({
        "apiVersion": "tekton.dev/v1", "kind": "TaskRun",
        "metadata": { "name": "build", "namespace": "team-a", "uid": "u-1" },
        "spec": { "serviceAccountName": "bot", "taskRef": { "name": "build-image" } },
        "status": {
            "conditions": [{ "type": "Succeeded", "status": "True" }],
            "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z",
            "taskSpec": {},
            "results": [
                { "name": "IMAGE_URL", "type": "string", "value": "r.invalid/app" },
                { "name": "IMAGE_DIGEST", "type": "string",
                  "value": format!("sha256:{}", "2".repeat(64)) },
                { "name": "CHAINS-GIT_URL", "type": "string", "value": "https://g.io/app" },
                { "name": "CHAINS-GIT_COMMIT", "type": "string", "value": "3".repeat(40) },
            ],
        },
    })
}

fn shell() -> (Shell, PrivateKey) {
    let key = PrivateKey::generate_p256(&[7; 32]).unwrap();
    let shell = Shell::new();
    shell.write("cosign.pub", key.public_key().to_pem());
    (shell, key)
}

#[test]
fn a_trace_of_a_run_leads_to_what_it_made_and_what_it_was_made_from() {
    let (shell, key) = shell();
    shell.write("run.json", signed(&finished(), &key).to_string());
    for line in ["run.json", "-f run.json"] {
        let outcome = shell.run(&format!("trace --key cosign.pub {line}"));
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        for part in [
            "run: run.json [verified]",
            "built by: task run u-1, task build-image (claimed by the run)",
            "account: bot",
            "source: git+https://g.io/app.git@sha1:3333",
            "product: r.invalid/app@sha256:2222",
        ] {
            assert!(outcome.stdout.contains(part), "{part}\n{}", outcome.stdout);
        }
    }
    // a run that was changed afterwards tells nothing
    let mut changed = signed(&finished(), &key);
    changed["spec"]["taskRef"]["name"] = "other".into();
    shell.write("run.json", changed.to_string());
    let outcome = shell.run("trace --key cosign.pub run.json");
    assert_eq!(outcome.code, 1, "{}", outcome.stdout);
    assert!(!outcome.stdout.contains("g.io"), "{}", outcome.stdout);
}

#[test]
fn a_run_on_the_cluster_is_traced_by_name_or_as_the_last() {
    let (shell, key) = shell();
    let scene = ClusterScene::with(shell, &["team-a"]);
    scene.create(signed(&finished(), &key));
    for line in ["taskrun/build", "tr build", "--last", "taskrun --last"] {
        let outcome = scene
            .shell
            .run(&format!("trace --key cosign.pub -n team-a {line}"));
        assert_eq!(
            outcome.code, 0,
            "{line}: {}{}",
            outcome.stdout, outcome.stderr
        );
        assert!(
            outcome.stdout.contains("account: bot"),
            "{}",
            outcome.stdout
        );
    }
}
