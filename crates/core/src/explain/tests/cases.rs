//! Every kept case: the explanation contains what the payload contains, and names its origin.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::*;
use crate::explain::finds::Keys;
use crate::format::Format;

const FORMATS: [Format; 3] = [Format::SlsaV1, Format::SlsaV2Alpha3, Format::SlsaV2Alpha4];

#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    config: Option<BTreeMap<String, String>>,
    run: Box<RawValue>,
    #[serde(default)]
    children: Option<Vec<Box<RawValue>>>,
    expect: BTreeMap<String, Expected>,
    images: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Expected {
    payload: Option<Value>,
}

/// Calls `check` with each case, in each format.
fn each(check: impl Fn(&str, &Case, &Run<'_>, &Config)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/payload");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let case: Case = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let run = match Run::parse(case.run.get().as_bytes()).unwrap() {
            Run::Pipeline(run, _) => {
                let children = case.children.iter().flatten();
                let children = children.map(|it| TaskRun::parse(it.get().as_bytes()).unwrap());
                Run::Pipeline(run, children.collect())
            }
            run @ Run::Task(_) => run,
        };
        let keys = case.config.clone().unwrap_or_default();
        let mut config = Config::parse(&keys, &BTreeMap::new()).unwrap().config;
        for format in FORMATS {
            config.taskrun.format = format;
            config.pipelinerun.format = format;
            let name = format!("{} {format}", path.file_stem().unwrap().display());
            check(&name, &case, &run, &config);
            count += 1;
        }
    }
    assert!(count >= 330, "only {count} cases");
}

fn sorted(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list
}

/// Some members of each item of an array, in no order.
fn members(list: &Value, names: &[&str]) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    let items = items.map(|item| {
        let members = names.iter().map(|name| match &item[name] {
            Value::Null => String::new(),
            Value::Object(object) if object.is_empty() => String::new(),
            other => other.to_string(),
        });
        members.collect::<Vec<_>>().join(" ")
    });
    sorted(items.collect())
}

fn dependencies(payload: &Value) -> Value {
    let materials = payload["predicate"]["materials"].clone();
    match materials {
        Value::Null => payload["predicate"]["buildDefinition"]["resolvedDependencies"].clone(),
        materials => materials,
    }
}

#[test]
fn subjects_dependencies_and_images_are_those_of_the_reference() {
    each(|name, case, run, config| {
        let format = config.taskrun.format;
        let explanation = serde_json::to_value(explain(run, config).unwrap()).unwrap();
        let images = Value::from(case.images.clone().unwrap_or_default());
        let keys = ["ref", "shortKey", "fullKey"];
        assert_eq!(
            members(&explanation["images"], &keys),
            members(&images, &keys),
            "{name}"
        );
        let expected = case.expect[format.as_str()].payload.clone();
        let payload = expected.unwrap_or_else(|| {
            let ours = Payload::of_run(run, config, format).unwrap();
            serde_json::from_slice(&ours.bytes).unwrap()
        });
        let keys = ["name", "digest"];
        assert_eq!(
            members(&explanation["subjects"], &keys),
            members(&payload["subject"], &keys),
            "{name}"
        );
        let keys = ["name", "uri", "digest"];
        assert_eq!(
            members(&explanation["dependencies"], &keys),
            members(&dependencies(&payload), &keys),
            "{name}"
        );
    });
}

#[test]
fn everything_in_a_payload_has_an_origin() {
    each(|name, _, run, config| {
        let explanation = explain(run, config).unwrap();
        for image in &explanation.images {
            assert!(!image.from.is_empty(), "{name}: {image:?}");
        }
        for subject in &explanation.subjects {
            assert!(!subject.from.is_empty(), "{name}: {subject:?}");
        }
        for dependency in &explanation.dependencies {
            assert!(!dependency.from.is_empty(), "{name}: {dependency:?}");
        }
    });
}

#[test]
fn everything_that_is_found_is_in_the_payload() {
    each(|name, _, run, config| {
        let format = config.taskrun.format;
        let explanation = explain(run, config).unwrap();
        let mut builder = ExplanationBuilder::new(format, config.deep_inspection);
        match run {
            Run::Task(task) => builder.task(task),
            Run::Pipeline(pipeline, children) => {
                builder.pipeline(pipeline, &Children::new(pipeline, children));
            }
        }
        let mut there = Finds::default();
        let nowhere = || Origin {
            kind: "",
            run: String::new(),
            pipeline_task: None,
            step: None,
            via: Vec::new(),
        };
        for subject in explanation.subjects {
            let artifact = crate::artifact::ResolvedArtifact {
                name: subject.name,
                digest: subject.digest,
            };
            there.add(artifact, "subject", nowhere());
        }
        for one in explanation.dependencies {
            let artifact = crate::artifact::ResolvedArtifact {
                name: one.uri,
                digest: one.digest,
            };
            there.add(artifact, "dependency", nowhere());
        }
        for (finds, what) in [
            (&builder.subjects, "subject"),
            (&builder.dependencies, "dependency"),
        ] {
            for found in finds.artifacts() {
                let same = there.origins(&found.name, &found.digest, Keys::Any, &[what]);
                assert!(!same.is_empty(), "{name}: {what} {found:?}");
            }
        }
    });
}
