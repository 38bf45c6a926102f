//! Payloads equal Tekton Chains': every case in `fixtures/payload`, and those of the shared folder
//! where that is expected. What Tekton Chains could do is compared as JSON, order included except
//! among subjects, artifact URIs and images; what it could not do must be a valid statement with a
//! warning.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "functions of a test outside #[test]"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use windlass_core::config::Config;
use windlass_core::extract;
use windlass_core::format::Format;
use windlass_core::json::Json;
use windlass_core::payload::Payload;
use windlass_core::run::{PipelineRun, Run, TaskRun};

const FORMATS: [Format; 3] = [Format::SlsaV1, Format::SlsaV2Alpha3, Format::SlsaV2Alpha4];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    #[serde(default)]
    config: Option<BTreeMap<String, String>>,
    run: Box<RawValue>,
    #[serde(default)]
    children: Option<Vec<Box<RawValue>>>,
    expect: BTreeMap<String, Expected>,
    short_key: String,
    full_key: String,
    images: Option<Vec<ExpectedImage>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expected {
    payload: Option<Value>,
    #[serde(rename = "artifactURIs")]
    artifact_uris: Option<Vec<String>>,
    reference: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExpectedImage {
    r#ref: String,
    short_key: String,
    full_key: String,
    simplesigning: Box<RawValue>,
}

#[test]
fn the_cases_equal_the_reference() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![manifest.join("tests/fixtures/payload")];
    let variable = std::env::var_os("WINDLASS_CONFORMANCE").map(PathBuf::from);
    let ci = std::env::var("CI").unwrap_or_default();
    let shared = shared_cases(variable, &ci, &manifest.join("../../../shared"));
    folders.extend(shared.map(|shared| shared.join("payload")));
    for folder in folders {
        check_folder(&folder);
    }
}

/// The folder of the shared cases, wherever they are expected: where the variable says so, in CI, and
/// with a folder `shared` beside the checkout. A clone alone has the kept cases only.
fn shared_cases(variable: Option<PathBuf>, ci: &str, beside: &Path) -> Option<PathBuf> {
    let expected = ci == "true" || beside.exists();
    variable.or_else(|| expected.then(|| beside.join("conformance")))
}

#[test]
fn the_shared_cases_are_expected_in_ci_and_beside_their_folder() {
    let (here, nowhere) = (Path::new("."), Path::new("./no such folder"));
    assert_eq!(shared_cases(None, "", nowhere), None);
    assert_eq!(shared_cases(None, "false", nowhere), None);
    let named = Some(PathBuf::from("named"));
    assert_eq!(shared_cases(named.clone(), "true", here), named);
    for (ci, beside) in [("true", nowhere), ("", here)] {
        let expected = Some(beside.join("conformance"));
        assert_eq!(shared_cases(None, ci, beside), expected);
    }
}

#[test]
#[should_panic(expected = "no cases in")]
fn a_folder_that_is_expected_and_absent_is_a_failure() {
    check_folder(Path::new("./no such folder"));
}

