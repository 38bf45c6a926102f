//! What is printed is what the controller stores.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::*;
use crate::pipeline;
use crate::sign::Signer;
use crate::sign::entries::{COSIGN_KEY, COSIGN_PASSWORD};

const KEY: &str = include_str!("../../../../core/tests/fixtures/keys/cosign3-p256/cosign.key");
const PASSWORD: &str =
    include_str!("../../../../core/tests/fixtures/keys/cosign3-p256/cosign.password");

fn run(status: &str) -> String {
    format!(
        r#"{{"kind":"TaskRun","metadata":{{"name":"build","uid":"u"}},"status":{{
        "conditions":[{{"type":"Succeeded","status":"{status}"}}]}}}}"#
    )
}

#[test]
fn the_output_is_what_the_controller_stores_in_every_format() {
    let entries = [(COSIGN_KEY, KEY), (COSIGN_PASSWORD, PASSWORD)];
    let entries = entries.map(|(name, text)| {
        let bytes = Zeroizing::new(text.as_bytes().to_vec());
        (name.to_owned(), bytes)
    });
    let signer = Signer::from_entries(&BTreeMap::from(entries)).unwrap();
    let key = PrivateKey::from_cosign(KEY.as_bytes(), PASSWORD.as_bytes()).unwrap();
    let document = run("True");
    let run = Run::parse(document.as_bytes()).unwrap();
    for name in ["in-toto", "slsa/v2alpha3", "slsa/v2alpha4", "tekton"] {
        let chains = [("artifacts.taskrun.format".to_owned(), name.to_owned())];
        let config = Config::parse(&BTreeMap::from(chains), &BTreeMap::new());
        let config = config.unwrap().config;
        let record = pipeline::attest(&run, &[], &config, &signer, 0).unwrap();
        let stored = &record.annotations[&annotation::signature("taskrun-u")];
        let payload = Payload::of_run(&run, &config, config.taskrun.format).unwrap();
        let printed = signed(&key, &payload).unwrap();
        let expected = if name == "tekton" {
            stored.clone().into_bytes()
        } else {
            STANDARD.decode(stored).unwrap()
        };
        assert_eq!(printed.into_bytes(), expected, "{name}");
    }
}

#[test]
fn a_run_that_has_not_ended_is_refused_with_its_state() {
    let refused = |document: &str| {
        let run = Run::parse(document.as_bytes()).unwrap();
        ensure_ended(&run).unwrap_err().to_string()
    };
    assert!(refused(&run("Unknown")).contains(r#""build" has not ended"#));
    let bare = r#"{"kind":"PipelineRun","metadata":{"name":"p"}}"#;
    assert!(refused(bare).contains("no condition Succeeded"));
    assert!(ensure_ended(&Run::parse(run("False").as_bytes()).unwrap()).is_ok());
}

#[test]
fn a_payload_that_holds_the_annotations_of_signing_is_warned_of() {
    let document =
        r#"{"kind":"TaskRun","metadata":{"annotations":{"chains.tekton.dev/signed":"true"}}}"#;
    let run = Run::parse(document.as_bytes()).unwrap();
    let mut config = Config::default();
    assert_eq!(signed_before(&run, &config), None);
    config.build_type = BuildType::SlsaTekton;
    assert!(signed_before(&run, &config).is_some());
}
