use std::fs;

use super::document::config;
use super::*;

const TASK: &str = "apiVersion: tekton.dev/v1
kind: TaskRun
metadata:
  name: build
  uid: u
status:
  conditions: [{type: Succeeded, status: 'True'}]
  results:
  - {name: b, value: 2}
  - {name: a, value: '1'}
";

fn documents(text: &str) -> Documents {
    let mut documents = Documents::default();
    documents.take_run(text).unwrap();
    documents
}

fn refused(text: &str) -> String {
    format!("{:#}", Documents::default().take_run(text).unwrap_err())
}

fn list(items: &[&str]) -> String {
    let items: Vec<_> = items
        .iter()
        .map(|item| format!("- {}", item.replace('\n', "\n  ")))
        .collect();
    format!("apiVersion: v1\nkind: List\nitems:\n{}", items.join("\n"))
}

#[test]
fn yaml_and_json_give_the_same_payload() {
    let directory = tempfile::tempdir().unwrap();
    let value: serde_json::Value = serde_saphyr::from_str(TASK).unwrap();
    let files = [
        ("run.yaml", TASK.to_owned()),
        ("run.json", format!("{value:#}")),
    ];
    let payloads = files.map(|(name, text)| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        let verb = PayloadOf {
            run: Source::File(path),
            child: Vec::new(),
            config: None,
            format: Some(Format::Tekton),
        };
        verb.payload(&mut Vec::new()).unwrap().bytes
    });
    assert_eq!(payloads[0], payloads[1]);
    let expected = r#"{"conditions":[{"status":"True","type":"Succeeded"}],"results":[{"name":"b","value":2},{"name":"a","value":"1"}]}"#;
    assert_eq!(String::from_utf8(payloads[0].clone()).unwrap(), expected);
}

#[test]
fn a_list_gives_its_only_run_and_a_pipeline_run_its_children() {
    let pipeline = "apiVersion: tekton.dev/v1\nkind: PipelineRun\nstatus:\n  childReferences:\n  - {kind: TaskRun, name: build}\n  - {kind: TaskRun, name: gone}";
    assert!(!documents(&list(&[TASK])).is_pipeline_run());
    let documents = documents(&list(&[TASK, pipeline]));
    let mut warnings = Vec::new();
    let Run::Pipeline(_, children) = assemble(&documents, &mut warnings).unwrap() else {
        panic!("not a pipeline run");
    };
    assert_eq!(children.len(), 1);
    assert!(
        warnings[0].contains(r#""gone" is not among the files"#),
        "{warnings:?}"
    );
}

#[test]
fn what_is_no_single_run_is_refused_with_the_reason() {
    assert!(refused("kind: Pod\napiVersion: v1").contains("Pod"));
    assert!(refused(&list(&[])).contains("no items"));
    assert!(refused(&list(&[TASK, TASK])).contains("2 task runs"));
    assert!(refused("{").contains("JSON"));
    assert!(refused("a: [").contains("YAML"));
    assert!(refused("").contains("not an object"));
}

#[test]
fn a_run_of_v1beta1_is_converted() {
    let old = TASK
        .replace("tekton.dev/v1", "tekton.dev/v1beta1")
        .replace("results", "taskResults");
    let documents = documents(&old);
    let run = assemble(&documents, &mut Vec::new()).unwrap();
    assert_eq!(run.results().len(), 2);
}

#[test]
fn a_value_of_the_config_map_that_is_not_text_is_named() {
    let text = "kind: ConfigMap\ndata:\n  transparency.enabled: true\n";
    assert!(
        config(text)
            .unwrap_err()
            .to_string()
            .contains("transparency.enabled")
    );
    assert!(
        config("kind: Secret")
            .unwrap_err()
            .to_string()
            .contains("ConfigMap")
    );
    assert!(config("kind: ConfigMap").unwrap().is_empty());
}