fn check_folder(folder: &Path) {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("no cases in {}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort();
    assert!(!paths.is_empty(), "no cases in {}", folder.display());
    let mut failures = Vec::new();
    for path in &paths {
        let text = fs::read_to_string(path).unwrap();
        let case: Case = serde_json::from_str(&text).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy();
        failures.extend(
            check(&case)
                .into_iter()
                .map(|failure| format!("{name}: {failure}")),
        );
    }
    println!(
        "{} cases, {} formats each, in {}",
        paths.len(),
        FORMATS.len(),
        folder.display()
    );
    assert!(
        failures.is_empty(),
        "{} failures\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn check(case: &Case) -> Vec<String> {
    let chains = case.config.clone().unwrap_or_default();
    let config = Config::parse(&chains, &BTreeMap::new()).unwrap().config;
    let run = parse(case);
    let mut failures = Vec::new();
    if (run.short_key(), run.full_key()) != (case.short_key.clone(), case.full_key.clone()) {
        failures.push(format!(
            "keys are {} and {}",
            run.short_key(),
            run.full_key()
        ));
    }
    for format in FORMATS {
        let payload = Payload::of_run(&run, &config, format).unwrap();
        let expected = &case.expect[format.as_str()];
        let found = compare(&payload, expected);
        failures.extend(
            found
                .into_iter()
                .map(|failure| format!("{format}: {failure}")),
        );
        assert_eq!(Payload::of_run(&run, &config, format).unwrap(), payload);
    }
    if let Run::Task(task) = &run {
        failures.extend(compare_images(
            task,
            case.images.as_deref().unwrap_or_default(),
        ));
    }
    failures
}

fn parse(case: &Case) -> Run<'_> {
    match Run::parse(case.run.get().as_bytes()).unwrap() {
        Run::Pipeline(run, _) => {
            let children = case.children.iter().flatten();
            let children = children.map(|child| TaskRun::parse(child.get().as_bytes()).unwrap());
            Run::Pipeline(run, children.collect())
        }
        run @ Run::Task(_) => run,
    }
}

fn compare(payload: &Payload, expected: &Expected) -> Vec<String> {
    let mut ours: Value = serde_json::from_slice(&payload.bytes).unwrap();
    if let Some(reference) = &expected.reference {
        return unexpressed(payload, &ours, reference);
    }
    let mut theirs = expected.payload.clone().unwrap();
    sort_subjects(&mut ours);
    sort_subjects(&mut theirs);
    let mut failures = Vec::new();
    differences("", &theirs, &ours, &mut failures);
    let mut uris = payload.artifact_uris();
    uris.sort();
    let mut expected_uris = expected.artifact_uris.clone().unwrap_or_default();
    expected_uris.sort();
    if uris != expected_uris {
        failures.push(format!(
            "artifact URIs: {expected_uris:?} expected, {uris:?} found"
        ));
    }
    failures
}

fn sort_subjects(statement: &mut Value) {
    if let Some(Value::Array(subjects)) = statement.get_mut("subject") {
        subjects.sort_by_key(ToString::to_string);
    }
}

/// What Chains cannot do is a valid statement, and a warning names what it lacks.
fn unexpressed(payload: &Payload, statement: &Value, reference: &str) -> Vec<String> {
    let mut failures = Vec::new();
    let kind = statement["_type"].as_str().unwrap_or_default();
    if !kind.starts_with("https://in-toto.io/Statement/v") || !statement["predicate"].is_object() {
        failures.push("not a statement".to_owned());
    }
    for subject in statement["subject"].as_array().into_iter().flatten() {
        let has_digest = subject["digest"]
            .as_object()
            .is_some_and(|digest| !digest.is_empty());
        if subject["name"].as_str().is_none_or(str::is_empty) || !has_digest {
            failures.push(format!("bad subject {subject}"));
        }
    }
    let wanted = if reference == "panics" {
        "has no start time"
    } else {
        "has no digest"
    };
    if !payload
        .warnings
        .iter()
        .any(|warning| warning.to_string().contains(wanted))
    {
        failures.push(format!("no warning that something {wanted}"));
    }
    failures
}

fn compare_images(run: &TaskRun<'_>, expected: &[ExpectedImage]) -> Vec<String> {
    let (images, _) = extract::images(run);
    let ours = images.iter().map(|image| {
        let bytes = String::from_utf8(Payload::of_image(image).bytes).unwrap();
        [
            image.to_string(),
            image.short_key().to_owned(),
            image.full_key(),
            bytes,
        ]
    });
    let theirs = expected.iter().map(|image| {
        // The file is indented for reading; the bytes have the same members in the same order.
        let bytes = Json::parse(image.simplesigning.get()).unwrap().to_go();
        [
            image.r#ref.clone(),
            image.short_key.clone(),
            image.full_key.clone(),
            bytes,
        ]
    });
    let (mut ours, mut theirs): (Vec<_>, Vec<_>) = (ours.collect(), theirs.collect());
    ours.sort();
    theirs.sort();
    if ours == theirs {
        Vec::new()
    } else {
        vec![format!("images: {theirs:#?} expected, {ours:#?}")]
    }
}

fn differences(path: &str, theirs: &Value, ours: &Value, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(left), Value::Object(right)) => {
            for key in left
                .keys()
                .chain(right.keys().filter(|key| !left.contains_key(*key)))
            {
                let path = format!("{path}.{key}");
                match (left.get(key), right.get(key)) {
                    (Some(left), Some(right)) => differences(&path, left, right, found),
                    (left, right) => found.push(format!("{path}: {left:?} expected, {right:?}")),
                }
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differences(&format!("{path}[{index}]"), left, right, found);
            }
        }
        (left, right) if left == right => {}
        (left, right) => found.push(format!("{path}: {left} expected, {right} found")),
    }
}

/// A pipeline run is found by its kind even when it has no children.
#[test]
fn a_pipeline_run_without_children_has_a_payload() {
    let document = br#"{"kind":"PipelineRun","metadata":{"name":"p","uid":"u"}}"#;
    let run = Run::Pipeline(PipelineRun::parse(document).unwrap(), Vec::new());
    for format in FORMATS {
        assert!(Payload::of_run(&run, &Config::default(), format).is_ok());
    }
}
