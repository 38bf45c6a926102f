use windlass_core::error::Chain;
use windlass_core::format::Format;
use windlass_core::payload::Payload;
use windlass_core::run::Run;

use super::content::{config_map, run as take_run};
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
    take_run(text, None).unwrap()
}

fn refused(text: &str) -> String {
    Chain(&take_run(text, None).unwrap_err()).to_string()
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
    let value: serde_json::Value = serde_saphyr::from_str(TASK).unwrap();
    let payloads = [
        TASK.to_owned(),
        format!("{value:#}"),
        format!("\u{feff}{TASK}"),
    ]
    .map(|text| {
        let documents = documents(&text);
        let run = documents.run(&mut Vec::new()).unwrap();
        let payload = Payload::of_run(&run, &Config::default(), Format::Tekton);
        payload.unwrap().bytes
    });
    let expected = r#"{"conditions":[{"status":"True","type":"Succeeded"}],"results":[{"name":"b","value":2},{"name":"a","value":"1"}]}"#;
    for payload in payloads {
        assert_eq!(String::from_utf8(payload).unwrap(), expected);
    }
}

#[test]
fn a_list_gives_its_only_run_and_a_pipeline_run_its_children() {
    let pipeline = "apiVersion: tekton.dev/v1\nkind: PipelineRun\nstatus:\n  childReferences:\n  - {kind: TaskRun, name: build}\n  - {kind: TaskRun, name: gone}";
    assert!(!documents(&list(&[TASK])).is_pipeline_run);
    let documents = documents(&list(&[TASK, pipeline]));
    let mut warnings = Vec::new();
    let Run::Pipeline(_, children) = documents.run(&mut warnings).unwrap() else {
        panic!("not a pipeline run");
    };
    assert_eq!(children.len(), 1);
    assert!(
        warnings[0].contains(r#""gone" is missing from the files"#),
        "{warnings:?}"
    );
}

#[test]
fn what_is_no_single_run_is_refused_with_the_reason() {
    assert!(refused("kind: Pod\napiVersion: v1").contains("Pod"));
    assert!(refused(&list(&[])).contains("no items"));
    assert!(refused(&list(&[TASK, TASK])).contains("choose one with --name"));
    assert!(refused("{").contains("JSON"));
    assert!(refused("a: [").contains("YAML"));
    assert!(refused("").contains("no run"));
    assert!(refused("[1]").contains("not an object"));
}

#[test]
fn a_run_of_v1beta1_is_converted() {
    let old = TASK
        .replace("tekton.dev/v1", "tekton.dev/v1beta1")
        .replace("results", "taskResults");
    let documents = documents(&old);
    let run = documents.run(&mut Vec::new()).unwrap();
    assert_eq!(run.results().len(), 2);
}

#[test]
fn a_value_of_the_config_map_that_is_not_text_is_named() {
    let text = "kind: ConfigMap\ndata:\n  transparency.enabled: true\n";
    assert!(
        config_map(text)
            .unwrap_err()
            .to_string()
            .contains("transparency.enabled")
    );
    assert!(
        config_map("kind: Secret")
            .unwrap_err()
            .to_string()
            .contains("ConfigMap")
    );
    assert!(config_map("kind: ConfigMap").unwrap().is_empty());
}

/// A run of a list, in JSON.
fn item(kind: &str, name: &str, more: &str) -> String {
    format!(
        r#"{{"apiVersion":"tekton.dev/v1","kind":"{kind}","metadata":{{"name":"{name}","namespace":"ns","uid":"{name}"{more}}}}}"#
    )
}

fn owned(name: &str, owner: &str) -> String {
    let owner = format!(
        r#","ownerReferences":[{{"apiVersion":"tekton.dev/v1","kind":"PipelineRun","name":"x","uid":"{owner}","controller":true}}]"#
    );
    item("TaskRun", name, &owner)
}

fn json_list(items: &[String]) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"List","items":[{}]}}"#,
        items.join(",")
    )
}

#[test]
fn children_in_a_list_are_found_by_their_owner() {
    let pipeline = item("PipelineRun", "p", "");
    let items = [owned("a", "p"), pipeline, owned("b", "p")];
    let documents = documents(&json_list(&items));
    assert!(documents.is_pipeline_run);
    assert_eq!(documents.children.len(), 2);
}

