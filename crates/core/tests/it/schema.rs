//! Every statement follows the rules of in-toto and SLSA, as `schemas/statement.json` writes them
//! down: those of all the cases in `fixtures/payload`, and above all of those that Tekton Chains
//! cannot express.

use std::collections::BTreeMap;
use std::path::Path;

use jsonschema::Validator;
use serde_json::Value;
use windlass_core::config::Config;
use windlass_core::format::Format;
use windlass_core::payload::Payload;
use windlass_core::run::{Run, TaskRun};

const FORMATS: [Format; 3] = [Format::SlsaV1, Format::SlsaV2Alpha3, Format::SlsaV2Alpha4];

fn schema() -> Validator {
    let schema = serde_json::from_str(include_str!("../schemas/statement.json")).unwrap();
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).unwrap()
}

fn cases() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/payload");
    let files = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let case = |file: std::fs::DirEntry| {
        let text = std::fs::read_to_string(file.path()).unwrap();
        let name = file.file_name().to_string_lossy().into_owned();
        (name, serde_json::from_str(&text).unwrap())
    };
    files.map(case).collect()
}

/// The statement for a case, and whether there is a warning.
fn statement(case: &Value, format: Format) -> (Value, bool) {
    let data = case["config"].clone();
    let data: Option<BTreeMap<String, String>> = serde_json::from_value(data).unwrap();
    let config = Config::parse(&data.unwrap_or_default(), &BTreeMap::new());
    let config = config.unwrap().config;
    let document = case["run"].to_string();
    let children: Vec<String> = case["children"]
        .as_array()
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    let run = match Run::parse(document.as_bytes()).unwrap() {
        Run::Pipeline(run, _) => {
            let children = children.iter();
            let children = children.map(|child| TaskRun::parse(child.as_bytes()).unwrap());
            Run::Pipeline(run, children.collect())
        }
        task @ Run::Task(_) => task,
    };
    let payload = Payload::of_run(&run, &config, format).unwrap();
    let statement = serde_json::from_slice(&payload.bytes).unwrap();
    (statement, !payload.warnings.is_empty())
}

#[test]
fn every_statement_follows_the_schema() {
    let schema = schema();
    let mut failures = Vec::new();
    for (name, case) in cases() {
        for format in FORMATS {
            let (statement, _) = statement(&case, format);
            for error in schema.iter_errors(&statement) {
                let place = error.instance_path();
                failures.push(format!("{name}, {format}, at {place}: {error}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_the_reference_cannot_express_follows_the_schema_and_has_a_warning() {
    let schema = schema();
    let mut found = 0;
    for (name, case) in cases() {
        for format in FORMATS {
            let expected = &case["expect"][format.as_str()];
            if !expected["reference"].is_string() {
                continue;
            }
            found += 1;
            let (statement, warned) = statement(&case, format);
            assert!(schema.is_valid(&statement), "{name}, {format}");
            assert!(warned, "{name}, {format}: no warning");
        }
    }
    assert!(found > 0, "no case that the reference cannot express");
}

#[test]
fn the_schema_refuses_what_breaks_the_rules() {
    let schema = schema();
    let mut statements = cases()
        .into_iter()
        .map(|(_, case)| statement(&case, Format::SlsaV2Alpha4).0);
    let started = "/predicate/runDetails/metadata/startedOn";
    let good = statements
        .find(|statement| statement.pointer(started).is_some())
        .unwrap();
    assert!(schema.is_valid(&good));
    let changes: [(&str, Value); 5] = [
        ("/_type", "https://in-toto.io/Statement/v0.1".into()),
        ("/predicateType", "https://slsa.dev/provenance/v0.2".into()),
        ("/predicate/buildDefinition/buildType", Value::Null),
        ("/predicate/buildDefinition/externalParameters", "x".into()),
        (
            "/predicate/runDetails/metadata/startedOn",
            "yesterday".into(),
        ),
    ];
    for (place, value) in changes {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        assert!(!schema.is_valid(&bad), "{place}");
    }
}
