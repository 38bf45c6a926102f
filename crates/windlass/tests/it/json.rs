//! What a program reads that asks for JSON: one value on standard output, whatever happens.
//!
//! With exit status 2, and whenever something is not verified, it is an object with `error`.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use windlass_core::key::PrivateKey;
use windlass_sandbox::registry::Options;

use crate::scene::Scene;
use crate::shell::Shell;
use crate::transcripts::below;
use crate::verify::registry::ImageScene;

/// The lines of each verb, with the exit status: success, failure, nothing found, a key that cannot
/// be read, and a registry or cluster that cannot be reached.
///
/// `IMAGE` is signed and attested, `BARE` has nothing, `OTHER` is signed with another key.
const TABLE: [(&str, &[(i32, &str)]); 15] = [
    (
        "verify",
        &[
            (0, "verify --key cosign.pub -o json IMAGE"),
            (0, "verify --key cosign.pub -o json IMAGE IMAGE"),
            (0, "verify --key cosign.pub -o report IMAGE IMAGE"),
            (0, "verify --key cosign.pub -o json envelope.json"),
            (1, "verify --key cosign.pub -o json OTHER"),
            (1, "verify --key cosign.pub -o json BARE"),
            (1, "verify --key cosign.pub -o report BARE"),
            (1, "verify --key cosign.pub -o json IMAGE BARE"),
            (1, "verify --key cosign.pub -o report IMAGE BARE"),
            (1, "verify --key cosign.pub -o json --type spdx IMAGE"),
            (1, "verify --key cosign.pub -o json damaged.json"),
            (1, "verify --key cosign.pub -o json tr/bare"),
            (2, "verify --key damaged.pub -o json IMAGE"),
            (2, "verify --key missing.pub --output=json IMAGE"),
            (2, "verify --key cosign.pub -ojson 127.0.0.1:1/app:v1"),
            (
                2,
                "verify --key cosign.pub -o json IMAGE 127.0.0.1:1/app:v1",
            ),
            (2, "verify --key cosign.pub -o json missing.json"),
            (2, "verify --key cosign.pub -o json tr/missing"),
            (2, "verify --key cosign.pub -Lo json -n empty"),
            (2, "verify --key cosign.pub -o json tr/a UNREACHABLE"),
            (2, "verify --key cosign.pub -o json"),
            (2, "verify --key cosign.pub --no-such-flag -o json IMAGE"),
        ],
    ),
    (
        "verify-attestation",
        &[
            (0, "verify-attestation --key cosign.pub TYPE -o json IMAGE"),
            (1, "verify-attestation --key cosign.pub TYPE -o json BARE"),
            (1, "verify-attestation --key cosign.pub -o json IMAGE"),
            (1, "verify-attestation --key other.pub TYPE -o json IMAGE"),
            (
                1,
                "verify-attestation --key cosign.pub TYPE -o json IMAGE BARE",
            ),
            (2, "verify-attestation --key damaged.pub -o json IMAGE"),
            (
                2,
                "verify-attestation --key cosign.pub -o json 127.0.0.1:1/app:v1",
            ),
            (2, "verify-attestation --key cosign.pub -o json --bad IMAGE"),
        ],
    ),
    (
        "taskrun list",
        &[
            (0, "taskrun list -o json"),
            (0, "taskrun list -Ao json"),
            (0, "tr list -n empty -o json"),
            (2, "tr list -o json UNREACHABLE"),
            (2, "tr list -o json -l ="),
            (2, "tr list -o json --limit x"),
        ],
    ),
    (
        "taskrun describe",
        &[
            (0, "tr describe -o json bare"),
            (2, "tr describe -o json missing"),
            (2, "tr describe --last -o json -n empty"),
            (2, "tr describe -o json bare UNREACHABLE"),
            (2, "tr describe -o json"),
        ],
    ),
    (
        "pipelinerun list",
        &[(0, "pr list -o json"), (2, "pr list -o json UNREACHABLE")],
    ),
    (
        "pipelinerun describe",
        &[
            (2, "pr describe -o json missing"),
            (2, "pr describe -o json missing UNREACHABLE"),
        ],
    ),
    (
        "explain",
        &[
            (0, "explain -o json tr/bare"),
            (2, "explain -o json tr/missing"),
            (2, "explain -o json -f missing.yaml"),
            (2, "explain -o json -f damaged.pub"),
            (2, "explain -o json tr/bare UNREACHABLE"),
        ],
    ),
    (
        "migrate",
        &[
            (1, "migrate --check -o json"),
            (2, "migrate --check -o json UNREACHABLE"),
            (2, "migrate -o json"),
        ],
    ),
    (
        "audit",
        &[
            (0, "audit -n empty -o json"),
            (1, "audit -o json"),
            (2, "audit --verify --key damaged.pub -o json"),
            (2, "audit --verify -o json"),
            (2, "audit -o json UNREACHABLE"),
        ],
    ),
    (
        "trust show",
        &[
            (0, "trust show --trusted-root root.json -o json"),
            (2, "trust show --trusted-root damaged.json -o json"),
            (2, "trust show --trusted-root missing.json -o json"),
            (2, "trust show --offline -o json"),
        ],
    ),
    (
        "doctor",
        &[(1, "doctor -o json"), (2, "doctor -o json UNREACHABLE")],
    ),
    (
        "tree",
        &[
            (0, "tree -o json IMAGE"),
            (0, "tree -o json BARE"),
            (2, "tree -o json 127.0.0.1:1/app:v1"),
            (2, "tree -o json"),
        ],
    ),
    (
        "trace",
        &[
            (0, "trace --key cosign.pub -o json IMAGE"),
            (1, "trace --key cosign.pub -o json BARE"),
            (1, "trace --key other.pub -o json IMAGE"),
            (2, "trace --key damaged.pub -o json IMAGE"),
            (2, "trace --key cosign.pub -o json 127.0.0.1:1/app:v1"),
            (2, "trace --key cosign.pub -o json tr/missing"),
            (2, "trace -o json IMAGE"),
        ],
    ),
    (
        "payload",
        &[
            (0, "payload -o json tr/bare"),
            (2, "payload -o json tr/missing"),
            (2, "payload -o json -f missing.yaml"),
            (2, "payload -o json tr/bare UNREACHABLE"),
        ],
    ),
    (
        "registry check",
        &[
            (0, "registry check -o json IMAGE --service-account missing"),
            (2, "registry check -o json IMAGE UNREACHABLE"),
            (2, "registry check -o json"),
        ],
    ),
];

