use std::borrow::Cow;

use super::*;

fn parse(json: &str) -> Result<TaskRun<'_>, RunError> {
    TaskRun::parse(json.as_bytes())
}

#[test]
fn null_counts_as_empty() {
    let run = parse(
        r#"{"metadata":{"name":null,"labels":null,"annotations":{"a":null},"finalizers":[null]},
            "spec":null,"status":{"steps":null,"results":[null],"conditions":null}}"#,
    )
    .unwrap();
    assert_eq!(run.metadata.name, "");
    assert_eq!(run.metadata.annotations["a"], "");
    assert_eq!(run.status.results.len(), 1);
    assert!(!run.is_done());
}

#[test]
fn a_run_is_done_when_succeeded_is_no_longer_unknown() {
    let with = |status: &str| {
        format!(r#"{{"status":{{"conditions":[{{"type":"Succeeded","status":"{status}"}}]}}}}"#)
    };
    assert!(parse(&with("True")).unwrap().is_done());
    assert!(parse(&with("False")).unwrap().is_done());
    assert!(!parse(&with("Unknown")).unwrap().is_done());
    assert!(!parse("{}").unwrap().is_done());
}

#[test]
fn a_field_of_the_wrong_type_is_named_with_its_path() {
    let error = parse(r#"{"status":{"steps":[{"name":"a"},{"name":5}]}}"#).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("status.steps[1].name"), "{text}");
    assert!(text.contains("expected a string"), "{text}");
}

#[test]
fn a_duplicate_field_or_key_is_refused() {
    let error = parse(r#"{"metadata":{"name":"a","name":"b"}}"#)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("metadata") && error.contains("duplicate field `name`"),
        "{error}"
    );
    let error = parse(r#"{"metadata":{"labels":{"a":"1","a":"2"}}}"#)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("metadata.labels") && error.contains("duplicate key"),
        "{error}"
    );
}

#[test]
fn strings_without_escapes_are_borrowed() {
    let run = parse(r#"{"metadata":{"annotations":{"a":"plain","b":"es\"caped"}}}"#).unwrap();
    let is_borrowed =
        |key: &str| matches!(run.metadata.annotations[key].as_cow(), Cow::Borrowed(_));
    assert!(is_borrowed("a"));
    assert!(!is_borrowed("b"));
}

#[test]
fn another_kind_or_version_is_refused_by_name() {
    let error = parse(r#"{"kind":"Pod"}"#).unwrap_err().to_string();
    assert!(
        error.contains("expected a TaskRun") && error.contains("Pod"),
        "{error}"
    );
    let error = parse(r#"{"apiVersion":"tekton.dev/v1beta1"}"#)
        .unwrap_err()
        .to_string();
    assert!(error.contains("tekton.dev/v1beta1"), "{error}");
}

#[test]
fn what_is_not_a_document_is_refused() {
    for json in [
        "",
        "[]",
        r#"{"spec":[]}"#,
        r#"{"status":{"steps":[["a"]]}}"#,
        "{",
        "{} {}",
        "\u{0}",
        "5",
    ] {
        assert!(parse(json).is_err(), "{json}");
    }
}

#[test]
fn a_document_over_the_limit_is_refused() {
    let large = vec![b' '; MAX_DOCUMENT + 1];
    assert!(matches!(
        TaskRun::parse(&large),
        Err(RunError::TooLarge { .. })
    ));
}

#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let deep = format!(
        r#"{{"status":{{"x":{}{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(parse(&deep).is_ok());
    let deep = format!(
        r#"{{"status":{{"steps":{}{}}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(parse(&deep).is_err());
}
