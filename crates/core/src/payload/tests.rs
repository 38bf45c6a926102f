use std::fmt::Write;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::run::{PipelineRun, TaskRun};

mod reference;

const STATEMENTS: [Format; 3] = [Format::SlsaV1, Format::SlsaV2Alpha3, Format::SlsaV2Alpha4];

fn task(document: &str) -> Run<'_> {
    Run::Task(TaskRun::parse(document.as_bytes()).unwrap())
}

fn written(run: &Run<'_>, format: Format) -> (Value, String) {
    let payload = Payload::of_run(run, &Config::default(), format).unwrap();
    let warnings: Vec<_> = payload.warnings.iter().map(ToString::to_string).collect();
    (
        serde_json::from_slice(&payload.bytes).unwrap(),
        warnings.join("\n"),
    )
}

#[test]
fn the_format_tekton_is_the_status_with_sorted_members_and_untouched_numbers() {
    let run =
        task(r#"{"status":{ "b": [1.50, 12345678901234567890], "a": {"d":"<&>","c":null} }}"#);
    let payload = Payload::of_run(&run, &Config::default(), Format::Tekton).unwrap();
    let expected = r#"{"a":{"c":null,"d":"<&>"},"b":[1.50,12345678901234567890]}"#;
    assert_eq!(String::from_utf8(payload.bytes).unwrap(), expected);
}

#[test]
fn the_format_tekton_of_a_run_without_status_is_an_empty_object() {
    let payload = Payload::of_run(&task("{}"), &Config::default(), Format::Tekton).unwrap();
    assert_eq!(payload.bytes, b"{}");
}

#[test]
fn a_status_that_could_be_taken_for_another_signed_document_has_no_payload() {
    let status = |name: &str| format!(r#"{{"status":{{"a":1,"{name}":{{}}}}}}"#);
    let refused = |name: &str| {
        let document = status(name);
        let payload = Payload::of_run(&task(&document), &Config::default(), Format::Tekton);
        matches!(payload, Err(PayloadError::Ambiguous { .. }))
    };
    // programs in Go read members without regard to case
    for name in [
        "critical",
        "Critical",
        "CRITICAL",
        "\\u0063ritical",
        "_type",
        "payloadType",
        "payloadtype",
        "\u{17f}ignatures",
    ] {
        assert!(refused(name), "{name}");
    }
    for name in ["criticality", "type", "optional"] {
        assert!(!refused(name), "{name}");
    }
    let nested = task(r#"{"status":{"a":{"critical":{}}}}"#);
    assert!(Payload::of_run(&nested, &Config::default(), Format::Tekton).is_ok());
}

#[test]
fn simplesigning_cannot_describe_a_run() {
    let error =
        Payload::of_run(&task("{}"), &Config::default(), Format::SimpleSigning).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the format simplesigning cannot describe a TaskRun"
    );
}

#[test]
fn a_run_without_anything_has_a_statement_in_every_format() {
    for format in STATEMENTS {
        let (statement, _) = written(&task("{}"), format);
        assert!(statement["predicate"].is_object());
        assert!(statement.get("subject").is_none());
    }
}

#[test]
fn an_image_without_digest_is_left_out_with_a_warning_and_the_others_stay() {
    let run = format!(
        r#"{{"status":{{"steps":[{{"name":"never","imageID":""}},
            {{"name":"ok","imageID":"r.io/a@sha256:{}"}}],
            "sidecars":[{{"name":"side","imageID":"r.io/s:1"}}]}}}}"#,
        "1".repeat(64)
    );
    let run = task(&run);
    let (statement, warnings) = written(&run, Format::SlsaV1);
    assert_eq!(
        statement["predicate"]["materials"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert!(
        warnings.contains(r#"the image of step "never""#),
        "{warnings}"
    );
    assert!(
        warnings.contains(r#"the image of sidecar "side""#),
        "{warnings}"
    );
}

#[test]
fn a_value_that_is_missing_is_left_out_with_a_warning() {
    let run = task(r#"{"spec":{"params":[{"name":"p"}]},"status":{"results":[{"name":"r"}]}}"#);
    let (_, warnings) = written(&run, Format::SlsaV1);
    assert!(warnings.contains(r#"param "p" has no value"#), "{warnings}");
    let (statement, warnings) = written(&run, Format::SlsaV2Alpha4);
    assert!(
        statement["predicate"]["runDetails"]
            .get("byproducts")
            .is_none()
    );
    assert!(
        warnings.contains(r#"result "r" has no value"#),
        "{warnings}"
    );
    assert!(
        warnings.contains("spec.params[0].value has no value"),
        "{warnings}"
    );
}

#[test]
fn a_field_that_its_type_cannot_hold_is_left_out_with_its_path() {
    let run = task(r#"{"spec":{"retries":"x","timeout":"soon","podTemplate":{"env":5}}}"#);
    let (statement, warnings) = written(&run, Format::SlsaV2Alpha3);
    let spec = &statement["predicate"]["buildDefinition"]["externalParameters"]["runSpec"];
    assert_eq!(spec["podTemplate"], serde_json::json!({}));
    assert!(
        warnings.contains("spec.retries should be a whole number"),
        "{warnings}"
    );
    assert!(
        warnings.contains("spec.timeout should be a duration"),
        "{warnings}"
    );
    assert!(
        warnings.contains("spec.podTemplate.env should be an array"),
        "{warnings}"
    );
}

#[test]
fn a_child_without_start_time_is_kept_without_started_on() {
    let run = br#"{"status":{"pipelineSpec":{"tasks":[{"name":"t"}]},
        "childReferences":[{"kind":"TaskRun","name":"c","pipelineTaskName":"t"}]}}"#;
    let child = br#"{"metadata":{"name":"c"},
        "status":{"completionTime":"2024-01-02T03:04:05Z","taskSpec":{}}}"#;
    let children = vec![TaskRun::parse(child).unwrap()];
    let run = Run::Pipeline(PipelineRun::parse(run).unwrap(), children);
    let (statement, warnings) = written(&run, Format::SlsaV1);
    let task = &statement["predicate"]["buildConfig"]["tasks"][0];
    assert_eq!(task["finishedOn"], "2024-01-02T03:04:05Z");
    assert!(task.get("startedOn").is_none());
    assert!(
        warnings.contains(r#"task run "c" has no start time"#),
        "{warnings}"
    );
}

#[test]
fn the_pipeline_run_says_which_task_a_child_ran_whatever_the_label_of_the_child_says() {
    let run = br#"{"status":{"pipelineSpec":{"tasks":[{"name":"test"},{"name":"release"}]},
        "childReferences":[{"kind":"TaskRun","name":"c","pipelineTaskName":"test"},
            {"kind":"TaskRun","name":"d"}]}}"#;
    let child = |name: &str| {
        format!(
            r#"{{"metadata":{{"name":"{name}","labels":{{"tekton.dev/pipelineTask":"release"}}}},
            "status":{{"completionTime":"2024-01-02T03:04:05Z","taskSpec":{{}}}}}}"#
        )
    };
    let (one, unnamed) = (child("c"), child("d"));
    let children = [&one, &unnamed].map(|child| TaskRun::parse(child.as_bytes()).unwrap());
    let run = Run::Pipeline(PipelineRun::parse(run).unwrap(), children.to_vec());
    let (statement, _) = written(&run, Format::SlsaV1);
    let tasks = statement["predicate"]["buildConfig"]["tasks"].as_array();
    let names: Vec<_> = tasks.unwrap().iter().map(|task| &task["name"]).collect();
    assert_eq!(names, ["test"]);
}

#[test]
fn nesting_beyond_the_limit_is_an_error_and_no_overflow() {
    let deep = format!(
        r#"{{"status":{{"x":{}{}}}}}"#,
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    let error = Payload::of_run(&task(&deep), &Config::default(), Format::Tekton).unwrap_err();
    assert!(matches!(error, PayloadError::Copy { part: "status", .. }));
}

#[test]
fn warnings_are_limited_in_number() {
    let mut results = String::new();
    for index in 0..10_000 {
        let _ = write!(
            results,
            r#"{{"name":"r{index}-IMAGE_URL","value":"r.io/a{index}"}},"#
        );
    }
    let run = format!(
        r#"{{"status":{{"results":[{}]}}}}"#,
        results.trim_end_matches(',')
    );
    let payload = Payload::of_run(&task(&run), &Config::default(), Format::SlsaV1).unwrap();
    assert_eq!(payload.warnings.len(), 101);
    assert_eq!(payload.warnings[100].to_string(), "and 9900 more");
}

/// A JSON document that looks like a run, with anything anywhere.
fn any_document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-zA-Z:@/.<$(){} -]{0,12}".prop_map(Value::from),
        Just(Value::from("2024-01-02T03:04:05Z")),
        Just(Value::from(format!("r.io/app@sha256:{}", "1".repeat(64)))),
    ];
    let key = prop::sample::select(vec![
        "metadata",
        "spec",
        "status",
        "name",
        "labels",
        "annotations",
        "params",
        "value",
        "default",
        "steps",
        "sidecars",
        "results",
        "taskSpec",
        "pipelineSpec",
        "tasks",
        "finally",
        "imageID",
        "provenance",
        "refSource",
        "digest",
        "uri",
        "completionTime",
        "startTime",
        "conditions",
        "timeout",
        "computeResources",
        "podTemplate",
        "retries",
        "IMAGES",
        "taskRef",
        "when",
    ]);
    leaf.prop_recursive(6, 96, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|members| members
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_parses_has_a_valid_payload_in_every_format(
        metadata in any_document(), spec in any_document(), status in any_document()
    ) {
        let document = serde_json::json!({ "metadata": metadata, "spec": spec, "status": status });
        let document = document.to_string();
        let task = TaskRun::parse(document.as_bytes()).map(Run::Task);
        let pipeline = PipelineRun::parse(document.as_bytes()).map(|run| {
            let child = TaskRun::parse(document.as_bytes()).into_iter().collect();
            Run::Pipeline(run, child)
        });
        for run in [task, pipeline].into_iter().flatten() {
            for format in STATEMENTS.into_iter().chain([Format::Tekton]) {
                let payload = Payload::of_run(&run, &Config::default(), format).unwrap();
                prop_assert!(serde_json::from_slice::<Value>(&payload.bytes).is_ok());
            }
        }
    }
}
