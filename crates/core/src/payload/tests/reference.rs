//! What payloads have to be like in corners where they once differed from Tekton Chains'.

use base64::Engine as _;
use serde_json::json;

use super::*;
use crate::config::BuildType;

fn tekton() -> Config {
    Config {
        build_type: BuildType::SlsaTekton,
        ..Config::default()
    }
}

fn written_with(run: &Run<'_>, config: &Config, format: Format) -> (Value, String) {
    let payload = Payload::of_run(run, config, format).unwrap();
    let warnings: Vec<_> = payload.warnings.iter().map(ToString::to_string).collect();
    let statement = serde_json::from_slice(&payload.bytes).unwrap();
    (statement, warnings.join("\n"))
}

fn definition(run: &Run<'_>, config: &Config) -> Value {
    let (mut statement, _) = written_with(run, config, Format::SlsaV2Alpha4);
    statement["predicate"]["buildDefinition"].take()
}

/// A pipeline run with one task `t`, and a child that carried it out.
fn pipeline<'a>(run: &'a str, child: &'a str) -> Run<'a> {
    let children = vec![TaskRun::parse(child.as_bytes()).unwrap()];
    Run::Pipeline(PipelineRun::parse(run.as_bytes()).unwrap(), children)
}

#[test]
fn a_param_of_no_known_kind_keeps_its_spelling_in_the_copied_spec() {
    let run = task(
        r#"{"spec":{"params":[{"name":"a","value":[1, "\u003c"]},{"name":"b","value":{ "x":1.0}},
            {"name":"c","value":["\u003c",null]}],
            "taskSpec":{"params":[{"name":"d","default":{ "y" : [ ] }}]}}}"#,
    );
    let spec = definition(&run, &Config::default())["externalParameters"]["runSpec"].take();
    assert_eq!(spec["params"][0]["value"], r#"[1, "\u003c"]"#);
    assert_eq!(spec["params"][1]["value"], r#"{ "x":1.0}"#);
    assert_eq!(spec["params"][2]["value"], json!(["<", ""]));
    assert_eq!(spec["taskSpec"]["params"][0]["default"], r#"{ "y" : [ ] }"#);
}

#[test]
fn an_embedded_object_is_copied_even_where_it_looks_like_a_param() {
    let run = PipelineRun::parse(
        br#"{"spec":{"pipelineSpec":{"tasks":[{"taskSpec":{"spec":{"value":{"value":[1]}}}}]}}}"#,
    );
    let run = Run::Pipeline(run.unwrap(), Vec::new());
    let spec = definition(&run, &Config::default())["externalParameters"]["runSpec"].take();
    let embedded = &spec["pipelineSpec"]["tasks"][0]["taskSpec"]["spec"];
    assert_eq!(*embedded, json!({"value": {"value": [1]}}));
}

#[test]
fn empty_labels_are_an_object_and_missing_ones_are_null() {
    let run = task(r#"{"metadata":{"labels":{}}}"#);
    let parameters = definition(&run, &tekton())["internalParameters"].take();
    assert_eq!(parameters, json!({"labels": {}, "annotations": null}));
}

#[test]
fn a_time_before_the_year_one_is_left_out_with_a_warning() {
    let run = task(
        r#"{"status":{"startTime":"0000-01-01T00:00:00Z","completionTime":"0001-01-01T00:00:00Z"}}"#,
    );
    let (statement, warnings) = written(&run, Format::SlsaV2Alpha4);
    let metadata = &statement["predicate"]["runDetails"]["metadata"];
    assert_eq!(*metadata, json!({"finishedOn": "0001-01-01T00:00:00Z"}));
    assert!(warnings.contains("startTime"), "{warnings}");
}

#[test]
fn digits_beyond_the_nanosecond_are_dropped() {
    let run = task(r#"{"status":{"startTime":"2024-01-02T03:04:05.1234567899Z"}}"#);
    let (statement, _) = written(&run, Format::SlsaV1);
    let started = &statement["predicate"]["metadata"]["buildStartedOn"];
    assert_eq!(started, "2024-01-02T03:04:05.123456789Z");
}

#[test]
fn a_child_with_a_result_without_value_is_no_dependency_where_it_would_be_copied() {
    let run = r#"{"status":{"pipelineSpec":{"tasks":[{"name":"t"}]},
        "childReferences":[{"kind":"TaskRun","name":"c","pipelineTaskName":"t"}]}}"#;
    let child = r#"{"metadata":{"name":"c"},
        "status":{"completionTime":"2024-01-02T03:04:05Z","results":[{"name":"r"}],
            "steps":[{"name":"s","imageID":"r.io/a@sha256:1"}]}}"#;
    let run = pipeline(run, child);
    assert!(
        definition(&run, &tekton())
            .get("resolvedDependencies")
            .is_none()
    );
    let (_, warnings) = written_with(&run, &tekton(), Format::SlsaV2Alpha4);
    assert!(
        warnings.contains(r#"task run "c" and its images are left out"#)
            && warnings.contains("status.results[0].value has no value"),
        "{warnings}"
    );
    let plain = definition(&run, &Config::default());
    assert_eq!(plain["resolvedDependencies"][0]["uri"], "oci://r.io/a");
}

#[test]
fn a_warning_on_a_child_that_is_left_out_stays_short() {
    let steps = r#"{"securityContext":"none"}"#;
    let steps = [steps; 200].join(",");
    let child = format!(
        r#"{{"metadata":{{"name":"c"}},
        "status":{{"completionTime":"2024-01-02T03:04:05Z","results":[{{"name":"r"}}],
            "taskSpec":{{"steps":[{steps}]}}}}}}"#
    );
    let run = r#"{"status":{"pipelineSpec":{"tasks":[{"name":"t"}]},
        "childReferences":[{"kind":"TaskRun","name":"c","pipelineTaskName":"t"}]}}"#;
    let run = pipeline(run, &child);
    let payload = Payload::of_run(&run, &tekton(), Format::SlsaV2Alpha4).unwrap();
    let longest = payload.warnings.iter().map(|warning| warning.0.len()).max();
    assert!(longest.unwrap() < 300, "{:?}", payload.warnings);
    let left_out = payload
        .warnings
        .iter()
        .find(|it| it.0.contains("left out of"));
    assert!(
        left_out
            .unwrap()
            .0
            .contains("results[0].value has no value")
    );
}