/// A kubeconfig of a cluster that nobody serves.
const UNREACHABLE: &str = r#"{"apiVersion":"v1","kind":"Config","current-context":"c",
    "clusters":[{"name":"c","cluster":{"server":"http://127.0.0.1:1"}}],
    "contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],
    "users":[{"name":"u","user":{}}]}"#;

/// The images, and a cluster with a run that nobody signed.
struct Stage {
    images: [ImageScene; 3],
    cluster: Scene,
}

impl Stage {
    fn new() -> Self {
        let images = [(); 3].map(|()| ImageScene::new(Options::default()));
        let [good, _, other] = &images;
        good.sign(&good.key);
        good.attest(&[ImageScene::provenance(good.hex()).to_string()]);
        let key = PrivateKey::generate_p256(&[9; 32]).unwrap();
        other.sign(&key);
        let shell = Shell::new();
        shell.write("cosign.pub", good.key.public_key().to_pem());
        shell.write("other.pub", key.public_key().to_pem());
        shell.write("damaged.pub", "no key");
        let statement = ImageScene::provenance(good.hex()).to_string();
        shell.write("envelope.json", good.envelope(&statement));
        shell.write("damaged.json", good.envelope("{}"));
        shell.write("unreachable", UNREACHABLE);
        let root = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
        shell.write("root.json", json!({ "mediaType": root }).to_string());
        let cluster = Scene::with(shell, &["empty", "tekton-chains"]);
        cluster.create(json!({
            "apiVersion": "tekton.dev/v1", "kind": "TaskRun",
            "metadata": { "name": "bare", "namespace": "default" },
            "spec": { "taskSpec": { "steps": [{ "name": "s", "image": "x" }] } },
            "status": {
                "conditions": [{ "type": "Succeeded", "status": "True", "reason": "Succeeded" }],
                "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:00Z",
            },
        }));
        Self { images, cluster }
    }

