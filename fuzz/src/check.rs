//! What must hold for every run, however strange.

use std::collections::HashSet;

use serde_json::Value;
use windlass_core::config::{BuildType, Config};
use windlass_core::explain::explain;
use windlass_core::extract;
use windlass_core::format::Format;
use windlass_core::image::Image;
use windlass_core::payload::{Payload, PayloadError};
use windlass_core::run::{PipelineRun, Run, RunError, TaskRun, adopt};
use windlass_core::warning::Warning;

/// Longest error or warning, in bytes: they become annotations and Events.
const LONGEST: usize = 2_000;
/// Most warnings of one payload.
const MOST_WARNINGS: usize = 201;

/// A configuration from two bits, with the format `slsa/v1`.
pub fn config(bits: u8) -> Config {
    Config {
        deep_inspection: bits & 1 == 1,
        build_type: if bits & 2 == 2 {
            BuildType::SlsaTekton
        } else {
            BuildType::Slsa
        },
        ..Config::default()
    }
}

/// Checks a document of either kind, with the documents of its children.
pub fn documents(document: &[u8], children: &[&[u8]], config: &Config) {
    if let Err(error) = Run::parse(document) {
        refusal(&error);
    }
    match TaskRun::parse(document) {
        Ok(run) => {
            images(&run);
            payloads(&Run::Task(run), config);
        }
        Err(error) => refusal(&error),
    }
    match PipelineRun::parse(document) {
        Ok(run) => pipeline(run, children, config),
        Err(error) => refusal(&error),
    }
}

fn pipeline(run: PipelineRun<'_>, documents: &[&[u8]], config: &Config) {
    let mut children = Vec::new();
    for document in documents {
        match TaskRun::parse(document) {
            Ok(child) => children.push(child),
            Err(error) => refusal(&error),
        }
    }
    let given = children.len();
    // What the status does not refer to is a child too, for more to be looked at.
    payloads(&Run::Pipeline(run.clone(), children.clone()), config);
    let adopted = adopt(run, children);
    if let Run::Pipeline(_, children) = &adopted.run {
        assert_eq!(children.len() + adopted.strangers.len(), given);
    }
    payloads(&adopted.run, config);
}

/// An error is short and has a reason.
fn refusal(error: &RunError) {
    let text = error.to_string();
    assert!(!text.is_empty() && text.len() <= LONGEST, "{text}");
}

fn warnings(warnings: &[Warning]) {
    assert!(warnings.len() <= MOST_WARNINGS);
    for warning in warnings {
        assert!(
            !warning.0.is_empty() && warning.0.len() <= LONGEST,
            "{warning}"
        );
    }
}

/// Images are each once, and read back as themselves.
pub fn images(run: &TaskRun<'_>) -> Vec<Image> {
    let (images, notes) = extract::images(run);
    warnings(&notes);
    let mut seen = HashSet::new();
    for image in &images {
        assert_eq!(Image::parse(&image.to_string()).as_ref(), Ok(image));
        assert!(seen.insert(image), "{image} twice");
        let payload = Payload::of_image(image);
        serde_json::from_slice::<Value>(&payload.bytes).expect("JSON");
    }
    images
}

/// All formats give a valid payload, twice the same, and its explanation agrees.
pub fn payloads(run: &Run<'_>, config: &Config) {
    let explained = explain(run, config);
    if let (Ok(payload), Ok(explained)) = (Payload::of_run(run, config, Format::SlsaV1), explained)
    {
        let said: Vec<_> = explained.subjects.iter().map(|one| &one.name).collect();
        let meant: Vec<_> = payload.subjects.iter().map(|one| &one.name).collect();
        assert_eq!(said, meant);
        serde_json::to_string(&explained).expect("JSON");
    }
    for format in Format::ALL {
        match Payload::of_run(run, config, format) {
            Ok(payload) => {
                let again = Payload::of_run(run, config, format).expect("the same as before");
                assert_eq!(payload, again);
                warnings(&payload.warnings);
                statement(&payload, run);
            }
            // Only what cannot be configured for runs does not describe them.
            Err(PayloadError::Unsuitable { .. }) => {
                assert!(format.as_str().parse::<Format>().is_err(), "{format}");
            }
            Err(error) => assert!(error.to_string().len() <= LONGEST, "{error}"),
        }
    }
}

fn statement(payload: &Payload, run: &Run<'_>) {
    // Deep JSON is copied up to a bound of its own, which is above the one of this reader.
    let Ok(json) = serde_json::from_slice::<Value>(&payload.bytes) else {
        let text = std::str::from_utf8(&payload.bytes).expect("UTF-8");
        windlass_core::json::Json::parse(text).expect("JSON");
        return;
    };
    if payload.format == Format::Tekton {
        let status = run.raw().status.map_or("{}", |status| status.get());
        if let Ok(status) = serde_json::from_str::<Value>(status) {
            assert_eq!(json, status);
        }
        return;
    }
    let (kind, predicate) = match payload.format {
        Format::SlsaV1 => (
            "https://in-toto.io/Statement/v0.1",
            "https://slsa.dev/provenance/v0.2",
        ),
        _ => (
            "https://in-toto.io/Statement/v1",
            "https://slsa.dev/provenance/v1",
        ),
    };
    assert_eq!(json["_type"], kind);
    assert_eq!(json["predicateType"], predicate);
    assert!(json["predicate"].is_object());
    let subjects = json["subject"].as_array().map_or(&[][..], Vec::as_slice);
    assert_eq!(subjects.len(), payload.subjects.len());
    assert!(payload.artifact_uris().len() >= subjects.len());
    for subject in subjects {
        assert!(
            subject["name"]
                .as_str()
                .is_some_and(|name| !name.is_empty()),
            "{subject}"
        );
        let digests = subject["digest"].as_object().expect("digests");
        assert!(!digests.is_empty(), "{subject}");
        for (algorithm, hex) in digests {
            let hex = hex.as_str().expect("a string");
            assert!(
                !algorithm.trim().is_empty() && !hex.trim().is_empty(),
                "{subject}"
            );
        }
    }
}
