//! What a provenance says, and on whose word.

use super::*;

const TASKS: &str = "git+https://g.io/tasks.git@sha1:55";
const PIPELINES: &str = "https://g.io/pipelines@sha1:66";

type Change = fn(&mut Provenance);

fn asking(change: impl FnOnce(&mut Provenance)) -> Expected {
    let mut expected = Expected::default();
    change(&mut expected.provenance);
    expected
}

fn outcome(statement: &Value, expected: &Expected) -> Outcome {
    let key = key();
    attestation(&signed(&key, statement), key.public_key(), expected)
}

fn reference(text: &str) -> Option<DefinitionRef> {
    let parsed = text.parse().ok();
    assert!(parsed.is_some(), "{text}");
    parsed
}

fn source(p: &mut Provenance) {
    p.source_uri = Some("https://g.io/r".to_owned());
    p.source_commit = Some("33".to_owned());
}

/// A pipeline run of a pipeline, with two tasks; the second is the author's own.
fn pipeline_v02() -> Value {
    let mut statement = provenance_v02();
    let predicate = &mut statement["predicate"];
    predicate["buildType"] = json!("tekton.dev/v1/PipelineRun");
    let pipelines = json!({"uri": "git+https://g.io/pipelines.git", "digest": {"sha1": "66"}});
    predicate["invocation"]["configSource"] = pipelines;
    let tasks = json!({"uri": "git+https://g.io/tasks.git", "digest": {"sha1": "55"}});
    predicate["buildConfig"] = json!({"tasks": [
        {"ref": {"name": "build"}, "invocation": {"configSource": tasks}},
        {"ref": {}, "invocation": {"configSource": {}}},
    ]});
    statement
}

fn pipeline_v1() -> Value {
    let mut statement = provenance_v1();
    let definition = &mut statement["predicate"]["buildDefinition"];
    definition["externalParameters"]["runSpec"] = json!({"pipelineRef": {"name": "build"}});
    let inputs = definition["resolvedDependencies"].as_array_mut().unwrap();
    inputs[0]["name"] = json!("pipelineTask");
    let uri = "git+https://g.io/pipelines.git";
    inputs.insert(
        0,
        json!({"uri": uri, "digest": {"sha1": "66"}, "name": "pipeline"}),
    );
    statement
}

/// The same pipeline run with a pipeline that its author wrote into it.
fn inline(mut statement: Value) -> Value {
    let predicate = &mut statement["predicate"];
    if predicate["invocation"].is_object() {
        predicate["invocation"]["configSource"] = json!({});
        return statement;
    }
    let definition = &mut predicate["buildDefinition"];
    let inputs = definition["resolvedDependencies"].as_array_mut().unwrap();
    inputs.remove(0);
    definition["externalParameters"]["runSpec"] = json!({"pipelineSpec": {}});
    statement
}

#[test]
fn a_source_that_a_trusted_task_states_counts_in_both_versions_of_provenance() {
    let good: [Change; 5] = [
        |p| p.source_uri = Some("https://g.io/r".to_owned()),
        |p| p.source_uri = Some("git+https://g.io/r.git".to_owned()),
        |p| p.source_commit = Some("33".to_owned()),
        source,
        |p| p.builder_id = Some("https://tekton.dev/chains/v2".to_owned()),
    ];
    for (number, change) in good.into_iter().enumerate() {
        for statement in [provenance_v02(), provenance_v1()] {
            let mut expected = asking(change);
            expected.provenance.task_ref = reference(TASKS);
            let outcome = outcome(&statement, &expected);
            assert_eq!(outcome.findings, Vec::<String>::new(), "{number}");
            let mut standings = outcome.attributions.iter();
            assert!(standings.all(|one| one.standing == Standing::Verified));
        }
    }
}