#[test]
fn a_list_without_a_single_top_run_asks_for_a_choice_and_takes_it() {
    let items = [
        item("PipelineRun", "p", ""),
        owned("a", "p"),
        item("PipelineRun", "q", ""),
        owned("b", "q"),
        item("TaskRun", "q", ""),
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}"#.to_owned(),
    ];
    let text = json_list(&items);
    let refusal = refused(&text);
    assert!(refusal.contains("3 runs"), "{refusal}");
    assert!(
        refusal.contains("pipelinerun/p, pipelinerun/q, taskrun/q"),
        "{refusal}"
    );
    assert!(refusal.contains("--name pipelinerun/p"), "{refusal}");

    let choose = |name: &str| take_run(&text, Some(&name.parse().unwrap()));
    let chosen = choose("pr/q").unwrap();
    assert_eq!(chosen.children.len(), 1);
    assert!(chosen.children[0].contains(r#""name":"b""#));
    assert!(!choose("a").unwrap().is_pipeline_run);
    let refusal = choose("q").unwrap_err().to_string();
    assert!(refusal.contains("2 runs in it are called q"), "{refusal}");
    let refusal = choose("gone").unwrap_err().to_string();
    assert!(refusal.contains("no run gone"), "{refusal}");
}

#[test]
fn runs_of_the_same_name_are_told_apart_by_their_namespaces() {
    let run = |namespace: &str, name: &str| {
        format!(
            r#"{{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{{"name":"{name}","namespace":"{namespace}"}}}}"#
        )
    };
    let text = json_list(&[run("a", "t"), run("b", "t"), run("a", "u")]);
    let refusal = refused(&text);
    let names = "taskrun/t of namespace a, taskrun/t of namespace b, taskrun/u";
    assert!(refusal.contains(names), "{refusal}");
    assert!(refusal.contains("--name taskrun/u"), "{refusal}");
    let several = take_run(&text, Some(&"taskrun/t".parse().unwrap()));
    let refusal = several.unwrap_err().to_string();
    assert!(refusal.contains("export one namespace only"), "{refusal}");
}

#[test]
fn a_task_run_of_another_pipeline_run_is_no_child_whatever_it_is_called() {
    let parent = r#"{"apiVersion":"tekton.dev/v1","kind":"PipelineRun","metadata":{"name":"p","namespace":"ns","uid":"p"},
        "status":{"childReferences":[{"kind":"TaskRun","name":"a"}]}}"#;
    let text = json_list(&[parent.to_owned(), owned("a", "old")]);
    let chosen = take_run(&text, Some(&"pr/p".parse().unwrap())).unwrap();
    assert!(chosen.children.is_empty());
}

#[test]
fn a_member_that_is_there_twice_is_an_error_that_names_it() {
    let doubled = [
        format!("{TASK}status:\n  results: []\n"),
        format!("{TASK}\"status\":\n  results: []\n"),
        format!("{TASK}spec:\n  status: a\n  status: b\n"),
        r#"{"kind":"TaskRun","status":{},"status":{"results":[]}}"#.to_owned(),
        r#"{"kind":"TaskRun","status":{},"stat\u0075s":{"results":[]}}"#.to_owned(),
        r#"{"kind":"List","items":[{"kind":"TaskRun","status":{},"status":{}}]}"#.to_owned(),
        r#"{"kind":"TaskRun","spec":{"status":1,"status":1}}"#.to_owned(),
    ];
    for text in doubled {
        let refused = refused(&text);
        assert!(refused.contains("status"), "{text}: {refused}");
        let told = refused.contains("there twice") || refused.contains("duplicate mapping key");
        assert!(told, "{text}: {refused}");
    }
    let numbers = format!("{TASK}spec:\n  params: {{1: a, \"1\": b}}\n");
    assert!(refused(&numbers).contains(r#"the member "1" is there twice"#));
}

#[test]
fn several_documents_are_read_as_a_list_is() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n";
    let second = TASK.replace("name: build", "name: second");
    let json: serde_json::Value = serde_saphyr::from_str(TASK).unwrap();
    let other = json.to_string().replace("build", "second");
    for text in [
        format!("---\n{TASK}---\n{pod}---\n{second}---\n"),
        format!("{TASK}---\n{}", list(&[pod, &second])),
        format!("{json}\n{other}\n"),
        format!("{json:#}\n---\n{other}\n---\n"),
    ] {
        let chosen = take_run(&text, Some(&"second".parse().unwrap())).unwrap();
        assert!(chosen.run.contains("second"), "{text}");
        let refusal = refused(&text);
        assert!(
            refusal.contains("taskrun/build, taskrun/second"),
            "{refusal}"
        );
    }
    assert!(
        documents(&format!("{TASK}---\n{pod}"))
            .run
            .contains("build")
    );
    assert!(refused(&format!("{pod}---\n{pod}")).contains("no run"));
}

#[test]
fn a_config_map_is_found_among_other_documents() {
    let map = |name: &str, value: &str| {
        format!("kind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: {value}}}\n")
    };
    let (own, other) = (map("chains-config", "x"), map("other", "y"));
    let secret = "kind: Secret\n";
    for text in [
        format!("{secret}---\n{own}"),
        format!("{other}---\n{own}"),
        list(&[&other, &own]),
    ] {
        assert_eq!(config_map(&text).unwrap()["a"], "x", "{text}");
    }
    let refusal = config_map(&format!("{other}---\n{other}")).unwrap_err();
    assert!(refusal.to_string().contains("2 ConfigMaps"), "{refusal}");
}
