//! Payloads that Tekton Chains wrote, byte for byte: docs/behaviour.md, "Worked examples".

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::Value;
use windlass_core::config::Config;
use windlass_core::extract;
use windlass_core::format::Format;
use windlass_core::payload::Payload;
use windlass_core::run::{PipelineRun, Run, TaskRun};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/worked/", $name, ".json")).trim_end()
    };
}

fn configured(pairs: &[(&str, &str)]) -> Config {
    let chains: BTreeMap<String, String> = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Config::parse(&chains, &BTreeMap::new()).unwrap().config
}

fn task() -> TaskRun<'static> {
    TaskRun::parse(fixture!("task-run").as_bytes()).unwrap()
}

fn pipeline() -> Run<'static> {
    let run = PipelineRun::parse(fixture!("pipeline-run").as_bytes()).unwrap();
    Run::Pipeline(run, vec![task()])
}

fn bytes(run: &Run<'_>, config: &Config, format: Format) -> String {
    String::from_utf8(Payload::of_run(run, config, format).unwrap().bytes).unwrap()
}

#[test]
fn the_task_run_is_written_as_the_reference_writes_it() {
    let (run, config) = (Run::Task(task()), Config::default());
    assert_eq!(
        bytes(&run, &config, Format::SlsaV1),
        fixture!("task-run.slsa-v1")
    );
    assert_eq!(
        bytes(&run, &config, Format::SlsaV2Alpha3),
        fixture!("task-run.slsa-v2alpha3")
    );
    assert_eq!(
        bytes(&run, &config, Format::SlsaV2Alpha4),
        fixture!("task-run.slsa-v2alpha4")
    );
}

#[test]
fn the_image_is_written_as_the_reference_writes_it() {
    let (images, warnings) = extract::images(&task());
    assert!(warnings.is_empty());
    assert_eq!(images.len(), 1);
    assert_eq!(images[0].short_key(), "222222222222");
    let payload = Payload::of_image(&images[0]);
    assert_eq!(
        String::from_utf8(payload.bytes).unwrap(),
        fixture!("task-run.simplesigning")
    );
}

#[test]
fn the_pipeline_run_is_written_as_the_reference_writes_it() {
    let (run, config) = (pipeline(), Config::default());
    assert_eq!(
        bytes(&run, &config, Format::SlsaV1),
        fixture!("pipeline-run.slsa-v1")
    );
    assert_eq!(
        bytes(&run, &config, Format::SlsaV2Alpha3),
        fixture!("pipeline-run.slsa-v2alpha3")
    );
    assert_eq!(
        bytes(&run, &config, Format::SlsaV2Alpha4),
        fixture!("pipeline-run.slsa-v2alpha4")
    );
    let deep = configured(&[("artifacts.pipelinerun.enable-deep-inspection", "true")]);
    let expected = fixture!("pipeline-run.slsa-v2alpha4-deep");
    assert_eq!(bytes(&run, &deep, Format::SlsaV2Alpha4), expected);
}

#[test]
fn the_build_type_with_tektons_details_adds_labels_annotations_and_the_child() {
    let key = "builddefinition.buildtype";
    let config = configured(&[(key, "https://tekton.dev/chains/v2/slsa-tekton")]);
    let written = bytes(&Run::Task(task()), &config, Format::SlsaV2Alpha4);
    assert!(
        written.contains(fixture!("task-run.internal-parameters")),
        "{written}"
    );

    let written = bytes(&pipeline(), &config, Format::SlsaV2Alpha4);
    let statement: Value = serde_json::from_str(&written).unwrap();
    let child = &statement["predicate"]["buildDefinition"]["resolvedDependencies"][1]["content"];
    let child = base64::engine::general_purpose::STANDARD
        .decode(child.as_str().unwrap())
        .unwrap();
    assert_eq!(
        String::from_utf8(child).unwrap(),
        fixture!("pipeline-run.child")
    );
}