#[test]
fn a_source_that_only_a_material_names_is_a_claim_of_the_runs_author() {
    let claims: [Change; 4] = [
        source,
        |p| p.source_uri = Some("https://g.io/r".to_owned()),
        |p| p.source_commit = Some("33".to_owned()),
        |p| {
            source(p);
            // the task, but not which revision of it
            p.task_ref = reference("https://g.io/tasks");
        },
    ];
    for change in claims {
        for statement in [provenance_v02(), provenance_v1()] {
            let mut expected = asking(change);
            let refused = outcome(&statement, &expected);
            assert!(!refused.findings.is_empty());
            let told = |finding: &String| {
                finding.contains("only claimed") && finding.contains("--allow-claimed-source")
            };
            assert!(refused.findings.iter().all(told), "{refused:?}");
            expected.provenance.least = Standing::Claimed;
            let accepted = outcome(&statement, &expected);
            assert_eq!(accepted.findings, Vec::<String>::new());
            let mut standings = accepted.attributions.iter();
            assert!(standings.all(|one| one.standing == Standing::Claimed));
            assert!(accepted.attributions[0].by.contains("author"));
        }
    }
}

#[test]
fn a_source_that_a_param_of_the_run_can_name_is_a_claim_whatever_the_task() {
    for name in ["CHAINS-GIT_URL", "CHAINS-GIT_COMMIT"] {
        let mut v02 = provenance_v02();
        v02["predicate"]["invocation"]["parameters"] = json!({ name: "https://g.io/r" });
        let mut v1 = provenance_v1();
        let spec = &mut v1["predicate"]["buildDefinition"]["externalParameters"]["runSpec"];
        spec["params"] = json!([{ "name": name, "value": "https://g.io/r" }]);
        for statement in [v02, v1] {
            let mut expected = asking(source);
            expected.provenance.task_ref = reference(TASKS);
            let outcome = outcome(&statement, &expected);
            assert_eq!(outcome.findings.len(), 2, "{outcome:?}");
            assert!(outcome.findings[0].contains(name), "{outcome:?}");
        }
    }
}

