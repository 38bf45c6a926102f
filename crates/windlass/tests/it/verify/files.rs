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
