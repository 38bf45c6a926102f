//! Runs come from anyone who may create one: what is too deep ends as a payload or as an error that
//! names the place, in every format and wherever a run may hold any JSON. See `docs/limits.md`.

use std::collections::BTreeMap;

use windlass_core::config::Config;
use windlass_core::explain::explain;
use windlass_core::format::Format;
use windlass_core::payload::Payload;
use windlass_core::run::{PipelineRun, Run, TaskRun};

const FORMATS: [Format; 4] = [
    Format::Tekton,
    Format::SlsaV1,
    Format::SlsaV2Alpha3,
    Format::SlsaV2Alpha4,
];
/// Parts of a task run that may hold any JSON, or that hold members nobody knows of. `DEEP` stands
/// for the value.
const TASK: [&str; 12] = [
    r#"{"metadata":{"x":DEEP}}"#,
    r#"{"spec":{"x":DEEP}}"#,
    r#"{"spec":{"params":[{"name":"p","value":DEEP}]}}"#,
    r#"{"spec":{"taskRef":{"resolver":"git","params":[{"name":"p","value":DEEP}]}}}"#,
    r#"{"spec":{"podTemplate":DEEP}}"#,
    r#"{"spec":{"taskSpec":DEEP}}"#,
    r#"{"spec":{"workspaces":[{"name":"w","x":DEEP}]}}"#,
    r#"{"status":{"x":DEEP}}"#,
    r#"{"status":{"results":[{"name":"IMAGES","value":DEEP}]}}"#,
    r#"{"status":{"results":[{"name":"a-ARTIFACT_OUTPUTS","type":"object","value":DEEP}]}}"#,
    r#"{"status":{"taskSpec":{"params":[{"name":"p","default":DEEP}]}}}"#,
    r#"{"status":{"steps":[{"name":"s","results":[{"name":"IMAGES","value":DEEP}]}]}}"#,
];
const PIPELINE: [&str; 6] = [
    r#"{"spec":{"params":[{"name":"p","value":DEEP}]}}"#,
    r#"{"spec":{"pipelineSpec":DEEP}}"#,
    r#"{"spec":{"taskRunTemplate":DEEP}}"#,
    r#"{"status":{"results":[{"name":"IMAGES","value":DEEP}]}}"#,
    r#"{"status":{"pipelineSpec":{"tasks":[{"name":"t","params":[{"name":"p","value":DEEP}]}]}}}"#,
    r#"{"status":{"skippedTasks":DEEP}}"#,
];

/// Says for each format whether there is a payload; what is no payload has an error that is short.
fn outcomes(run: &Run<'_>) -> Vec<bool> {
    let config = Config::parse(&BTreeMap::new(), &BTreeMap::new())
        .unwrap()
        .config;
    let mut outcomes = Vec::new();
    for format in FORMATS {
        let payload = Payload::of_run(run, &config, format);
        if let Err(error) = &payload {
            let text = error.to_string();
            assert!(!text.is_empty() && text.len() < 500, "{text}");
        }
        outcomes.push(payload.is_ok());
    }
    let configured = match run {
        Run::Task(_) => config.taskrun.format,
        Run::Pipeline(..) => config.pipelinerun.format,
    };
    let has_payload = Payload::of_run(run, &config, configured).is_ok();
    let explained = explain(run, &config);
    assert_eq!(explained.is_ok(), has_payload, "{explained:?}");
    let warnings = explained
        .into_iter()
        .flat_map(|explained| explained.warnings);
    for line in warnings {
        assert!(line.len() < 4096, "{line}");
    }
    outcomes
}

/// The outcomes of a document in all formats; none if it is refused as a whole.
fn tried(template: &str, depth: usize, is_task: bool) -> Option<Vec<bool>> {
    let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let document = template.replace("DEEP", &deep);
    let run = if is_task {
        Run::Task(TaskRun::parse(document.as_bytes()).ok()?)
    } else {
        let child = TaskRun::parse(b"{}").unwrap();
        Run::Pipeline(PipelineRun::parse(document.as_bytes()).ok()?, vec![child])
    };
    Some(outcomes(&run))
}

#[test]
fn nesting_of_a_hundred_thousand_levels_overflows_nothing_anywhere() {
    for (templates, is_task) in [(&TASK[..], true), (&PIPELINE[..], false)] {
        for template in templates {
            tried(template, 100_000, is_task);
        }
    }
}

#[test]
fn a_param_of_a_hundred_levels_has_a_payload_in_every_format() {
    for (template, is_task) in [(TASK[2], true), (PIPELINE[0], false)] {
        assert_eq!(tried(template, 100, is_task), Some(vec![true; 4]));
    }
}
