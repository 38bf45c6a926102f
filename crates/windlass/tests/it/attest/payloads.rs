//! `payload`: pinned output, Lists, and files that are hostile or broken.

use std::fmt::Write as _;

use super::runs::{HEX, folder, list, pipeline, task};

#[test]
fn the_payload_is_pinned() {
    let shell = folder();
    let bare = "kind: TaskRun\napiVersion: tekton.dev/v1\nmetadata: {name: a, uid: u}\n\
                status: {conditions: [{type: Succeeded, status: 'True'}]}\n";
    shell.write("bare.yaml", bare);
    let metadata = r#""metadata":{"completeness":{"environment":false,"materials":false,"parameters":false},"reproducible":false}"#;
    let expected = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2","predicate":{{"buildConfig":{{"steps":[]}},"buildType":"tekton.dev/v1/TaskRun","builder":{{"id":"https://tekton.dev/chains/v2"}},"invocation":{{"configSource":{{}},"parameters":{{}}}},{metadata}}}}}"#
    );
    assert_eq!(shell.succeed("payload -f bare.yaml"), expected);
    let subject = format!(r#""subject":[{{"name":"r.io/app","digest":{{"sha256":"{HEX}"}}}}]"#);
    assert!(shell.succeed("payload -f task.yaml").contains(&subject));
}

#[test]
fn a_plain_name_gives_the_payload_of_its_format() {
    let shell = folder();
    for (plain, format) in [
        ("slsa-provenance/v0.2", "in-toto"),
        ("slsa-provenance/v1", "slsa/v2alpha4"),
    ] {
        let expected = shell.succeed(&format!("payload -f task.yaml --format {format}"));
        let line = format!("payload -f task.yaml --format {plain}");
        assert_eq!(shell.succeed(&line), expected);
        let config = format!("kind: ConfigMap\ndata: {{artifacts.taskrun.format: {plain}}}\n");
        shell.write("config.yaml", config);
        let line = "payload -f task.yaml --config config.yaml";
        assert_eq!(shell.succeed(line), expected);
        let help = shell.succeed("payload --help");
        assert!(help.contains(plain), "{help}");
    }
    let simplesigning = "payload -f task.yaml --format simplesigning";
    shell.fail(2, simplesigning, "describes an image");
}

#[test]
fn a_list_gives_what_the_single_files_give() {
    let shell = folder();
    let single = "payload -f pipeline.yaml --child task.yaml --config deep.yaml";
    let expected = shell.succeed(single);
    assert!(expected.contains(HEX));
    let listed = shell.succeed("payload -f list.yaml --config deep.yaml");
    assert_eq!(listed, expected);
    let child = shell.succeed("payload -f list.yaml --name taskrun/build");
    assert_eq!(child, shell.succeed("payload -f task.yaml"));
}

#[test]
fn a_list_of_several_runs_tells_how_to_choose() {
    let shell = folder();
    let other = pipeline().replace("release", "other");
    shell.write("both.yaml", list(&[pipeline(), other, task()]));
    shell.fail(
        2,
        "payload -f both.yaml",
        "pipelinerun/release, pipelinerun/other",
    );
    shell.fail(2, "payload -f both.yaml", "--name pipelinerun/release");
    shell.succeed("payload -f both.yaml --name other");
    shell.fail(2, "payload -f both.yaml --name pod/x", "no kind of run");
}

#[test]
fn a_run_with_five_megabytes_of_params_has_a_payload() {
    let shell = folder();
    let mut text = task();
    text.push_str("spec:\n  params:\n");
    let value = "x".repeat(1000);
    for number in 0..5_000 {
        writeln!(text, "  - {{name: p{number}, value: {value}}}").unwrap();
    }
    assert!(text.len() > 5_000_000);
    shell.write("big.yaml", &text);
    let payload = shell.succeed("payload -f big.yaml --format slsa/v2alpha4");
    assert!(payload.len() > 5_000_000);
    let file = shell.path("huge.yaml");
    let huge = std::fs::File::create(file).unwrap();
    huge.set_len((32 << 20) + 1).unwrap();
    shell.fail(2, "payload -f huge.yaml", "more than 33554432 bytes");
}