    /// A line of the table as it is typed.
    fn typed(&self, line: &str) -> String {
        let words = line.split(' ').map(|word| match word {
            "IMAGE" => self.images[0].image(),
            "BARE" => self.images[1].image(),
            "OTHER" => self.images[2].image(),
            "TYPE" => "--type slsaprovenance".to_owned(),
            "UNREACHABLE" => "--kubeconfig unreachable".to_owned(),
            word => word.to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn a_program_that_asks_for_json_reads_one_value_whatever_happens() {
    let stage = Stage::new();
    for (verb, lines) in TABLE {
        for (code, line) in lines {
            let outcome = stage.cluster.shell.run(&stage.typed(line));
            assert_eq!(outcome.code, *code, "{line}: {}", outcome.stderr);
            let value = serde_json::from_str::<Value>(&outcome.stdout);
            let value =
                value.unwrap_or_else(|error| panic!("{line}: {error}: {:?}", outcome.stdout));
            let is_verdict = verb.starts_with("verify");
            let has_error = *code == 2 || is_verdict && *code == 1;
            assert_eq!(value["error"].is_string(), has_error, "{line}: {value}");
            if is_verdict && has_error {
                assert_eq!(value["verified"], false, "{line}: {value}");
            }
        }
    }
}

#[test]
fn what_cosigns_users_read_of_a_verified_image_is_what_cosign_prints() {
    let stage = Stage::new();
    let read = |line: &str| -> Value {
        let text = stage.cluster.shell.succeed(&stage.typed(line));
        serde_json::from_str(&text).unwrap()
    };
    for option in ["-o json", "--output json", "--output=json"] {
        let claims = read(&format!("verify --key cosign.pub {option} IMAGE"));
        assert!(claims[0]["critical"].is_object(), "{option}: {claims}");
        let line = format!("verify-attestation --key cosign.pub TYPE {option} IMAGE");
        assert!(read(&line)["payload"].is_string(), "{option}");
    }
    let reports = read("verify --key cosign.pub -o report IMAGE IMAGE");
    assert_eq!(reports["verified"], true);
    assert_eq!(reports["reports"][1]["verified"], true);
    // without -o, nothing that might be taken for an envelope
    let line = stage.typed("verify-attestation --key cosign.pub TYPE BARE");
    let outcome = stage.cluster.shell.run(&line);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (1, ""));
}

#[test]
fn the_table_of_json_has_every_verb_with_that_format() {
    let shell = Shell::new();
    let mut verbs = vec![String::new()];
    let mut with_json = BTreeSet::new();
    while let Some(verb) = verbs.pop() {
        let help = shell.succeed(&format!("{verb}--help"));
        let option = help.split("-o, --output <FORMAT>").nth(1);
        let option = option.map(|text| text.split("\n  -").next().unwrap_or(text));
        if option.is_some_and(|text| text.contains("json")) {
            with_json.insert(verb.trim().to_owned());
        }
        verbs.extend(below(&verb, &help));
    }
    let table: BTreeSet<String> = TABLE.iter().map(|(verb, _)| (*verb).to_owned()).collect();
    assert_eq!(with_json, table);
}

#[test]
fn an_error_that_nobody_reads_ends_with_its_exit_status_all_the_same() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
    command.args([
        "verify",
        "--key",
        "cosign.pub",
        "-o",
        "json",
        "missing.json",
    ]);
    let status = command.stdout(Stdio::null()).stderr(writer).status();
    assert_eq!(status.unwrap().code(), Some(2));
}
