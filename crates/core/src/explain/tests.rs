use std::collections::BTreeMap;

use super::*;
use crate::run::{PipelineRun, TaskRun};

mod cases;

const HEX: &str = "1111111111111111111111111111111111111111111111111111111111111111";

fn config(keys: &[(&str, &str)]) -> Config {
    let keys = keys.iter();
    let keys: BTreeMap<String, String> = keys
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Config::parse(&keys, &BTreeMap::new()).unwrap().config
}

fn result(name: &str, value: &str) -> String {
    format!(r#"{{"name":"{name}","value":{value}}}"#)
}

/// A finished task run with these results.
fn task(results: &[(&str, &str)]) -> String {
    let results: Vec<String> = results
        .iter()
        .map(|(name, value)| result(name, value))
        .collect();
    format!(
        r#"{{"kind":"TaskRun","metadata":{{"name":"build","uid":"u"}},"status":{{
        "conditions":[{{"type":"Succeeded","status":"True"}}],"results":[{}]}}}}"#,
        results.join(",")
    )
}

fn explained(document: &str, format: &str) -> Explanation {
    let run = Run::parse(document.as_bytes()).unwrap();
    let config = config(&[
        ("artifacts.taskrun.format", format),
        ("artifacts.pipelinerun.format", format),
    ]);
    explain(&run, &config).unwrap()
}

/// The warnings for a task run with these results.
fn warnings(format: &str, results: &[(&str, &str)]) -> Vec<String> {
    let oci_is_off = "image(s) are not signed";
    let mut warnings = explained(&task(results), format).warnings;
    warnings.retain(|warning| !warning.contains(oci_is_off));
    warnings
}

#[track_caller]
fn warns(format: &str, results: &[(&str, &str)], parts: &[&str]) {
    let warnings = warnings(format, results);
    let is_said = warnings
        .iter()
        .any(|warning| parts.iter().all(|part| warning.contains(part)));
    assert!(is_said, "{parts:?} not in {warnings:#?}");
}