#[test]
fn nulls_wherever_there_may_be_lists_are_empty() {
    let shell = folder();
    let nulls = r#"{"apiVersion":"tekton.dev/v1","kind":"PipelineRun","metadata":{"name":"p","labels":null},
        "spec":{"params":null},"status":{"conditions":[{"type":"Succeeded","status":"True"}],"results":null,
        "childReferences":null,"pipelineSpec":{"tasks":null,"finally":null,"params":[null]}}}"#;
    shell.write("nulls.json", nulls);
    for format in ["in-toto", "slsa/v2alpha3", "slsa/v2alpha4", "tekton"] {
        shell.succeed(&format!("payload -f nulls.json --format {format}"));
    }
    shell.write(
        "items.json",
        r#"{"kind":"List","apiVersion":"v1","items":null}"#,
    );
    shell.fail(2, "payload -f items.json", "no items");
}

#[test]
fn a_broken_file_is_refused_with_its_name_and_the_reason() {
    let shell = folder();
    let whole = task();
    let truncated = &whole[..whole.rfind("'sha256").unwrap() + 3];
    shell.write("truncated.yaml", truncated);
    shell.fail(
        2,
        "payload -f truncated.yaml",
        "truncated.yaml: it is not valid YAML",
    );
    shell.write("truncated.json", r#"{"kind":"TaskRun","#);
    shell.fail(
        2,
        "payload -f truncated.json",
        "truncated.json: it is not valid JSON",
    );
    shell.write("binary", [0x7f, b'E', b'L', b'F', 0, 0xff, 0xfe, 0x80]);
    shell.fail(2, "payload -f binary", "binary");
    shell.write("control", [b'k', 0, 1, 2, 3]);
    shell.fail(2, "payload -f control", "control: it is not valid YAML");
    shell.write("empty", "");
    shell.fail(2, "payload -f empty", "cannot use empty");
    shell.fail(2, "payload -f gone.yaml", "cannot read gone.yaml");
    shell.fail(2, "payload -f .", "cannot read .");
}

#[test]
fn another_kind_is_refused_by_its_name() {
    let shell = folder();
    shell.write(
        "pod.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n",
    );
    shell.fail(2, "payload -f pod.yaml", "found kind \"Pod\"");
    shell.write("nothing.yaml", "metadata: {name: x}\n");
    shell.fail(2, "payload -f nothing.yaml", "found no kind");
    shell.fail(
        2,
        "payload -f task.yaml --config nothing.yaml",
        "found no kind",
    );
    shell.write("bare.yaml", "kind: TaskRun\nmetadata: {name: x}\n");
    shell.fail(2, "payload -f bare.yaml", "tekton.dev/v1beta1, found none");
    let pods = list(&["apiVersion: v1\nkind: Pod".to_owned()]);
    shell.write("pods.yaml", pods);
    shell.fail(2, "payload -f pods.yaml", "it contains no run");
    shell.fail(
        2,
        "payload -f task.yaml --config task.yaml",
        "expected a ConfigMap",
    );
    let child = "payload -f pipeline.yaml --child pipeline.yaml";
    shell.fail(2, child, "a child is not a TaskRun");
    shell.fail(
        2,
        "payload -f task.yaml --child task.yaml",
        "--child is for pipeline runs only, and the run is a TaskRun",
    );
}

#[test]
fn aliases_that_multiply_and_nesting_without_end_are_refused() {
    let shell = folder();
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{before}]").unwrap();
    }
    shell.write("bomb.yaml", bomb);
    shell.fail(2, "payload -f bomb.yaml", "it is not valid YAML");
    shell.write("deep.json", format!("{{\"a\":{}", "[".repeat(1_000_000)));
    shell.fail(2, "payload -f deep.json", "it is not valid JSON");
    shell.write("deep-flow.yaml", "[".repeat(1_000_000));
    shell.fail(2, "payload -f deep-flow.yaml", "it is not valid YAML");
}

#[test]
fn control_characters_of_a_run_do_not_reach_the_terminal() {
    let shell = folder();
    let escape = task().replace("'r.io/app:1'", r#""r.io/\e[31mapp""#);
    shell.write("escape.yaml", escape);
    let outcome = shell.run("payload -f escape.yaml");
    assert!(outcome.stderr.contains("warning"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains('\u{1b}'));
    let text = shell.succeed("explain -f escape.yaml");
    assert!(
        text.contains("31mapp") && !text.contains('\u{1b}'),
        "{text}"
    );
}
