//! Stories of both versions, and of statements that strangers made.

use serde_json::json;

use super::*;

fn v02() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": SLSA_V02,
        "subject": [{ "name": "r.io/app", "digest": { "sha256": "22" } }],
        "predicate": {
            "builder": { "id": "https://tekton.dev/chains/v2" },
            "buildType": "tekton.dev/v1/PipelineRun",
            "buildConfig": { "tasks": [
                { "name": "clone", "serviceAccountName": "builder" }, { "name": "build" },
            ] },
            "invocation": {
                "configSource": {
                    "uri": "git+https://g.io/p.git", "digest": { "sha1": "55" },
                    "entryPoint": "release.yaml",
                },
                "environment": { "labels": { "tekton.dev/pipeline": "release" } },
            },
            "materials": [
                { "uri": "oci://r.io/go", "digest": { "sha256": "11" } },
                { "uri": "git+https://g.io/p.git", "digest": { "sha1": "55" } },
                { "uri": "git+https://g.io/app.git", "digest": { "sha1": "33" } },
            ],
            "metadata": { "buildStartedOn": "2026-11-23T10:00:00Z" },
        },
    })
}

fn story(statement: &Value) -> Story {
    Story::of(statement.to_string().as_bytes()).unwrap()
}

#[test]
fn both_versions_tell_pipeline_account_source_and_images() {
    let old = story(&v02());
    assert_eq!(old.kind, Kind::Pipeline);
    assert_eq!(old.pipeline.as_deref(), Some("release"));
    assert_eq!(old.tasks, ["clone", "build"]);
    assert_eq!(old.account.as_deref(), Some("builder"));
    assert_eq!(old.definition.as_ref().unwrap().path, "release.yaml");
    let [source] = &old.sources.shown[..] else {
        panic!("{:?}", old.sources);
    };
    assert_eq!(source.uri, "git+https://g.io/app.git");
    assert_eq!(old.images.shown[0].digest("sha256"), Some("11"));
    assert_eq!(old.products.shown[0].uri, "r.io/app");
    let new = story(&json!({
        "predicateType": SLSA_V1,
        "predicate": {
            "buildDefinition": {
                "externalParameters": { "runSpec": {
                    "taskRef": { "name": "build-image" }, "serviceAccountName": "builder",
                } },
                "resolvedDependencies": [
                    { "name": "task", "uri": "git+https://g.io/t.git", "digest": { "sha1": "5" } },
                    { "uri": "oci://r.io/go", "digest": { "sha256": "11" } },
                    { "name": "inputs/result", "uri": "git+https://g.io/app.git",
                      "digest": { "sha1": "33" } },
                ],
            },
            "runDetails": { "metadata": { "invocationId": "u-1" }, "builder": { "id": "b" } },
        },
    }));
    assert_eq!(new.kind, Kind::Task);
    assert_eq!(new.uid.as_deref(), Some("u-1"));
    assert_eq!(new.tasks, ["build-image"]);
    assert_eq!(new.account.as_deref(), Some("builder"));
    assert_eq!(new.definition.unwrap().uri, "git+https://g.io/t.git");
    assert_eq!(new.sources.shown, std::slice::from_ref(source));
    assert_eq!(new.images, old.images);
}

#[test]
fn a_repository_that_holds_its_own_pipeline_is_the_source_too() {
    let mut statement = v02();
    statement["predicate"]["materials"]
        .as_array_mut()
        .unwrap()
        .pop();
    assert_eq!(
        story(&statement).sources.shown[0].uri,
        "git+https://g.io/p.git"
    );
}

#[test]
fn a_statement_that_is_no_provenance_or_no_json_tells_nothing() {
    let mut other = v02();
    other["predicateType"] = json!("https://spdx.dev/Document");
    for text in [
        other.to_string(),
        String::new(),
        "[]".to_owned(),
        "{".to_owned(),
    ] {
        assert_eq!(Story::of(text.as_bytes()), None, "{text}");
    }
    // members of other types are passed over
    let mut odd = v02();
    odd["predicate"]["materials"] = json!({ "uri": [] });
    odd["predicate"]["buildConfig"] = json!("x");
    odd["predicate"]["builder"] = json!(7);
    assert_eq!(story(&odd).builder, "");
}

#[test]
fn a_story_is_short_however_much_was_signed() {
    let mut statement = v02();
    let long = "x".repeat(100_000);
    let materials = (0..10_000).map(|number| {
        json!({ "uri": format!("oci://{number}{long:.1000}"), "digest": { "sha256": "1" } })
    });
    statement["predicate"]["materials"] = materials.collect();
    statement["predicate"]["builder"]["id"] = json!(long);
    let story = story(&statement);
    assert_eq!(story.images.shown.len(), MOST);
    assert_eq!(story.images.more, 10_000 - MOST);
    assert!(story.json().to_string().len() < 40_000);
    // what is repeated is told once
    statement["predicate"]["materials"] = (0..9).map(|_| json!({ "uri": "oci://a" })).collect();
    assert_eq!(super::tests::story(&statement).images.shown.len(), 1);
}