fn digest() -> String {
    format!(r#""sha256:{HEX}""#)
}

#[test]
fn a_good_run_has_no_warnings() {
    let digest = digest();
    let output =
        format!(r#"{{"uri":"pkg:a/b@1","digest":"sha256:{HEX}","isBuildArtifact":"true"}}"#);
    let results = [
        ("app-IMAGE_URL", r#""r.io/app:1""#),
        ("app-IMAGE_DIGEST", digest.as_str()),
        ("jar-ARTIFACT_OUTPUTS", output.as_str()),
        ("CHAINS-GIT_URL", r#""https://git.example/a""#),
        (
            "CHAINS-GIT_COMMIT",
            r#""2222222222222222222222222222222222222222""#,
        ),
        ("commit", r#""abc""#),
        ("url", r#""https://git.example/a""#),
        ("IMAGE_REF", r#""r.io/app@sha256:1""#),
    ];
    let found = warnings("slsa/v2alpha4", &results);
    // a build artifact is an image too, in Chains' eyes
    let found: Vec<_> = found
        .iter()
        .filter(|warning| !warning.contains("pkg:a/b@1"))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_a_checkout_is_called_by_other_tasks_is_named_with_the_hints_that_would_be_read() {
    let commit = r#""2222222222222222222222222222222222222222""#;
    let address = r#""https://git.example/a""#;
    for (repository, called) in [
        ("url", "commit"),
        ("GIT_URL", "GIT_COMMIT"),
        ("git-url", "commit-sha"),
        ("repo.url", "REVISION"),
    ] {
        let results = [(repository, address), (called, commit)];
        let words = format!("\"{repository}\" and \"{called}\" are not hints; CHAINS-GIT_URL");
        warns("slsa/v1", &results, &[&words]);
    }
}

#[test]
fn a_pair_with_one_half_is_named_with_the_other() {
    warns(
        "slsa/v1",
        &[("app-IMAGE_URL", r#""r.io/app""#)],
        &["\"app-IMAGE_URL\" is not used without a result \"app-IMAGE_DIGEST\""],
    );
    let empty = [
        ("app-IMAGE_URL", r#""r.io/app""#),
        ("app-IMAGE_DIGEST", r#"" \n""#),
    ];
    warns("slsa/v1", &empty, &["app-IMAGE_DIGEST exists but is empty"]);
}

#[test]
fn a_bad_digest_is_named_with_its_place_and_reason() {
    let upper = format!("\"sha256:{}\"", "A".repeat(64));
    warns(
        "slsa/v1",
        &[("IMAGE_URL", r#""r.io/app""#), ("IMAGE_DIGEST", &upper)],
        &["r.io/app", "upper case"],
    );
    let images = format!(r#""r.io/a0@sha256:{HEX}, r.io/b1@sha256:{HEX}\nr.io/c2@latest""#);
    warns(
        "slsa/v1",
        &[("IMAGES", &images)],
        &["IMAGES[2]", "r.io/c2@latest", "colon and hex digits"],
    );
    let output = format!(r#"{{"uri":"a","digest":"{HEX}"}}"#);
    warns(
        "slsa/v2alpha3",
        &[("x-ARTIFACT_OUTPUTS", &output)],
        &["x-ARTIFACT_OUTPUTS", "write sha256: before it"],
    );
}

#[test]
fn an_output_that_is_no_subject_says_why() {
    let plain = format!(r#"{{"uri":"a","digest":"sha256:{HEX}"}}"#);
    let flagged =
        |flag: &str| format!(r#"{{"uri":"a","digest":"sha256:{HEX}","isBuildArtifact":{flag}}}"#);
    let (upper, boolean) = (flagged("\"True\""), flagged("true"));
    let name = "x-ARTIFACT_OUTPUTS";
    warns(
        "slsa/v2alpha4",
        &[(name, &plain)],
        &[name, "no isBuildArtifact"],
    );
    assert!(warnings("slsa/v1", &[(name, &plain)]).is_empty());
    warns(
        "slsa/v1",
        &[(name, &upper)],
        &[name, "\"True\", not \"true\""],
    );
    warns("slsa/v1", &[(name, &boolean)], &[name, "not strings"]);
    warns(
        "slsa/v1",
        &[(name, r#"{"uri":"a"}"#)],
        &[name, "has no digest"],
    );
    warns(
        "slsa/v1",
        &[(name, r#""a""#)],
        &[name, "it is not an object"],
    );
}

#[test]
fn a_name_that_nearly_is_a_hint_and_a_value_of_the_wrong_type_are_said() {
    let digest = digest();
    warns(
        "slsa/v1",
        &[("IMAGE-URL", r#""r.io/app""#)],
        &["IMAGE-URL", "IMAGE_URL"],
    );
    warns(
        "slsa/v1",
        &[("image_digest", &digest)],
        &["\"IMAGE_DIGEST\" would be one"],
    );
    let both = [
        ("image_url", r#""r.io/app""#),
        ("IMAGE_URL", r#""r.io/app""#),
        ("IMAGE_DIGEST", digest.as_str()),
    ];
    assert!(warnings("slsa/v1", &both).is_empty());
    warns(
        "slsa/v1",
        &[("IMAGES", r#"["a"]"#)],
        &["IMAGES", "an array"],
    );
    warns("slsa/v1", &[("IMAGE_URL", r#"{"a":"b"}"#)], &["an object"]);
}

#[test]
fn blanks_are_said_to_be_dropped_or_to_stay() {
    let digest = format!("\"sha256:{HEX}\\n\"");
    let results = [("IMAGE_URL", r#""r.io/app""#), ("IMAGE_DIGEST", &digest)];
    warns("slsa/v1", &results, &["IMAGE_DIGEST", "which is dropped"]);
    assert_eq!(explained(&task(&results), "slsa/v1").subjects.len(), 1);
    let commit = format!("\"{}\\n\"", "3".repeat(40));
    warns(
        "slsa/v1",
        &[
            ("CHAINS-GIT_URL", r#""https://g""#),
            ("CHAINS-GIT_COMMIT", &commit),
        ],
        &["CHAINS-GIT_COMMIT", "which stays in the dependency"],
    );
}

#[test]
fn a_source_without_its_other_half_or_with_no_commit_is_said() {
    let url = ("CHAINS-GIT_URL", r#""https://g""#);
    warns(
        "slsa/v1",
        &[url],
        &["CHAINS-GIT_URL is not used without a CHAINS-GIT_COMMIT"],
    );
    let branch = ("CHAINS-GIT_COMMIT", r#""main""#);
    warns("slsa/v1", &[url, branch], &["\"main\"", "not a commit"]);
    warns(
        "slsa/v1",
        &[branch],
        &["without CHAINS-GIT_URL", "git+.git"],
    );
}

#[test]
fn a_scheme_before_an_image_and_a_refused_name_are_said() {
    let digest = digest();
    let scheme = [
        ("IMAGE_URL", r#""https://r.io/app""#),
        ("IMAGE_DIGEST", &digest),
    ];
    warns("slsa/v1", &scheme, &["https://r.io/app", "scheme"]);
    let upper = [("IMAGE_URL", r#""r.io/App""#), ("IMAGE_DIGEST", &digest)];
    warns(
        "slsa/v1",
        &upper,
        &["r.io/App", "its repository has upper case"],
    );
}

#[test]
fn hints_that_the_format_does_not_read_are_said() {
    let digest = digest();
    let pair = [("a-ARTIFACT_URI", r#""a""#), ("a-ARTIFACT_DIGEST", &digest)];
    warns("slsa/v2alpha4", &pair, &["a-ARTIFACT_URI", "slsa/v2alpha3"]);
    assert!(warnings("slsa/v2alpha3", &pair).is_empty());
    let step = format!(
        r#"{{"kind":"TaskRun","metadata":{{"name":"b","uid":"u"}},"status":{{"steps":[
        {{"name":"push","imageID":"r.io/s@sha256:{HEX}","results":[{}]}}]}}}}"#,
        result("IMAGES", r#""r.io/a@b""#)
    );
    let warnings = explained(&step, "slsa/v1").warnings;
    let said = warnings.iter().find(|it| it.contains("step \"push\""));
    assert!(
        said.is_some_and(|it| it.contains("slsa/v2alpha4")),
        "{warnings:#?}"
    );
}

#[test]
fn a_run_says_what_is_switched_off_and_that_it_has_not_ended() {
    let document = task(&[]).replace("\"True\"", "\"Unknown\"");
    let run = Run::parse(document.as_bytes()).unwrap();
    let config = config(&[("artifacts.taskrun.storage", "")]);
    let explanation = explain(&run, &config).unwrap();
    assert!(!explanation.artifacts[0].enabled);
    let warnings = explanation.warnings.join("\n");
    assert!(warnings.contains("is not finished"), "{warnings}");
    assert!(
        warnings.contains("artifacts.taskrun.storage is empty"),
        "{warnings}"
    );
}

#[test]
fn a_format_without_statement_has_no_subjects_and_says_so() {
    let explanation = explained(&task(&[("IMAGES", r#""r.io/a@b""#)]), "tekton");
    assert!(explanation.subjects.is_empty() && explanation.dependencies.is_empty());
    let warnings = explanation.warnings.join("\n");
    assert!(
        warnings.contains("neither subjects nor dependencies"),
        "{warnings}"
    );
}

/// A pipeline run with one task, and its task run, which names an image.
fn pipeline<'d>(run: &'d str, child: &'d str) -> Run<'d> {
    let child = TaskRun::parse(child.as_bytes()).unwrap();
    Run::Pipeline(PipelineRun::parse(run.as_bytes()).unwrap(), vec![child])
}

#[test]
fn what_deep_inspection_would_add_is_said_while_it_is_off() {
    let parent = r#"{"kind":"PipelineRun","metadata":{"name":"p","uid":"p"},"status":{
        "pipelineSpec":{"tasks":[{"name":"build"}]},
        "childReferences":[{"kind":"TaskRun","name":"build","pipelineTaskName":"build"}]}}"#;
    let digest = digest();
    let child = task(&[("IMAGE_URL", r#""r.io/app""#), ("IMAGE_DIGEST", &digest)]).replace(
        r#""results""#,
        r#""completionTime":"2026-01-01T00:00:00Z","results""#,
    );
    let run = pipeline(parent, &child);
    let off = explain(&run, &config(&[])).unwrap();
    assert!(off.subjects.is_empty());
    let said = off
        .warnings
        .iter()
        .find(|it| it.contains("enable-deep-inspection"));
    assert!(
        said.is_some_and(|it| it.contains("r.io/app")),
        "{:#?}",
        off.warnings
    );
    let on = [("artifacts.pipelinerun.enable-deep-inspection", "true")];
    let on = explain(&run, &config(&on)).unwrap();
    let origin = on.subjects[0].from[0].to_string();
    assert_eq!(
        origin,
        "result IMAGE_URL and result IMAGE_DIGEST of TaskRun build (task build)"
    );
    assert!(!on.warnings.join("").contains("enable-deep-inspection"));
}

#[test]
fn a_child_that_is_not_counted_says_why() {
    let parent = r#"{"kind":"PipelineRun","metadata":{"name":"p","uid":"p"},"status":{
        "pipelineSpec":{"tasks":[{"name":"build"}]},
        "childReferences":[{"kind":"TaskRun","name":"build","pipelineTaskName":"build"}]}}"#;
    let child = task(&[]);
    let explanation = explain(&pipeline(parent, &child), &config(&[])).unwrap();
    let warnings = explanation.warnings.join("\n");
    assert!(warnings.contains("no completion time"), "{warnings}");
}

#[test]
fn the_warnings_of_a_hostile_run_are_bounded() {
    let results: Vec<String> = (0..5_000)
        .map(|number| result(&format!("{number}-IMAGE_URL"), r#""r.io/app""#))
        .collect();
    let document = format!(
        r#"{{"kind":"TaskRun","metadata":{{"name":"b"}},"status":{{"results":[{}]}}}}"#,
        results.join(",")
    );
    let warnings = explained(&document, "slsa/v1").warnings;
    assert_eq!(warnings.len(), 201);
    let last = &warnings[200];
    assert!(
        last.starts_with("and 4") && last.ends_with(" more"),
        "{last}"
    );
}

#[test]
fn the_json_form_has_the_documented_names() {
    let digest = digest();
    let results = [("IMAGE_URL", r#""r.io/app""#), ("IMAGE_DIGEST", &digest)];
    let explanation = explained(&task(&results), "slsa/v2alpha4");
    let json = serde_json::to_value(&explanation).unwrap();
    assert_eq!(
        json["images"][0],
        serde_json::json!({
            "ref": format!("r.io/app@sha256:{HEX}"),
            "shortKey": "111111111111",
            "fullKey": format!("r.io/app@sha256:{HEX}"),
            "from": [{"kind": "TaskRun", "run": "build", "via": [
                {"kind": "result", "name": "IMAGE_URL"},
                {"kind": "result", "name": "IMAGE_DIGEST"},
            ]}],
        })
    );
    assert_eq!(json["subjects"][0]["name"], "r.io/app");
    assert!(json["dependencies"].is_array() && json["warnings"].is_array());
}
