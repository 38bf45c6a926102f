//! Files with an envelope or a bundle.

use serde_json::json;
use windlass_sandbox::registry::Options;

use super::registry::{BUNDLE, ImageScene};

#[test]
fn an_envelope_and_a_bundle_are_verified_by_what_is_in_them() {
    let scene = ImageScene::new(Options::default());
    let shell = &scene.shell;
    let envelope = scene.envelope(&ImageScene::provenance(scene.hex()).to_string());
    shell.write("envelope.json", &envelope);
    let inner: serde_json::Value = serde_json::from_str(&envelope).unwrap();
    let bundle = json!({ "mediaType": BUNDLE, "dsseEnvelope": inner });
    shell.write("bundle.json", bundle.to_string());
    for file in ["envelope.json", "bundle.json"] {
        shell.succeed(&format!("verify --key cosign.pub {file}"));
        shell.succeed(&format!(
            "verify --key cosign.pub --type slsaprovenance {file}"
        ));
        shell.fail(
            1,
            &format!("verify --key cosign.pub --type spdx {file}"),
            "1 of 1",
        );
    }
    shell.write("envelope.json", scene.envelope("{"));
    shell.fail(
        1,
        "verify --key cosign.pub envelope.json",
        "1 of 1 are invalid",
    );
}

#[test]
fn a_target_that_is_nothing_is_refused_with_what_it_could_be() {
    let scene = ImageScene::new(Options::default());
    let line = "verify --key cosign.pub No/Such";
    scene.shell.fail(2, line, "taskrun/NAME");
    scene.shell.write("empty", "");
    scene.shell.fail(
        2,
        "verify --key cosign.pub empty",
        "no envelope and no bundle",
    );
}

#[test]
fn json_is_one_object_on_every_way_out() {
    let scene = ImageScene::new(Options::default());
    let shell = &scene.shell;
    shell.write("envelope.json", scene.envelope("{}"));
    shell.write("damaged.pub", "no key");
    let object = |code: i32, line: &str| {
        let outcome = shell.run(line);
        assert_eq!(outcome.code, code, "{line}: {}", outcome.stderr);
        let object = serde_json::from_str::<serde_json::Value>(&outcome.stdout);
        let object = object.unwrap_or_else(|error| panic!("{line}: {error}: {}", outcome.stdout));
        assert_eq!(object["verified"] == true, code == 0, "{line}: {object}");
        object
    };
    object(1, "verify -o json --key cosign.pub envelope.json");
    let failures = [
        (2, "verify -o json --key damaged.pub envelope.json"),
        (2, "verify -o json --key missing.pub envelope.json"),
        (2, "verify -o json --key cosign.pub 127.0.0.1:1/app:v1"),
        (2, "verify --output=json --key cosign.pub No/Such"),
        (
            2,
            "verify -ojson --no-such-flag --key cosign.pub envelope.json",
        ),
        (2, "verify -o json --key cosign.pub damaged.pub"),
        (2, "verify -o json --key cosign.pub tr/build"),
    ];
    for (code, line) in failures {
        let object = object(code, line);
        assert_eq!(object["verified"], false, "{line}");
        assert!(object["error"].is_string(), "{line}: {object}");
    }
    for line in [
        "tr list -o json",
        "pr describe -o json build",
        "explain -o json -f missing.yaml",
        "tr list -o json --no-such-flag",
    ] {
        assert!(object(2, line)["error"].is_string(), "{line}");
    }
    let help = shell.run("verify -o json --help");
    assert!(
        help.code == 0 && help.stdout.contains("Usage"),
        "{}",
        help.stdout
    );
}

#[test]
fn a_bundle_that_parsers_may_understand_differently_is_not_verified() {
    let scene = ImageScene::new(Options::default());
    let envelope = scene.envelope(&ImageScene::provenance(scene.hex()).to_string());
    for (members, finding) in [
        (
            format!(r#""dsseEnvelope":{{}},"dsseEnvelope":{envelope}"#),
            "is there twice",
        ),
        (
            format!(r#""dsseEnvelope":{envelope},"messageSignature":{{}}"#),
            "exactly one",
        ),
        (
            format!(r#""mediaType":"x","dsseEnvelope":{envelope}"#),
            "is there twice",
        ),
    ] {
        let bundle = format!(r#"{{"mediaType":"{BUNDLE}",{members}}}"#);
        scene.shell.write("bundle.json", bundle);
        let outcome = scene.shell.run("verify --key cosign.pub bundle.json");
        assert_eq!(outcome.code, 1, "{}", outcome.stderr);
        assert!(outcome.stdout.contains(finding), "{}", outcome.stdout);
    }
    let text = r#"{"kind":"TaskRun","status":{},"status":{"results":[]}}"#;
    scene.shell.write("run.json", text);
    let line = "verify --key cosign.pub run.json";
    scene
        .shell
        .fail(2, line, r#"the member "status" is there twice"#);
}