#[test]
fn a_definitions_source_shows_the_digests_that_materials_add_to_it() {
    let run = r#"{"status":{"pipelineSpec":{"tasks":[{"name":"t"}]},
        "childReferences":[{"kind":"TaskRun","name":"c","pipelineTaskName":"t"}],
        "provenance":{"refSource":{"uri":"u","digest":{"sha1":"1"}}}}}"#;
    let child = r#"{"metadata":{"name":"c"},
        "status":{"startTime":"2024-01-02T03:04:05Z","completionTime":"2024-01-02T03:04:05Z",
            "provenance":{"refSource":{"uri":"u","digest":{"sha1":"1","sha256":"2"}}}}}"#;
    let (statement, _) = written(&pipeline(run, child), Format::SlsaV1);
    let predicate = &statement["predicate"];
    let both = json!({"sha1": "1", "sha256": "2"});
    assert_eq!(
        predicate["materials"],
        json!([{"uri": "u", "digest": both}])
    );
    assert_eq!(predicate["invocation"]["configSource"]["digest"], both);
}

#[test]
fn a_source_that_is_given_twice_keeps_the_digests_added_in_between() {
    let run = r#"{"status":{"pipelineSpec":{"tasks":[{"name":"t"},{"name":"t"}]},
        "childReferences":[{"name":"c2","pipelineTaskName":"t"},{"name":"c3","pipelineTaskName":"t"}]}}"#;
    let child = |sha256: u8| {
        format!(
            r#"{{"metadata":{{"name":"c{sha256}"}},
                "status":{{"startTime":"2024-01-02T03:04:05Z",
                    "completionTime":"2024-01-02T03:04:05Z","taskSpec":{{}},
                    "provenance":{{"refSource":{{"uri":"u",
                        "digest":{{"sha1":"1","sha256":"{sha256}"}}}}}}}}}}"#
        )
    };
    let (first, second) = (child(2), child(3));
    let children = [&first, &second].map(|child| TaskRun::parse(child.as_bytes()).unwrap());
    let run = PipelineRun::parse(run.as_bytes()).unwrap();
    let (statement, _) = written(&Run::Pipeline(run, children.to_vec()), Format::SlsaV1);
    let tasks = &statement["predicate"]["buildConfig"]["tasks"];
    for index in 0..4 {
        let digest = &tasks[index]["invocation"]["configSource"]["digest"];
        assert_eq!(*digest, json!({"sha1": "1", "sha256": "3"}), "{index}");
    }
}

#[test]
fn a_copied_child_keeps_the_spelling_of_short_quantities() {
    let run = r#"{"status":{"pipelineSpec":{"tasks":[{"name":"t"}]},
        "childReferences":[{"kind":"TaskRun","name":"c","pipelineTaskName":"t"}]}}"#;
    let child = r#"{"metadata":{"name":"c"},
        "spec":{"computeResources":{"limits":{"cpu":"123.456k","memory":"2048Mi"}}},
        "status":{"completionTime":"2024-01-02T03:04:05Z"}}"#;
    let found = definition(&pipeline(run, child), &tekton());
    let content = found["resolvedDependencies"][0]["content"]
        .as_str()
        .unwrap();
    let content = base64::engine::general_purpose::STANDARD
        .decode(content)
        .unwrap();
    let content: Value = serde_json::from_slice(&content).unwrap();
    let limits = &content["spec"]["computeResources"]["limits"];
    assert_eq!(*limits, json!({"cpu": "123.456k", "memory": "2Gi"}));
}

#[test]
fn mistaken_hints_do_not_crowd_out_the_warning_on_a_lost_image() {
    let hints: Vec<_> = (0..200)
        .map(|index| format!(r#"{{"name":"r{index}-IMAGE_URL","value":"r.io/a"}}"#))
        .collect();
    let run = format!(
        r#"{{"status":{{"results":[{}],"steps":[{{"name":"never","imageID":""}}]}}}}"#,
        hints.join(",")
    );
    for format in STATEMENTS {
        let (_, warnings) = written(&task(&run), format);
        assert!(warnings.contains(r#"step "never""#), "{warnings}");
    }
}
