//! What is printed is what the controller stores.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::*;
use crate::log::Log;
use crate::pipeline::{self, Means, Progress, Reach};
use crate::sign::entries::{COSIGN_KEY, COSIGN_PASSWORD};
use crate::sign::signers::Signers;
use crate::store::oci::{self, Oci};
use crate::telemetry::Metrics;

const KEY: &str = include_str!("../../../../core/tests/fixtures/keys/cosign3-p256/cosign.key");
const PASSWORD: &str =
    include_str!("../../../../core/tests/fixtures/keys/cosign3-p256/cosign.password");

fn run(status: &str) -> String {
    format!(
        r#"{{"kind":"TaskRun","metadata":{{"name":"build","uid":"u"}},"status":{{
        "conditions":[{{"type":"Succeeded","status":"{status}"}}]}}}}"#
    )
}

/// A client of a cluster that nobody asks.
fn nowhere() -> kube::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let config = kube::Config::new("http://127.0.0.1:9".parse().unwrap());
    kube::Client::try_from(config).unwrap()
}

#[tokio::test]
async fn the_output_is_what_the_controller_stores_in_every_format() {
    let entries = [(COSIGN_KEY, KEY), (COSIGN_PASSWORD, PASSWORD)];
    let entries = entries.map(|(name, text)| {
        let bytes = Zeroizing::new(text.as_bytes().to_vec());
        (name.to_owned(), bytes)
    });
    let signer = Signer::from_entries(&BTreeMap::from(entries)).unwrap();
    let registries = Oci::new(
        nowhere(),
        oci::options(),
        oci::Identity::default(),
        crate::service::breaker::OPEN,
    );
    let metrics = Metrics::default();
    let document = run("True");
    let run = Run::parse(document.as_bytes()).unwrap();
    for name in ["in-toto", "slsa/v2alpha3", "slsa/v2alpha4", "tekton"] {
        let chains = [("artifacts.taskrun.format".to_owned(), name.to_owned())];
        let config = Config::parse(&BTreeMap::from(chains), &BTreeMap::new());
        let config = config.unwrap().config;
        let means = Means {
            config: &config,
            signers: Signers {
                x509: Ok(&signer),
                kms: Err("there is none"),
            },
            log: &Log::Off,
            registries: &registries,
            metrics: &metrics,
            reach: Reach::Run,
        };
        let record = pipeline::attest(&run, means, Progress::default()).await;
        let (annotations, _) = record.unwrap().annotations(run.metadata()).unwrap();
        let stored = &annotations[&annotation::signature("taskrun-u")];
        let payload = Payload::of_run(&run, &config, config.taskrun.format).unwrap();
        let printed = signed(&signer, Artifact::of_run(&run), payload)
            .await
            .unwrap();
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
    assert!(refused(&run("Unknown")).contains(r#""build" is not finished"#));
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