#[test]
fn where_a_resolver_read_the_definition_is_verified_without_anybody_elses_word() {
    for statement in [provenance_v02(), provenance_v1()] {
        let expected = asking(|p| {
            p.source_uri = Some("https://g.io/tasks".to_owned());
            p.source_commit = Some("55".to_owned());
        });
        let outcome = outcome(&statement, &expected);
        assert_eq!(outcome.findings, Vec::<String>::new());
        assert!(
            outcome.attributions[0].by.contains("resolver"),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_task_is_known_by_its_uri_and_digest_and_a_name_is_only_claimed() {
    for statement in [provenance_v02(), provenance_v1()] {
        for good in [
            TASKS,
            "https://g.io/tasks@SHA1:55",
            " https://g.io/tasks/@sha1:55",
        ] {
            let outcome = outcome(&statement, &asking(|p| p.task_ref = reference(good)));
            assert_eq!(outcome.findings, Vec::<String>::new(), "{good}");
        }
        let outcome = outcome(
            &statement,
            &asking(|p| p.task_ref = reference("https://g.io/tasks")),
        );
        assert_eq!(outcome.findings.len(), 1);
        let finding = &outcome.findings[0];
        assert!(
            finding.contains("--task-ref URI@ALGORITHM:HEX"),
            "{finding}"
        );
    }
    let named = asking(|p| p.task_ref = reference("build"));
    let refused = outcome(&provenance_v1(), &named);
    assert!(refused.findings[0].contains("only claimed"), "{refused:?}");
    let accepted = asking(|p| {
        p.task_ref = reference("build");
        p.least = Standing::Claimed;
    });
    assert!(outcome(&provenance_v1(), &accepted).holds());
}

#[test]
fn a_trusted_pipeline_vouches_for_its_run_and_a_task_of_it_does_not() {
    for statement in [pipeline_v02(), pipeline_v1()] {
        let good: [Change; 3] = [
            |p| p.pipeline_ref = reference(PIPELINES),
            |p| p.task_ref = reference(PIPELINES),
            |p| {
                p.pipeline_ref = reference(PIPELINES);
                p.task_ref = reference(TASKS);
            },
        ];
        for change in good {
            let mut expected = asking(change);
            source(&mut expected.provenance);
            let found = findings(&statement, &expected);
            assert_eq!(found, Vec::<String>::new());
        }
        for statement in [statement.clone(), inline(statement)] {
            let mut expected = asking(|p| p.task_ref = reference(TASKS));
            let refused = outcome(&statement, &expected);
            assert_eq!(refused.findings.len(), 1, "{refused:?}");
            assert!(
                refused.findings[0].contains("--pipeline-ref"),
                "{refused:?}"
            );
            source(&mut expected.provenance);
            assert_eq!(outcome(&statement, &expected).findings.len(), 3);
        }
    }
    for statement in [inline(pipeline_v02()), inline(pipeline_v1())] {
        let expected = asking(|p| p.pipeline_ref = reference(PIPELINES));
        let found = findings(&statement, &expected);
        assert!(found[0].contains("it was not built by"), "{found:?}");
    }
    // the task of a task run is no pipeline
    let expected = asking(|p| p.pipeline_ref = reference(TASKS));
    for statement in [provenance_v02(), provenance_v1()] {
        assert_eq!(findings(&statement, &expected).len(), 1);
    }
}

#[test]
fn a_claim_that_the_provenance_does_not_make_does_not_hold() {
    let bad: [Change; 9] = [
        |p| p.source_uri = Some("https://g.io/rr".to_owned()),
        |p| p.source_uri = Some(String::new()),
        |p| p.source_commit = Some("3".to_owned()),
        |p| p.source_commit = Some(" ".to_owned()),
        // the commit of another source
        |p| {
            p.source_uri = Some("https://g.io/r".to_owned());
            p.source_commit = Some("44".to_owned());
        },
        |p| p.builder_id = Some("https://tekton.dev/chains".to_owned()),
        |p| p.task_ref = reference("buil"),
        |p| p.task_ref = reference("git+https://g.io/tasks.git@sha1:56"),
        |p| p.task_ref = reference("git+https://g.io/r.git@sha1:33"),
    ];
    for (number, change) in bad.into_iter().enumerate() {
        for statement in [provenance_v02(), provenance_v1()] {
            let mut expected = asking(change);
            expected.provenance.least = Standing::Claimed;
            let findings = findings(&statement, &expected);
            assert_eq!(findings.len(), 1, "{number}: {findings:?}");
        }
    }
}

/// A commit without a URL gives the material `git+.git`, and a builder may be missing.
#[test]
fn nothing_expected_is_not_satisfied_by_nothing_found() {
    let mut v02 = provenance_v02();
    v02["predicate"]["materials"][0]["uri"] = json!("git+.git");
    v02["predicate"]["materials"][0]["digest"] = json!({"sha1": ""});
    v02["predicate"]["builder"] = json!({});
    let blank: [Change; 5] = [
        |p| p.source_uri = Some(String::new()),
        |p| p.source_uri = Some("git+.git".to_owned()),
        |p| p.source_uri = Some(" git+ ".to_owned()),
        |p| p.source_commit = Some(String::new()),
        |p| p.builder_id = Some(String::new()),
    ];
    for (number, change) in blank.into_iter().enumerate() {
        let mut expected = asking(change);
        expected.provenance.least = Standing::Claimed;
        assert_eq!(findings(&v02, &expected).len(), 1, "{number}");
    }
    let mut statement = provenance_v02();
    statement["subject"] = json!([{"name": "x", "digest": {"sha256": ""}}]);
    let expected = Expected {
        subject: Some(Claim::sha256("")),
        ..Expected::default()
    };
    assert_eq!(findings(&statement, &expected).len(), 1);
}

#[test]
fn one_definition_of_a_revision_is_not_another_of_it() {
    let mut v02 = provenance_v02();
    v02["predicate"]["invocation"]["configSource"]["entryPoint"] = json!("./tasks/build.yaml");
    let mut v1 = provenance_v1();
    let params = &mut v1["predicate"]["buildDefinition"]["externalParameters"];
    params["runSpec"] = json!({"taskRef": {"resolver": "git", "params": [
        {"name": "name", "value": "other.yaml"},
        {"name": "pathInRepo", "value": "tasks/build.yaml"},
    ]}});
    for statement in [v02, v1] {
        let ask = |text: String| {
            let expected = asking(|p| {
                source(p);
                p.task_ref = reference(&text);
            });
            outcome(&statement, &expected)
        };
        assert!(ask(format!("{TASKS}#tasks/build.yaml")).holds());
        for other in ["other.yaml", "build.yaml", "tasks", "tasks/build.yaml/x"] {
            assert!(!ask(format!("{TASKS}#{other}")).holds(), "{other}");
        }
        // where the reference leaves it open, the report says which one it was
        let open = ask(TASKS.to_owned());
        assert!(open.holds());
        for attribution in &open.attributions {
            let by = &attribution.by;
            assert!(by.contains("tasks/build.yaml, which the author"), "{by}");
        }
    }
}
